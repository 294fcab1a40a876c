"""The planners' questions, answered from the page of a plan alone; each answer against what the run's files say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from rdsim.stats import proportion_interval
from tests.browser.runs import Shelf

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VISIBLE = """() => Array.from(document.querySelectorAll("#technologies tbody tr"))
  .filter((row) => row.checkVisibility()).map((row) => row.cells[0].innerText.trim().split(/\\s/)[0])"""


@pytest.fixture
def run(shelf: Shelf) -> Path:
    """A plan's run."""
    return shelf["plan"]


@pytest.fixture
def manifest(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def page(browser: Browser, shelf: Shelf) -> Iterator[Page]:
    from tests.browser.chromium import opened  # noqa: PLC0415 - there may be no playwright

    with opened(browser, shelf.page("plan")) as seen:
        yield seen.page
        assert seen.complaints == []


def said(page: Page, section: str) -> str:
    """What is to be read in a section, in one line."""
    return " ".join(page.locator(f"#{section}").inner_text().split())


def test_what_is_funded_in_a_year_and_a_field_and_with_whom(page: Page, run: Path) -> None:
    chosen = pd.read_csv(run / "portfolio.csv", keep_default_na=False)
    table = pd.read_parquet(run / "page" / "technologies.parquet").set_index("technology")
    one = chosen.iloc[0]
    field, year = str(table.loc[one["technology"], "field"]), int(one["start_year"])
    page.locator("#controls").get_by_label("Field").select_option(label=field)
    page.locator("#controls").get_by_label("Start").select_option(label=str(year))
    same = [row["technology"] for row in chosen.to_dict("records") if row["start_year"] == year]
    expected = [name for name in same if table.loc[name, "field"] == field]
    assert page.evaluate(VISIBLE) == expected
    for name in expected:
        assert str(table.loc[name, "partner_name"] or "") in page.locator("#technologies").inner_text()
    assert f"{len(expected)} of {len(table)} shown" in page.locator("#count").inner_text()


def test_the_chance_of_a_number_by_a_year(page: Page, run: Path, manifest: dict[str, Any]) -> None:
    counts = pd.read_parquet(run / "replications.parquet")
    name = next(one for one in counts if str(one).startswith("commercialised_by_20") and counts[one].max() > 0)
    year = str(name).rsplit("_", 1)[1]
    page.locator("#odds-year").select_option(label=year)
    page.locator("#odds-number").fill("1")
    found = proportion_interval(int((counts[name] >= 1).sum()), len(counts), manifest["confidence"])
    answer = page.locator("#odds-answer").inner_text()
    assert f"At least 1 technology is on the market by the end of {year} in {found.mean:.0%}" in answer
    assert f"of {len(counts)} replications" in answer


def test_why_one_is_not_funded_and_what_would_bring_it_in(page: Page, run: Path) -> None:
    table = pd.read_csv(run / "unfunded.csv")
    told = said(page, "lost")
    nearest = table[table["solved"]].to_dict("records")
    for row in nearest:
        assert row["name"] in told
        assert f"{row['shared']:.0%}" in told
    shown = {tuple(row.inner_text().split("\t")[1:]) for row in page.locator("#lost tbody tr").all()}
    assert len(shown) == len(nearest), "each row tells itself from the others"
    for row in table.to_dict("records"):
        page.evaluate("id => { location.hash = '#' + id; }", row["technology"])
        page.locator("#card-title").get_by_text(row["technology"]).wait_for()
        assert " ".join(str(row["words"]).split()) in said(page, "card")
    page.keyboard.press("Escape")
    assert len(table)


@pytest.mark.parametrize("key", ["less-money", "promise-more"])
def test_what_other_money_would_do(page: Page, manifest: dict[str, Any], key: str) -> None:
    change = next(one for one in manifest["what_if"]["changes"] if one["key"] == key)
    told = said(page, "otherwise")
    assert change["label"] in told
    assert change["sentence"] in told


def test_less_money_stands_on_the_first_screen(page: Page, manifest: dict[str, Any]) -> None:
    first = page.locator(".recommendation")
    assert manifest["what_if"]["changes"][0]["sentence"] in " ".join(first.inner_text().split())
    assert "#otherwise" in {link.get_attribute("href") for link in first.get_by_role("link").all()}


def test_why_money_lapses_and_which_lever_helps(page: Page, manifest: dict[str, Any]) -> None:
    told, lapse = said(page, "lapse"), manifest["what_if"]["lapse"]
    for sentence in lapse["sentences"]:
        assert sentence in told
    for one in lapse["without"]:
        assert one["label"] in told
    assert "does not add up" in told


def test_which_decisions_are_firm(page: Page, manifest: dict[str, Any]) -> None:
    told = said(page, "firm")
    for name in manifest["redecisions"]["technologies"].get("firm", ()):
        assert name in told
    assert "Firm: funded in nearly every re-decision" in told


def test_what_if_partners_do_half(page: Page, manifest: dict[str, Any]) -> None:
    partners = manifest["what_if"].get("partners")
    if partners is None:
        pytest.skip("this plan has no joint project")
    told = said(page, "otherwise")
    assert all(sentence in told for sentence in partners["sentences"])


def test_money_by_year_field_and_partner_adds_up(page: Page, run: Path) -> None:
    purses = pd.read_parquet(run / "purses.parquet")
    net = purses["spent"] + purses["spent_network"] - purses["refunded"]
    whole = float(net.sum()) / purses["replication"].nunique()
    options = page.locator("[data-pivot=rows] option").all_inner_texts()
    page.locator("[data-pivot=rows]").select_option(index=len(options) - 1)
    last = page.locator("#pivot-table tr").last.inner_text().split()[-1].replace(",", "")
    assert float(last) == pytest.approx(whole, abs=0.006 * 10 ** max(0, len(str(int(whole))) - 1))
    assert any("partner" in one.lower() for one in options)
    assert any("field" in one.lower() for one in options)


def test_what_leaves_the_country_by_year(page: Page, run: Path) -> None:
    told = said(page, "abroad")
    outcomes = pd.read_parquet(run / "outcomes.parquet")
    years = [str(one) for one in outcomes if str(one).startswith("abroad_")]
    paid = float(outcomes[years].to_numpy().sum()) / outcomes["replication"].nunique()
    assert pd.read_parquet(run / "replications.parquet")["paid_abroad"].mean() == pytest.approx(paid)
    assert "abroad" in told


def test_one_page_for_who_decides_is_linked_in_the_first_box(page: Page, run: Path) -> None:
    link = page.locator(".recommendation").get_by_role("link", name="The plan on one page")
    assert (run / str(link.get_attribute("href"))).is_file()


def test_which_inputs_matter_most_is_ranked(page: Page, manifest: dict[str, Any]) -> None:
    swings = [one for one in manifest["assumptions"].get("swings", ()) if one["headline"] == "npv"]
    told = said(page, "inputs")
    if not swings:
        assert "was not looked at" in told
        return
    sizes = [abs(one["difference"]["mean"]) for one in swings]
    assert sizes == sorted(sizes, reverse=True)
    labels = [manifest["assumptions"]["bounds"][one["assumption"]]["label"] for one in swings]
    shown = [row.inner_text().split("\t")[0].strip() for row in page.locator("#inputs tbody tr").all()]
    assert shown == labels
    assert "Portfolios are kept here" in told


def test_what_lapses_is_accounted_for_in_every_year(page: Page, run: Path) -> None:
    table = pd.read_csv(run / "unused.csv")
    whole = table[table["part"] == "lapsed"].set_index("year")["money"]
    parts = table[table["part"] != "lapsed"].groupby("year")["money"].sum()
    assert (whole - parts).abs().max() < 1e-6
    told = said(page, "lapse")
    for label in table["label"].unique():
        assert label in told


def test_what_else_can_be_asked_has_its_command(page: Page) -> None:
    told = said(page, "ask")
    for command in ("explain", "ladder", "frontier", "alternatives", "assumptions", "compare"):
        assert f"rdsim {command} " in told


def test_what_was_asked_is_a_section_linked_both_ways(browser: Browser, shelf: Shelf) -> None:
    from tests.browser.chromium import opened  # noqa: PLC0415 - there may be no playwright

    run = shelf["answered"]
    with opened(browser, shelf.page("answered")) as seen:
        page = seen.page
        told = said(page, "answer-frontier")
        sheet = json.loads((run / "answers/frontier/page/page.json").read_text(encoding="utf-8"))["sheet"]
        assert all(sentence in told for sentence in sheet["lead"][1:])
        assert page.locator("#figure-answer-frontier svg").count() >= 1
        assert f"rdsim ladder {run.resolve().as_posix()}" in said(page, "ask")
        assert "rdsim frontier" not in said(page, "ask")
        page.get_by_role("navigation").get_by_role("link", name="Another aim").click()
        page.locator("#answer-frontier").get_by_role("link").first.click()
        assert page.url == (run / "answers/frontier/report.html").resolve().as_uri()
        page.get_by_role("link", name="To the plan that was asked").click()
        assert page.url == shelf.page("answered").resolve().as_uri()
        assert seen.complaints == []


def test_all_that_is_assumed_about_a_technology(page: Page, run: Path) -> None:
    facts = pd.read_parquet(run / "page" / "facts.parquet")
    name = page.evaluate(VISIBLE)[0]
    page.goto(f"{page.url.split('#')[0]}#{name}")
    card = page.locator("#card")
    card.wait_for(state="visible")
    told = " ".join(card.inner_text().split())
    assert name in told
    assert len(facts)
    assert "Grade" in told
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")


def test_two_partners_only_where_more_are_opened(page: Page, manifest: dict[str, Any]) -> None:
    opened = manifest["portfolio"]["partners_opened"]
    asked = [one for one in manifest["what_if"]["changes"] if one["key"] == "two-partners"]
    if asked:
        assert asked[0]["sentence"] in said(page, "otherwise")
    else:
        assert len(opened) <= 3, "a plan of the loop's best contender may open one more"
