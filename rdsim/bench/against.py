"""A benchmark against an earlier one: ratios of values and of times, each with its interval, and what is flagged.

**Values**: of every portfolio in every world that both benchmarks know. With one seed the luck is the same, whatever
else is not, so differences are paired, replication by replication; else they are not (Welch). The interval of a ratio
is Fieller's (1954, J. Royal Statistical Society B 16); none is told where the earlier value is not told apart from
nothing. **Solving**: seconds to a gap, problem by problem; the ratio is geometric, its interval over the problems that
both proved. **Stages** were measured once: a ratio without interval, and never flagged.

The intervals of a kind hold together (Bonferroni). Flagged is whatever lies to one side of no change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from rdsim.arrays import Floats
from rdsim.errors import Fault, InputError
from rdsim.folders import is_folder
from rdsim.stats import Interval, mean_interval, paired_difference, unpaired_difference

__all__ = ["COLUMNS", "MEASUREMENTS", "SOLVING", "STAGE", "VALUE", "changes", "ratio_of_means", "read_measurements"]

MEASUREMENTS = "measurements"
"""The table that later benchmarks are set against: every number that was measured, a row each."""

COLUMNS = ("scenario", "digest", "seed", "what", "world", "subject", "number", "amount")
VALUE, STAGE, SOLVING = "value", "seconds", "solving seconds"
"""What a number is: of a replication, of a stage, of a problem to a gap."""


def read_measurements(path: Path) -> pd.DataFrame:
    """Every number that an earlier benchmark measured: of its `measurements.parquet`, or of its folder.

    Raises InputError for what is none.
    """
    file = path / f"{MEASUREMENTS}.parquet" if is_folder(path) else path
    rule = f"must be the {MEASUREMENTS}.parquet of an earlier benchmark, or its folder"
    try:
        table = pd.read_parquet(file)
    except FileNotFoundError:
        raise InputError((Fault(str(path), rule, "nothing there"),)) from None
    except (OSError, ValueError) as error:
        raise InputError((Fault(str(path), rule, str(error).splitlines()[0]),)) from None
    lacking = [name for name in COLUMNS if name not in table]
    if lacking:
        raise InputError((Fault(str(path), rule, f"no column {', '.join(lacking)}"),))
    return table.astype(dict.fromkeys(("scenario", "digest", "what", "world", "subject"), str))


def changes(now: pd.DataFrame, earlier: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """A row for each value, way of solving and stage that both have.

    Columns: what, scenario, world, subject, earlier, now, ratio with ratio_low and ratio_high, difference with low and
    high, paired, n, verdict: more or less (values), quicker or slower (times), no change shown, or measured once.
    """
    now = now.astype(dict.fromkeys(("scenario", "digest", "what", "world", "subject"), str))
    rows = [*_values(now, earlier, confidence), *_solving(now, earlier, confidence), *_stages(now, earlier)]
    columns = (
        "what",
        "scenario",
        "world",
        "subject",
        "earlier",
        "now",
        "ratio",
        "ratio_low",
        "ratio_high",
        "difference",
    )
    return pd.DataFrame(rows, columns=[*columns, "low", "high", "paired", "n", "verdict"])


def _both(
    now: pd.DataFrame, earlier: pd.DataFrame, what: str, keys: Sequence[str]
) -> list[tuple[tuple[str, ...], pd.DataFrame, pd.DataFrame]]:
    """The rows of a kind, by keys that both have."""
    mine, other = (
        {tuple(map(str, key)): rows for key, rows in table[table["what"] == what].groupby(list(keys), sort=False)}
        for table in (now, earlier)
    )
    return [(key, rows, other[key]) for key, rows in mine.items() if key in other]


def _values(now: pd.DataFrame, earlier: pd.DataFrame, confidence: float) -> Iterator[dict[str, object]]:
    pairs = _both(now, earlier, VALUE, ("scenario", "world", "subject"))
    for (scenario, world, subject), mine, other in pairs:
        paired = set(mine["seed"]) == set(other["seed"])
        a, b = _numbers(mine), _numbers(other)
        if paired:
            count = min(len(a), len(b))
            a, b = a[:count], b[:count]
        ask = paired_difference if paired else unpaired_difference
        gap = ask(a, b, confidence, max(len(pairs), 1))
        ratio = ratio_of_means(a, b, 1 - (1 - confidence) / max(len(pairs), 1), paired=paired)
        verdict = "more" if gap.low > 0 else "less" if gap.high < 0 else "no change shown"
        yield {
            "what": VALUE,
            "scenario": scenario,
            "world": world,
            "subject": subject,
            "earlier": float(b.mean()),
            "now": float(a.mean()),
            "ratio": ratio.mean,
            "ratio_low": ratio.low,
            "ratio_high": ratio.high,
            "difference": gap.mean,
            "low": gap.low,
            "high": gap.high,
            "paired": paired,
            "n": gap.n,
            "verdict": verdict,
        }


def _numbers(rows: pd.DataFrame) -> Floats:
    return rows.sort_values("number")["amount"].to_numpy(np.float64)


def ratio_of_means(more: Floats, less: Floats, confidence: float, *, paired: bool) -> Interval:
    """Mean of the first over mean of the second, with Fieller's interval; NaN where the second may be nothing.

    Unpaired samples are taken to be independent, with the smaller number of degrees of freedom.
    """
    n = min(more.size, less.size)
    a, b = float(more.mean()), float(less.mean())
    if n < 2:
        return Interval(a / b if b else math.nan, math.nan, math.nan, n)
    va, vb = float(more.var(ddof=1)) / more.size, float(less.var(ddof=1)) / less.size
    shared = float(np.cov(more, less)[0, 1]) / n if paired else 0.0
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    # (a - r b)^2 <= t^2 (va - 2 r shared + r^2 vb): a quadratic in r, with two ends where b is told apart from nothing.
    bottom = b * b - t * t * vb
    if bottom <= 0:
        return Interval(math.nan, math.nan, math.nan, n)
    middle, last = a * b - t * t * shared, a * a - t * t * va
    root = math.sqrt(max(middle * middle - bottom * last, 0.0))
    return Interval(a / b, (middle - root) / bottom, (middle + root) / bottom, n)


def _solving(now: pd.DataFrame, earlier: pd.DataFrame, confidence: float) -> Iterator[dict[str, object]]:
    """Over problems: the median of each's repeats, the mean of logarithms of ratios."""
    pairs = _both(now, earlier, SOLVING, ("subject",))
    for (subject,), mine, other in pairs:
        times = [rows.groupby("world")["amount"].median() for rows in (mine, other)]
        both = times[0].index.intersection(times[1].index)
        a, b = (one.loc[both].to_numpy(np.float64) for one in times)
        done = np.isfinite(a) & np.isfinite(b)
        if not done.any():
            continue
        logs = np.log(a[done] / b[done])
        told = mean_interval(logs, 1 - (1 - confidence) / max(len(pairs), 1))
        verdict = "slower" if told.low > 0 else "quicker" if told.high < 0 else "no change shown"
        means = (float(np.exp(np.log(one[done]).mean())) for one in (b, a))
        mean, low, high = np.exp([told.mean, told.low, told.high]).tolist()
        yield _time_row(SOLVING, subject, means, Interval(mean, low, high, told.n), verdict)


def _stages(now: pd.DataFrame, earlier: pd.DataFrame) -> Iterator[dict[str, object]]:
    for (scenario, subject), mine, other in _both(now, earlier, STAGE, ("scenario", "subject")):
        a, b = float(mine["amount"].sum()), float(other["amount"].sum())
        if b > 0:
            ratio = Interval(a / b, math.nan, math.nan, 1)
            yield {**_time_row(STAGE, subject, iter((b, a)), ratio, "measured once"), "scenario": scenario}


def _time_row(what: str, subject: str, means: Iterator[float], ratio: Interval, verdict: str) -> dict[str, object]:
    before, after = means
    return {
        "what": what,
        "scenario": "",
        "world": "",
        "subject": subject,
        "earlier": before,
        "now": after,
        "ratio": ratio.mean,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "difference": after - before,
        "low": math.nan,
        "high": math.nan,
        "paired": True,
        "n": ratio.n,
        "verdict": verdict,
    }
