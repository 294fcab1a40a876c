"""What a benchmark found, as tables: for files and workbooks, and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from rdsim.bench.against import SOLVING, STAGE, VALUE
from rdsim.bench.ranking import countries_of, dominance, ranks, regrets
from rdsim.bench.sharing import common, differences
from rdsim.bench.stages import Contest
from rdsim.bench.worlds import AS_STATED
from rdsim.scenario import digest
from rdsim.stats import mean_interval, paired_difference

__all__ = ["best_of", "measurements", "tables_of"]


def tables_of(contests: Sequence[Contest]) -> dict[str, pd.DataFrame]:
    """By name; each has a column `scenario`, and intervals that hold together within a scenario's table.

    `entrants`, `rows`, `worlds`, `values`, `ranks`, `regrets`, `regrets_in_short`, `tradeoffs`, `shared`,
    `differences`, `rivals`, `doubts`, `rolling`. A part that was not asked for, or not finished, has no rows.
    """
    makers = {
        "entrants": _entrants,
        "rows": _rows,
        "worlds": _worlds,
        "values": _values,
        "ranks": _ranks,
        "tradeoffs": _tradeoffs,
        "shared": _likeness,
        "differences": _differences,
        "rivals": _rivals,
        "doubts": _doubts,
        "rolling": _rolling,
    }
    found = {name: _join([(one, make(one)) for one in contests]) for name, make in makers.items()}
    lost = [(one, *_regrets(one)) for one in contests]
    found["regrets"] = _join([(one, whole) for one, whole, _ in lost])
    found["regrets_in_short"] = _join([(one, short) for one, _, short in lost])
    return found


def _join(parts: Sequence[tuple[Contest, pd.DataFrame]]) -> pd.DataFrame:
    named = [table.assign(scenario=one.scenario.name) for one, table in parts if len(table)]
    if not named:
        return pd.DataFrame()
    whole = pd.concat(named, ignore_index=True)
    return whole[["scenario", *whole.columns.drop("scenario")]]


def best_of(found: Contest, freedom: str) -> str:
    """Name of the best entrant that keeps within a freedom, by the replications that choose; '' if nobody does."""
    names = found.keeping(freedom)
    return found.judged.best(dict.fromkeys(names), AS_STATED) if names else ""


def _level(found: Contest) -> float:
    return found.scenario.simulation.confidence


def _entrants(found: Contest) -> pd.DataFrame:
    rows = []
    for name, one in found.entrants.items():
        standing = found.standings[name]
        told = mean_interval(found.judged.told[AS_STATED, name], _level(found))
        rows.append(
            {
                "entrant": name,
                "title": one.title,
                "kind": one.kind,
                "source": one.source,
                "funded": len(one.portfolio.choices),
                "countries": len(countries_of(found.scenario, one.portfolio)),
                "joint": sum(bool(choice.partner) for choice in one.portfolio.choices),
                "payments": standing.total_payments,
                "awards": float(standing.awards.sum()),
                "payment_ratio": max(standing.needed_ratios.values(), default=1.0),
                **{freedom.replace(" ", "_"): standing.keeps(freedom) for freedom in found.freedoms},
                "broken": sum(broken.hard and broken.freedom == found.freedoms[-1] for broken in standing.broken),
                "value": told.mean,
                "low": told.low,
                "high": told.high,
                "n": told.n,
                "seconds": np.nan if one.seconds is None else one.seconds,
            }
        )
    return pd.DataFrame(rows)


def _rows(found: Contest) -> pd.DataFrame:
    rows = [
        {
            "entrant": name,
            "title": found.titles[name],
            "freedom": one.freedom,
            "row": one.row,
            "words": one.words,
            "by": one.by,
            "amount": one.amount,
            "unit": one.unit,
            "hard": one.hard,
        }
        for name in found.entrants
        for one in found.standings[name].broken
        if one.freedom in found.freedoms
    ]
    return pd.DataFrame(rows)


def _worlds(found: Contest) -> pd.DataFrame:
    return pd.DataFrame([{"world": one.name, "title": one.title, "change": one.change} for one in found.worlds])


def _values(found: Contest) -> pd.DataFrame:
    """Means by world, each with its own interval."""
    titles, rows = found.titles, []
    for (world, name), worths in found.judged.told.items():
        told = mean_interval(worths, _level(found))
        rows.append(
            {
                "world": world,
                "entrant": name,
                "title": titles.get(name, name),
                "value": told.mean,
                "low": told.low,
                "high": told.high,
                "n": told.n,
            }
        )
    return pd.DataFrame(rows)


def _ranks(found: Contest) -> pd.DataFrame:
    keeping = {freedom: found.keeping(freedom) for freedom in found.freedoms}
    return ranks(found.judged, found.titles, keeping, _level(found))


def _regrets(found: Contest) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Against the best known in each world, at each freedom; whoever breaks a row is told too, and is no best."""
    whole, short, worlds = list[pd.DataFrame](), list[pd.DataFrame](), [one.name for one in found.worlds]
    titles, named = found.titles, {one.name: one.title for one in found.worlds}
    for freedom in found.freedoms:
        known = {world: found.pool_in(world, freedom) for world in worlds}
        some = [world for world in worlds if known[world]]
        if not some:
            continue
        table, brief = regrets(found.judged, some, list(found.entrants), known, _level(found))
        keeps = set(found.keeping(freedom))
        for one, into in ((table, whole), (brief, short)):
            into.append(
                one.assign(
                    freedom=freedom, title=one["entrant"].map(titles), keeps=[name in keeps for name in one["entrant"]]
                )
            )
        whole[-1] = whole[-1].assign(
            world_title=whole[-1]["world"].map(named), best_title=whole[-1]["best"].map(titles)
        )
        short[-1] = short[-1].assign(most_in_title=short[-1]["most_in"].map(named))
    empty = pd.DataFrame()
    return (pd.concat(whole, ignore_index=True), pd.concat(short, ignore_index=True)) if whole else (empty, empty)


