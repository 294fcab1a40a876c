"""The page of a sweep: what it found, in sentences, figures and tables; and the lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rdsim.choice_rules import CHOOSING_RULES
from rdsim.errors import DrawingError, ExperimentError, Fault
from rdsim.figures import unit_words
from rdsim.folders import write_whole
from rdsim.numerals import numeral
from rdsim.plans import AT_PLAN_RATIOS
from rdsim.report import NOT_ALLOWED, Column, Page, Plot, Section, Table, page_html
from rdsim.report.words import amount
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.answers import answers, between, count_words
from rdsim.sweep.decisions import PLAN
from rdsim.sweep.manifests import manifest_of
from rdsim.sweep.measures import figure_of
from rdsim.sweep.reader import read_sweep
from rdsim.sweep.repeats import is_decided_once, repeats_of
from rdsim.sweep.runner import Sweep
from rdsim.tables import did_you_mean

__all__ = ["page_of", "terminal_lines", "write_report"]

_REPORT = "report.html"
_CURVES, _SCATTER, _ROWS = 6, 2000, 20


def terminal_lines(found: Sweep) -> list[str]:
    """What the terminal says of a sweep."""
    return list(_lead(found.table, found.manifest, _analysis(found.table, found.manifest, None)))


def write_report(folder: str | Path, metric: str | None = None) -> Path:
    """Write the page of a sweep, whole or partial; returns its path. Raises ExperimentError if there is no sweep, or
    no such metric, DrawingError if the page cannot be drawn or written."""
    table, manifest = read_sweep(folder), manifest_of(folder)
    path = Path(folder) / _REPORT
    page = page_html(page_of(table, manifest, metric), manifest)
    try:
        write_whole(path, page)
    except OSError as error:
        raise DrawingError(f"{path} could not be written: {error.strerror or error}") from None
    return path


def _analysis(table: pd.DataFrame, manifest: Mapping[str, Any], metric: str | None) -> Analysis:
    known = manifest["metrics"]
    if metric is not None and metric not in known:
        fault = Fault("--metric", f"must be one of {', '.join(known)}", metric, did_you_mean(metric, known))
        raise ExperimentError((fault,))
    return Analysis(table, manifest, metric or known[0])


def page_of(table: pd.DataFrame, manifest: Mapping[str, Any], metric: str | None = None) -> Page:
    """The page of a sweep, by its table and manifest. Raises ExperimentError if there is no such metric."""
    analysis = _analysis(table, manifest, metric)
    title = manifest["title"] or manifest["experiment"]
    lead = [manifest["description"].strip()] if manifest["description"].strip() else []
    sections = [one for one in _sections(table, manifest, analysis) if one.plots or one.tables or one.sentences]
    return Page(
        f"Experiment on {manifest['scenario']['name']}", title, [*lead, *_lead(table, manifest, analysis)], sections
    )


# --- sentences ------------------------------------------------------------------------------------


def _lead(table: pd.DataFrame, manifest: Mapping[str, Any], analysis: Analysis) -> Iterator[str]:
    yield from _state(table, manifest)
    yield from _risk_words(manifest)
    yield from _barred_words(manifest)
    if analysis.finished_points.empty:
        return
    told = answers(table, manifest)
    if told:
        yield from told
        yield from _ranking(analysis)
        return
    yield _range(analysis)
    if analysis.switch and len(analysis.worlds):
        yield from _ranking(analysis)
        yield from _policies(analysis)
    yield from _driver(analysis)


def _risk_words(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What figures of risk rest on."""
    if manifest.get("shared_luck") and any(kind != "mean" for kind in manifest["kinds"]):
        yield (
            "Probabilities, quantiles and CVaR rest on shared luck; in the scenario that is varied, as shares of "
            f"variance: {manifest['shared_luck']}."
        )


