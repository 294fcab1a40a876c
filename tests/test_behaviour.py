"""What a function does, as plain data: equal where it does the same, other where it does not, and built anew."""

from __future__ import annotations

import functools
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

from rdsim.behaviour import UnknownBehaviourError, behaviour

HELPER = "SHARE = 0.5\nINNER = (1, {'a': 2})\n\n\ndef half(x):\n    return x * SHARE\n"
USER = """
import math
import numpy as np
import helper

FACTOR = 3
STEPS = np.array([1.0, 2.5])


def added(x):
    return x + FACTOR


def countdown(n):
    return 0 if n <= 0 else n + countdown(n - 1)


def made(extra):
    def f(a, b=2, *, c=4):
        taken = helper.half(a) + helper.INNER[0] + STEPS[1]
        return math.sqrt(a) + added(b) + c + extra + taken + countdown(3) + min(a, 1)
    return f


f = made(5)
"""


def module(name: str, text: str) -> ModuleType:
    found = ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), found.__dict__)  # noqa: S102 - our own text
    return found


KEYS = """
import sys
from rdsim.behaviour import behaviour
def f(name):
    return name in {"T1", "T2", "T3", "T4"} or name in (1, frozenset())
sys.stdout.write(behaviour(f).digest)
"""


def test_a_set_of_texts_is_the_same_in_every_process() -> None:
    def digest_of(seed: str) -> str:
        surroundings = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run([sys.executable, "-c", KEYS], env=surroundings, text=True, capture_output=True,
                              check=True).stdout  # fmt: skip

    assert digest_of("1") == digest_of("2") != ""


def function(value: float) -> float:
    """Its name must not be taken for the kind of what stands in the parts."""
    return value


def test_names_that_a_function_uses_count_whatever_the_first_is() -> None:
    def low(value: float) -> float:
        return function(math.floor(value))

    def high(value: float) -> float:
        return function(math.ceil(value))

    high.__name__ = low.__name__
    assert behaviour(low).digest != behaviour(high).digest


def test_a_function_that_reads_files_when_it_is_called_is_refused() -> None:
    def share(name: str) -> float:
        with open(name) as file:
            return float(file.read())

    with pytest.raises(UnknownBehaviourError, match="share calls open"):
        behaviour(share)


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setitem(sys.modules, "helper", module("helper", HELPER))
    return module("user", USER)


def test_a_function_is_built_anew_in_bytes_alone(user: ModuleType) -> None:
    known = behaviour(user.f)
    sent = pickle.loads(pickle.dumps(known))  # noqa: S301 - our own
    built = sent.function()
    assert built(9) == user.f(9) == 3.0 + 5 + 4 + 5 + 4.5 + 1 + 2.5 + 6 + 1
    assert behaviour(built).digest == known.digest
    # It shares nothing with the first, which may change.
    user.FACTOR = 100
    assert built(9) != user.f(9)


CHANGES: dict[str, Callable[[ModuleType], Any]] = {
    "a global": lambda user: setattr(user, "FACTOR", 4),
    "an entry of an array": lambda user: user.STEPS.__setitem__(1, 9.0),
    "a constant of a module": lambda user: setattr(user.helper, "SHARE", 0.4),
    "an entry of a table of a module": lambda user: user.helper.INNER[1].update(a=3),
    "a function of a module": lambda user: setattr(user.helper, "half", lambda x: x / 3),
    "a default": lambda user: setattr(user.f, "__defaults__", (3,)),
    "a named default": lambda user: setattr(user.f, "__kwdefaults__", {"c": 5}),
    "a closure": lambda user: setattr(user, "f", user.made(6)),
    "a function that it calls": lambda user: setattr(user, "added", lambda x: x - user.FACTOR),
    "its own code": lambda user: setattr(user.f, "__code__", user.f.__code__.replace(co_consts=(None, 0, 3, 1))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_what_it_does_is_seen(change: str, user: ModuleType) -> None:
    before = behaviour(user.f).digest
    CHANGES[change](user)
    assert behaviour(user.f).digest != before


def test_comments_lines_files_and_documentation_are_no_behaviour() -> None:
    texts = ("def f(a):\n    return a + 1\n", "# why\n\n\ndef f(a):\n    '''Adds.'''\n    # one\n    return a + 1\n")
    first, second = (behaviour(module(name, text).f).digest for name, text in zip("ab", texts, strict=True))
    assert first == second
    assert first != behaviour(module("a", "def f(a):\n    return a + 2\n").f).digest
    # A text that is returned is no documentation, and 1 is not True or 1.0.
    answers = [f"def f():\n    return {one}\n" for one in ("'x'", "'y'", "1", "True", "1.0")]
    assert len({behaviour(module("a", text).f).digest for text in answers}) == len(answers)


def test_what_numba_compiled_is_the_function_and_its_options() -> None:
    plain = module("a", "K = 2\ndef f(x):\n    return x * K\n").f
    exact, fast = numba.njit(plain), numba.njit(fastmath=True)(plain)
    assert len({behaviour(one).digest for one in (plain, exact, fast)}) == 3
    built = behaviour(fast).function()
    assert built.targetoptions["fastmath"]
    assert built(4) == 8


class Stateful:
    """An object that is asked like a function."""

    def __call__(self) -> int:
        return 1

    def method(self) -> int:
        return 2


OBJECT = Stateful()
OBJECTS = np.array([OBJECT])


def sets_a_global() -> None:
    global OBJECT  # noqa: PLW0603 - which is what is refused
    OBJECT = Stateful()


def imports_inside() -> float:
    import math as inside  # noqa: PLC0415 - which is what is refused

    return inside.pi


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (Stateful(), "a Stateful"),
        (OBJECT.method, "a method"),
        (functools.partial(math.pow, 2), "a partial"),
        (lambda: OBJECT, "OBJECT"),
        (lambda: ABSENT, "ABSENT"),  # type: ignore[name-defined]  # noqa: F821 - which is what is refused
        (lambda array=OBJECTS: array, "an array of objects"),
        (sets_a_global, "OBJECT"),
        (imports_inside, "math"),
    ],
)
def test_what_cannot_be_known_is_refused_by_name(function: Callable[..., Any], named: str) -> None:
    with pytest.raises(UnknownBehaviourError, match=named):
        behaviour(function)


def test_libraries_stand_by_name_and_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = module("a", "import numpy as np\nfrom math import sqrt\ndef f(x):\n    return np.floor(sqrt(x))\n").f
    before = behaviour(code).digest
    assert behaviour(code).function()(17.0) == 4.0
    monkeypatch.setattr(np, "__version__", "0.0")
    assert behaviour(code).digest != before
