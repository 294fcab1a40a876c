"""One function per question a planner asks; each takes the report's tables and gives a chart, or None without data."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from rdsim.languages import N_
from rdsim.languages import gettext as _
from rdsim.report import words
from rdsim.report.charts.figure import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    INDIGO,
    INK,
    ORANGE,
    PALE,
    PALETTE,
    RED,
    ROSE,
    SKY,
    WIDE,
    WINE,
    YELLOW,
    Chart,
    Exhibit,
    colour_scale,
    frame_chart,
    legend,
    legend_columns,
)
from rdsim.report.data import aggregates
from rdsim.report.data.plan import PlanReport
from rdsim.titles import plan_title

__all__ = ["SECTIONS", "draw"]

_MODES = [SKY, INDIGO, GREEN, YELLOW, WINE, BLUE]
_STATES = {
    "target": BLUE,
    "running": SKY,
    "stopped": ROSE,
    "dropped": YELLOW,
    "exhausted": RED,
    "failed": WINE,
    "unfunded": INDIGO,
    "blocked": INK,
}

Make = Callable[[PlanReport], Iterator[Exhibit]]


def draw(report: PlanReport, section: str) -> list[Exhibit]:
    """The figures of a section; none for what the plan has no data on."""
    return [figure for make in SECTIONS[section] for figure in make(report)]


def _digits(*columns: pd.Series[float]) -> str:
    """A number format with as many decimals as the largest value deserves."""
    largest = max((float(column.abs().max()) for column in columns if len(column)), default=0.0)
    return ",.0f" if largest >= 200 else ",.1f" if largest >= 10 else ",.2f"


def _programmes(report: PlanReport, width: int = COLUMN) -> alt.Color:
    return colour_scale("programme", sorted(report.technologies["programme"].unique()), PALETTE, width)


def _modes(report: PlanReport, width: int = COLUMN) -> alt.Color:
    modes = report.technologies["mode"].astype(str)
    return colour_scale("mode", sorted(set(modes) - {""}), _MODES, width)


def _years(title: str | None = None) -> alt.X:
    return alt.X("year:O", title=title, axis=alt.Axis(labelAngle=0, labelOverlap=True, grid=False))


def _tips(*parts: tuple[str, str] | tuple[str, str, str]) -> list[alt.Tooltip]:
    """Tooltips from (column with its type, title, format)."""
    return [_tip(*part) for part in parts]


def _tip(column: str, title: str, form: str = "") -> alt.Tooltip:
    return alt.Tooltip(column, title=title, format=form) if form else alt.Tooltip(column, title=title)


def _layers(*charts: Chart) -> alt.LayerChart:
    return alt.LayerChart(layer=list(charts))


# --- what was chosen ------------------------------------------------------------------------------


def _bars(report: PlanReport, table: pd.DataFrame, row: str, colour: alt.Color, key: str) -> Chart:
    """Horizontal bars of expected payments, the longest first."""
    unit, form = report.money_unit, _digits(table["home"], table["requested"])
    order = table.groupby(row)["home"].sum().sort_values(ascending=False).index.tolist()
    tips = _tips(
        (f"{row}:N", " "),
        (f"{key}:N", _(key.capitalize())),
        ("count:Q", _("Technologies"), "d"),
        ("home:Q", _("Expected to be paid, {unit}").format(unit=unit), form),
        ("requested:Q", _("Requested, {unit}").format(unit=unit), form),
        ("foreign:Q", _("Paid by partners, {unit}").format(unit=unit), form),
    )
    chart: Chart = (
        alt.Chart(table)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("home:Q", title=_("net payments, {unit}").format(unit=unit)),
            y=alt.Y(f"{row}:N", sort=order, title=None, axis=alt.Axis(labelLimit=170)),
            color=colour,
            tooltip=tips,
        )
        .properties(height=24 * len(order))
    )
    return chart


_PAID = N_(
    "Net payments from home to projects that the simulation expects, undiscounted; hover for counts and requests."
)


def _by_field(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.money_by(report, "field", "programme")
    if len(table):
        chart = _bars(report, table, "field", _programmes(report), "programme")
        answer = words.largest(table, "field", report.money_unit)
        yield frame_chart("fields", _("Which fields get the money?"), answer, _(_PAID), chart)


def _by_partner(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.money_by(report, "partner_name", "mode")
    if len(table):
        chart = _bars(report, table, "partner_name", _modes(report), "mode")
        answer = words.partners(report, table)
        where = _(
            "Home money of the projects by partner country and way of funding, wherever it is spent: what of it "
            "leaves the country is told by year below."
        )
        reading = f"{where} {_(_PAID)}"
        yield frame_chart("partners", _("With which countries, and how?"), answer, reading, chart)


def _by_start(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.starts(report).rename(columns={"start_year": "year"})
    if table.empty:
        return
    tips = _tips(("year:O", _("Planned start")), ("programme:N", _("Programme")), ("count:Q", _("Technologies"), "d"))
    tips += _tips(("requested:Q", _("Requested, {unit}").format(unit=report.money_unit), _digits(table["requested"])))
    bars = alt.Chart(table).mark_bar(cornerRadiusEnd=2, width=alt.RelativeBandSize(0.6))
    chart = bars.encode(
        x=_years(),
        y=alt.Y("count:Q", title=_("technologies"), axis=alt.Axis(tickMinStep=1)),
        color=_programmes(report),
        tooltip=tips,
    ).properties(height=260)
    reading = _("Planned starts. A project may start later, if it waits.")
    yield frame_chart("starts", _("When do the projects start?"), words.first_starts(table), reading, chart)


def _by_request(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.requests(report)
    if table.empty:
        return
    order = table.groupby("field")["requested"].sum().sort_values(ascending=False).index.tolist()
    unit, form = report.money_unit, _digits(table["requested"])
    tips = _tips(
        ("field:N", _("Field")),
        ("decision:N", _("Decision")),
        ("count:Q", _("Technologies"), "d"),
        ("requested:Q", _("Requested, {unit}").format(unit=unit), form),
        ("share:Q", _("Share of the field's requests"), ".0%"),
    )
    place = (table["decision"] != _("funded")).astype(int)
    bars = alt.Chart(table.round(6).assign(order=place)).mark_bar(cornerRadiusEnd=2)
    chart = bars.encode(
        x=alt.X("requested:Q", title=_("requested, {unit}").format(unit=unit)),
        y=alt.Y("field:N", sort=order, title=None, axis=alt.Axis(labelLimit=170)),
        color=colour_scale("decision", [str(_("funded")), str(_("not funded"))], [BLUE, PALE]),
        order=alt.Order("order:Q"),
        tooltip=tips,
    ).properties(height=24 * len(order))
    reading = _("Requests of all candidates, by what became of them.")
    question = _("Which fields get what they ask for?")
    yield frame_chart("requests", question, words.refusals(table, unit), reading, chart)


def _value_and_chance(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.bubbles(report)
    if table.empty:
        return
    largest = words.amount(float(table["cost"].max()))
    reading = _(
        "A bubble is a funded technology; its area is the money requested, at most {largest} {unit}. Expected value is "
        "the optimiser's, each technology alone. Click a programme in the legend to see it alone; a double click shows "
        "all again."
    ).format(largest=largest, unit=report.money_unit)
    question = _("Which technologies promise most, at what chance and cost?")
    yield frame_chart("bubbles", question, words.best_bets(report, table), reading, _cloud(report, table))


def _cloud(report: PlanReport, table: pd.DataFrame) -> Chart:
    unit, pick = report.money_unit, alt.selection_point(name="picked", fields=["programme"], bind="legend")
    names = [name.split(":")[0] for name in _WHO]
    title = _("share of replications that reach the market")
    tips = _tips(
        *_who(),
        ("p_market:Q", _("Reaches the market"), ".0%"),
        ("p_target:Q", _("Reaches its target TRL"), ".0%"),
        ("expected_value:Q", _("Expected net value, {unit}").format(unit=unit), _digits(table["expected_value"])),
        ("cost:Q", _("Requested, {unit}").format(unit=unit), _digits(table["cost"])),
    )
    base = alt.Chart(table[[*names, "p_market", "p_target", "expected_value", "cost"]])
    chart: Chart = base.mark_circle(stroke="white", strokeWidth=0.8).encode(
        x=alt.X("p_market:Q", title=title, axis=alt.Axis(format=".0%", tickCount=8), scale=alt.Scale(zero=False)),
        y=alt.Y("expected_value:Q", title=_("expected net value, {unit}").format(unit=unit)),
        size=alt.Size("cost:Q", title=_("requested"), scale=alt.Scale(range=[30, 900]), legend=None),
        color=_programmes(report, WIDE),
        opacity=alt.when(pick).then(alt.value(0.75)).otherwise(alt.value(0.08)),
        tooltip=tips,
    )
    return chart.properties(name="bubbles", height=380).add_params(pick)


_WHO: Mapping[str, str] = {
    "technology:N": N_("Technology"),
    "name:N": " ",
    "programme:N": N_("Programme"),
    "field:N": N_("Field"),
    "partner_name:N": N_("Partner"),
}


def _who() -> list[tuple[str, str]]:
    return [(name, _(title) if title.strip() else title) for name, title in _WHO.items()]


# --- when -----------------------------------------------------------------------------------------


def _schedule(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.schedule(report)
    for place, (programme, part) in enumerate(table.groupby("programme", sort=True)):
        chart = _gantt(
            report,
            part.assign(
                label=[
                    _short(f"{row.technology}  {row.title}")
                    for row in part.rename(columns={"name": "title"}).itertuples()
                ]
            ),
        )
        reading = _(
            "A bar runs from the median start to the median end of R&D, reached or not; the line from the tenth "
            "percentile of that end to the ninetieth. The figure at its right is the share of replications in "
            "which the target TRL is reached."
        )
        asked = _("When does each project run, and does it reach its target?")
        question = f"{asked} {programme}"
        yield frame_chart(f"schedule-{place}", question, words.durations(part), reading, chart)


def _short(label: str, letters: int = 48) -> str:
    """Cut here, where it is quick: Vega measures every label many times over to cut it. Wide scripts count double."""
    widths = np.cumsum([2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in label])
    return label if widths[-1] <= letters else label[: int((widths < letters).sum())].rstrip() + "…"


def _gantt(report: PlanReport, table: pd.DataFrame) -> alt.LayerChart:
    names = [name.split(":")[0] for name in _WHO]
    columns = [*names, "label", "mode", "begin", "p10", "p50", "p90", "p_target", "p_market"]
    span = [report.start_year, float(table["p90"].max()) + 0.6]
    when = alt.X("begin:Q", title=None, scale=alt.Scale(domain=span, nice=False, zero=False))
    when = when.axis(format="d", orient="top", tickMinStep=1)
    base = alt.Chart(table[columns].round(4)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=0, labelFontSize=11, ticks=False)),
        tooltip=_tips(
            *_who(),
            ("mode:N", _("Way of funding")),
            ("begin:Q", _("Median start"), ".1f"),
            ("p10:Q", _("End of R&D, P10"), ".1f"),
            ("p50:Q", _("End of R&D, P50"), ".1f"),
            ("p90:Q", _("End of R&D, P90"), ".1f"),
            ("p_target:Q", _("Reaches its target TRL"), ".0%"),
            ("p_market:Q", _("Reaches the market"), ".0%"),
        ),
    )
    bars = base.mark_bar(height=9, cornerRadius=2).encode(x=when, x2="p50:Q", color=_modes(report, WIDE))
    lines = base.mark_rule(strokeWidth=1.5, color=INK).encode(x=alt.X("p10:Q"), x2="p90:Q")
    text = base.mark_text(align="left", dx=5, fontSize=11, color="#3A4149").encode(
        x=alt.X("p90:Q"), text=alt.Text("p_target:Q", format=".0%")
    )
    return _layers(bars, lines, text).properties(height=17 * len(table))


# --- money and results over the years -------------------------------------------------------------

_BUDGET = {
    N_("announced"): PALE,
    N_("paid less refunds, P10 to P90"): SKY,
    N_("paid less refunds, P50"): BLUE,
    N_("expected by the optimiser"): INK,
    N_("promised in full awards"): WINE,
}
_BUDGET_SHAPES = (
    "M-1.3,-1H1.3V1H-1.3Z",
    "M-0.6,-1H0.6V1H-0.6Z",
    "M-0.8,-0.25H0.8V0.25H-0.8Z",
    "diamond",
    "M-1.6,-0.25H1.6V0.25H-1.6Z",
)
"""What each looks like in the figure, also in the legend, so that they are told apart without colours: two bars of
different width, two lines of different length, and a diamond."""


def _budget(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.spending(report)
    if table.empty:
        return
    for place, (programme, part) in enumerate(table.groupby("programme", sort=True)):
        reading = _(
            "Paid is to projects and for opening and running partners, less refunds. Promised is what all awards would "
            "cost if none ended early; paid is less than that where gates stop projects. Money that is not spent in "
            "its year lapses, but for what may be carried over."
        )
        asked = _("Does the money of each year suffice, and is it used?")
        question = f"{asked} {programme}"
        answer = words.use_of_money(part, report.money_unit)
        yield frame_chart(f"budget-{place}", question, answer, reading, _purse(report, part))


def _purse(report: PlanReport, table: pd.DataFrame) -> alt.LayerChart:
    unit, form = report.money_unit, _digits(table["announced"], table["promised"])
    columns = ["announced", "promised", "planned", "p10", "p50", "p90", "mean", "low", "high", "lapsed"]
    titles = [
        _("Announced"),
        _("Promised"),
        _("Expected by the optimiser"),
        _("Paid, P10"),
        _("Paid, P50"),
        _("Paid, P90"),
    ]
    titles += [_("Paid, mean"), _("... interval from"), _("... to"), _("Lapsed, mean")]
    tips = [(f"{column}:Q", f"{title}, {unit}", form) for column, title in zip(columns, titles, strict=True)]
    base = alt.Chart(table[["year", *columns]].round(4)).encode(x=_years(), tooltip=_tips(("year:O", _("Year")), *tips))
    names = [str(_(name)) for name in _BUDGET]
    scale = alt.Scale(domain=names, range=list(_BUDGET.values()))
    legend = alt.Legend(symbolStrokeWidth=0, symbolSize=120, columns=legend_columns(names, 460))
    colour = alt.Color("measure:N", scale=scale, legend=legend)
    shape = alt.Shape("measure:N", scale=alt.Scale(domain=names, range=list(_BUDGET_SHAPES)), legend=legend)
    layers = [
        base.mark_bar(width=alt.RelativeBandSize(0.8)).encode(y=alt.Y("announced:Q", title=unit)),
        base.mark_bar(width=alt.RelativeBandSize(0.42)).encode(y=alt.Y("p10:Q"), y2="p90:Q"),
        base.mark_tick(thickness=3, width=alt.RelativeBandSize(0.42)).encode(y=alt.Y("p50:Q")),
        base.mark_point(filled=True, size=45).encode(y=alt.Y("planned:Q"), shape=shape),
        base.mark_tick(thickness=3, width=alt.RelativeBandSize(0.8)).encode(y=alt.Y("promised:Q")),
    ]
    coloured = [
        layer.transform_calculate(measure=f"'{name}'").encode(color=colour)
        for name, layer in zip(names, layers, strict=True)
    ]
    return _layers(*coloured).properties(height=300)


def _market(report: PlanReport) -> Iterator[Exhibit]:
    if report.projects.empty:
        return
    table = aggregates.market(report)
    chart = _band(table, _("technologies on the market"), ",.1f", report.confidence)
    told = _("Pale: P10 to P90 of the replications. Line and dark band: the mean, its {confidence} interval.")
    reading = told.format(confidence=f"{report.confidence:.0%}")
    yield frame_chart(
        "market", _("How many technologies are on the market, by year?"), words.sales_words(report), reading, chart
    )


def _band(table: pd.DataFrame, title: str, form: str, confidence: float) -> alt.LayerChart:
    """P10-P90, the mean, and the mean's interval over years."""
    scale = alt.Scale(domainMin=0) if form.endswith("f") else alt.Scale(zero=False)
    axis = alt.Axis(format=".1~%" if form.endswith("%") else ",~g")
    tips = _tips(
        ("year:O", _("Year")),
        ("mean:Q", _("Mean"), form),
        ("low:Q", _("{confidence} interval from").format(confidence=f"{confidence:.0%}"), form),
        ("high:Q", _("... to"), form),
        ("p10:Q", _("P10"), form),
        ("p50:Q", _("P50"), form),
        ("p90:Q", _("P90"), form),
    )
    base = alt.Chart(table.round(6)).encode(x=_years(), tooltip=tips)
    return _layers(
        base.mark_area(color=SKY, opacity=0.3).encode(
            y=alt.Y("p10:Q", title=title, scale=scale, axis=axis), y2="p90:Q"
        ),
        base.mark_area(color=BLUE, opacity=0.35).encode(y="low:Q", y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=2.5, point={"size": 36, "color": BLUE}).encode(y="mean:Q"),
    ).properties(height=300)


