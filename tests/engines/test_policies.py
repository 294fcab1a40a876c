"""Gate policies and purse rules, built in or a user's, on both engines."""

from __future__ import annotations

import contextlib
import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rdsim import gates, purses
from rdsim.case import EXHAUSTED, STOPPED, Case, SamplePaths, build
from rdsim.domain import Choice, Gate, Portfolio, Scenario, Technology
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.engines.compiled import contracts
from rdsim.errors import ExtensionError, PolicyError
from rdsim.luck import lay_out
from rdsim.registry import Extension
from tests.simple import plain
from tests.sizes import size
from tests.worlds import World, draw_world, run_both


@pytest.fixture
def never() -> Iterator[str]:
    """A policy by which nobody is ever on plan."""
    gates.GATE_POLICIES.register("never", gates.GatePolicy(judge=lambda: False))
    yield "never"
    gates.GATE_POLICIES.unregister("never")


def laid_out(policy: str, **gate: object) -> tuple[Case, SamplePaths]:
    techs = {"T": Technology("T", "T", "line", "f", trl=4, cost=10.0, value=9.0, trl_target=9)}
    scenario: Scenario = plain(techs)
    line = replace(scenario.programmes["line"], gate=Gate(policy=policy, **gate))  # type: ignore[arg-type]
    choices = (Choice("T", start_year=2024, rank=1),)
    scenario = replace(scenario, programmes={"line": line})
    case = build(scenario, Portfolio(choices))
    return case, lay_out(scenario, case, choices, Draws(1, range(2)))


def test_a_registered_policy_decides_on_the_simpy_engine(never: str) -> None:
    assert (process.run(*laid_out("always-pass")).end_state == EXHAUSTED).all()
    out = process.run(*laid_out(never))
    assert (out.end_state == STOPPED).all()
    assert (out.end_day == 360).all()


