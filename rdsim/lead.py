"""A plan's lead over each simple rule, in parts that add up to it.

=====================  ============================================================================================
promising more         the rule with the plan's payment ratios, less the rule within the announced money
optimising             the optimiser's choice at those ratios, less the rule at them
the loop               the plan's projects in the usual order of priority, less the optimiser's choice: portfolios
                       judged by simulation, exchanges
the order of priority  the plan, less its projects in the usual order
=====================  ============================================================================================

All live through the same replications, so parts are paired differences. The intervals of all parts hold together with
the confidence (Bonferroni), as those of the leads do: they are of the luck of these portfolios, not of choosing again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from rdsim.arrays import Floats
from rdsim.brief import count
from rdsim.languages import N_, join_texts, unit_of_money
from rdsim.languages import gettext as _
from rdsim.plans import AT_PLAN_RATIOS, ONE_SHOT, OPTIMISED, Plan
from rdsim.report.words import amount, span
from rdsim.search import AT_AWARD_RATIO_1, AT_PAYMENT_RATIO_1, OWN, USUAL_ORDER
from rdsim.stats import Interval, paired_difference

__all__ = ["LEAD", "PARTS", "bound_sentences", "lead_of", "lead_table", "part_words"]

LEAD = N_("lead")
"""Names the whole among the parts."""

PARTS = (N_("promising more"), N_("optimising"), N_("the loop"), N_("the order of priority"))

_COLUMNS = ("comparator", "part", "mean", "low", "high", "n")


class _Difference(NamedTuple):
    """The two portfolios of a part."""

    more: str
    less: str


def lead_table(found: Plan) -> pd.DataFrame:
    """The lead over each rule within the announced money and over the one-shot portfolio, its parts before the whole.

    Columns: comparator, part (`PARTS` or `LEAD`), mean, low, high, n. Parts add up to the lead. A part that no
    portfolio stands for is nothing: the plan and what it is compared with are the same there. Empty before anything was
    simulated; of an interrupted plan, comparators whose steps are all there.
    """
    if found.simulation is None:
        return pd.DataFrame(columns=list(_COLUMNS))
    worths = {name: found.worths(name) for name in found.expectations}
    leads = {name: one.difference for name, one in found.comparisons.items()}
    return lead_of(worths, leads, found.missing, found.confidence)


def lead_of(
    worths: Mapping[str, Floats], leads: Mapping[str, Interval], missing: Collection[str], confidence: float
) -> pd.DataFrame:
    """The same of what the plan (`OPTIMISED`) and all beside it are worth in each replication, and of the plan's lead
    over each of them; comparators with a step among what is `missing` are left out."""
    differences = {name: list(_differences(leads, name)) for name in _comparators(leads, missing)}
    pairs = {(one.more, one.less) for mine in differences.values() for one in mine if one.more != one.less}
    rows = []
    for name, mine in differences.items():
        told = [(worths[one.more], worths[one.less]) for one in mine]
        gaps = [paired_difference(more, less, confidence, max(len(pairs), 1)) for more, less in told]
        parts = zip((*PARTS, LEAD), (*gaps, leads[name]), strict=True)
        rows += [(name, part, gap.mean, gap.low, gap.high, gap.n) for part, gap in parts]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _comparators(leads: Collection[str], missing: Collection[str]) -> list[str]:
    """Rules within the announced money, and the one-shot portfolio; only those whose steps were finished."""
    rules = [name for name in leads if name not in OWN and not name.endswith(AT_PLAN_RATIOS)]
    named = [*rules, *(name for name in (ONE_SHOT,) if name in leads)]
    lacking, shared = set(missing), {ONE_SHOT, ONE_SHOT + AT_PLAN_RATIOS, USUAL_ORDER}
    return [name for name in named if not lacking & {name, name + AT_PLAN_RATIOS, *shared}]


def _differences(there: Collection[str], name: str) -> Iterator[_Difference]:
    for less, more in pairwise(_steps(there, name)):
        yield _Difference(more, less)


def _steps(there: Collection[str], name: str) -> Iterator[str]:
    """From a comparator to the plan: who stands after each part; where nobody else does, who stood there before."""
    freer = name + AT_PLAN_RATIOS if name + AT_PLAN_RATIOS in there else name
    optimum = next((one for one in (ONE_SHOT + AT_PLAN_RATIOS, ONE_SHOT) if one in there), OPTIMISED)
    yield name
    yield freer
    yield optimum
    yield USUAL_ORDER if USUAL_ORDER in there else OPTIMISED
    yield OPTIMISED


# --- words ----------------------------------------------------------------------------------------


def part_words(table: pd.DataFrame) -> dict[str, str]:
    """Of each comparator, the parts of the lead over it with their intervals."""
    parts = table[table["part"] != LEAD]
    return {
        str(name): join_texts(list(_sentences(mine)), ", ") for name, mine in parts.groupby("comparator", sort=False)
    }


def _sentences(parts: pd.DataFrame) -> Iterator[str]:
    for part in parts["part"]:
        yield _("{part} {amount}").format(part=_(str(part)), amount=_part_words(parts[parts["part"] == part]))


def _part_words(row: pd.DataFrame) -> str:
    mean, low, high = (float(row[name].iloc[0]) for name in ("mean", "low", "high"))
    return "0" if mean == low == high == 0.0 else f"{amount(mean)} ({span(low, high)})"


_BOUNDS = {
    AT_PAYMENT_RATIO_1: (
        N_(
            "The best portfolio found whose expected payments keep within every year's announced money funds "
            "{technologies} and is worth {worth} {unit}; the plan is worth {amount} more ({span})."
        ),
        N_(
            "The best portfolio found whose expected payments keep within every year's announced money funds "
            "{technologies} and is worth {worth} {unit}; the plan is worth {amount} less ({span})."
        ),
    ),
    AT_AWARD_RATIO_1: (
        N_(
            "The best portfolio found whose full awards keep within every year's announced money, if no project ever "
            "stops funds {technologies} and is worth {worth} {unit}; the plan is worth {amount} more ({span})."
        ),
        N_(
            "The best portfolio found whose full awards keep within every year's announced money, if no project ever "
            "stops funds {technologies} and is worth {worth} {unit}; the plan is worth {amount} less ({span})."
        ),
    ),
}


def bound_sentences(found: Plan) -> list[str]:
    """What the best portfolios found within the announced money come to, beside the plan."""
    return list(_bound_sentences(found))


def _bound_sentences(found: Plan) -> Iterator[str]:
    unit = unit_of_money(found.scenario.money_unit)
    for name, words in _BOUNDS.items():
        if name in found.comparisons:
            one = found.comparisons[name]
            gap = one.difference
            told, ends = (words[0], (gap.low, gap.high)) if gap.mean >= 0 else (words[1], (-gap.high, -gap.low))
            yield _(told).format(
                technologies=count(len(one.rule.portfolio.choices), "technology"),
                worth=amount(one.npv.mean),
                unit=unit,
                amount=amount(abs(gap.mean)),
                span=span(*ends),
            )
