"""What a benchmark's tables say, in sentences for reviewers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from rdsim.bench.feasibility import ANNOUNCED
from rdsim.bench.rivals import Rivals
from rdsim.bench.sharing import difference_words
from rdsim.bench.stages import Contest
from rdsim.bench.worlds import AS_STATED
from rdsim.brief import count
from rdsim.report.words import amount
from rdsim.stats import Interval, mean_interval
from rdsim.words import money_words, ratio_words

__all__ = [
    "best_sentences",
    "doubt_sentences",
    "given_sentences",
    "interval_words",
    "name_list",
    "rival_sentences",
    "world_sentences",
]

_MOST_ROWS = 4
_MOST_NAMES = 4


def interval_words(mean: float, low: float, high: float) -> str:
    """`20.5 (14.1 to 26.9)`."""
    return f"{amount(mean)} ({amount(low)} to {amount(high)})"


def _of(row: pd.Series, mean: str, low: str, high: str) -> str:
    return interval_words(float(row[mean]), float(row[low]), float(row[high]))


def name_list(names: Sequence[str], most: int = _MOST_NAMES) -> str:
    """Names as in a sentence, the first few."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def best_sentences(found: Contest, ranks: pd.DataFrame) -> Iterator[str]:
    """Who is best at each freedom, and who may be."""
    for freedom in found.freedoms:
        rows = ranks[ranks["freedom"] == freedom] if len(ranks) else ranks
        yield f"{_freedom_words(found, freedom)}: {_best_words(found, rows)}"


def _freedom_words(found: Contest, freedom: str) -> str:
    if freedom == ANNOUNCED:
        return "Within the announced money"
    held = ratio_words(found.scenario, found.chosen.payment_ratios)
    return f"At equal promises (budgets held to {held}, as the plan's are)"


def _best_words(found: Contest, rows: pd.DataFrame) -> str:
    if rows.empty:
        return "no portfolio keeps every row."
    first = rows.iloc[0]
    value, unit = _of(first, "value", "low", "high"), found.scenario.money_unit
    told = f"{first['title']} is worth most, {value} {unit}, n = {first['n']:,}"
    rest = rows.iloc[1:]
    alike = [str(one) for one in rest.loc[rest["maybe_best"], "title"]]
    if rest.empty:
        return f"{told}; it is the only one of {len(found.entrants)} that keeps every row."
    if not alike:
        sure = f"with {found.scenario.simulation.confidence:.0%} confidence it is the best"
        return f"{told}; {sure} of the {len(rows)} that keep every row."
    verb = "is" if len(alike) == 1 else "are"
    return f"{told}; of the {len(rows)} that keep every row, {name_list(alike)} {verb} not told apart from the best."


def given_sentences(found: Contest, ranks: pd.DataFrame) -> Iterator[str]:
    """Of each portfolio that was given: what it is worth, which rows it breaks, and where it stands."""
    for name, one in found.entrants.items():
        if one.kind != "given":
            continue
        freedom, standing = found.freedoms[-1], found.standings[name]
        broken = [row.sentence for row in standing.broken if row.hard and row.freedom == freedom]
        if broken:
            more = f"; and {len(broken) - _MOST_ROWS} more" if len(broken) > _MOST_ROWS else ""
            where = "even at equal promises" if len(found.freedoms) > 1 else "within the announced money"
            own = mean_interval(found.judged.told[AS_STATED, name], found.scenario.simulation.confidence)
            worth = f"Simulated all the same, it comes to {_more(own)} {found.scenario.money_unit}."
            told = "; ".join(broken[:_MOST_ROWS])
            yield f"{one.title} breaks {count(len(broken), 'row')} {where}: {told}{more}. {worth}"
            continue
        mine = ranks[(ranks["entrant"] == name) & (ranks["freedom"] == freedom)].iloc[0]
        low, high, of = int(mine["rank_low"]), int(mine["rank_high"]), int((ranks["freedom"] == freedom).sum())
        place = f"rank {low} of {of}" if low == high else f"between rank {low} and rank {high} of {of}"
        needs = "" if standing.keeps(ANNOUNCED) else ", with more promised than the announced money"
        yield f"{one.title} keeps every row{needs}: {_of(mine, 'value', 'low', 'high')}, {place}."


