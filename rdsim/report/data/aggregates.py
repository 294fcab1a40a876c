"""The small tables behind the figures: a plan's frames summed up, so that no figure carries raw replications.

Percentiles are inverses of the empirical distribution function over replications; intervals are of means, and means are
with the luck of the market in expectation where the run tells it (`PlanReport.expected`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rdsim.arrays import Floats
from rdsim.languages import N_
from rdsim.languages import gettext as _
from rdsim.report.data.plan import PlanReport, mean_payments
from rdsim.report.data.yearly import no_partner
from rdsim.stats import mean_interval, proportion_interval
from rdsim.titles import OWN_TITLES, plan_title, portfolio_title, rule_title

__all__ = [
    "CAUSES",
    "END_STATES",
    "bubbles",
    "delivery_chances",
    "differences",
    "ends",
    "fan",
    "formation",
    "international",
    "likelihood",
    "market",
    "money_by",
    "outcome_shares",
    "partners_among",
    "payments",
    "payments_for_good",
    "policies",
    "policy_labels",
    "requests",
    "schedule",
    "spending",
    "starts",
    "waits",
    "yearly_payments",
]

CAUSES = {
    "wait_prerequisite": N_("another technology first"),
    "wait_start": N_("one of the year's starts"),
    "wait_place": N_("a place with the partner"),
    "wait_money": N_("money in the purse"),
    "wait_panel": N_("a review panel"),
    "wait_facility": N_("a facility or a team"),
}
"""Columns of the projects' waits, and what each waits for."""

END_STATES = {
    "target": N_("reached its target TRL"),
    "running": N_("still running at the horizon"),
    "stopped": N_("stopped at a gate"),
    "dropped": N_("dropped for want of a partner"),
    "exhausted": N_("out of funded time"),
    "failed": N_("failed technically"),
    "unfunded": N_("never got money"),
    "blocked": N_("its prerequisite failed"),
}
"""End states in the order of the figures, and what they mean."""

_DECILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
_DELIVERED = re.compile(r"delivered_(.+)_by_(\d{4})")
_SPREAD = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def _percentiles(matrix: Floats, levels: dict[str, float]) -> dict[str, Floats]:
    """Percentiles of each column of (replications, columns); of no replications, NaN."""
    if not len(matrix):
        return dict.fromkeys(levels, np.full(matrix.shape[1], np.nan))
    found = np.quantile(matrix, list(levels.values()), axis=0, method="inverted_cdf")
    return dict(zip(levels, found, strict=True))


def _wide(table: pd.DataFrame, by: str, column: str) -> pd.DataFrame:
    """Replications in rows, values of `by` in columns; rows of the same name (two lines may share one) added up."""
    found: pd.DataFrame = table.groupby(["replication", by], observed=True)[column].sum(min_count=1).unstack(by)  # noqa: PD010 - pivot_table would average
    return found


def fan(wide: pd.DataFrame, confidence: float, expected: pd.DataFrame | None = None) -> pd.DataFrame:
    """Mean with its interval and P10/50/90 of each column of a table with replications in rows.

    Columns: the name of the table's columns, mean, low, high, p10, p50, p90. Ends that are unknown (one
    replication) are NaN. The mean is of `expected`, if that is given, of the same shape.
    """
    matrix = wide.to_numpy(np.float64)
    means = matrix if expected is None else expected.to_numpy(np.float64)
    intervals = [mean_interval(column, confidence) for column in means.T]
    ends = np.array([(i.mean, i.low, i.high) for i in intervals]).reshape(-1, 3)
    ends[~np.isfinite(ends)] = np.nan
    body = {"mean": ends[:, 0], "low": ends[:, 1], "high": ends[:, 2]} | _percentiles(matrix, _DECILES)
    return pd.DataFrame({str(wide.columns.name): wide.columns.to_numpy(), **body})


# --- what was chosen ------------------------------------------------------------------------------


def outcome_shares(projects: pd.DataFrame) -> pd.DataFrame:
    """Shares of replications in which each funded technology reached target and market.

    `projects` has a row for each replication and project. Columns: technology, p_target, p_market.
    """
    hits = pd.DataFrame(
        {
            "technology": projects["technology"].astype(str),
            "p_target": projects["end_state"] == "target",
            "p_market": projects["market_time"].notna(),
        }
    )
    return hits.groupby("technology", as_index=False).mean()


def yearly_payments(projects: pd.DataFrame) -> pd.DataFrame:
    """Expected payments by funded technology and year, undiscounted: columns technology, year, home, foreign.

    `home` is what the purses pay, net of refunds; `foreign` is what partner countries pay of their own. `projects` has
    a row for each replication and project.
    """
    means = mean_payments(projects)
    years = [int(name.removeprefix("home_")) for name in map(str, means) if name.startswith("home_")]
    parts = [
        pd.DataFrame(
            {
                "technology": means["technology"],
                "year": year,
                "home": means[f"home_{year}"],
                "foreign": means[f"foreign_{year}"],
            }
        )
        for year in years
    ]
    return pd.concat(parts, ignore_index=True)


