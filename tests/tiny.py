"""A small but complete scenario folder, written by one function, for the tests of every room.

Two programmes, six technologies, four partners (one of them a consortium), a panel, a facility, every kind
of link, deliverables and every risk switched on: small enough to follow by hand, complete enough to bind.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["TINY_FILES", "Change", "tiny_folder"]

Change = str | bytes | tuple[str, str] | Callable[[str], str] | None

SCENARIO = """\
name = "tiny"
title = "A tiny scenario for tests"
description = "Two programmes, six technologies, four partners."
currency = "KRW"
money_unit = "billion KRW"
start_year = 2024
horizon_year = 2036
calibration = "strict"
fiscal_year_start_month = 1
discount_rate = 0.045

[programmes.leap]
name = "Leapfrogging"
deadline_years = 5
trl_entry_min = 3
trl_entry_max = 7
trl_target = 9
carry_over = 0.5
call_month = 4
preferred_networks = ["IMDRF"]
preference_points = 5
tranches = [
    { months = 12, share = 0.3 },
    { months = "1 years", share = 0.3 },
    { months = 24, share = 0.4 },
]

[programmes.leap.budget]
2024 = 12
2025 = 14
2026 = 14
2027 = "10 billion KRW"
2028 = "6000 million KRW"

[programmes.leap.starts]
2024 = 2
2025 = 1
2026 = 1

[programmes.leap.gate]
policy = "threshold"
alpha = 0.1
beta = 0.2
tolerance = 0
extensions = 1
extension_months = 6
panel = "experts"

[programmes.leap.deliverables.patent]
count = 1
due_tranche = 2
after_trl = 4
mean_months = 6

[programmes.leap.deliverables.export]
count = 1
optional = true

[programmes.base]
name = "Foundational"
deadline_years = 10
trl_entry_min = 2
trl_entry_max = 6
trl_target = 8
award_cap = 20
purse_rule = "first-fit"
tranches = [
    { months = 24, share = 0.5 },
    { months = 24, share = 0.5 },
]

[programmes.base.budget]
2024 = 10
2025 = 8
2026 = 8
2027 = 6
2028 = 4

[programmes.base.starts]
2024 = 2
2025 = 1

[programmes.base.gate]
policy = "drop-worst"
drop_share = 0.1
review_error = 0.5
panel = "experts"

[panels.experts]
seats = 1
review_months = 2

[facilities.testbed]
name = "Test bed"
capacity = 1

[fields.bio]
name = "Bio"
success_shift = -0.3

[fields.chip]
name = "Semiconductors"

[modes.domestic]
name = "Domestic"

[modes.matching]
name = "Matching funds"
home_cost_share = 0.6
abroad_share = 0.0
value_share = 0.7
needs_counterpart = true
agreement_probability = 0.9
agreement_months = 6
agreement_sigma = 0.4

[modes.direct]
name = "Direct funding"
home_cost_share = 1.0
abroad_share = 0.3
value_share = 0.85
agreement_probability = 0.95
agreement_months = 3
agreement_sigma = 0.4

[calibrations.strict]
development_success = 0.872
market_probability = 0.228
reference = [
    { trl = 4, target = 8, field = "bio" },
    { trl = 3, target = 7, uncertainty = "high", weight = 2 },
]
source = "MOTIE agencies, 2014-15"

[calibrations.lenient]
development_success = 0.89
market_probability = 0.532
source = "MOTIE, 2016-18"

[uncertainty]
low = { duration_sigma = 0.4, value_sigma = 0.3, success_shift = 0.4 }
medium = { duration_sigma = 0.55, value_sigma = 0.5 }
high = { duration_sigma = 0.7, value_sigma = 0.8, success_shift = -0.4 }

[steps]
success = [0.98, 0.975, 0.97, 0.96, 0.95, 0.955, 0.975, 0.98]
success_grade = ["assumed", "assumed", "assumed", "assumed", "assumed", "assumed", "published", "assumed"]
setback_probability = 0.6
attempts = 3

[risks.field_factor]
success_loading = 0.2
duration_loading = 0.2

[risks.breaks]
closed_months = 12

[risks.budget]
sd = 0.1
certain_until = 2024

[risks.exchange]
volatility = 0.08

[network]
programme = "leap"

