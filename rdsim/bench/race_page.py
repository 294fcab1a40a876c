"""Sections of a benchmark's page on optimisers, and on what changed since an earlier benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from rdsim.bench.against import SOLVING, STAGE, VALUE
from rdsim.bench.benchmark import Benchmark
from rdsim.bench.races import Racing, geometric_means, profiles
from rdsim.brief import count
from rdsim.numerals import numeral
from rdsim.report import Column, Plot, Section, Table

__all__ = ["change_section", "change_sentences", "failure_sentences", "race_section", "race_sentences"]

_SHOWN = 25
"""Changes of a kind on the page, at most, those that are flagged first; the table holds all."""

_MEAN_COLUMNS: Mapping[str, Column] = {
    "group": Column("Problems"),
    "gap": Column("Gap"),
    "way": Column("Optimiser"),
    "seconds": Column("Seconds, shifted geometric mean", "money"),
    "times_best": Column("times the quickest", "money"),
    "solved": Column("Proven"),
}
_CHANGE_COLUMNS: Mapping[str, Column] = {
    "title": Column("What"),
    "earlier": Column("Earlier", "money"),
    "now": Column("Now", "money"),
    "ratio": Column("Ratio", "money"),
    "ratio_low": Column("at least", "money"),
    "ratio_high": Column("at most", "money"),
    "n": Column("of", "count"),
    "verdict": Column("Change"),
}


def _gap_words(gap: float) -> str:
    return f"{gap * 100:g}%"


def race_sentences(runs: pd.DataFrame, racing: Racing) -> Iterator[str]:
    """For each gap who is quickest over all problems."""
    means = geometric_means(runs.assign(group="all problems"), racing.limit)
    for _, rows in means.groupby("asked", sort=False):
        told = _gap_words(float(rows["asked"].iloc[0]))
        if not rows["proven"].any():
            yield f"Nobody proves a gap of {told} of any problem within {racing.limit:g} seconds."
            continue
        best = rows.sort_values(["seconds"], kind="stable").iloc[0]
        mean, solved = numeral(float(best["seconds"]), ",.3g"), int(best["proven"])
        yield (
            f"To a gap of {told} {best['way']} is quickest: {mean} seconds in the shifted geometric mean over "
            f"{count(int(best['of']), 'problem')}, {solved} of them proven."
        )


def failure_sentences(runs: pd.DataFrame) -> Iterator[str]:
    """Of each way that gave no answer somewhere, where, and why the first time."""
    failed = runs[runs["failure"] != ""]
    for way, rows in failed.groupby("way", sort=False):
        first = rows.iloc[0]
        more = f", and to {count(len(rows) - 1, 'more question')}" if len(rows) > 1 else ""
        asked = f"{first['problem']} to a gap of {_gap_words(float(first['asked']))}"
        yield f"{way} gave no answer to {asked}{more}: {str(first['failure']).rstrip('.')}."


def race_section(found: Benchmark) -> Section | None:
    """Optimisers side by side: means by group and gap, and profiles."""
    runs, racing = found.run_table, found.racing
    if runs.empty or racing is None:
        return None
    means = geometric_means(runs, racing.limit)
    shown = means.assign(
        gap=[_gap_words(gap) for gap in means["asked"]],
        solved=[f"{a} of {b}" for a, b in zip(means["proven"], means["of"], strict=True)],
    )
    reading = (
        f"Every gap is asked for by itself, one thread each, {racing.limit:g} seconds at most; what is not proven "
        "counts with that. Exact is the whole model at once; walks and neighbourhoods begin from the relaxation; "
        "near the relaxation with a walk proves nothing of its own, so it is held to the relaxation's bound. "
        "Objective and rows are judged from the portfolio, not from what a solver says. Copies are the scenario's "
        "problem with values and needs drawn a little otherwise."
    )
    caption = (
        "Seconds to a proven gap, by group of problems; means of log(seconds + 1), so that no single problem decides."
    )
    return Section(
        "Optimisers side by side",
        (*race_sentences(runs, racing), *failure_sentences(runs), reading),
        tuple(_profile_plots(runs)),
        (Table(caption, shown, _MEAN_COLUMNS),),
    )


def _profile_plots(runs: pd.DataFrame) -> Iterator[Plot]:
    """The profile at 1%, or at the smallest gap that was asked for."""
    table = profiles(runs)
    gaps = sorted(set(table["asked"]))
    gap = 0.01 if 0.01 in gaps else gaps[0]
    rows = table[table["asked"] == gap].assign(
        order=lambda one: one["factor"], size=lambda one: np.log10(one["factor"])
    )
    sure = rows[rows["factor"] == 1.0].sort_values("share", ascending=False).iloc[0]
    yield Plot(
        "profile",
        f"How often is each within so many times the quickest, to a gap of {_gap_words(gap)}?",
        f"{sure['way']} is the quickest of {sure['share']:.0%} of {count(int(sure['of']), 'problem')}.",
        "Performance profiles (Dolan & More). Left: how often one is the quickest; right: how often it comes there "
        "at all, within 100 times the quickest. 1 on the axis is ten times, 2 a hundred times.",
        rows[["way", "factor", "share", "order", "size"]],
        ("size", "times the quickest, powers of ten"),
        ("share", "share of problems"),
        colour="way",
        tips={
            "way": Column("optimiser"),
            "factor": Column("times the quickest", "money"),
            "share": Column("share", "share"),
        },
    )


# --- against an earlier benchmark -------------------------------------------------------------------


def change_sentences(table: pd.DataFrame) -> Iterator[str]:
    """How much of each kind is flagged."""
    values, times = table[table["what"] == VALUE], table[table["what"] == SOLVING]
    if table.empty:
        yield "Nothing that was measured earlier was measured again."
    if len(values):
        less, more = ((values["verdict"] == word).sum() for word in ("less", "more"))
        yield (
            f"Of {count(len(values), 'value')} that were measured earlier too, {less} {'is' if less == 1 else 'are'} "
            f"shown to be less now and {more} to be more."
        )
    if len(times):
        slower, quicker = ((times["verdict"] == word).sum() for word in ("slower", "quicker"))
        verb = "is" if slower == 1 else "are"
        yield (
            f"Of {count(len(times), 'time')} to a gap, {slower} {verb} shown to be slower and {quicker} to be quicker."
        )


def change_section(found: Benchmark, titles: Mapping[str, str], table: pd.DataFrame) -> Section | None:
    """What changed since an earlier benchmark, flagged first."""
    if found.earlier is None:
        return None
    named = table.assign(title=[_title(*row, titles) for row in zip(table["subject"], table["world"], strict=True)])
    captions = {
        VALUE: "Values, now over earlier.",
        SOLVING: "Seconds to a gap: geometric means over the problems that both proved.",
        STAGE: "Seconds of stages, measured once: no interval, and nothing is flagged.",
    }
    shown = []
    for what, caption in captions.items():
        rows = named[named["what"] == what]
        if rows.empty:
            continue
        flagged = ~rows["verdict"].isin(["no change shown", "measured once"])
        rows = rows.assign(flagged=flagged).sort_values("flagged", ascending=False, kind="stable")
        more = f" The first {_SHOWN} of {len(rows)}." if len(rows) > _SHOWN else ""
        shown.append(Table(f"{caption}{more}", rows.head(_SHOWN), _CHANGE_COLUMNS))
    same = set(found.number_table["digest"].astype(str)) <= set(found.earlier["digest"])
    reading = "With one seed luck is common, so values are paired; intervals of a kind hold together. " + (
        "The scenario is the same as then." if same else "The scenario is not the same as then, or has other settings."
    )
    return Section("Against an earlier benchmark", (*change_sentences(table), reading), (), tuple(shown))


def _title(subject: str, world: str, titles: Mapping[str, str]) -> str:
    told = titles.get(subject, subject)
    return f"{told}, {titles.get(world, world)}" if world else told