def payments(report: PlanReport) -> pd.DataFrame:
    """Expected net payments, undiscounted, by funded technology: columns technology, home, foreign."""
    means = report.payments
    sums = {kind: means.filter(regex=rf"^{kind}_\d+$").sum(axis=1) for kind in ("home", "foreign")}
    return pd.DataFrame({"technology": means["technology"], **sums}).sort_values("technology", ignore_index=True)


def _funded_table(report: PlanReport) -> pd.DataFrame:
    """Funded technologies with their expected payments."""
    table = report.technologies
    chosen = table[table["funded"].astype(bool)].copy()
    chosen["partner_name"] = chosen["partner_name"].replace("", str(no_partner()))
    return chosen.merge(payments(report), on="technology", how="left")


def partners_among(technologies: pd.DataFrame) -> set[str]:
    """Codes of partners with whom technologies, rows with a `partner`, are done; of a consortium each member counts."""
    return {code for name in technologies["partner"].unique() if name for code in str(name).split("+")}


def money_by(report: PlanReport, *keys: str) -> pd.DataFrame:
    """Funded technologies summed by keys: count, requested, home, foreign (expected net payments)."""
    groups = _funded_table(report).groupby(list(keys), as_index=False)
    return groups.agg(
        count=("technology", "size"), requested=("cost", "sum"), home=("home", "sum"), foreign=("foreign", "sum")
    )


def requests(report: PlanReport) -> pd.DataFrame:
    """Requests by field and decision: field, decision, count, requested, share (of the field's requests)."""
    table = report.technologies.assign(
        decision=np.where(report.technologies["funded"].astype(bool), str(_("funded")), str(_("not funded")))
    )
    found = table.groupby(["field", "decision"], as_index=False).agg(
        count=("technology", "size"), requested=("cost", "sum")
    )
    total = found.groupby("field")["requested"].transform("sum")
    return found.assign(share=(found["requested"] / total).fillna(0.0))


def starts(report: PlanReport) -> pd.DataFrame:
    """Funded technologies by programme and planned start year, with the money that they ask for."""
    table = money_by(report, "programme", "start_year")
    return table.assign(start_year=table["start_year"].astype(int))


def schedule(report: PlanReport) -> pd.DataFrame:
    """A row for each funded technology: median start, P10/50/90 of the end of R&D, chances; in order of the plan.

    R&D that goes on at the horizon counts as ending there.
    """
    horizon = report.horizon_year + 1
    ends = report.projects.assign(end=report.projects["end_time"].fillna(horizon))
    wide = _wide(ends, "technology", "end")
    dates = pd.DataFrame({"technology": wide.columns.astype(str), **_percentiles(wide.to_numpy(), _DECILES)})
    begun = report.projects.groupby("technology", observed=True)["start_time"].median().rename("begin").reset_index()
    dates = dates.merge(begun.astype({"technology": str}), on="technology")
    table = _funded_table(report).merge(dates, on="technology")
    return table.sort_values(["programme", "start_year", "p50", "technology"], ignore_index=True)


def bubbles(report: PlanReport) -> pd.DataFrame:
    """Funded technologies with their chance of the market, expected net value and cost."""
    return _funded_table(report)


# --- money and results over the years -------------------------------------------------------------


