"""Expected money by year: of each funded technology, of partners' network, and of groups of technologies.

Money to projects is net of refunds; what goes abroad is counted as it is paid, refunds not taken off. What home pays to
all technologies, and the network's cost, is what leaves the purses for good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from rdsim.languages import gettext as _
from rdsim.report.data.plan import PlanReport

__all__ = ["Ledger", "by_partner", "ledger", "no_partner"]

_KINDS = ("home", "foreign", "abroad")


def no_partner() -> str:
    """What stands in the place of a partner's name where there is none."""
    return _("No partner")


@dataclass(frozen=True, eq=False)
class Ledger:
    """Expected money by year, undiscounted; means over replications.

    technologies: a row for each funded one: technology, programme, field, partner (code), partner_name, mode,
        start_year, then `home_YEAR`, `foreign_YEAR` and, where the run tells it, `abroad_YEAR`.
    network: cost of opening and running partners, a row for each programme that pays, a column for each year.
    """

    technologies: pd.DataFrame
    network: pd.DataFrame
    years: tuple[int, ...]
    """From the first year to the last in which money moves."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of money that the run tells by year: home, foreign, and abroad but of older runs."""
        return tuple(kind for kind in _KINDS if f"{kind}_{self.years[0]}" in self.technologies)

    def sums(self, kind: str, by: str) -> pd.DataFrame:
        """Sums of a kind of money: a row for each value of the column `by`, a column for each year."""
        columns = {f"{kind}_{year}": year for year in self.years}
        return self.technologies.groupby(by)[list(columns)].sum().rename(columns=columns)


def ledger(report: PlanReport) -> Ledger:
    """Who is paid how much in which year, technologies in the order of their table."""
    means = report.payments
    upkeep = report.budget.groupby(["programme", "year"])["spent_network"].sum() / max(len(report.replications), 1)
    years = _years(report, means, upkeep)
    kept = [name for name in means if name == "technology" or int(str(name).rpartition("_")[2]) in years]
    funded = report.technologies.loc[report.technologies["funded"].astype(bool)]
    who = funded[["technology", "programme", "field", "partner", "partner_name", "mode", "start_year"]]
    who = who.assign(partner_name=who["partner_name"].replace("", str(no_partner())))
    by_year = upkeep.unstack("year").reindex(columns=list(years), fill_value=0.0)  # noqa: PD010 - pivot_table would average
    return Ledger(who.merge(means[kept], on="technology", how="left"), by_year[by_year.sum(axis=1) > 0], years)


def _years(report: PlanReport, means: pd.DataFrame, upkeep: pd.Series[float]) -> tuple[int, ...]:
    columns = [str(name) for name in means if re.search(r"_\d+$", str(name)) and means[name].abs().sum() > 0]
    busy = {int(name.rpartition("_")[2]) for name in columns}
    busy |= {int(year) for _, year in upkeep.index[upkeep > 0]} | {report.start_year}
    return tuple(range(report.start_year, max(busy) + 1))


def by_partner(report: PlanReport, money: Ledger) -> pd.DataFrame:
    """Money over all years by partner, the most home money first.

    Columns: partner_name, count, home, foreign, abroad and network (cost of opening and running it); NaN where a run
    does not tell, and for what there is not.
    """
    columns = {kind: money.sums(kind, "partner_name").sum(axis=1) for kind in money.kinds}
    columns["count"] = money.technologies.groupby("partner_name").size()
    if len(report.partners):
        columns["network"] = report.partners.groupby("name")["network"].sum(min_count=1)
    names = list(dict.fromkeys(str(name) for column in columns.values() for name in column.index))
    known = {name: column.reindex(names).to_numpy(float) for name, column in columns.items()}
    found = pd.DataFrame({"partner_name": names, **known})
    found = found.reindex(columns=["partner_name", "count", *_KINDS, "network"])
    moved = found[found[["home", "foreign", "network"]].abs().sum(axis=1) > 0]
    return moved.sort_values("home", ascending=False, kind="stable", ignore_index=True)
