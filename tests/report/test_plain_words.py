"""Pages speak a planner's words: no id of a program is seen, and the terms that are used are explained at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rdsim import glossary
from rdsim.report.page.html import visible_text
from rdsim.report.page.policy_brief import one_page
from rdsim.report.page.render import render
from rdsim.scenario import load
from rdsim.titles import AT_PLAN_RATIOS, OWN_TITLES, portfolio_title, rule_title
from rdsim.words import source_words, whole_option_words
from tests.report import synthetic
from tests.visible import internal_words, internal_words_of_page

REPORT = synthetic.build()
ROOT = Path(__file__).parents[2]


def _beside(*names: str) -> dict[str, object]:
    """The manifest with portfolios of the optimiser's own beside the plan."""
    rule = REPORT.manifest["baselines"]["value-per-cost"]
    own = {name: {**rule, "rule": name, "kind": "optimised"} for name in names}
    return {**REPORT.manifest, "baselines": {**REPORT.manifest["baselines"], **own}}


@pytest.fixture(scope="module")
def page() -> str:
    """A plan's page with every portfolio that may stand beside it."""
    return render(REPORT, _beside(*OWN_TITLES))


def test_no_id_is_seen_on_a_plans_page(page: str) -> None:
    assert internal_words_of_page(page) == set()
    text = visible_text(page)
    assert not [name for name in (*synthetic.RULES, "usual_order", "at-payment-ratio-1") if name in text]
    assert all(title in text for title in OWN_TITLES.values())


def test_no_id_is_seen_in_a_brief() -> None:
    drawn = one_page(REPORT, _beside(*OWN_TITLES))
    assert internal_words_of_page(drawn["html"]) == internal_words_of_page(drawn["svg"]) == set()


def test_internal_words_are_told_from_words_and_from_where_files_are() -> None:
    assert internal_words("more than one_shot: 3 (npv_low)\nwritten to results/a_b; open it") == {"one_shot", "npv_low"}
    assert internal_words_of_page("<p>by <code>a_b</code> and c_d</p><pre>e_f</pre>") == {"c_d"}


def test_every_portfolio_has_a_title_and_rules_of_ones_own_are_read_as_words() -> None:
    assert portfolio_title(f"value-per-cost{AT_PLAN_RATIOS}") == "value per cost with the plan's payment ratios"
    assert rule_title("my_own-rule") == "my own rule"
    assert len(set(OWN_TITLES.values())) == len(OWN_TITLES)


# --- sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["korea-2024", "medical-ai-2024", "gri-network", "direct-or-matching"])
def test_codes_of_sources_are_told_by_the_documents_titles(name: str) -> None:
    world = load(ROOT / "scenarios" / name)
    told = {source_words(world, one.source) for one in (*world.technologies.values(), *world.partners.values())}
    assert not [one for one in told for code in world.documents if code in one]
    assert told & set(world.documents.values())


def test_a_code_is_a_word_of_its_own() -> None:
    world = replace(load(ROOT / "scenarios" / "medical-ai-2024"), documents={"S1": "The call", "S10": "A letter"})
    assert source_words(world, "seed S10, S1; XS1 and S12") == "A letter, The call; XS1 and S12"


def test_options_are_told_by_partner_start_and_way_of_funding() -> None:
    world = load(ROOT / "scenarios" / "medical-ai-2024")
    told = whole_option_words(world, "R01/JP/matching/2025")
    assert told == f"R01 with {world.partners['JP'].name} from 2025 ({world.modes['matching'].name})"


# --- the glossary ---------------------------------------------------------------------------------


def test_a_page_explains_the_terms_that_it_uses_and_no_others(page: str) -> None:
    before, _, after = page.partition('<section id="words">')
    used = visible_text(before)
    told = {one.name for one in glossary.TERMS if f"<dt>{one.name}</dt>" in after}
    assert {"replication", "interval", "simple rule", "horizon"} <= told
    assert told == {one.name for one in glossary.TERMS if not one.mode and one.is_used(used)}
    assert "consortium" not in told


def test_ways_of_funding_are_explained_under_the_scenarios_names() -> None:
    told = dict(glossary.terms_of("Most is by matching money.", {"matching": "Matching money", "direct": "Grants"}))
    assert told == {"Matching money": "Each side pays for its own work."}


def test_the_documentation_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == glossary.markdown_text()
    names = [one.name.lower() for one in glossary.TERMS]
    assert len(set(names)) == len(names)
    assert all(one.meaning.endswith(".") for one in glossary.TERMS)
