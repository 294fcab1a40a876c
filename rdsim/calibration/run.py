"""A fit with all that is to be known of it: intervals, what the records cannot tell, and how well it predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from rdsim.calibration.fits import (
    REFERENCE,
    SUCCESS,
    Fit,
    ModelScore,
    bootstrap,
    fit,
    interval,
    lowest_success,
    otherwise,
    success_intervals,
)
from rdsim.calibration.likelihood import Kind
from rdsim.calibration.prediction import Check, check
from rdsim.calibration.records import Records, read
from rdsim.domain import Steps
from rdsim.stats import Interval

__all__ = ["CalibrationSettings", "Fitted", "Progress", "calibrate"]

Progress = Callable[[str, int, int], None]
_MONTHS = 12.0


@dataclass(frozen=True)
class CalibrationSettings:
    """How to fit: `months` is the window that medians are stated for, `as_of` the last look (see `records.read`).

    `success` is of steps at which no failure is told. `planned_ends`: projects that reached their target or failed
    did so some time before their record ends, and not just then.
    """

    distribution: Literal["best", "lognormal", "gamma"] = "best"
    bootstrap: int = 200
    seed: int = 1
    months: float = REFERENCE
    success: float = SUCCESS
    stops_at_plan: bool = False
    as_of: str | None = None
    planned_ends: bool = False

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Distributions to compare."""
        return ("lognormal", "gamma") if self.distribution == "best" else (self.distribution,)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What `rdsim calibrate` found."""

    name: str
    asked: CalibrationSettings
    records: Records
    best: Fit
    candidates: list[ModelScore]
    again: list[Fit]  # of the bootstrap
    lowest_success: float
    other: Fit | None  # the other view of plans
    check: Check
    tests: Mapping[str, Check]  # of records that were not fitted
    success: Mapping[int, Interval]  # eventual success by TRL, where it is identified

    @property
    def medians(self) -> list[Interval]:
        """Median months of an attempt at the steps from TRL 1..8, at the stated window."""
        drawn = np.array([one.medians_at(self.asked.months) for one in self.again])
        estimates = self.best.medians_at(self.asked.months).tolist()
        return [interval(drawn[:, k], estimates[k]) for k in range(8)]

    @property
    def sigma(self) -> Interval:
        """Log standard deviation of the time of an attempt."""
        return interval([one.law.sigma for one in self.again], self.best.law.sigma)

    @property
    def pace(self) -> Interval:
        """Exponent of the window in step times."""
        return interval([one.pace for one in self.again], self.best.pace)

    @property
    def partners(self) -> Interval:
        """Exponent of the number of partners in step times."""
        return interval([one.partners for one in self.again], self.best.partners)

    @property
    def median_years(self) -> tuple[float, ...]:
        """What the fragment states: fitted where the step is identified, else what rdsim assumes."""
        assumed = Steps().median_years
        fitted = self.best.medians_at(self.asked.months) / _MONTHS
        return tuple(
            round(float(fitted[k]), 2) if k + 1 in self.best.identified.times else assumed[k]
            for k in range(len(assumed))
        )

    @property
    def step_success(self) -> tuple[float, ...]:
        """What the fragment states: fitted where the step's success is identified, else what rdsim assumes."""
        assumed = enumerate(Steps().success, start=1)
        return tuple(round(self.success[k].mean, 3) if k in self.success else one for k, one in assumed)

    @property
    def bounds(self) -> pd.DataFrame:
        """A row for each step: what became of the projects that took it, and the least and the largest share of those
        no longer at it that can have done it in the end, whatever is assumed of ends that nobody explains (Manski
        2003, Partial Identification of Probability Distributions); NaN of no project."""
        done, failed, unexplained = (getattr(self.records, name)() for name in ("completions", "failures", "open_ends"))
        all_of_them = np.where(done + failed + unexplained, done + failed + unexplained, np.nan)
        return pd.DataFrame(
            {
                "trl": np.arange(1, 9),
                "completed": done,
                "failed": failed,
                "unexplained": unexplained,
                "least": done / all_of_them,
                "most": (done + unexplained) / all_of_them,
                "success": [self.success[k].mean if k in self.success else np.nan for k in range(1, 9)],
                "low": [self.success[k].low if k in self.success else np.nan for k in range(1, 9)],
                "high": [self.success[k].high if k in self.success else np.nan for k in range(1, 9)],
                "identified": [k in self.success for k in range(1, 9)],
                "used": self.step_success,
            }
        )

    @property
    def steps(self) -> pd.DataFrame:
        """A row for each step: projects, the fitted median with its interval, whether it is identified, years used."""
        told = self.medians
        return pd.DataFrame(
            {
                "trl": np.arange(1, 9),
                "at_risk": self.records.at_risk(),
                "completed": self.records.completions(),
                "median_months": [one.mean for one in told],
                "low": [one.low for one in told],
                "high": [one.high for one in told],
                "identified": [k in self.best.identified.times for k in range(1, 9)],
                "median_years": self.median_years,
            }
        )


def calibrate(
    projects: str | Path,
    asked: CalibrationSettings | None = None,
    name: str = "",
    tests: tuple[str | Path, ...] = (),
    progress: Progress | None = None,
) -> Fitted:
    """Fit step times, and success where failures are told, to the records of a CSV file.

    `tests` are files of other records to test the fit on.

    Raises RecordsError with every fault of the files.
    """
    asked = asked or CalibrationSettings()
    tell = progress or (lambda _stage, _done, _total: None)
    records = read(projects, asked.as_of)
    others = [read(path, asked.as_of) for path in tests]
    best, candidates = fit(records, asked.kinds, asked.success, asked.stops_at_plan, asked.planned_ends)
    again = _again(records, best, asked, tell)
    return Fitted(
        name or Path(projects).stem.removesuffix("_projects").replace("_", "-"),
        asked,
        records,
        best,
        candidates,
        again,
        lowest_success(records, best),
        otherwise(records, best),
        check(again, best, records, records, asked.seed),
        {
            Path(path).name: check(again, best, records, one, asked.seed)
            for path, one in zip(tests, others, strict=True)
        },
        success_intervals(records, best),
    )


def _again(records: Records, best: Fit, asked: CalibrationSettings, tell: Progress) -> list[Fit]:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell("bootstrap", done, asked.bootstrap)

    return bootstrap(records, best, asked.bootstrap, asked.seed, more)