def world_sentences(found: Contest, short: pd.DataFrame) -> Iterator[str]:
    """Who regrets least over the worlds, and of each given portfolio how much it does."""
    freedom, unit = found.freedoms[-1], found.scenario.money_unit
    rows = short[short["freedom"] == freedom] if len(short) else short
    keeping = rows[rows["keeps"]] if len(rows) else rows
    if keeping.empty or len(found.worlds) < 2:
        return
    first = keeping.iloc[0]
    yield (
        f"Over {count(len(found.worlds), 'world')} the regret of {first['title']} is the least: on average "
        f"{_of(first, 'mean', 'mean_low', 'mean_high')} {unit} less than the best known in each, at most "
        f"{_of(first, 'most', 'most_low', 'most_high')}, in the world {first['most_in_title']}."
    )
    for name, one in found.entrants.items():
        if one.kind == "given":
            mine = rows[rows["entrant"] == name].iloc[0]
            yield (
                f"The regret of {one.title} is on average {_of(mine, 'mean', 'mean_low', 'mean_high')}, at most "
                f"{_of(mine, 'most', 'most_low', 'most_high')}, in the world {mine['most_in_title']}."
            )


def rival_sentences(found: Contest, met: Rivals) -> Iterator[str]:
    """Who costs no more than a proposed portfolio and brings more, what it does otherwise, and the regret."""
    one, unit = met.proposed, found.scenario.money_unit
    head = f"Of {count(met.tried, 'portfolio')} that {'costs' if met.tried == 1 else 'cost'} no more than {one.title}"
    shown = [rival for rival in met.found if rival.more.low > 0]
    if not met.found:
        yield f"{head}, none seems to bring more."
        return
    if not shown:
        first = met.found[0]
        yield f"{head}, none is shown to bring more; the nearest is {first.entrant.title}: {_more(first.more)} {unit}."
        return
    regret = shown[0].more
    lost = f"The regret of {one.title} is {_more(regret)} {unit}, n = {regret.n:,}."
    yield f"{head}, {_shown_words(met, len(shown))}. {lost}"
    told = [shown[0], *[rival for rival in shown[1:] if rival.by_year and not shown[0].by_year][:1]]
    for rival in told:
        cost = _cost_words(found, rival.paid, rival.awards, by_year=rival.by_year)
        otherwise = difference_words(found.scenario, one.portfolio, rival.entrant.portfolio)
        yield f"{_capital(rival.entrant.title)} brings {_more(rival.more)} more {cost}. It {otherwise}."


def _shown_words(met: Rivals, shown: int) -> str:
    """How many are shown to bring more, of those that were told of: not all that were looked at are."""
    verb = "is" if shown == 1 else "are"
    if len(met.found) == met.tried:
        return f"{shown} {verb} shown to bring more"
    return f"{shown} of the {len(met.found)} that seemed best {verb} shown to bring more"


def _more(one: Interval) -> str:
    return interval_words(one.mean, one.low, one.high)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cost_words(found: Contest, paid: float, awards: float, *, by_year: bool) -> str:
    payments, promised = (money_words(found.scenario, max(-one, 0.0)) for one in (paid, awards))
    less = f"for {payments} less of expected payments and {promised} less of full awards"
    return f"{less}, no more in any year" if by_year else f"{less} in total"


def doubt_sentences(found: Contest) -> Iterator[str]:
    """The four doubts, each by itself; then how much choices made anew are ahead of the first."""
    unit = found.scenario.money_unit
    for one in found.doubts:
        limits = (
            f" ({amount(one.low)} to {amount(one.high)})" if one.low == one.low else f", at most {amount(one.high)}"
        )
        yield f"{_capital(one.name)}: {amount(one.amount)}{'' if one.n == 1 else limits} {unit}. It is {one.words}."
    ahead = found.again_ahead
    if ahead is not None:
        yield (
            f"Chosen anew {ahead.n} times, the choice without simulation is worth {_more(ahead)} {unit} more than the "
            "one that is shown; the interval holds the noise of choosing."
        )
