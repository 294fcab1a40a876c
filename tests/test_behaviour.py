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


READERS = """
import builtins
import datetime
import io
import os
import pathlib
import random
import time
from datetime import date
from os import getenv
from pathlib import Path
from random import random as chance
from time import time as clock

import numpy as np
import pandas as pd
import scipy.stats
from pandas import read_csv

import helper


def f(name):
    return ANSWER
"""


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("pathlib.Path(name).read_text()", "pathlib"),
        ("Path(name).stat().st_size", "pathlib.Path"),
        ("os.environ[name]", "os"),
        ("os.path.getsize(name)", "os"),
        ("getenv(name)", "os.getenv"),
        ("time.time()", "time"),
        ("clock()", "time.time"),
        ("random.random()", "random"),
        ("chance()", "random"),
        ("datetime.datetime.now()", "datetime.datetime.now"),
        ("date.today()", "date.today"),
        ("io.open(name)", "io"),
        ("builtins.open(name)", "builtins"),
        ("hash(name)", "hash"),
        ("np.load(name)", "np.load"),
        ("np.random.default_rng(1).random()", "np.random"),
        ("np.loadtxt(name)[0]", "np.loadtxt"),
        ("pd.read_csv(name).size", "pd.read_csv"),
        ("read_csv(name).size", "read_csv"),
        ("pd.Timestamp.now()", "pd.Timestamp.now"),
        ("scipy.stats.norm.rvs()", "scipy.stats.norm.rvs"),
        ("[np.load(one) for one in name]", "np.load"),
        ("(lambda: np.fromfile(name))()", "np.fromfile"),
        ("getattr(np, name)", "np"),
        ("helper.os.environ[name]", "os"),
        ("helper.np.load(name)", "load"),
        ("helper.kept(name)", "builtins.open|_io.open|io.open"),
    ],
)
def test_what_reads_the_outside_when_it_is_called_is_refused_by_name(
    answer: str, named: str, user: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"os": os, "np": np, "kept": open}.items():
        monkeypatch.setattr(user.helper, name, value, raising=False)
    with pytest.raises(UnknownBehaviourError, match=named):
        behaviour(module("reader", READERS.replace("ANSWER", answer)).f)


@pytest.mark.parametrize(
    "answer",
    [
        "np.floor(np.maximum(name, 2.0)) + np.linalg.norm(np.array([3.0, 4.0])) + np.ones(2).sum()",
        "float(pd.Series([1.0, 2.0]).mul(name).sum()) + len(pd.DataFrame({'a': [1]}))",
        "scipy.stats.norm.cdf(name) + scipy.special.expit(0.0)",
        "datetime.date(2026, 1, 1).toordinal() + date(2026, 1, 1).year + len(str(datetime.timedelta(1)))",
        "np.datetime64('2026-01-01').astype(int) + np.timedelta64(1, 'D').astype(int)",
    ],
)
def test_what_computes_is_known(answer: str, user: ModuleType) -> None:
    code = module("user", READERS.replace("ANSWER", answer)).f
    assert behaviour(code).function()(0.5) == code(0.5)


def test_what_was_read_around_a_function_is_a_value(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("0.25", encoding="utf-8")
    share = float((tmp_path / "share").read_text(encoding="utf-8"))
    known = behaviour(lambda amount: share * amount)
    share = 0.5
    assert (known.function()(4), behaviour(lambda amount: share * amount).function()(4)) == (1.0, 2.0)


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
        (lambda library=math: library.pi, "a module"),
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
