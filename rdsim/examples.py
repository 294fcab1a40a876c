"""The scenarios that come with rdsim, to try things on: `rdsim.examples.korea()`.

Each takes overrides of settings as `rdsim.load` does, and returns a Scenario. What they ask, where their numbers come
from and what was found stands in the README of each; `rdsim scenarios` lists them, and `rdsim new FOLDER --from NAME`
makes a copy to edit.

>>> import rdsim
>>> scenario = rdsim.examples.medical_ai(["calibration=lenient"])
>>> scenario.name, len(scenario.technologies)
('medical-ai-2024', 16)
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file

from rdsim.domain import Scenario
from rdsim.scenario import load
from rdsim.scenario.starting import STARTER
from rdsim.shipped import folder_of

__all__ = ["direct_or_matching", "fine_chemicals", "gri_network", "korea", "medical_ai", "starter"]

Overrides = Sequence[str]


def korea(overrides: Overrides = ()) -> Scenario:
    """Korea 2024: 80 leapfrogging and 100 foundational technologies (`korea-2024`).

    Optional parts are chosen by an override, as ``["parts=candidates"]``. Raises ScenarioError for bad overrides.

    >>> scenario = korea()
    >>> len(scenario.technologies), len(scenario.partners)
    (180, 25)
    """
    return load(folder_of("korea-2024"), overrides)


def medical_ai(overrides: Overrides = ()) -> Scenario:
    """Medical AI 2024: joint research and joint commercialisation (`medical-ai-2024`); it is small.

    Raises ScenarioError for bad overrides.

    >>> sorted(medical_ai().programmes)
    ['commercialisation', 'rnd']
    """
    return load(folder_of("medical-ai-2024"), overrides)


def gri_network(overrides: Overrides = ()) -> Scenario:
    """Research institutes form a network with partners abroad (`gri-network`).

    Raises ScenarioError for bad overrides.

    >>> gri_network().start_year
    2024
    """
    return load(folder_of("gri-network"), overrides)


def direct_or_matching(overrides: Overrides = ()) -> Scenario:
    """Japan funds foreign partners directly or by matching funds (`direct-or-matching`).

    Raises ScenarioError for bad overrides.

    >>> direct_or_matching().currency
    'JPY'
    """
    return load(folder_of("direct-or-matching"), overrides)


def fine_chemicals(overrides: Overrides = ()) -> Scenario:
    """Korea and Japan in fine chemicals: nine of 42 demands (`korea-japan-fine-chemicals`).

    Raises ScenarioError for bad overrides.

    >>> len(fine_chemicals().technologies)
    42
    """
    return load(folder_of("korea-japan-fine-chemicals"), overrides)


def starter(overrides: Overrides = ()) -> Scenario:
    """The small scenario that `rdsim new` makes; every number in it is made up. It is solved in a moment.

    Raises ScenarioError for bad overrides.

    >>> starter().name
    'my-scenario'
    """
    with as_file(STARTER) as folder:
        return load(folder, overrides)
