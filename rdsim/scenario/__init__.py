"""Scenarios: load a folder or a workbook, override by dotted path, validate at the door, ask for figures, digest, dump.

A folder holds ``scenario.toml`` and the tables ``technologies.csv``, ``partners.csv``, ``partner_levels.csv``,
``links.csv``, ``facility_needs.csv``, ``technology_steps.csv`` and ``judgements.csv``. Technologies are required;
partners and their levels are, where there is a joint mode; the others may be absent. Everything is refused or accepted
in one pass: `ScenarioError` carries every fault, with file, row and column (or dotted path), the rule, the value found
and a suggestion. A folder may have optional parts, chosen by ``parts = [...]`` in scenario.toml or by an override.
"""

from __future__ import annotations

from rdsim.domain import ROOMS, Scenario
from rdsim.scenario.archive import digest, dump, import_book, schema, texts_of
from rdsim.scenario.door import Room, from_frames, to_frames, with_
from rdsim.scenario.ends import require_bounds
from rdsim.scenario.extensions import named_extensions as named_extensions
from rdsim.scenario.extensions import package_names
from rdsim.scenario.feasibility import check, remarks
from rdsim.scenario.figures import (
    award,
    calibration,
    call_months,
    cost,
    cost_scale,
    eligible,
    market_probability,
    market_share,
    market_size,
    market_value,
    merits,
    money_scale,
    own_steps,
    required_refusals,
    screening_fees,
    screenings,
    step_distribution,
    target,
)
from rdsim.scenario.folder import PARTS, chosen_parts, part_names
from rdsim.scenario.illustrative import DRAW, origin_of_draw
from rdsim.scenario.judgement import Pool, distribution_of, figure, judgement_lines
from rdsim.scenario.loader import load, sound
from rdsim.scenario.money import due_years, plannable
from rdsim.scenario.overrides import Override, by_new_names, parse_overrides
from rdsim.scenario.partners import (
    barring,
    best_members,
    home_level,
    is_partner_required,
    level,
    members,
    needed_fields,
    partner_benefit,
    required_partners,
    tags_of,
)
from rdsim.scenario.sources import BOOK, ScenarioSource, runs_program, source_of
from rdsim.scenario.starting import start
from rdsim.scenario.success import StepSuccess, step_success, success_lines, success_sources, with_shift
from rdsim.scenario.variation import Variations, World

__all__ = [
    "BOOK",
    "DRAW",
    "PARTS",
    "Override",
    "Pool",
    "Scenario",
    "ScenarioSource",
    "StepSuccess",
    "Variations",
    "World",
    "award",
    "barring",
    "best_members",
    "by_new_names",
    "calibration",
    "call_months",
    "check",
    "chosen_parts",
    "cost",
    "cost_scale",
    "digest",
    "distribution_of",
    "due_years",
    "dump",
    "eligible",
    "figure",
    "from_frames",
    "home_level",
    "import_book",
    "is_partner_required",
    "judgement_lines",
    "level",
    "load",
    "market_probability",
    "market_share",
    "market_size",
    "market_value",
    "members",
    "merits",
    "money_scale",
    "named_extensions",
    "needed_fields",
    "origin_of_draw",
    "own_steps",
    "package_names",
    "parse_overrides",
    "part_names",
    "partner_benefit",
    "plannable",
    "remarks",
    "require_bounds",
    "required_partners",
    "required_refusals",
    "runs_program",
    "schema",
    "screening_fees",
    "screenings",
    "sound",
    "source_of",
    "start",
    "step_distribution",
    "step_success",
    "success_lines",
    "success_sources",
    "tags_of",
    "target",
    "texts_of",
    "to_frames",
    "with_",
    "with_shift",
]

ROOMS.scenario = Room()
