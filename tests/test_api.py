"""The public names, and the examples in docstrings and README."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import rdsim

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(rdsim.__path__, "rdsim.") if not module.name.endswith("__main__")
)


def test_public_names_are_exactly_what_is_visible() -> None:
    assert set(rdsim.__all__) == set(dir(rdsim))
    for name in rdsim.__all__:
        assert getattr(rdsim, name).__doc__, name


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'optimize'"):
        _ = rdsim.optimize  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_lists_what_it_offers(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    for public in module.__all__:
        assert hasattr(module, public), public


@pytest.mark.parametrize("name", ["rdsim", *MODULES])
def test_examples_in_docstrings_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failures, _ = doctest.testmod(importlib.import_module(name))
    assert failures == 0