def test_what_policies_take_is_settled_once_for_all_replications(never: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = list[str]()
    bind = Extension.bind
    monkeypatch.setattr(Extension, "bind", lambda one, label, field: bound.append(label) or bind(one, label, field))
    case, luck = laid_out(never)
    process.run(case, luck)
    assert len(luck.agreed) > 1
    assert len(bound) == len(set(bound))
    assert "gate policy 'never', judge" in bound


def test_it_decides_on_the_compiled_engine_as_well(never: str) -> None:
    assert (compiled.run(*laid_out("always-pass")).end_state == EXHAUSTED).all()
    out = compiled.run(*laid_out(never))
    assert (out.end_state == STOPPED).all()
    assert (out.end_day == 360).all()


BEFORE = """
from rdsim import gates, purses
gates.GATE_POLICIES.register("never", gates.GatePolicy(judge=lambda: False))
from rdsim.engines import compiled
from tests.engines.test_policies import STOPPED, laid_out
print("stopped:", (compiled.run(*laid_out("never")).end_state == STOPPED).all())
"""


def test_it_does_so_too_if_it_was_registered_before_the_engine_was_imported() -> None:
    done = subprocess.run([sys.executable, "-c", BEFORE], capture_output=True, text=True, check=True)
    assert done.stdout == "stopped: True\n"


# --- policies of a user, on both engines ----------------------------------------------------------


def moody(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:
    """Lets the lucky and the early pass."""
    return luck > 0.6 if lead < 0 or missing > 1 else luck > alpha / 2


def half(reviews: int, rate_ppm: int, fraction: int) -> tuple[int, int]:
    """Drops every other review, over all rounds."""
    total = reviews + fraction
    return total // 2, total % 2


def keeps_a_fifth(amount: int, purse: int, budget: int, tranche: int, day: int) -> bool:
    """New projects leave a fifth of the year's money for those that run, until half the year is over."""
    return tranche > 0 or day >= 180 or purse - amount >= budget // 5


def lets_small_ones_by(amount: int, purse: int, budget: int, tranche: int, day: int) -> bool:
    """Only large requests hold up the others."""
    return amount * 4 > budget


GATES = {
    "moody": gates.GatePolicy(judge=moody),
    "half": gates.GatePolicy(judge=moody, rounds=True, drops=half),
    "generous": gates.GatePolicy(judge=gates.always_pass, rounds=True),
    "below-nothing": gates.GatePolicy(judge=moody, rounds=True, drops=lambda: (-1, 0)),
}
PURSES = {
    "reserve": purses.PurseRule(pays=keeps_a_fifth),
    "small-first": purses.PurseRule(pays=keeps_a_fifth, blocks=lets_small_ones_by),
}


@pytest.fixture
def registered() -> Iterator[None]:
    for name, gate in GATES.items():
        gates.GATE_POLICIES.register(name, gate)
    for name, rule in PURSES.items():
        purses.PURSE_RULES.register(name, rule)
    yield
    for name in GATES:
        gates.GATE_POLICIES.unregister(name)
    for name in PURSES:
        purses.PURSE_RULES.unregister(name)


def under(world: World, gate: str = "", purse: str = "") -> World:
    """The world with other policies in every programme."""
    lines = {
        name: replace(
            line, gate=replace(line.gate, policy=gate or line.gate.policy), purse_rule=purse or line.purse_rule
        )
        for name, line in world.scenario.programmes.items()
    }
    return replace(world, scenario=replace(world.scenario, programmes=lines))


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("gate", "purse"), [*((name, "") for name in GATES), *(("", name) for name in PURSES)])
def test_engines_agree_on_policies_of_a_user_and_the_policies_matter(gate: str, purse: str) -> None:
    changed, count = 0, size(30, 300)
    for seed in range(count):
        world = draw_world(seed)
        _, _, slow, fast = run_both(under(world, gate, purse), 3)
        different = [name for name in slow._fields if not np.array_equal(getattr(slow, name), getattr(fast, name))]
        assert different == []
        income = fast.new_money + fast.carried_in + fast.refunded
        assert (fast.spent + fast.spent_network <= income).all()
        usual = run_both(world, 3)[3]
        changed += not all(np.array_equal(a, b) for a, b in zip(usual, fast, strict=True))
    assert changed >= 0.2 * count


def refuses(found: object) -> str:
    return str(found)


NOT_PLAIN = gates.GatePolicy(judge=lambda lead: refuses(lead) == "yes", rounds=True, drops=lambda: (sorted("x"), 0))


def test_what_numba_cannot_compile_runs_on_simpy_and_the_error_says_so() -> None:
    gates.GATE_POLICIES.register("not-plain", NOT_PLAIN)
    purses.PURSE_RULES.register("textual", purses.PurseRule(pays=lambda amount: refuses(amount) != "no"))
    try:
        world = under(draw_world(1), "not-plain", "textual")
        with pytest.raises(PolicyError) as caught:
            compiled.run(world.case(), world.luck(world.case(), 1))
        places = [fault.where for fault in caught.value.faults]
        assert "gate policy 'not-plain', drops" in places
        assert "gate policy 'not-plain', judge" in places
        assert "purse rule 'textual', pays" in places
        assert "simpy" in str(caught.value)
        assert caught.value.exit_code == 2
        again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
        assert str(again) == str(caught.value)
        easy = under(draw_world(1), "", "textual")
        assert process.run(easy.case(), easy.luck(easy.case(), 1)).paid.sum() > 0
    finally:
        gates.GATE_POLICIES.unregister("not-plain")
        purses.PURSE_RULES.unregister("textual")


def forgets(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool | None:
    """Says yes to the lucky, and nothing to the others."""
    if luck > 0.5:
        return True
    return None


def test_a_policy_that_forgets_to_answer_says_no_on_both_engines() -> None:
    gates.GATE_POLICIES.register("forgets", gates.GatePolicy(judge=forgets))
    try:
        ends = set()
        for seed in range(12):
            _, _, slow, fast = run_both(under(draw_world(seed), "forgets"), 2)
            assert all(np.array_equal(a, b) for a, b in zip(slow, fast, strict=True))
            ends |= set(np.unique(fast.end_state).tolist())
        assert STOPPED in ends
    finally:
        gates.GATE_POLICIES.unregister("forgets")


def test_a_function_that_never_answers_is_refused_at_once() -> None:
    def keeps_quiet(lead: int) -> None:
        if lead > 0:
            return
        str(lead)

    with pytest.raises(ExtensionError, match=r"judge: must answer with .*Found: no return"):
        gates.GATE_POLICIES.register("quiet", gates.GatePolicy(judge=keeps_quiet))
    with pytest.raises(ExtensionError, match=r"pays: must answer with"):
        purses.PURSE_RULES.register("quiet", purses.PurseRule(lambda: None))
    assert "quiet" not in gates.GATE_POLICIES


SHARES = np.array([0.1, 0.5, 0.9])


def reads_too_far(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:
    return bool(luck > SHARES[abs(lead) + 3])


def test_a_policy_that_reads_beyond_its_table_is_told_and_reads_nothing() -> None:
    gates.GATE_POLICIES.register("far", gates.GatePolicy(judge=reads_too_far))
    try:
        for engine in (process, compiled):
            with pytest.raises(PolicyError):
                engine.run(*laid_out("far"))
    finally:
        gates.GATE_POLICIES.unregister("far")


def fails(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:
    if luck > 0:
        raise ValueError("not today")
    return True


def test_a_policy_that_raises_is_the_users_fault_on_both_engines() -> None:
    gates.GATE_POLICIES.register("fails", gates.GatePolicy(judge=fails))
    try:
        with pytest.raises(PolicyError, match="ValueError: not today") as told:
            process.run(*laid_out("fails"))
        assert told.value.faults[0].where == "gate policy 'fails', judge"
        said = r"gate policy 'fails', judge: must not raise.*ValueError: not today.*in Python for lead=.*luck="
        with pytest.raises(PolicyError, match=said):
            compiled.run(*laid_out("fails"))
    finally:
        gates.GATE_POLICIES.unregister("fails")


@contextlib.contextmanager
def entered(name: str, gate: gates.GatePolicy | None = None, purse: purses.PurseRule | None = None) -> Iterator[None]:
    """A policy that is there for a while."""
    if gate is not None:
        gates.GATE_POLICIES.register(name, gate)
    if purse is not None:
        purses.PURSE_RULES.register(name, purse)
    try:
        yield
    finally:
        if gate is not None:
            gates.GATE_POLICIES.unregister(name)
        if purse is not None:
            purses.PURSE_RULES.unregister(name)


def beyond_64_bits(amount: int, purse: int, budget: int, tranche: int, day: int) -> bool:
    return amount * amount * budget > 10


def root_of_less_than_nothing(amount: int, purse: int, budget: int, tranche: int, day: int) -> bool:
    return not math.sqrt(amount - purse) > 0


@pytest.mark.parametrize("rule", [beyond_64_bits, root_of_less_than_nothing])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_rule_that_compiled_says_something_else_is_refused(rule: Callable[..., bool]) -> None:
    with entered("otherwise", purse=purses.PurseRule(pays=rule)):
        world = under(draw_world(1), "", "otherwise")
        with pytest.raises(PolicyError, match="must answer compiled as it does in Python") as told:
            compiled.run(world.case(), world.luck(world.case(), 1))
        assert "purse rule 'otherwise', pays" in str(told.value)
        assert "instead of" in str(told.value)
        if rule is beyond_64_bits:
            process.run(world.case(), world.luck(world.case(), 1))  # plain Python as ever


LEVEL = 0.9


def above_a_level(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:
    return luck > LEVEL


def test_a_number_that_changes_is_not_the_old_one_on_the_compiled_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """numba freezes globals: the same function is compiled again when one of them has changed."""
    with entered("level", gates.GatePolicy(judge=above_a_level)):
        case, luck = laid_out("level")
        strict = compiled.run(case, luck)
        monkeypatch.setattr(sys.modules[__name__], "LEVEL", 0.0)
        easy = compiled.run(case, luck)
        assert (easy.end_state == STOPPED).sum() < (strict.end_state == STOPPED).sum()
        assert all(np.array_equal(a, b) for a, b in zip(process.run(case, luck), easy, strict=True))


@pytest.mark.parametrize(
    "drops",
    [lambda: (1, 2, 3), lambda reviews: (0, 0) if reviews < 0 else None, lambda: (0.5, 0), lambda: 1],
    ids=["3", "none", "half", "one"],
)
def test_drops_must_return_two_whole_numbers_on_both_engines(drops: Callable[..., Any]) -> None:
    with entered("odd", gates.GatePolicy(judge=moody, rounds=True, drops=drops)):
        case, luck = laid_out("odd")
        with pytest.raises(PolicyError, match="two whole numbers") as told:
            process.run(case, luck)
        assert told.value.faults[0].where == "gate policy 'odd', drops"
        with pytest.raises(PolicyError, match="gate policy 'odd', drops"):
            compiled.run(case, luck)


def test_drops_that_never_return_anything_are_refused_at_once() -> None:
    with pytest.raises(ExtensionError, match=r"two whole numbers.*Found: no return"):
        gates.GATE_POLICIES.register("odd", gates.GatePolicy(judge=moody, rounds=True, drops=lambda: None))


def test_only_policies_with_names_are_registered() -> None:
    with pytest.raises(ExtensionError, match="GatePolicy"):
        gates.GATE_POLICIES.register("plain", moody)  # type: ignore[arg-type]
    with pytest.raises(ExtensionError, match="PurseRule"):
        purses.PURSE_RULES.register("plain", keeps_a_fifth)  # type: ignore[arg-type]
    with pytest.raises(ExtensionError, match="must have a name of letters"):
        gates.GATE_POLICIES.register("two words", gates.GatePolicy())


def test_functions_and_doors_of_earlier_releases_are_taken_with_a_word_of_what_to_write() -> None:
    """Six numbers by position, under names of their own; `gates.register` and `purses.register`."""
    with pytest.warns(DeprecationWarning, match="name those that it needs of lead, missing, luck"):
        gates.GATE_POLICIES.register("old", gates.GatePolicy(judge=lambda ahead, due, fate, a, b, by: fate > 0.6))
    with pytest.warns(DeprecationWarning, match=r"write rdsim\.extend\.purse_rule"):
        purses.register("old", purses.PurseRule(pays=keeps_a_fifth))
    try:
        world = under(draw_world(3), "old", "old")
        _, _, slow, fast = run_both(world, 3)
        assert all(np.array_equal(a, b) for a, b in zip(slow, fast, strict=True))
        with entered("new", gates.GatePolicy(judge=lambda luck: luck > 0.6)):
            again = run_both(under(draw_world(3), "new", "old"), 3)[3]
        assert all(np.array_equal(a, b) for a, b in zip(again, fast, strict=True))
    finally:
        gates.GATE_POLICIES.unregister("old")
        purses.PURSE_RULES.unregister("old")


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ExtensionError, match="threshold"):
        gates.GATE_POLICIES.register("threshold", gates.GatePolicy())
    with pytest.raises(ExtensionError, match="first-fit"):
        purses.PURSE_RULES.register("first-fit", purses.PurseRule())


def test_the_three_policies_are_the_ones_that_the_compiled_engine_has() -> None:
    policies, rules = gates.GATE_POLICIES, purses.PURSE_RULES
    assert contracts.POLICIES == ("threshold", "always-pass", "drop-worst") == tuple(policies)[: len(policies.built_in)]
    assert contracts.RULES == ("strict", "first-fit") == tuple(rules)[: len(rules.built_in)]


@pytest.mark.parametrize(
    ("reviews", "rate", "fraction", "found"),
    [
        (14, 100_000, 0, (1, 400_000)),
        (13, 100_000, 400_000, (1, 700_000)),
        (0, 100_000, 999_999, (0, 999_999)),
        (1, 1_000_000, 0, (1, 0)),
        (7, 0, 0, (0, 0)),
    ],
)
def test_the_worst_share_is_dropped_and_its_fraction_carried(
    reviews: int, rate: int, fraction: int, found: tuple[int, int]
) -> None:
    assert gates.drop_count(reviews, rate, fraction) == found


def test_over_many_rounds_exactly_the_share_is_dropped() -> None:
    rng, fraction, total, seen = np.random.default_rng(1), 0, 0, 0
    for reviews in rng.integers(0, 9, 500).tolist():
        drops, fraction = gates.drop_count(reviews, 100_000, fraction)
        total, seen = total + drops, seen + reviews
    assert total == seen // 10


@pytest.mark.parametrize("lead", [-2, -1, 0, 1])
@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize("tolerance", [0, 1])
def test_the_threshold_judges_lead_deliverables_and_luck(lead: int, missing: int, tolerance: int) -> None:
    on_plan = lead >= -tolerance and missing == 0
    for luck in (0.05, 0.15, 0.25, 0.95):
        expected = luck >= 0.1 if on_plan else luck < 0.2
        assert gates.threshold(lead, missing, luck, 0.1, 0.2, tolerance) == expected
