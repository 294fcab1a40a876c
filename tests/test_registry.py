"""Extension points: arguments by name, any subset; names registered, replaced and taken back."""

from __future__ import annotations

import functools
import pickle

import pytest

from rdsim.errors import ExtensionError
from rdsim.registry import Contract, Registry

JUDGE = Contract(
    "gate policy, judge", {"lead": "TRL ahead of plan", "missing": "deliverables due", "luck": "(0, 1)"}, "a truth"
)


def test_a_function_is_given_what_it_names_and_nothing_else():
    taken = JUDGE.bind("gate policy 'mine'", lambda luck, lead: (luck, lead))
    assert taken(3, 1, 0.25) == (0.25, 3)
    assert taken.of({"lead": 3, "luck": 0.5, "missing": 0, "later": 9}) == (0.5, 3)
    assert JUDGE.bind("x", lambda: 7)(1, 2, 3) == 7
    assert JUDGE.bind("x", lambda lead, *, by=2: lead + by)(1, 2, 3) == 3
    assert JUDGE.bind("x", lambda **all_of_it: sorted(all_of_it))(1, 2, 3) == ["lead", "luck", "missing"]


def test_arguments_reach_a_function_by_name_only_and_as_many_as_are_offered():
    @functools.wraps(lambda luck, lead: None)
    def wrapped(**given: float) -> dict[str, float]:
        return given

    asked = JUDGE.bind("x", wrapped).positional
    assert asked(3, 1, 0.25) == {"luck": 0.25, "lead": 3}
    with pytest.raises(TypeError):
        asked(3, 1)
    anything = JUDGE.bind("x", lambda **given: given, ("class",))
    assert anything(3, 1, 0.25, 7) == {"lead": 3, "missing": 1, "luck": 0.25, "class": 7}


def test_what_nobody_offers_is_told_at_once_with_all_that_is():
    def judge(led: int, missing: int, lucky: float) -> bool:
        return led + missing + lucky > 0

    with pytest.raises(ExtensionError, match="may take lead, missing, luck, by name") as raised:
        JUDGE.bind("gate policy 'mine'", judge)
    assert [fault.found for fault in raised.value.faults] == ["'led'", "'lucky'"]
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)  # noqa: S301 - made here
    with pytest.raises(ExtensionError, match="must be a function"):
        JUDGE.bind("gate policy 'mine'", 3)  # type: ignore[arg-type]


def test_parameters_of_its_own_are_offered_besides():
    taken = JUDGE.bind("x", lambda lead, patience: lead + patience, {"patience": "TRL steps"})
    assert taken.names == ("lead", "patience")
    assert taken(1, 0, 0.5, 4) == 5


def test_a_name_is_registered_replaced_and_taken_back():
    numbers: Registry[int] = Registry("number", int, {"one": 1})
    numbers.register("two", 2)
    with pytest.raises(ExtensionError, match="a name in use"):
        numbers.register("two", 3)
    numbers.register("two", 3, replace=True)
    assert dict(numbers) == {"one": 1, "two": 3}
    assert list(numbers) == ["one", "two"]
    assert numbers.unregister("two") == 3
    assert "two" not in numbers
    for name in ("one", "two"):
        with pytest.raises(ExtensionError, match="registered by somebody"):
            numbers.unregister(name)
    with pytest.raises(ExtensionError, match="came with rdsim"):
        numbers.register("one", 2, replace=True)
    with pytest.raises(ExtensionError) as raised:
        numbers.register("no name", "2")  # type: ignore[arg-type]
    assert len(raised.value.faults) == 2
