"""What a fit found: sentences, a page, tables, a record; and all of it as a study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd

from rdsim.calibration.fits import ENOUGH
from rdsim.calibration.fragment import fragment
from rdsim.calibration.prediction import Check
from rdsim.calibration.run import Fitted
from rdsim.folders.contents import CALIBRATION
from rdsim.numerals import numeral
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.stats import Interval
from rdsim.study import Study

__all__ = ["page_of", "study", "terminal_lines"]

_SHOWN = 8


def terminal_lines(found: Fitted) -> list[str]:
    """What the terminal says of a fit."""
    return [*_lead(found), *_limits(found), *(_verdict(name, one) for name, one in found.tests.items())]


def page_of(found: Fitted) -> Page:
    """The page of a fit."""
    tests = [
        Section(f"Projects that were not fitted: {name}", [_verdict(name, one)], _plots(f"test{k}", one), _tables(one))
        for k, (name, one) in enumerate(found.tests.items(), start=1)
    ]
    return Page(
        "Calibration",
        f"How long TRL steps take and how often they succeed, by {found.records.name}",
        list(_lead(found)),
        [
            Section("Step times", [_median_words(found), _spread_words(found)], (_medians(found),), (_steps(found),)),
            Section("Success", list(_success_words(found)), (), (_success(found),)),
            Section("Does the fit tell what happened?", [_verdict("", found.check)], _plots("own", found.check),
                    _tables(found.check)),
            *tests,
            Section("What the records cannot tell", list(_limits(found))),
            Section("Models that were compared", [_comparison_words(found)], (), (_candidates(found),)),
            Section("To use it", ["Put this into scenario.toml, then --set calibration=" + found.name + ":"], (), (),
                    fragment(found)),
        ],
    )  # fmt: skip


def study(found: Fitted) -> Study:
    """A fit as a study: the calibration as a text, the fit, the models that were compared, and the checks."""
    checks = {found.records.name: found.check, **found.tests}
    gains = [one.gains.assign(records=name) for name, one in checks.items()]
    return Study(
        "calibrate",
        None,
        found.asked.seed,
        page_of(found),
        {
            "steps": found.steps,
            "success": found.bounds,
            "models": pd.DataFrame(found.candidates),
            "gains": pd.concat(gains, ignore_index=True),
        },
        _record(found),
        said=terminal_lines(found),
        texts={CALIBRATION.name: fragment(found)},
    )


def _record(found: Fitted) -> dict[str, Any]:
    best = found.best
    return {
        "records": [
            {"name": found.records.name, "projects": found.records.count, "sha256": found.records.sha256},
            *({"name": name, "projects": one.projects} for name, one in found.tests.items()),
        ],
        "asked": asdict(found.asked),
        "model": asdict(best.model),
        "parameters": best.parameters.tolist(),
        "log_likelihood": best.log_likelihood,
        "identified": list(best.identified.times),
        "identified_success": list(best.identified.success),
    }


# --- sentences ------------------------------------------------------------------------------------


def _lead(found: Fitted) -> Iterator[str]:
    records = found.records
    out = f"; {records.left_out} rows without both TRLs are left out" if records.left_out else ""
    cut = f"; {records.cut} had not ended and are observed until {records.as_of}" if records.cut else ""
    yield (
        f"{records.count} projects, {records.gain.sum()} TRL steps in {records.months.sum() / 12:,.0f} project years"
        f"{out}{cut}."
    )
    yield _median_words(found)
    yield from _success_words(found)
    yield _verdict("", found.check)


def _median_words(found: Fitted) -> str:
    identified = found.best.identified.times
    if not identified:
        return f"No step was completed by {ENOUGH} projects: nothing is identified, and every median stays assumed."
    told = found.medians
    shown = ", ".join(f"{k}: {_ends(told[k - 1], 1)}" for k in identified)
    return (
        f"Median months of a step from TRL {shown} (95% intervals, bootstrap of {len(found.again)}), in projects of "
        f"{found.asked.months:g} months with two partners."
    )


def _spread_words(found: Fitted) -> str:
    law = found.best.law
    which = f"those of the steps from TRL {_numbers(found.success)} are fitted" if found.success else "which is assumed"
    chance = f"{found.best.model.success:.1%}"
    return (
        f"Step times are {law.kind} with a log standard deviation of {_ends(found.sigma, 2)}. They are times of one "
        f"attempt; all attempts together succeed with {chance}, {which}."
    )


def _verdict(name: str, one: Check) -> str:
    where = f"Of the {one.projects} projects of {name}, which were not fitted," if name else "Simulated again,"
    mean, low, high = one.mean
    agree = "agrees with" if one.is_passed else "does NOT agree with"
    return (
        f"{where} the fit {agree} what happened: {numeral(one.observed_mean, '.2f')} steps a project, "
        f"{numeral(mean, '.2f')} predicted ({numeral(low, '.2f')} to {numeral(high, '.2f')}); {one.inside} of "
        f"{len(one.gains)} counts of gains within their 95% intervals; a misfit as large as this has a probability of "
        f"{numeral(one.chance, '.2f')}. Mean log probability of what happened: "
        f"{numeral(one.log_score, '.3f')}, and {numeral(one.plain_score, '.3f')} by plain shares of gains."
    )


def _limits(found: Fitted) -> Iterator[str]:
    """What is not identified, or no more than an association."""
    rest = [str(k) for k in range(1, 9) if k not in found.best.identified.times]
    if rest:
        yield (
            f"Steps from TRL {', '.join(rest)} were completed by fewer than {ENOUGH} projects each: their times stay "
            "assumed."
        )
    shaky = [k for k in range(1, 9) if k not in found.success]
    if shaky:
        where = f"From TRL {_numbers(shaky)} slow" if found.success else "Slow"
        yield (
            f"{where} cannot be told from failed: any step success from {numeral(found.lowest_success, '.2f')} to 1 "
            f"fits about as well; {numeral(found.best.model.success, '.3f')} is assumed."
        )
    yield from _ending_limits(found)
    if found.best.model.pace:
        yield (
            f"Who plans longer also takes longer: step times grow with the window to the power {_ends(found.pace, 2)}. "
            "Near 1, gains say more of how projects are planned than of how fast research can be."
        )
    yield from _plans(found)
    if found.best.model.partners:
        change = 2**found.partners.mean - 1
        much = f"{numeral(abs(change), '.0%')} {'more' if change > 0 else 'less'}"
        yield (
            f"With twice the partners a step takes {much} time (exponent {_ends(found.partners, 2)}): an association, "
            "as larger tasks have more partners; it does not enter the partner effect."
        )


def _success_words(found: Fitted) -> Iterator[str]:
    """What is known of success: estimates where failures are told, and bounds without any assumption."""
    if found.success:
        told = ", ".join(f"{k}: {_ends(one, 3)}" for k, one in found.success.items())
        yield f"Eventual success of a step from TRL {told} (95% intervals by likelihood ratio)."
        return
    rows = found.bounds[found.bounds[["completed", "failed", "unexplained"]].sum(axis=1) >= ENOUGH]
    spans = zip(rows["trl"].tolist(), rows["least"].tolist(), rows["most"].tolist(), strict=True)
    least = ", ".join(f"{trl}: {numeral(low, '.2f')} to {numeral(high, '.2f')}" for trl, low, high in spans)
    yield f"Success is not identified: {_why_unknown(found)}. " + (
        f"By step from TRL it lies within {least}: as if every project that ended short without a word had failed, "
        "and as if none had."
        if least
        else f"No step has {ENOUGH} projects that took it to its end."
    )


def _why_unknown(found: Fitted) -> str:
    if not found.records.has_outcome.any():
        return "no record says how its project ended"
    if not found.records.failures().any():
        return "no project is told to have failed"
    return f"no step was completed by {ENOUGH} projects and failed at by one"


def _ending_limits(found: Fitted) -> Iterator[str]:
    if not found.success:
        return
    records, planned = found.records, found.asked.planned_ends
    yield (
        "Projects that reached their target or failed are taken to have done so "
        + ("some time before their record ends." if planned else "in the month in which their record ends.")
    )
    unexplained = int(records.open_ends().sum())
    if unexplained:
        yield (
            f"{unexplained} projects ended short and nobody says that they failed: they are taken to be like those "
            "that went on (censoring without information); the table of success has bounds without this assumption."
        )


def _numbers(steps: Iterable[int]) -> str:
    return ", ".join(map(str, steps))


def _plans(found: Fitted) -> Iterator[str]:
    if found.other is None:
        return
    records, months = found.records, found.asked.months
    ours, theirs = (one.medians_at(months)[2] for one in (found.best, found.other))
    known = int((records.planned >= 0).sum())
    above = int((records.gain > records.planned)[records.planned >= 0].sum())
    view = "worked until their end" if found.asked.stops_at_plan else "stopped there"
    then, now = (one.log_likelihood / records.count for one in (found.other, found.best))
    yield (
        f"{int(records.at_plan.sum())} of {known} projects had come as far as planned, {above} of them further. If "
        f"such projects {view}, the step from TRL 3 would take {numeral(theirs, '.1f')} months and not "
        f"{numeral(ours, '.1f')}; the truth lies between the two. (Mean log probability of what happened: "
        f"{numeral(then, '.3f')} then, {numeral(now, '.3f')} now; but plans may have been corrected afterwards.)"
    )


def _comparison_words(found: Fitted) -> str:
    worst = max(one.aic for one in found.candidates) - found.candidates[0].aic
    return (
        f"Akaike's criterion is least for {found.candidates[0].name}. Differences below 2 say little; the largest here "
        f"is {numeral(worst, '.1f')}."
    )


def _ends(told: Interval, digits: int) -> str:
    return f"{told.mean:.{digits}f} ({told.low:.{digits}f} to {told.high:.{digits}f})"


# --- figures and tables ---------------------------------------------------------------------------


def _medians(found: Fitted) -> Plot:
    frame = found.steps.assign(
        state=["identified" if known else "few projects: extrapolated" for known in found.steps["identified"]]
    )
    return Plot(
        "medians",
        "How long does a step take?",
        "Median of one attempt, with its 95% interval.",
        "Extrapolated steps are not used: the calibration keeps the assumed times there.",
        frame,
        ("trl", "TRL that the step starts from"),
        ("median_months", "median, months"),
        joined=False,
        low="low",
        high="high",
        colour="state",
        tips={"trl": Column("from TRL", "count"), "median_months": Column("months", "money"),
              "low": Column("from", "money"), "high": Column("to", "money"), "at_risk": Column("projects", "count")},
    )  # fmt: skip


def _plots(key: str, one: Check) -> tuple[Plot, ...]:
    happened = one.gains[["gain", "observed"]].rename(columns={"observed": "projects"}).assign(series="observed")
    foretold = one.gains.rename(columns={"expected": "projects"})[["gain", "projects", "low", "high"]]
    frame = pd.concat([foretold.assign(series="predicted, 95%"), happened], ignore_index=True)
    frame["low"] = frame["low"].fillna(frame["projects"])
    frame["high"] = frame["high"].fillna(frame["projects"])
    begins = one.begins.rename(columns={"expected": "mean"})[["begin", "mean", "low", "high", "projects"]]
    seen = one.begins.rename(columns={"observed": "mean"})[["begin", "mean", "projects"]]
    by = pd.concat([begins.assign(series="predicted, 95%"), seen.assign(series="observed")], ignore_index=True)
    by["low"], by["high"] = by["low"].fillna(by["mean"]), by["high"].fillna(by["mean"])
    return (
        Plot(
            f"{key}-gains",
            "How many projects did so many steps?",
            f"{one.inside} of {len(one.gains)} observed counts lie within their 95% predictive intervals.",
            "Predictions simulate the same projects: same beginning, window and partners.",
            frame,
            ("gain", "TRL steps done"),
            ("projects", "projects"),
            joined=False,
            low="low",
            high="high",
            colour="series",
            tips={"series": Column(" "), "gain": Column("steps", "count"), "projects": Column("projects", "money")},
        ),
        Plot(
            f"{key}-begins",
            "And by where they began?",
            "Mean number of steps by beginning TRL, with 95% predictive intervals of the mean.",
            "Few projects make wide intervals.",
            by,
            ("begin", "TRL at the beginning"),
            ("mean", "steps, mean"),
            joined=False,
            low="low",
            high="high",
            colour="series",
            tips={"series": Column(" "), "mean": Column("steps", "money"), "projects": Column("projects", "count")},
        ),
    )


def _tables(one: Check) -> tuple[Table, ...]:
    columns = {
        "gain": Column("steps done", "count"),
        "observed": Column("projects observed", "count"),
        "expected": Column("predicted", "money"),
        "low": Column("from", "count"),
        "high": Column("to", "count"),
    }
    return (Table("Projects by steps done, with 95% predictive intervals.", one.gains, columns),)


def _steps(found: Fitted) -> Table:
    frame = found.steps.assign(grade=["derived" if known else "assumed" for known in found.steps["identified"]])
    columns = {
        "trl": Column("from TRL", "count"),
        "at_risk": Column("attempted by", "count"),
        "completed": Column("completed by", "count"),
        "median_months": Column("fitted median, months", "money"),
        "low": Column("from", "money"),
        "high": Column("to", "money"),
        "median_years": Column("years in the calibration", "money"),
        "grade": Column("grade"),
    }
    return Table("Steps. Medians are of one attempt, at the stated window.", frame, columns)


def _success(found: Fitted) -> Table:
    frame = found.bounds.assign(grade=["derived" if known else "assumed" for known in found.bounds["identified"]])
    columns = {
        "trl": Column("from TRL", "count"),
        "completed": Column("completed by", "count"),
        "failed": Column("failed at by", "count"),
        "unexplained": Column("ended short, unexplained", "count"),
        "least": Column("success at least", "share"),
        "most": Column("at most", "share"),
        "success": Column("fitted success", "share"),
        "low": Column("from", "share"),
        "high": Column("to", "share"),
        "used": Column("success in the calibration", "share"),
        "grade": Column("grade"),
    }
    caption = "Eventual success by step. Least and most take all unexplained ends as failures, and none of them."
    return Table(caption, frame[list(columns)], columns)


def _candidates(found: Fitted) -> Table:
    best = found.candidates[0].aic
    rows = [
        (one.name, one.parameters, numeral(one.log_likelihood, ".1f"), numeral(one.aic - best, ".1f"))
        for one in found.candidates
    ]
    frame = pd.DataFrame(rows[:_SHOWN], columns=["model", "parameters", "likelihood", "aic"])
    columns = {
        "model": Column("model"),
        "parameters": Column("parameters", "count"),
        "likelihood": Column("log-likelihood"),
        "aic": Column("AIC above the best"),
    }
    return Table(f"The best {len(frame)} of {len(found.candidates)} models.", frame, columns)