def _barred_words(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Which policies choose what nobody could fund."""
    if barred := manifest.get("barred"):
        yield f"{', '.join(barred)}: {NOT_ALLOWED}, and there to compare with."


def _state(table: pd.DataFrame, manifest: Mapping[str, Any]) -> Iterator[str]:
    repeats = repeats_of(manifest)
    counts = f"{manifest['points']} points of {manifest['replications']} replications each"
    counts += f", each in {repeats} repeats" if repeats > 1 else ""
    if manifest["missing"]:
        why = f" ({manifest['stopped']})" if manifest["stopped"] else ""
        what = f"of {manifest['points'] * repeats} decisions: " if repeats > 1 else "of "
        yield (
            f"PARTIAL: {manifest['missing']} {what}{counts} are not done{why}; run the same command again to go on. "
            "What follows rests on what is done."
        )
    else:
        yield f"{counts}, {'all done' if not manifest['failed'] else 'all tried'}."
    yield from noise_words(table, manifest)
    if manifest["failed"]:
        first = table.loc[table["status"] == "failed", "error"].iloc[0]
        noun = "decisions failed, and their points" if repeats > 1 else "points failed and"
        yield f"{manifest['failed']} {noun} are left out; the first: {first}"
    if manifest["damaged"]:
        yield f"{len(manifest['damaged'])} damaged parts were set aside and done again."


def noise_words(table: pd.DataFrame, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What intervals hold of the noise of choosing; and how often the pool of nested cases changed a choice."""
    if repeats_of(manifest) > 1:
        yield "Everything was decided anew in each repeat: intervals are over the repeats, of deciding and luck."
    elif is_decided_once(manifest):
        yield (
            "Each portfolio was decided once: intervals are of luck alone, and nothing is called sure of differences "
            "between decisions (repeats would tell)."
        )
    pooled = [one["label"] for one in manifest["factors"].values() if one.get("pool")]
    if pooled:
        done = table[table["status"] == "done"]
        changed = int(done["pooled"].fillna(False).astype(bool).sum())
        yield (
            f"Every portfolio found at one level of {' and '.join(pooled)} was tried at all that allow it: "
            f"{changed} of {len(done)} decisions took one that was found at another."
        )


def _range(analysis: Analysis) -> str:
    values = analysis.finished_points[analysis.metric].to_numpy(np.float64)
    name = _metric_words(analysis)
    if len(values) == 1:
        row = analysis.finished_points.iloc[0]
        low, high = float(row[analysis.metric + " low"]), float(row[analysis.metric + " high"])
        told = f"{between(low, high, amount)}, {count_words(int(row['n']), repeated=analysis.is_repeated)}"
        return f"{name[0].upper()}{name[1:]}: {amount(values[0])} ({told})."
    ends = f"{name} runs from {amount(values.min())} to {amount(values.max())}"
    if not np.ptp(values):
        return f"{name[0].upper()}{name[1:]} is {amount(values[0])} at every point."
    if not analysis.is_sampled:
        return f"Over the {len(values)} points, {ends}."
    found = analysis.estimate(analysis.finished_points)
    drawn = "independent worlds" if len(analysis.independent(analysis.finished_points)) < len(values) else "worlds"
    spread = f"{amount(found.low)} to {amount(found.high)}, {found.n} {drawn}"
    return f"Over the points, {ends}; mean {amount(found.mean)} ({spread})."


def _driver(analysis: Analysis) -> Iterator[str]:
    tornado = analysis.tornado()
    if tornado.empty:
        return
    name = _metric_words(analysis)
    if not tornado["swing"].to_numpy(np.float64).any():
        yield f"None of the factors moves {name}."
        return
    clear = tornado[tornado["clear"].astype(bool)]
    row = (clear if len(clear) else tornado).to_dict("records")[0]
    moved = f"from {amount(row['lowest'])} at {row['at_lowest']} to {amount(row['highest'])} at {row['at_highest']}"
    if len(clear):
        yield f"Most depends on {_label(analysis, row['factor'])}: {moved}."
    else:
        yield f"No factor is shown to move {name}; the largest swing, {_label(analysis, row['factor'])}'s, is {moved}."


def _ranking(analysis: Analysis) -> Iterator[str]:
    """All policies, the highest mean first."""
    regret = analysis.regret() if analysis.switch else pd.DataFrame()
    if len(regret) > 1:
        told = [f"{row['policy']} {amount(row['mean'])}" for row in regret.to_dict("records")]
        yield f"Policies by the mean of {_metric_words(analysis)}: {', '.join(told)}."


def _policies(analysis: Analysis) -> Iterator[str]:
    table, regret = analysis.differences(), analysis.regret()
    if table.empty:
        return
    best = str(table["best"].iloc[0])
    clearly = "by luck alone " if analysis.is_blind else "clearly "
    for row in table.to_dict("records"):
        gap = f"{amount(row['difference'])} ({amount(row['low'])} to {amount(row['high'])}, {row['n']} {row['over']})"
        sure = "is better than" if row["low"] > 0 and not analysis.is_blind else "is not told apart from"
        yield (
            f"{best} {sure} {row['policy']} on average: {gap}; {clearly}better in {numeral(row['better'], '.0%')} of "
            f"the worlds and {clearly}worse in {numeral(row['worse'], '.0%')}."
        )
    mine = regret[regret["policy"] == best].to_dict("records")[0]
    yield (
        f"{best} is the best of all in {numeral(mine['best_in'], '.0%')} of the worlds; where it is not, at most "
        f"{amount(mine['most'])} is lost with it."
    )
    flips = analysis.flips()
    for flip in flips[:_CURVES]:
        yield (
            f"The conclusion flips along {_label(analysis, flip.factor)}: {flip.first} is better at levels "
            f"{flip.favours_first}; {flip.second} at {flip.favours_second}."
        )
    if not flips and analysis.factors and not analysis.is_blind:
        yield "Along no single factor does the better of two policies change clearly."


def _metric_words(analysis: Analysis) -> str:
    """What is measured, in words, with its unit."""
    metric = analysis.measure
    figure = figure_of(metric.figure, analysis.figures)
    word = figure.label if figure is not None and metric.kind == "mean" else analysis.metric.replace("_", " ")
    unit = "" if figure is None else unit_words(figure, analysis.manifest["money_unit"])
    return f"{word} ({unit})" if unit and metric.kind != "probability" else word


def _label(analysis: Analysis, factor: str) -> str:
    return str(analysis.manifest["factors"][factor]["label"])


# --- sections -------------------------------------------------------------------------------------


def _sections(table: pd.DataFrame, manifest: Mapping[str, Any], analysis: Analysis) -> Iterator[Section]:
    if analysis.finished_points.empty:
        return
    if analysis.switch:
        yield _policy_section(analysis)
    yield _factor_section(analysis)
    yield _index_section(analysis)
    yield _pair_section(analysis)
    yield _choice_section(analysis)
    yield _point_section(table, manifest)


def _policy_section(analysis: Analysis) -> Section:
    regret, name = analysis.regret(), _metric_words(analysis)
    if regret.empty:
        return Section("Policies")
    columns = {
        "policy": Column("Policy"),
        "mean": Column(f"mean {name}", "money"),
        "best_in": Column("best in, of worlds", "share"),
        "regret": Column("regret", "money"),
        **(
            {"regret_low": Column("from", "money"), "regret_high": Column("to", "money")}
            if "regret_low" in regret
            else {}
        ),
        "most": Column("at most", "money"),
        "n": Column("worlds", "count"),
    }
    shown = Table("Regret: what the best policy of a world has more", regret, columns)
    plots = []
    if len(analysis.factors) > 1 and analysis.worlds.shape[1] > 1:
        plots.append(_region(analysis))
    plots += [*_gap(analysis), *_contrasts(analysis)]
    return Section("Which policy, and where", tuple(_freedom(analysis)), plots, (shown,))


def _freedom(analysis: Analysis) -> Iterator[str]:
    """Where a plan may promise more than the rules beside it, the lead is in part that freedom: that is said."""
    policies = analysis.manifest["policies"]
    held = [name for name in policies if name in CHOOSING_RULES and f"{name}{AT_PLAN_RATIOS}" not in policies]
    if PLAN in policies and held:
        yield (
            f"The payment ratios of {', '.join(held)} are those that the scenario sets, 1 if it sets none: a plan may "
            f"promise more. Beside it {held[0]}{AT_PLAN_RATIOS} has the same freedom."
        )


def _region(analysis: Analysis) -> Plot:
    first, second = analysis.tornado()["factor"].iloc[:2]
    cells = analysis.best_by_cell(first, second)
    share = cells["policy"].value_counts(normalize=True)
    return Plot(
        "regions",
        "Which policy is best where?",
        f"{share.index[0]} in {numeral(share.iloc[0], '.0%')} of the cells.",
        "Mean over the worlds of a cell; near ties are coloured like clear wins.",
        cells,
        ("x", _label(analysis, first)),
        ("y", _label(analysis, second)),
        kind="cells",
        colour="policy",
        tips={"policy": Column("best"), "x": Column(_label(analysis, first)), "y": Column(_label(analysis, second))},
    )


def _gap(analysis: Analysis) -> Iterator[Plot]:
    """What the policy that is listed first has more than the second, by the two factors that move that most."""
    design, wide = analysis.manifest["design"], analysis.worlds
    if wide.shape[1] < 2 or design["policies"] < 2 or design["kind"] == "one-at-a-time":
        return
    first, second = (str(name) for name in wide.columns[:2])
    movers = analysis.movers(first, second)
    if len(movers) < 2:
        return
    cells = analysis.contrast_by_cell(movers[0], movers[1], first, second)
    yield Plot(
        "gap",
        f"How much more has {first} than {second}?",
        f"From {amount(cells['mean'].min())} to {amount(cells['mean'].max())}.",
        f"Difference of {_metric_words(analysis)}, mean over the worlds of a cell; below zero {second} has more.",
        cells,
        ("x", _label(analysis, movers[0])),
        ("y", _label(analysis, movers[1])),
        kind="cells",
        colour="mean",
        tips={"mean": Column("difference", "money"), "n": Column("worlds", "count")},
    )


def _contrasts(analysis: Analysis) -> Iterator[Plot]:
    """The best policy against the next, along the factors that matter most."""
    differences = analysis.differences()
    if differences.empty or analysis.manifest["design"]["policies"] < 2:
        return
    best = str(differences["best"].iloc[0])
    other = str(differences.sort_values("difference")["policy"].iloc[0])
    for factor in list(analysis.tornado()["factor"])[:_CURVES]:
        curve = analysis.contrast(factor, best, other)
        if len(curve) > 1 and np.isfinite(curve[["low", "high"]].to_numpy()).all():
            yield _curve(
                f"contrast-{factor}",
                f"{best} against {other}, along {_label(analysis, factor)}",
                "Below zero the conclusion is reversed.",
                curve,
                _label(analysis, factor),
                "difference",
            )


def _factor_section(analysis: Analysis) -> Section:
    tornado = analysis.tornado()
    if tornado.empty:
        return Section("Factors")
    said = {True: "yes", False: "no"}
    named = tornado.assign(
        label=[_label(analysis, one) for one in tornado["factor"]], told=[said[bool(one)] for one in tornado["clear"]]
    )
    columns = {
        "label": Column("Factor"),
        "lowest": Column("lowest mean", "money"),
        "at_lowest": Column("at"),
        "highest": Column("highest mean", "money"),
        "at_highest": Column("at"),
        "swing": Column("swing", "money"),
        "told": Column("shown to matter"),
    }
    bars = Plot(
        "tornado",
        "What matters most?",
        f"{named['label'].iloc[0]} moves {_metric_words(analysis)} by {amount(named['swing'].iloc[0])}.",
        "How far the mean moves over a factor's levels; all else as the design has it. Swings that are not shown to "
        "matter may be noise.",
        named,
        ("swing", f"swing of {_metric_words(analysis)}"),
        ("label", ""),
        kind="bars",
        tips={"label": Column("factor"), "lowest": Column("lowest", "money"), "highest": Column("highest", "money")},
    )
    plots = [bars, *_curves(analysis, list(tornado["factor"])[:_CURVES])]
    return Section("What the answer depends on", (), plots, (Table("Factors, by swing", named, columns),))


def _curves(analysis: Analysis, factors: list[str]) -> Iterator[Plot]:
    for factor in factors:
        label = _label(analysis, factor)
        curve = _by_policy(analysis, factor)
        yield _curve(f"curve-{factor}", f"Along {label}", "", curve, label, _metric_words(analysis))
        rows = analysis.finished_points
        if factor == factors[0] and len(rows) > 30 and pd.api.types.is_numeric_dtype(rows[factor]):
            step = max(1, len(rows) // _SCATTER)
            yield _scatter(analysis, factor, rows.iloc[::step])


def _by_policy(analysis: Analysis, factor: str) -> pd.DataFrame:
    if not analysis.switch:
        return analysis.response(factor).assign(policy="")
    along = analysis.along(factor)
    groups = along.groupby(analysis.switch, sort=False)
    return pd.concat([analysis.response(factor, rows).assign(policy=str(name)) for name, rows in groups])


def _curve(key: str, question: str, reading: str, curve: pd.DataFrame, label: str, name: str) -> Plot:
    shown = curve.assign(order=range(len(curve)))
    shown[["low", "high"]] = shown[["low", "high"]].where(np.isfinite(shown[["low", "high"]]))
    number = bool(shown["at"].notna().all())
    coloured = "policy" if "policy" in shown and len(set(shown["policy"])) > 1 else ""
    if not number:
        tails = [f", {one}" for one in shown["policy"]] if coloured else [""] * len(shown)
        shown["said"] = [f"{level}{tail}" for level, tail in zip(shown["level"], tails, strict=True)]
    return Plot(
        "".join(one if one.isalnum() else "-" for one in key),
        question,
        f"From {amount(shown['mean'].min())} to {amount(shown['mean'].max())}.",
        reading or "Mean at each level, or over the points of each interval of levels.",
        shown,
        ("at", label) if number else ("mean", name),
        ("mean", name) if number else ("said", ""),
        kind="points" if number else "bars",
        low="low",
        high="high",
        colour=coloured,
        tips={"level": Column("level"), "mean": Column("mean", "money"), "n": Column("points", "count")},
    )


def _scatter(analysis: Analysis, factor: str, rows: pd.DataFrame) -> Plot:
    # Altair reads dots and brackets of a column's name as paths into it.
    frame = pd.DataFrame({"x": rows[factor], "y": rows[analysis.metric], "point": rows["point"]})
    if analysis.switch:
        frame["policy"] = rows[analysis.switch].to_numpy()
    return Plot(
        "scatter",
        f"Every point, by {_label(analysis, factor)}",
        f"{len(frame)} points.",
        "The width of the cloud is what the other factors do.",
        frame,
        ("x", _label(analysis, factor)),
        ("y", _metric_words(analysis)),
        joined=False,
        colour="policy" if analysis.switch else "",
        tips={"point": Column("point", "count"), "x": Column("level", "money"), "y": Column("metric", "money")},
    )


def _index_section(analysis: Analysis) -> Section:
    table = analysis.indices()
    if table is None:
        return Section("Shares of the variance")
    named = table.assign(label=[_label(analysis, one) for one in table["factor"]])
    columns = {
        "label": Column("Factor"),
        "first": Column("first-order", "share"),
        "first_error": Column("+/-", "share"),
    }
    sentence = "First-order: the share of the metric's variance that would go if the factor were known."
    if "total" in table:
        columns |= {"total": Column("total", "share"), "total_error": Column("+/-", "share")}
        sentence += " Total: the share that would stay if all others were known."
    columns["n"] = Column("blocks" if "total" in table else "points", "count")
    told = (sentence, *_impossible_shares(table))
    return Section("Shares of the variance (Sobol indices)", told, (), (Table("By factor", named, columns),))


def _impossible_shares(table: pd.DataFrame) -> Iterator[str]:
    """Estimates of shares may add up to more than there is, or lie outside of 0 to 100%: that is said."""
    whole, outside = float(table["first"].sum()), ((table["first"] < 0) | (table["first"] > 1)).any()
    if whole > 1 or outside:
        error = float(np.sqrt((table["first_error"] ** 2).sum()))
        what = (
            f"add up to {numeral(whole, '.0%')}, with an error of about {numeral(error, '.0%')}"
            if whole > 1
            else "lie partly below 0 or above 100%"
        )
        yield (
            f"The first-order shares {what}. Shares cannot be more than 100% together, nor negative: these are "
            "estimates from few points, and tell at most an order."
        )


def _pair_section(analysis: Analysis) -> Section:
    tornado = analysis.tornado()
    if len(tornado) < 2 or analysis.manifest["design"]["kind"] == "one-at-a-time":
        return Section("Interaction")
    first, second = tornado["factor"].iloc[:2]
    cells = analysis.interaction(first, second)
    plot = Plot(
        "interaction",
        f"{_label(analysis, first)} and {_label(analysis, second)} together",
        f"From {amount(cells['mean'].min())} to {amount(cells['mean'].max())}.",
        "Mean over the points of a cell.",
        cells,
        ("x", _label(analysis, first)),
        ("y", _label(analysis, second)),
        kind="cells",
        colour="mean",
        tips={"mean": Column("mean", "money"), "n": Column("points", "count")},
    )
    return Section("Interaction", (), (plot,))


def _choice_section(analysis: Analysis) -> Section:
    partners, technologies = analysis.partners(), analysis.technologies()
    if partners.empty and technologies.empty:
        return Section("What is chosen")
    always = int((technologies["share"] >= 0.95).sum()) if len(technologies) else 0
    noun = "decisions" if analysis.is_repeated else "points"
    told = (
        f"{always} technologies are funded in at least 95% of the {noun}, {len(technologies) - always} others in some."
    )
    named = partners.assign(factor=[_label(analysis, one) if one else "" for one in partners["factor"]])
    columns = {
        "partner": Column("Partner"),
        "share": Column(f"has projects, of {noun}", "share"),
        "projects": Column("projects, where any", "money"),
        "factor": Column("moves most along"),
        "at_low": Column("lowest level or first", "share"),
        "at_high": Column("highest or last", "share"),
    }
    tables = [Table(f"Partners, over the {noun}", named, columns)]
    some = technologies[(technologies["share"] < 0.95)].head(_ROWS)
    if len(some):
        shown = {"technology": Column("Technology"), "share": Column(f"funded, of {noun}", "share")}
        tables.append(Table(f"Technologies funded in some {noun} only", some, shown))
    return Section("What is chosen, and how firmly", (told,), (), tables)


def _point_section(table: pd.DataFrame, manifest: Mapping[str, Any]) -> Section:
    """The first points, as they are in results.parquet."""
    if len(table) > 4 * _ROWS:
        return Section("Points")
    columns = {"point": Column("Point", "count")}
    columns |= {"repeat": Column("repeat", "count")} if repeats_of(manifest) > 1 else {}
    columns |= {name: Column(one["label"], "text") for name, one in manifest["factors"].items()}
    for name in manifest["metrics"]:
        columns |= {
            name: Column(name, "money"),
            f"{name} low": Column("from", "money"),
            f"{name} high": Column("to", "money"),
        }
    columns |= {"n": Column("n", "count"), "status": Column("status")}
    return Section("All points", (), (), (Table("As in results.parquet", table, columns),))