[international]
shortfall_price = 0.1
rd_budget = { 2024 = 100, 2025 = 100, 2026 = 100, 2027 = 100, 2028 = 100 }
outside_spending = { 2024 = 5, 2025 = 5, 2026 = 5, 2027 = 5, 2028 = 5 }
share_floor = { 2026 = 0.08, 2027 = 0.1, 2028 = 0.12 }
abroad_cap = { 2024 = 10, 2025 = 10, 2026 = 10, 2027 = 10, 2028 = 10 }

[limits.fields.bio]
floor = 0.1
ceiling = 0.8

[limits.partners.US]
ceiling = 0.6

[simulation]
replications = 20
seed = 1

[optimiser]
samples = 20
redecisions = 8
gap = 0.0
payment_ratio = { leap = 1.2 }

[optimiser.what_if]
repeats = 2
replications = 20
"""

TECHNOLOGIES = """\
id,name,programme,field,trl,cost [billion KRW],value,trl_target,uncertainty,home_level,score,market_size,market_share,\
market_probability,status,source,note
T1,AI 반도체,leap,chip,5,15,120,,high,82,90,,,,free,illustrative,
T2,"mRNA, 치료제",leap,bio,4,18,160,,medium,78,85,,,0.4,must-fund,seed S003,named in the seed
T3,Packaging,leap,chip,6,12,,,low,85,70,400,0.15,,free,illustrative,value from a market share
T4,Motor magnets,base,chip,3,9,60,7,medium,75,60,,,,free,illustrative,
T5,Rejuvenation,base,bio,2,8,90,,high,70,65,,,,free,illustrative,
T6,Biofoundry,base,bio,4,10,55,,medium,80,40,,,,free,illustrative,
"""

PARTNERS = """\
code,name,region,networks,members,modes,setup_cost,setup_months,running_cost,places,agreement,break_rate,currency,source
US,미국,America,IMDRF,,matching|direct,1.0,3,0.2,2,0.9,0.02,USD,illustrative
JP,Japan,Asia,IMDRF|Asia,,matching,0.5,2,0.1,1,0.8,0.05,JPY,illustrative
DE,Germany,Europe,Horizon,,direct,0.4,2,0.1,1,1,0.01,EUR,illustrative
US+JP,US and Japan,Joint,,US|JP,direct,0,0,0,0,0.7,0,USD,illustrative
"""

PARTNER_LEVELS = """\
partner,bio,chip
US,100,98
JP,86,92
DE,94,
"""

LINKS = """\
kind,technology,other,amount,source
prerequisite,T3,T1,,illustrative
exclusion,T5,T6,,illustrative
synergy,T2,T5,12,illustrative
spillover,T4,T1,0.05,illustrative
"""

FACILITY_NEEDS = """\
technology,trl,facility,units
T2,5,testbed,1
T6,5,testbed,1
"""

TECHNOLOGY_STEPS = """\
technology,trl,median_months,success
T5,5,13,
T6,5,15,0.9
"""

TINY_FILES = {
    "scenario.toml": SCENARIO,
    "technologies.csv": TECHNOLOGIES,
    "partners.csv": PARTNERS,
    "partner_levels.csv": PARTNER_LEVELS,
    "links.csv": LINKS,
    "facility_needs.csv": FACILITY_NEEDS,
    "technology_steps.csv": TECHNOLOGY_STEPS,
}


def tiny_folder(path: Path, **changes: Change) -> Path:
    """Write the tiny scenario into the folder `path` (made if need be) and return it.

    A change is named by a file without its ending (``scenario``, ``technologies``, ``links``...): a text or bytes
    replaces the file, ``None`` leaves it out, a pair ``(old, new)`` replaces a text that must occur, and a function
    turns the old text into the new one.
    """
    path.mkdir(parents=True, exist_ok=True)
    unknown = set(changes) - {name.partition(".")[0] for name in TINY_FILES}
    assert not unknown, f"no such file in the tiny scenario: {sorted(unknown)}"
    for name, text in TINY_FILES.items():
        content = _changed(text, changes.get(name.partition(".")[0], text))
        if content is not None:
            (path / name).write_bytes(content)
    return path


def _changed(text: str, change: Change) -> bytes | None:
    if change is None or isinstance(change, bytes):
        return change
    if isinstance(change, tuple):
        assert change[0] in text, f"{change[0]!r} does not occur in the tiny scenario"
        change = text.replace(*change)
    return (change if isinstance(change, str) else change(text)).encode()
