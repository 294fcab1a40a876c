"""The page: one file, complete, closed to what names try to do, and there in every empty case."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest
import vl_convert
from jsonschema import ValidationError

from rdsim.folders import KeptAnswer
from rdsim.report import Column, PlanReport, Plot, Section, Table, words
from rdsim.report import Page as Sheet
from rdsim.report.charts import plan as figures
from rdsim.report.charts import plots
from rdsim.report.data.asked import PlanAnswer
from rdsim.report.page import render as page_module
from rdsim.report.page.render import render
from rdsim.studies import QUESTIONS
from tests.report import synthetic
from tests.report.synthetic import Shape

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "<!-- <script>",
    "</noscript><b onclick='alert(3)'>\"'`${alert(4)}{{ 7 * 7 }}",
    "]]>&lt;&amp;\u2028\u2029",
    "초격차 반도체 <기술> & 연구",
]


@dataclass
class Page(HTMLParser):
    """What a browser would see: elements with their attributes, texts of cells, scripts, ids."""

    html: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem:
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        else:
            self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)

    @property
    def specs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(next(text for attrs, text in self.scripts if attrs.get("id") == "specs"))
        return found

    def data(self, name: str) -> Any:
        """A block of data that scripts read."""
        return json.loads(next(text for attrs, text in self.scripts if attrs.get("id") == f"data-{name}"))


def _write(report: PlanReport, folder: Path) -> Page:
    path = folder / "report.html"
    path.write_text(render(report, report.manifest), encoding="utf-8")
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return _write(synthetic.build(), tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    plain = synthetic.build()
    names = (HOSTILE * 2)[: len(plain.technologies)]
    technologies = plain.technologies.assign(
        name=names,
        field=plain.technologies["field"] + HOSTILE[1],
        partner_name=plain.technologies["partner_name"].replace("Germany", HOSTILE[0]),
        mode=plain.technologies["mode"].replace("Matching funds", HOSTILE[3]),
        note=HOSTILE[2],
        source=HOSTILE[0],
    )
    report = synthetic.build(
        title=HOSTILE[1],
        description=HOSTILE[0],
        money_unit="KRW<b>",
        technologies=technologies,
        manifest={**plain.manifest, "notes": HOSTILE},
        sources=plain.sources.assign(source=HOSTILE[3]),
    )
    return _write(report, tmp_path_factory.mktemp("hostile"))


def test_importing_the_report_is_cheap() -> None:
    code = "import sys; from rdsim import report; print({'altair', 'vl_convert', 'jinja2'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_every_figure_is_there_with_question_answer_and_picture(page: Page) -> None:
    drawn = {f.key: f for name in figures.SECTIONS for f in figures.draw(synthetic.build(), name)}
    assert set(page.specs) == set(drawn)
    assert len(drawn) == 16
    ids = {attrs.get("id") for _, attrs in page.elements}
    assert {f"figure-{key}" for key in drawn} <= ids
    texts = "\n".join(page.texts)
    assert all(f.question in texts and f.answer in texts and f.reading for f in drawn.values())
    assert all(f.answer.endswith(".") for f in drawn.values())
    assert page.count("svg") == sum(not key.startswith("schedule") for key in drawn)


def test_the_page_is_closed(page: Page) -> None:
    """Nothing comes from elsewhere, and the security policy says so too."""
    assert not [attrs for tag, attrs in page.elements if tag in ("script", "img", "iframe", "link") and "src" in attrs]
    assert page.count("link") == 0
    style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert style is not None
    assert not re.search(r"@import|url\(", style.group(1))
    policy = _policy(page)
    assert "default-src 'none'" in policy
    assert "http" not in policy


def _policy(page: Page) -> str:
    return next(str(a["content"]) for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")


def test_only_the_pages_own_scripts_may_run(page: Page) -> None:
    run = [text for attrs, text in page.scripts if attrs.get("type") != "application/json"]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run]
    assert len(run) == 1 + len(page_module.SCRIPTS)
    assert re.findall(r"'sha256-([^']+)'", _policy(page)) == digests
    assert "unsafe-eval" not in _policy(page)


def test_specifications_are_whole_and_small(page: Page) -> None:
    for spec in page.specs.values():
        assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
        assert sum(len(rows) for rows in spec["datasets"].values()) < 100
        assert "url" not in json.dumps(spec.get("data", {}))


def test_hostile_names_stay_text(hostile: Page, page: Page) -> None:
    assert hostile.count("script") == page.count("script") > len(page_module.SCRIPTS)
    assert hostile.count("img") == 0
    assert hostile.count("b") == 0
    handlers = [name for _, attrs in hostile.elements for name in attrs if name.startswith("on")]
    assert handlers == []
    assert "49" not in {text.strip() for text in hostile.texts}


def test_hostile_names_arrive_unharmed(hostile: Page) -> None:
    cells = [text for text in hostile.texts if text in HOSTILE]
    assert set(cells) == set(HOSTILE)
    bubbles = [row["name"] for rows in hostile.specs["bubbles"]["datasets"].values() for row in rows]
    assert set(bubbles) == set(HOSTILE)


def test_the_data_block_cannot_be_left(hostile: Page) -> None:
    blocks = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', hostile.html, re.DOTALL)
    assert {"specs", "data-technologies"} <= {name for name, _ in blocks}
    assert not set("<>&\u2028\u2029") & {sign for _, text in blocks for sign in text}


def test_every_technology_is_a_row_that_can_be_sorted_and_filtered(page: Page) -> None:
    rows = [attrs for tag, attrs in page.elements if tag == "tr" and "data-decision" in attrs]
    assert [row["data-decision"] for row in rows] == ["funded"] * 6 + ["not funded"] * 3
    filters = {attrs["data-filter"] for tag, attrs in page.elements if tag == "select" and "data-filter" in attrs}
    assert filters == {"decision", "programme", "field", "partner", "mode", "start_year"}
    head = page.html[page.html.index('<table id="technologies"') :].partition("</thead>")[0]
    assert head.count("<button") == 14
    values = [attrs["data-value"] for tag, attrs in page.elements if tag == "td" and "data-value" in attrs]
    assert all(value is not None and (value == "" or float(value) >= -1e9) for value in values)


def test_what_is_copied_of_the_table_says_what_the_frames_say(page: Page) -> None:
    """Every column under its heading, with codes, and payments as the projects have them."""
    block, report = page.data("technologies"), synthetic.build()
    rows = pd.DataFrame(block["rows"], columns=block["keys"]).set_index("technology")
    assert block["heads"][block["keys"].index("cost")] == "cost [billion KRW]"
    assert rows["partner"].tolist() == report.technologies["partner"].tolist()
    assert rows["decision"].tolist() == ["funded"] * 6 + ["not funded"] * 3
    for kind in ("home", "foreign"):
        sums = report.projects.filter(regex=rf"^{kind}_\d+$").sum(axis=1)
        known = sums.groupby(report.projects["technology"].astype(str)).sum() / Shape().replications
        assert rows[kind].dropna().to_dict() == pytest.approx(known.to_dict())
    sums = {attrs["data-sum"] for _, attrs in page.elements if "data-sum" in attrs}
    assert sums == {"count", "cost", "home", "foreign", "p_market"}
    assert words.amount(float(report.technologies["p_market"].sum())) in page.texts


def test_tables_of_money_and_chances_are_there_without_scripts(page: Page) -> None:
    """By year and programme, field and partner; what scripts narrow, and the dialog, come beside them."""
    text = " ".join(page.texts)
    for way in ("programme", "field", "partner"):
        assert f"What home pays by year and {way}, net of refunds, billion KRW" in text
    assert "This run does not tell it by year and partner" in text
    assert "there are no cards" in text
    years = page.data("ledger")["years"]
    assert years == list(synthetic.YEARS)
    assert page.data("odds")["replications"] == Shape().replications


def test_a_run_that_tells_money_abroad_shows_it_and_the_bars_say_no_more(tmp_path: Path) -> None:
    plain = synthetic.build()
    estimates = {**plain.manifest["estimates"], "paid_abroad": {"mean": 7.5, "low": 7.0, "high": 8.0, "n": 20}}
    manifest = {**plain.manifest, "estimates": estimates}
    told = _write(synthetic.build(projects=synthetic.told_abroad(plain), manifest=manifest), tmp_path)
    text = " ".join(told.texts)
    assert "Leaves the country, before refunds" in text
    assert "This run does not tell" not in text
    assert "Of the joint projects' money 7.50 billion KRW is paid abroad: the rest stays at home." in text


def test_the_table_says_with_whom_or_why_not(page: Page) -> None:
    """The column is sorted by its partner; what is not funded has none, and comes last."""
    whom = [attrs["data-text"] for tag, attrs in page.elements if tag == "td" and attrs.get("class") == "whom"]
    table = synthetic.build().technologies
    names = table["partner_name"].where(table["partner_name"] != "", table["mode"])
    assert whom == names.tolist()
    assert whom[-3:] == [""] * 3
    assert sum("others make better use" in text for text in page.texts) == 3


def test_how_firm_decisions_are_is_a_column_of_a_plan_that_was_decided_again(page: Page, tmp_path: Path) -> None:
    """A share for each technology, sorted by it, and three lists; of a plan decided once neither column nor lists."""
    plain = synthetic.build()
    names, shares = plain.technologies["technology"].tolist(), [1.0, 0.9375, *[0.5] * 5, 0.0, 0.0]
    said = ["sure in"] * 2 + ["open"] * 5 + ["sure out"] * 2

    def told(lists: dict[str, list[str]]) -> Page:
        nowhere: dict[str, list[str]] = {name: [] for name in lists}
        record = {"count": 64, "checks": 2, "technologies": lists, "countries": nowhere, "sentences": ["So."]}
        table = plain.technologies.assign(verdict=said, share=shares)
        manifest = {**plain.manifest, "redecisions": record}
        return _write(synthetic.build(technologies=table, manifest=manifest), tmp_path)

    lists = {"firm": names[:2], "open": names[2:7], "rejected": names[7:], "disputed": []}
    firm = told(lists)
    buttons = [sum(tag == "button" for tag, _ in one.elements) for one in (page, firm)]
    assert buttons[1] - buttons[0] == 1
    assert ("How firm" in page.texts, "How firm" in firm.texts) == (False, True)
    texts = [text.strip() for text in firm.texts]
    shown = {"firm", "open", "rejected"}
    after = [texts[k + 1] for k, text in enumerate(texts) if text in shown]
    assert after[len(shown) :] == [f"{share:.0%}" for share in shares]  # what the table is narrowed to stands first
    known = [attrs["data-value"] for tag, attrs in firm.elements if tag == "td" and "data-value" in attrs]
    assert known.count("0.9375") == 1
    assert _lengths(firm) == {"Firm": "(2)", "Open": "(5)", "Rejected": "(2)"}
    against = told({**lists, "firm": names[:1], "disputed": names[1:2]})
    assert _lengths(against) == {"Firm": "(1)", "Open": "(5)", "Rejected": "(2)", "Disputed": "(1)"}


def _lengths(page: Page) -> dict[str, str]:
    """How many each list of how firm technologies are has, as its title says."""
    heads = ("Firm:", "Open:", "Rejected:", "Disputed:")
    titles = [text for text in page.texts if text.startswith(heads)]
    return {text.partition(":")[0]: text.rpartition(" ")[2] for text in titles}


def test_tags_are_columns_of_the_table(tmp_path: Path) -> None:
    table = synthetic.build().technologies
    tagged = table.assign(**{"tag.in_charge": [HOSTILE[0], *["MOTIE"] * (len(table) - 1)]})
    plain, page = (_write(synthetic.build(technologies=one), tmp_path) for one in (table, tagged))
    heads, cells = ([sum(kind == tag for kind, _ in one.elements) for tag in ("th", "td")] for one in (plain, page))
    assert (cells[0] - heads[0], cells[1] - heads[1]) == (1, len(table) + 1)  # and of the row of sums
    assert page.texts.count("in charge") == 1
    assert page.texts.count("MOTIE") == len(table)  # and what the table is narrowed to
    assert "".join(page.texts).count(HOSTILE[0]) == 2


def test_where_it_comes_from_is_told(page: Page) -> None:
    text = " ".join(" ".join(page.texts).split())
    for part in (
        "ab" * 32,
        "--set discount_rate=0.03",
        "seed 1",
        "highs 1.0",
        "numpy 2.4",
        "Germany (2024)",
        "illustrative",
    ):
        assert part in text


def test_awards_above_the_announced_money_stand_on_the_first_screen_and_the_lead_in_parts(tmp_path: Path) -> None:
    above = [{"name": HOSTILE[0], "year": 2025, "announced": 117.0, "awards": 187.0, "above": 70.0}]
    plain = synthetic.build()
    page = _write(replace(plain, manifest={**plain.manifest, "promises": {"above": above, "sentences": []}}), tmp_path)
    html = page.html
    assert (
        html.index('href="#above"') < html.index('class="tile"') < html.index('id="above"') < html.index('id="chosen"')
    )
    assert "would ask in 2025 for 70.0 billion KRW more than is announced" in " ".join(page.texts)
    assert "<strong>70.0</strong>" in html
    assert HOSTILE[0] not in html
    assert html.index('id="rules"') < html.index("What the lead is made of") < html.index('id="way"')
    assert "The best portfolio found whose full awards keep within is worth 3.00." in html
    assert 'id="above"' not in _write(plain, tmp_path).html


def test_unfinished_runs_are_marked(tmp_path: Path) -> None:
    manifest = {**synthetic.build().manifest, "complete": False, "missing": ["domestic-only", "random-feasible"]}
    text = " ".join(_write(synthetic.build(manifest=manifest), tmp_path).texts)
    assert "This run is not complete." in text
    assert "domestic-only and random-feasible" in text


def _nothing_international() -> PlanReport:
    empty = pd.DataFrame({"replication": pd.Series(dtype="int64"), "year": pd.Series(dtype="int64"), "share": []})
    return synthetic.build(international=empty, targets=pd.DataFrame([], columns=["year", "floor"]))


def _no_target() -> PlanReport:
    return synthetic.build(targets=pd.DataFrame([], columns=["year", "floor"]))


def _no_rules() -> PlanReport:
    plain = synthetic.build()
    policies = plain.policies[plain.policies["policy"] == "optimised"]
    return synthetic.build(manifest={**plain.manifest, "baselines": {}}, policies=policies)


def _no_partner() -> PlanReport:
    plain = synthetic.build()
    alone = {"partner": "", "partner_name": "", "mode": "Domestic"}
    manifest = {**plain.manifest, "portfolio": plain.manifest["portfolio"] | {"partners_opened": {}}}
    return synthetic.build(technologies=plain.technologies.assign(**alone), manifest=manifest)


def _nothing_sold() -> PlanReport:
    plain = synthetic.build()
    replications = plain.replications.assign(commercialised=0, commercialised_by_deadline=0)
    return synthetic.build(projects=plain.projects.assign(market_time=float("nan")), replications=replications)


def _nothing_starts() -> PlanReport:
    nothing = float("nan")
    projects = synthetic.build().projects.assign(end_state="blocked", start_time=nothing, market_time=nothing)
    return synthetic.build(projects=projects)


def _nothing_proven() -> PlanReport:
    plain = synthetic.build()
    solver = plain.manifest["solver"] | {"objective": None, "bound": None, "gap": None, "seconds": None}
    return synthetic.build(manifest={**plain.manifest, "solver": solver, "notes": [], "estimates": {}})


CASES = {
    "nothing funded": (synthetic.without_funding, {"fields", "bubbles", "schedule-0", "ends", "market"}),
    "one replication": (lambda: synthetic.build(Shape(replications=1)), set()),
    "one technology": (lambda: synthetic.build(Shape(technologies=1, funded=1)), {"schedule-1"}),
    "no international data": (_nothing_international, {"international"}),
    "no target path": (_no_target, set()),
    "no rules": (_no_rules, {"gains"}),
    "no partner": (_no_partner, set()),
    "nothing sold": (_nothing_sold, set()),
    "nothing starts": (_nothing_starts, set()),
    "nothing proven": (_nothing_proven, set()),
    "no sources": (lambda: synthetic.build(sources=synthetic.build().sources.iloc[:0]), set()),
}


@pytest.mark.parametrize("case", CASES)
def test_empty_cases_leave_out_figures_and_nothing_else(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawing takes seconds; compiling tells as well whether Vega understands the figure.
    monkeypatch.setattr(page_module, "picture", lambda figure: vl_convert.vegalite_to_vega(dict(figure.spec)) and "")
    build, absent = CASES[case]
    page = _write(build(), tmp_path)
    full = {f.key for name in figures.SECTIONS for f in figures.draw(synthetic.build(), name)}
    assert not absent & set(page.specs)
    assert set(page.specs) <= full
    assert len(page.specs) >= (4 if case == "nothing funded" else 14)
    assert "nan" not in {text.strip().lower() for text in page.texts}
    sections = [attrs.get("id") for tag, attrs in page.elements if tag == "section"]
    assert len(sections) == len(set(sections)) == 18
    assert {"abroad", "pivot", "odds", "table", "cards"} <= set(sections)
    assert page.count("dialog") == 1


def test_figures_keep_to_the_schema_that_drawing_does_not_ask() -> None:
    drawn = [one for section in figures.SECTIONS for one in figures.draw(synthetic.build(), section)]
    table = pd.DataFrame({"at": [1, 2], "worth": [3.0, 4.0], "low": [2.0, 3.0], "high": [4.0, 5.0], "order": [0, 1]})
    shown = partial(Plot, "one", "?", "", "", table, ("at", "at"), ("worth", "worth"), colour="low")
    drawn += [plots.draw(shown(kind=kind)) for kind in plots.SHAPES]
    assert len(drawn) > 15
    for figure in drawn:
        alt.Chart.from_dict(dict(figure.spec), validate=True)
    with pytest.raises(ValidationError, match="expected"):
        alt.Chart.from_dict({**drawn[0].spec, "mark": "no such mark", "layer": 1}, validate=True)


def test_drawings_are_compiled_without_a_warning(capfd: pytest.CaptureFixture[str]) -> None:
    for section in figures.SECTIONS:
        for figure in figures.draw(synthetic.build(), section):
            vl_convert.vegalite_to_vega({**figure.spec, "width": 800}, show_warnings=True)
    assert "WARN" not in "".join(capfd.readouterr())


def _answer(folder: Path, name: str, rows: int, text: str) -> PlanAnswer:
    """What a question came to, with figures and tables of so many rows and this text all over.

    Vega draws no separators of lines: then the answer's own page is not there.
    """
    if "\u2028" not in text:
        (folder / name).mkdir()
        (folder / name / "report.html").write_text("drawn", encoding="utf-8")
    table = pd.DataFrame({"at": range(rows), "worth": [one / 7 for one in range(rows)], "who": [text] * rows})
    tips = {"who": Column(text), "worth": Column("Worth", "money")}
    plots = [Plot(key, text, text, text, table, ("at", text), ("worth", text), tips=tips) for key in ("a", "b")]
    tables = [Table(text, table, tips)] * 2
    sheet = Sheet(text, text, [text] * 9, [Section(text, [text], plots, tables)])
    manifest = {"study": name, "command": ["rdsim", name, text], "missing": [text]}
    return PlanAnswer(KeptAnswer(f"{name} {text}", folder / name, manifest), sheet)


def test_answers_of_a_hostile_plug_in_break_nothing(tmp_path: Path) -> None:
    plain = synthetic.build()
    asked = replace(plain, answers=tuple(_answer(tmp_path, f"odd{n}", 3, text) for n, text in enumerate(HOSTILE)))
    page = _write(replace(asked, strangers={HOSTILE[0]: HOSTILE[1]}), tmp_path)
    assert page.count("script") == _write(plain, tmp_path).count("script")
    assert sum(key.startswith("answer-") for key in page.specs) == len(HOSTILE) - 1
    assert not {"img", "b"} & {tag for tag, _ in page.elements}
    seen = " ".join(" ".join(page.texts).split())
    assert all(" ".join(text.split()) in seen for text in HOSTILE)


def test_a_large_plan_is_written_soon_and_stays_small(tmp_path: Path) -> None:
    """Also one that was asked all questions, and answered at length."""
    plain = synthetic.build(Shape(replications=1000, technologies=180, funded=140))
    answers = tuple(_answer(tmp_path, name, 200, f"Said of {name}, at some length.") for name in QUESTIONS.built_in)
    report = replace(plain, answers=answers)
    began = time.perf_counter()
    page = _write(report, tmp_path)
    assert time.perf_counter() - began < 30
    assert len(page.html.encode()) < 3_000_000
    assert sum(key.startswith("answer-") for key in page.specs) == len(answers)
    assert max(sum(map(len, spec["datasets"].values())) for spec in page.specs.values()) < 500