def _busy_years(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Rows up to the last year in which any of the columns moves by more than a thousandth of their largest."""
    sizes = table[columns].abs()
    busy = table.loc[(sizes > sizes.max().max() / 1000).any(axis=1), "year"]
    return table[table["year"] <= busy.max()] if len(busy) else table


def spending(report: PlanReport) -> pd.DataFrame:
    """By programme and year: announced, promised, planned, and what the replications pay.

    Columns: programme, year, announced, planned, promised, mean, low, high, p10, p50, p90, network (mean cost of
    opening and running partners), lapsed (its mean). Paid is to projects less refunds, and for partners, which is
    what the optimiser's view holds too.
    """
    budget = report.budget.assign(net=payments_for_good(report.budget))
    parts = [_spending(table, str(name), report.confidence) for name, table in budget.groupby("programme")]
    if not parts:
        return pd.DataFrame()
    plan = report.plan.groupby(["programme", "year"], as_index=False).sum()
    table = plan.merge(pd.concat(parts, ignore_index=True), on=["programme", "year"])
    return _busy_years(table, ["announced", "promised", "planned", "p10", "p90", "lapsed"])


def payments_for_good(budget: pd.DataFrame) -> pd.Series[float]:
    """What leaves a purse for good: payments to projects and for partners, less refunds."""
    return budget["spent"] + budget["spent_network"] - budget["refunded"]


def _spending(table: pd.DataFrame, programme: str, confidence: float) -> pd.DataFrame:
    found = fan(_wide(table, "year", "net"), confidence).assign(programme=programme)
    means = {
        name: _wide(table, "year", column).mean().to_numpy()
        for name, column in {"network": "spent_network", "lapsed": "lapsed"}.items()
    }
    return found.assign(**means)


def market(report: PlanReport) -> pd.DataFrame:
    """Number commercialised by the end of each fiscal year: year, mean, low, high, p10, p50, p90."""
    years = pd.RangeIndex(report.start_year, report.horizon_year + 1, name="year")
    names = [f"commercialised_by_{year}" for year in years]
    wide = report.replications[names].set_axis(years, axis=1)
    table = fan(wide, report.confidence, _expectations(report, "optimised", names))
    return table.assign(low=table["low"].clip(lower=0.0))


def _expectations(report: PlanReport, policy: str, names: list[str]) -> pd.DataFrame | None:
    """Figures of each replication of a policy with the luck of the market in expectation, if the run tells them."""
    table = report.expected
    if not {"policy", *names} <= set(table):
        return None
    return table.loc[table["policy"] == policy, names]


def likelihood(report: PlanReport) -> pd.DataFrame:
    """Share of replications with at least `count` technologies commercialised: measure, count, share."""
    measures = {_("by the horizon"): "commercialised", _("by their deadline"): "commercialised_by_deadline"}
    parts = [_at_least(report.replications[column], words) for words, column in measures.items()]
    return pd.concat(parts, ignore_index=True)


def _at_least(counts: pd.Series[int], measure: str) -> pd.DataFrame:
    numbers = np.arange(int(counts.max()) + 2)
    shares = (counts.to_numpy()[:, None] >= numbers).mean(axis=0)
    return pd.DataFrame({"measure": measure, "count": numbers, "share": shares})


def delivery_chances(report: PlanReport) -> pd.DataFrame:
    """Probability that any project handed in a deliverable by a year's end: deliverable, year, share, low, high, n."""
    columns = {name: match for name in report.replications if (match := _DELIVERED.fullmatch(str(name)))}
    rows = [
        (match[1].replace("_", " "), int(match[2]), *_chance(report.replications[name] > 0, report.confidence))
        for name, match in columns.items()
    ]
    return pd.DataFrame(rows, columns=["deliverable", "year", "share", "low", "high", "n"])


def _chance(happened: pd.Series[bool], confidence: float) -> tuple[float, float, float, int]:
    found = proportion_interval(int(happened.sum()), len(happened), confidence)
    return found.mean, found.low, found.high, found.n


def international(report: PlanReport) -> pd.DataFrame:
    """International share by year with its target: year, mean, low, high, p10, p50, p90, floor, reached.

    `floor` and `reached` (share of replications at or above it) are NaN in years without a target.
    """
    if report.international.empty:
        return pd.DataFrame(columns=["year", "mean", "low", "high", "p10", "p50", "p90", "floor", "reached"])
    wide = _wide(report.international, "year", "share")
    table = fan(wide, report.confidence).merge(report.targets, on="year", how="left")
    floors = table["floor"].to_numpy(np.float64)
    reached = (wide.to_numpy() >= floors).mean(axis=0)
    return table.assign(reached=np.where(np.isnan(floors), np.nan, reached))


# --- policies, waiting, ends ----------------------------------------------------------------------


def policies(report: PlanReport) -> pd.DataFrame:
    """Net value of each policy: policy, p5, p25, p50, p75, p95, mean, low, high, loss (share below zero)."""
    labels = {"optimised": plan_title(), **policy_labels(report)}
    rows = [
        _policy(labels.get(str(name), str(name)), table, _expectations(report, str(name), ["npv"]), report.confidence)
        for name, table in report.policies.groupby("policy", sort=False)
    ]
    return pd.DataFrame(rows)


def policy_labels(report: PlanReport) -> dict[str, str]:
    """Names of the portfolios beside the plan, with their freedom where simple rules were made with more than one."""
    found = report.manifest.get("baselines", {})
    rules = [rule["rule"] for name, rule in found.items() if name not in OWN_TITLES]
    both = len(set(rules)) < len(rules)
    return {name: _label(name, rule, both) for name, rule in found.items()}


def _label(name: str, found: Mapping[str, Any], both: bool) -> str:
    if name in OWN_TITLES:
        return portfolio_title(name)
    rule = rule_title(found["rule"])
    if not both:
        return rule
    told = _("{rule}, plan's payment ratios") if found["equal_freedom"] else _("{rule}, announced money")
    return told.format(rule=rule)


def _policy(name: str, table: pd.DataFrame, expected: pd.DataFrame | None, confidence: float) -> dict[str, object]:
    values = table[["npv"]].to_numpy(np.float64)
    mean = mean_interval(values if expected is None else expected, confidence)
    spread = {level: float(found[0]) for level, found in _percentiles(values, _SPREAD).items()}
    ends = (mean.low, mean.high) if len(values) > 1 else (float("nan"), float("nan"))
    return {
        "policy": name,
        **spread,
        "mean": mean.mean,
        "low": ends[0],
        "high": ends[1],
        "loss": float((values < 0).mean()),
    }


def differences(report: PlanReport) -> pd.DataFrame:
    """Optimised less each simple rule, from the manifest: policy, mean, low, high, n, feasible, broken, funded."""
    labels = policy_labels(report)
    rows = [
        {
            "policy": labels[name],
            **{key: found["difference"][source] for key, source in _ENDS.items()},
            "feasible": bool(found["feasible"]),
            "broken": "; ".join([*([] if found.get("allowed", True) else [_(NOT_ALLOWED)]), *found["violations"]]),
            "funded": found["funded"],
        }
        for name, found in report.manifest.get("baselines", {}).items()
    ]
    columns = ["policy", *_ENDS, "feasible", "broken", "funded"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(("mean", "low", "high"), float))


NOT_ALLOWED = N_("not allowed by the call")
"""What is said of a comparator of domestic projects where the call requires a foreign partner."""

_ENDS = {"mean": "mean", "low": "low", "high": "high", "n": "n"}


def waits(report: PlanReport) -> pd.DataFrame:
    """Days waited per project by programme and cause: programme, cause, mean, low, high, share, days.

    `share` is the share of projects that wait at all, `days` the mean wait of those. Causes for which nobody
    ever waits are left out.
    """
    names = [name for name in CAUSES if name in report.projects]
    of_programmes = list(report.projects[["replication", "programme", *names]].groupby("programme", sort=False))
    parts = [
        _waiting(part.rename(columns={cause: "wait"}), str(programme), cause, report.confidence)
        for cause in names
        for programme, part in of_programmes
    ]
    found = pd.DataFrame(parts, columns=["programme", "cause", "mean", "low", "high", "share", "days"])
    ever = found.groupby("cause")["mean"].transform("sum") > 0
    waited = found[ever].reset_index(drop=True)
    return waited.assign(cause=waited["cause"].map({name: str(_(text)) for name, text in CAUSES.items()}))


def _waiting(part: pd.DataFrame, programme: str, cause: str, confidence: float) -> dict[str, object]:
    each = part.groupby("replication")["wait"].mean().to_numpy(np.float64)
    mean, waiting = mean_interval(each, confidence), part["wait"] > 0
    ends = (mean.low, mean.high) if len(each) > 1 else (float("nan"), float("nan"))
    days = float(part.loc[waiting, "wait"].mean()) if waiting.any() else 0.0
    return {
        "programme": programme,
        "cause": cause,
        "mean": mean.mean,
        "low": max(ends[0], 0.0) if len(each) > 1 else ends[0],
        "high": ends[1],
        "share": float(waiting.mean()),
        "days": days,
    }


def formation(report: PlanReport) -> pd.DataFrame:
    """Projects that come through each stage, in order: stage (in words), mean, low, high; empty without stages."""
    figures = [str(name) for name in report.replications if str(name).startswith("formed_")]
    if not figures:
        return pd.DataFrame(columns=["stage", "mean", "low", "high"])
    stages = {"talks": str(_("began")), **{name: name.removeprefix("formed_").replace("-", " ") for name in figures}}
    stages |= {"target": str(_(END_STATES["target"])), "commercialised": str(_("on the market"))}
    wide = report.replications[list(stages)].rename(columns=stages).rename_axis(columns="stage")
    known = _expectations(report, "optimised", ["commercialised"])
    means = wide if known is None else wide.assign(**{stages["commercialised"]: known["commercialised"].to_numpy()})
    return fan(wide, report.confidence, means)[["stage", "mean", "low", "high"]]


def ends(report: PlanReport) -> pd.DataFrame:
    """How projects end, by programme: programme, state (in words), order, count (mean per replication), share."""
    states = report.projects["end_state"].astype(str)
    counts = report.projects.groupby(["programme", states]).size().rename("rows").reset_index()
    counts["share"] = counts["rows"] / counts.groupby("programme")["rows"].transform("sum")
    counts["count"] = counts["rows"] / max(len(report.replications), 1)
    order = {state: place for place, state in enumerate(END_STATES)}
    counts["order"] = counts["end_state"].map(order)
    return counts.assign(state=counts["end_state"].map({one: str(_(text)) for one, text in END_STATES.items()})).drop(
        columns=["rows", "end_state"]
    )