def _likelihood(report: PlanReport) -> Iterator[Exhibit]:
    if report.projects.empty:
        return
    table = aggregates.likelihood(report)
    tips = _tips(
        ("measure:N", _("On the market")), ("count:Q", _("At least"), "d"), ("share:Q", _("Probability"), ".0%")
    )
    chart = (
        alt.Chart(table.round(4))
        .mark_line(interpolate="step-before", strokeWidth=2.5, point={"size": 14, "opacity": 0.9})
        .encode(
            x=alt.X("count:Q", title=_("at least so many technologies on the market"), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y(
                "share:Q", title=_("share of replications"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
            ),
            color=colour_scale("measure", list(dict.fromkeys(table["measure"])), [BLUE, ORANGE]),
            tooltip=tips,
        )
        .properties(height=280)
    )
    question = _("How likely is it to reach a given number?")
    reading = _("Read upwards from a number: the share of replications that reach it.")
    yield frame_chart("likelihood", question, words.even_odds(report), reading, chart)


def _deliveries(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.delivery_chances(report)
    if table.empty:
        return
    tips = _tips(
        ("deliverable:N", _("Deliverable")),
        ("year:O", _("By the end of")),
        ("share:Q", _("Probability"), ".1%"),
        ("low:Q", _("{confidence} interval from").format(confidence=f"{report.confidence:.0%}"), ".1%"),
        ("high:Q", _("... to"), ".1%"),
        ("n:Q", _("Replications"), ",d"),
    )
    names = list(dict.fromkeys(table["deliverable"]))
    solid = alt.Legend(columns=legend_columns(names, WIDE), symbolOpacity=1.0)
    colour = colour_scale("deliverable", names, PALETTE, WIDE).legend(solid)
    base = alt.Chart(table.round(6)).encode(x=_years(), tooltip=tips)
    share = alt.Y(
        "share:Q", title=_("share of replications"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
    )
    chart = _layers(
        base.mark_area(opacity=0.2).encode(y="low:Q", y2="high:Q", color=colour),
        base.mark_line(strokeWidth=2, point={"size": 30}).encode(y=share, color=colour),
    )
    question = _("How likely is it that a project has handed in what the programme asks for, by the end of a year?")
    reading = _(
        "At least one project of any line. Pale: {confidence} interval of the probability. What is asked of no project "
        "that was chosen stays at 0%."
    ).format(confidence=f"{report.confidence:.0%}")
    yield frame_chart("delivered", question, words.delivery_words(report, table), reading, chart.properties(height=300))


def _international(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.international(report)
    if table.empty:
        return
    chart: alt.LayerChart = _band(
        table.drop(columns=["reached", "floor"]), _("share of the R&D budget"), ".1%", report.confidence
    )
    aims = table.dropna(subset=["floor"])[["year", "floor", "reached"]]
    if len(aims):
        tips = _tips(
            ("year:O", _("Year")), ("floor:Q", _("Target"), ".1%"), ("reached:Q", _("Probability to reach it"), ".0%")
        )
        base = alt.Chart(aims).encode(x=_years(), y="floor:Q", tooltip=tips)
        line = base.mark_line(color=RED, strokeDash=[6, 4], point={"color": RED, "size": 50, "shape": "diamond"})
        chart = _layers(chart, line)
    reading = _(
        "Blue: mean with its interval, and P10 to P90. Dashed: the target path. Hover a target for its probability."
    )
    question = _("Does the international share of the R&D budget reach its target?")
    yield frame_chart("international", question, words.path(aims), reading, chart.properties(height=280))


# --- against simple rules -------------------------------------------------------------------------


def _distributions(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.policies(report)
    if table.empty:
        return
    unit, form = report.money_unit, _digits(table["p5"], table["p95"])
    levels = [(f"p{level}:Q", f"P{level}, {unit}", form) for level in (5, 25, 50, 75, 95)]
    ends = [
        ("mean:Q", _("Mean, {unit}").format(unit=unit), form),
        ("low:Q", _("... interval from"), form),
        ("high:Q", _("... to"), form),
    ]
    tips = _tips(("policy:N", _("Portfolio")), *ends, *levels, ("loss:Q", _("Probability of a loss"), ".0%"))
    rows = alt.Y("policy:N", sort=None, title=None, axis=alt.Axis(labelLimit=300))
    base = alt.Chart(table.round(4)).encode(y=rows, tooltip=tips)
    colour = alt.condition(f"datum.policy === '{plan_title()}'", alt.value(BLUE), alt.value(GREY))
    chart = _layers(
        base.mark_rule(strokeWidth=2, color=GREY).encode(
            x=alt.X("p5:Q", title=_("net present value, {unit}").format(unit=unit)), x2="p95:Q"
        ),
        base.mark_bar(height=18, cornerRadius=2, opacity=0.75).encode(x="p25:Q", x2="p75:Q", color=colour),
        base.mark_tick(thickness=3, size=24, color="white").encode(x="p50:Q"),
        base.mark_point(filled=True, size=70, shape="diamond", color=INK).encode(x="mean:Q"),
    ).properties(height=40 * len(table))
    reading = _(
        "Line: P5 to P95. Box: P25 to P75, the white mark P50. Diamond: mean. All portfolios meet the same luck."
    )
    yield frame_chart(
        "value", _("What is it worth, and how far may luck move that?"), words.spread(report, table), reading, chart
    )


def _gains(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.differences(report)
    if table.empty:
        return
    table = table.assign(verdict=[_verdicts()[0 if ok else 1] for ok in table["feasible"]])
    reading = _(
        "Mark: mean difference, replication by replication. Line: its interval, widened so that all hold together with "
        "{confidence}. Red cross: the portfolio breaks a rule of the scenario, so it could not be chosen."
    ).format(confidence=f"{report.confidence:.0%}")
    answer = words.gains(table, report.money_unit)
    yield frame_chart("gains", _("Is it better than simple rules would do?"), answer, reading, _whiskers(report, table))


def _verdicts() -> tuple[str, str]:
    return str(_("keeps every rule")), str(_("breaks a rule"))


def _whiskers(report: PlanReport, table: pd.DataFrame) -> alt.LayerChart:
    unit, form = report.money_unit, _digits(table["mean"], table["low"], table["high"])
    tips = _tips(
        ("policy:N", _("Portfolio")),
        ("mean:Q", _("The plan is worth more by, {unit}").format(unit=unit), form),
        ("low:Q", _("... interval from"), form),
        ("high:Q", _("... to"), form),
        ("n:Q", _("Replications"), "d"),
        ("funded:Q", _("It funds"), "d"),
        ("verdict:N", _("Its portfolio")),
        ("broken:N", _("Broken")),
    )
    rows = alt.Y("policy:N", sort=None, title=None, axis=alt.Axis(labelLimit=300))
    base = alt.Chart(table).encode(y=rows, color=colour_scale("verdict", _verdicts(), [BLUE, RED]), tooltip=tips)
    shapes = alt.Scale(domain=list(_verdicts()), range=["circle", "cross"])
    shape = alt.Shape("verdict:N", scale=shapes, legend=legend(_verdicts()))
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3], color=INK).encode(x=alt.X("zero:Q"))
    title = _("the plan less the other portfolio, {unit}").format(unit=unit)
    return _layers(
        zero,
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(filled=True, size=110).encode(x="mean:Q", shape=shape),
    ).properties(height=40 * len(table))


# --- what happens on the way ----------------------------------------------------------------------


def _waits(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.waits(report)
    if table.empty:
        return
    order = table.groupby("cause")["mean"].max().sort_values(ascending=False).index.tolist()
    tips = _tips(
        ("programme:N", _("Programme")),
        ("cause:N", _("Waits for")),
        ("mean:Q", _("Days per project, mean"), ",.1f"),
        ("low:Q", _("... interval from"), ",.1f"),
        ("high:Q", _("... to"), ",.1f"),
        ("share:Q", _("Projects that wait"), ".1%"),
        ("days:Q", _("Days, of those that wait"), ",.0f"),
    )
    base = alt.Chart(table.round(4)).encode(
        y=alt.Y("cause:N", sort=order, title=None, axis=alt.Axis(labelLimit=170)),
        yOffset=alt.YOffset("programme:N", sort=None),
        tooltip=tips,
    )
    chart = _layers(
        base.mark_bar(cornerRadiusEnd=2).encode(
            x=alt.X("mean:Q", title=_("days per project")), color=_programmes(report)
        ),
        base.mark_rule(strokeWidth=1.5, color=INK).encode(x="low:Q", x2="high:Q"),
    ).properties(height=20 * len(table) + 20)
    reading = _(
        "Mean over all funded projects, waiting or not, with its interval. Hover for the share that waits at all."
    )
    yield frame_chart("waits", _("What do projects wait for?"), words.longest_wait(table), reading, chart)


def _formation(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.formation(report)
    if table.empty:
        return
    tips = _tips(("stage:N", _("Stage")), ("mean:Q", _("Projects, mean"), ",.1f"))
    tips += _tips(("low:Q", _("... interval from"), ",.1f"), ("high:Q", _("... to"), ",.1f"))
    base = alt.Chart(table.round(4)).encode(
        y=alt.Y("stage:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)), tooltip=tips
    )
    chart = _layers(
        base.mark_bar(cornerRadiusEnd=2, color=BLUE).encode(x=alt.X("mean:Q", title=_("projects that come so far"))),
        base.mark_rule(strokeWidth=1.5, color=INK).encode(x="low:Q", x2="high:Q"),
    ).properties(height=26 * len(table) + 20)
    reading = _("Mean over replications with its interval; the horizon may cut the last bars short.")
    yield frame_chart("formation", _("How far do joint projects come?"), words.formation_words(table), reading, chart)


def _ends(report: PlanReport) -> Iterator[Exhibit]:
    table = aggregates.ends(report)
    if table.empty:
        return
    called = {state: str(_(text)) for state, text in aggregates.END_STATES.items()}
    states = [called[state] for state in _STATES if called[state] in set(table["state"])]
    colours = [_STATES[state] for state in _STATES if called[state] in set(table["state"])]
    tips = _tips(("programme:N", _("Programme")), ("state:N", _("End")), ("share:Q", _("Share"), ".1%"))
    tips += _tips(("count:Q", _("Projects, mean"), ",.1f"))
    chart = (
        alt.Chart(table.round(4))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("share:Q", title=_("share of projects"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("programme:N", title=None, axis=alt.Axis(labelLimit=170)),
            color=colour_scale("state", states, colours),
            order=alt.Order("order:Q"),
            tooltip=tips,
        )
        .properties(height=44 * table["programme"].nunique())
    )
    reading = _("Shares over all replications and funded projects of the programme.")
    yield frame_chart("ends", _("How do projects end?"), words.ending(table), reading, chart)


# --- inputs ---------------------------------------------------------------------------------------


def _swings(report: PlanReport) -> Iterator[Exhibit]:
    reading = _(
        "Bar: the mean at the upper bound of the assumption less that at the lower, on the same luck. Line: its "
        "interval; those of all assumptions hold together with {confidence}. Pale: not told from nothing."
    ).format(confidence=f"{report.confidence:.0%}")
    for place, (name, title) in enumerate(words.swing_headlines(report).items()):
        question = _("Which assumptions move it most? {headline}").format(headline=title)
        answer, table = words.swing_answer(report, name), words.swing_table(report, name)
        yield frame_chart(f"swing-{place}", question, answer, reading, _tornado(report, table))


_LABEL = 24
"""Letters in a line of a label; three lines at most."""


def _tornado(report: PlanReport, table: pd.DataFrame) -> alt.LayerChart:
    unit, form = report.money_unit, _digits(table["mean"])
    known = [str(_("told from nothing")), str(_("not told from nothing"))]
    lines = ["\n".join(textwrap.wrap(_short(one, 3 * _LABEL), _LABEL)) for one in table["label"]]
    table = table.assign(known=[known[0 if shown else 1] for shown in table["shown"]], name=table["label"], label=lines)
    tips = _tips(
        ("name:N", _("Assumption")),
        ("mean:Q", _("Swing, {unit}").format(unit=unit), form),
        ("low:Q", _("... interval from"), form),
        ("high:Q", _("... to"), form),
        ("at_low:Q", _("At its lower bound"), form),
        ("at_high:Q", _("At its upper bound"), form),
    )
    axis = alt.Axis(labelExpr="split(datum.label, '\\n')", labelLimit=230)
    rows = alt.Y("label:N", sort=lines, title=None, axis=axis)
    title = _("upper less lower, {unit}").format(unit=unit)
    base = alt.Chart(table).encode(y=rows, tooltip=tips)
    colour = colour_scale("known", known, [SKY, PALE])
    return _layers(
        base.mark_bar(cornerRadiusEnd=2).encode(x=alt.X("mean:Q", title=title), color=colour),
        base.mark_rule(strokeWidth=2, color=INK).encode(x="low:Q", x2="high:Q"),
        alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=INK).encode(x=alt.X("zero:Q")),
    ).properties(height=(16 * max(one.count("\n") + 1 for one in lines) + 8) * len(table))


SECTIONS: Mapping[str, Sequence[Make]] = {
    "chosen": (_by_field, _by_partner, _by_request, _by_start, _value_and_chance),
    "money": (_budget,),
    "results": (_market, _likelihood, _deliveries, _international),
    "rules": (_gains, _distributions),
    "way": (_formation, _ends, _waits),
    "schedule": (_schedule,),
    "inputs": (_swings,),
}
"""Figures by section of the page, in order."""