def _tradeoffs(found: Contest) -> pd.DataFrame:
    portfolios = {name: one.portfolio for name, one in found.entrants.items()}
    table = dominance(found.judged, found.scenario, portfolios, _level(found))
    keeps = set(found.keeping(found.freedoms[-1]))
    return table.assign(title=table["entrant"].map(found.titles), keeps=[name in keeps for name in table["entrant"]])


def _likeness(found: Contest) -> pd.DataFrame:
    """With the best at each freedom."""
    rows = []
    for freedom in found.freedoms:
        best = best_of(found, freedom)
        if best:
            other = found.entrants[best].portfolio
            for name, one in found.entrants.items():
                told = {"freedom": freedom, "best": best, "entrant": name, "title": one.title}
                rows.append(told | common(one.portfolio, other))
    return pd.DataFrame(rows)


def _differences(found: Contest) -> pd.DataFrame:
    """Decision by decision, from the best at the plan's promises."""
    best = best_of(found, found.freedoms[-1])
    if not best:
        return pd.DataFrame()
    other = found.entrants[best].portfolio
    rows = [
        {"entrant": name, "best": best, **row}
        for name, one in found.entrants.items()
        if name != best
        for row in differences(found.scenario, one.portfolio, other)
    ]
    return pd.DataFrame(rows)


def _rivals(found: Contest) -> pd.DataFrame:
    rows = [
        {
            "proposed": met.proposed.name,
            "rival": one.entrant.name,
            "title": one.entrant.title,
            "more": one.more.mean,
            "low": one.more.low,
            "high": one.more.high,
            "n": one.more.n,
            "payments": one.paid,
            "awards": one.awards,
            "by_year": one.by_year,
            "shown": one.more.low > 0,
            **common(met.proposed.portfolio, one.entrant.portfolio),
        }
        for met in found.rivals
        for one in met.found
    ]
    return pd.DataFrame(rows)


def _doubts(found: Contest) -> pd.DataFrame:
    rows = [
        {"doubt": one.name, "amount": one.amount, "low": one.low, "high": one.high, "n": one.n, "words": one.words}
        for one in found.doubts
    ]
    return pd.DataFrame(rows)


def _rolling(found: Contest) -> pd.DataFrame:
    """The plan decided again each year, less the plan decided once, on the replications that both have."""
    if found.rolled is None:
        return pd.DataFrame()
    name = "plan" if "plan" in found.entrants else "one_shot"
    once = found.judged.told[AS_STATED, name][: len(found.rolled)]
    gain = paired_difference(found.rolled, once, _level(found))
    row = {
        "policy": "decided again each year",
        "once": name,
        "value": float(found.rolled.mean()),
        "gain": gain.mean,
        "low": gain.low,
        "high": gain.high,
        "n": gain.n,
    }
    return pd.DataFrame([row])


# --- every number that was measured -----------------------------------------------------------------


def measurements(contests: Sequence[Contest], runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each number: scenario, digest (of the scenario), seed, what, world, subject, number, amount.

    `what` is a value (of a replication, `number`), seconds of a stage, or solving seconds (of a repeat): there `world`
    is the problem, and seconds are infinite where the gap was not proven. `runs` are those of a race.
    """
    parts = [*(part for one in contests for part in _numbers(one)), *([_solving(runs)] if len(runs) else [])]
    whole = pd.concat(parts, ignore_index=True)
    texts = ["scenario", "digest", "what", "world", "subject"]
    return whole.astype(dict.fromkeys(texts, "category") | {"number": "int64", "seed": "int64"})


def _numbers(found: Contest) -> Iterator[pd.DataFrame]:
    head = {"scenario": found.scenario.name, "digest": digest(found.scenario), "seed": found.judged.measured.seed}
    for (world, name), worths in found.judged.told.items():
        told = {"what": VALUE, "world": world, "subject": name}
        yield pd.DataFrame({**head, **told, "number": np.arange(len(worths)), "amount": worths})
    for stage, taken in found.seconds.items():
        yield pd.DataFrame([{**head, "what": STAGE, "world": "", "subject": stage, "number": 0, "amount": taken}])


def _solving(runs: pd.DataFrame) -> pd.DataFrame:
    asked = [f"{way}, to a gap of {gap * 100:g}%" for way, gap in zip(runs["way"], runs["asked"], strict=True)]
    return pd.DataFrame(
        {
            "scenario": "",
            "digest": "",
            "seed": 0,
            "what": SOLVING,
            "world": runs["problem"],
            "subject": asked,
            "number": runs["repeat"],
            "amount": runs["seconds"].where(runs["proven"].astype(bool), np.inf),
        }
    )
