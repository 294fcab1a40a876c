"""Broken scenario folders: what is done to the tiny scenario, and the one fault that must come of it.

Used by the tests of the door (`rdsim.scenario`) for the fault, and by those of the command line for the exit code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.tiny import TINY_FILES, Change, tiny_folder

__all__ = ["BROKEN", "Broken", "broken_folder"]


@dataclass(frozen=True)
class Broken:
    """A broken input: what breaks it, texts that a fault must hold, and how many faults there must be: no more."""

    name: str
    where: str
    rule: str
    found: str = ""
    suggestion: str = ""
    changes: Mapping[str, Change] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    count: int = 1


def broken_folder(broken: Broken, path: Path) -> Path:
    """Write the broken folder; its overrides are for the caller to give."""
    return tiny_folder(path, **broken.changes)


def _settings(name: str, old: str, new: str, where: str, *texts: str) -> Broken:
    place = f"scenario.toml, {where}" if where else "scenario.toml"
    return Broken(name, place, *texts, changes={"scenario": (old, new)})


def _technology(name: str, old: str, new: str, where: str, *texts: str) -> Broken:
    return Broken(name, f"technologies.csv, {where}", *texts, changes={"technologies": (old, new)})


def _partner(name: str, old: str, new: str, where: str, *texts: str) -> Broken:
    return Broken(name, f"partners.csv, {where}", *texts, changes={"partners": (old, new)})


def _waiving(*waived: str) -> str:
    """The table of technologies with a column `waives`, filled from the first row on."""
    header, *rows = TINY_FILES["technologies.csv"].splitlines()
    cells = [*waived, *[""] * (len(rows) - len(waived))]
    return "\n".join([f"{header},waives", *(f"{row},{cell}" for row, cell in zip(rows, cells, strict=True))]) + "\n"


def _link(name: str, new: str, where: str, *texts: str) -> Broken:
    return Broken(name, f"links.csv, {where}", *texts, changes={"links": TINY_FILES["links.csv"] + new})


def _set(override: str, where: str, *texts: str) -> Broken:
    return Broken(f"--set {override}", f"--set {where}", *texts, overrides=(override,))


_ROW = ",Another,base,bio,3,8,90,,high,70,65,,,,free,illustrative,"

FILES = (
    Broken("no settings", "scenario.toml", "the file is required", "no such file", "", {"scenario": None}),
    Broken("no technologies", "technologies.csv", "the file is required", "no such", "", {"technologies": None}),
    Broken(
        "no partners",
        "partners.csv",
        "required where there are joint modes",
        changes={"partners": None, "partner_levels": None},
    ),
    Broken(
        "no levels", "partner_levels.csv", "required where there is a partners.csv", changes={"partner_levels": None}
    ),
    Broken("0 bytes", "technologies.csv", "must not be empty", "0 bytes", "", {"technologies": b""}),
    Broken("blank", "partners.csv", "must not be empty", "3 bytes", "", {"partners": b"\r\n "}),
    Broken("binary", "technologies.csv", "UTF-8", "a binary file", "CSV UTF-8", {"technologies": b"PK\x03\x04\0\0id"}),
    Broken(
        "EUC-KR", "partners.csv", "UTF-8", "byte 0xb9", "EUC-KR", {"partners": "code,name\nUS,미국\n".encode("euc-kr")}
    ),
    Broken("UTF-16", "links.csv", "UTF-8", "UTF-16", "CSV UTF-8", {"links": "kind,technology\n".encode("utf-16")}),
    Broken("binary settings", "scenario.toml", "UTF-8", "a binary file", "", {"scenario": b"\x7fELF\0\0"}),
    Broken("TOML syntax", "scenario.toml", "valid TOML", "line 1", "", {"scenario": ('"tiny"', "tiny")}),
    Broken(
        "TOML key twice", "scenario.toml", "valid TOML", "", "", {"scenario": ("seats = 1", "seats = 1\nseats = 2")}
    ),
    Broken("quote left open", "links.csv", "CSV table", "", "", {"links": 'kind,technology,other\n"synergy,T1,T2\n'}),
    Broken("only a line of commas", "links.csv", "must have a header", "", "", {"links": ",,,\n"}),
    Broken(
        "table in the settings",
        "scenario.toml, links",
        "belongs in links.csv",
        changes={"scenario": lambda text: text + '\n[[links]]\nkind = "synergy"\n'},
    ),
)

TABLES = (
    _technology("column misspelt", "score,market_size", "skore,market_size", "row 1, column skore", "unknown column",
                "", "Did you mean 'score'?"),
    _technology("required column misspelt", ",field,", ",feild,", "row 1, column feild", "unknown column", "",
                "Did you mean 'field'?"),
    _technology("column twice", "score,market_size", "note,market_size", "row 1, column note", "must not occur twice"),
    _technology("column without a name", "score,market_size", ",market_size", "row 1", "column 11 must have a name"),
    _technology("row too long", "free,illustrative,\nT2", "free,illustrative,,,x\nT2", "row 2", "as many cells", "19",
                "double quotes"),
    _technology("row too short", "T1,AI 반도체,leap,chip,5,15,120,,high,82,90,,,,free,illustrative,",
                "T1,AI 반도체,leap,chip,5,15,120", "row 2", "as many cells as the header, 17", "7 cells"),
    _technology("duplicate id", "T6,Bio", f"T5{_ROW}\nT6,Bio", "row 7, column id", "must be unique",
               "'T5', as in row 6"),
    _technology("no id", "T6,Bio", f"{_ROW}\nT6,Bio", "row 7, column id", "is required"),
    _technology("bad id", "T6,Bio", f"T 1{_ROW}\nT6,Bio", "row 7, column id", "must be an id of letters", "'T 1'"),
    _technology("no cost", "chip,5,15", "chip,5,", "row 2, column cost", "is required: Cost to the target TRL"),
    _technology("text for a number", "chip,5,15", "chip,5,much", "row 2, column cost", "amount of money", "'much'"),
    _technology("TRL 11", "chip,5,15", "chip,11,15", "row 2, column trl", "a whole number from 1 to 9", "11"),
    _technology("half a TRL", "chip,5,15", "chip,5.5,15", "row 2, column trl", "a whole number from 1 to 9", "5.5"),
    _technology("negative money", "chip,5,15", "chip,5,-15", "row 2, column cost", "above 0 and at most 100000", "-15"),
    _technology("probability 1.2", ",,,0.4,", ",,,1.2,", "row 3, column market_probability", "from 0 to 1", "1.2"),
    _technology("percent", ",,,0.4,", ",,,40%,", "row 3, column market_probability", "from 0 to 1", "'40%'", "0.4"),
    _technology("not finite", "chip,5,15", "chip,5,1e999", "row 2, column cost", "amount of money", "inf"),
    _technology("infinite in words", "chip,5,15", "chip,5,inf", "row 2, column cost", "amount of money", "'inf'"),
    _technology("decimal comma", "chip,5,15", 'chip,5,"12,5"', "row 2, column cost", "amount of money", "'12,5'",
                "Write 12.5"),
    _technology("thousands", "chip,5,15", 'chip,5,"1,200.5"', "row 2, column cost", "money", "'1,200.5'", "1200.5"),
    _technology("status misspelt", "must-fund", "must fund", "row 3, column status", "one of 'free'", "'must fund'",
                "Did you mean 'must-fund'?"),
    _technology("wrong unit in a header", "[billion KRW]", "[million USD]", "row 1, column cost",
                "wrong unit: must be in billion KRW", "[million USD]"),
    _technology("unit where there is none", ",trl,", ",trl [level],", "row 1, column trl", "wrong unit", "[level]"),
    _technology("no programme", "leap,chip,5", "leep,chip,5", "row 2, column programme", "must name a programme",
                "'leep'", "Did you mean 'leap'?"),
    _technology("no field", "leap,chip,5", "leap,chips,5", "row 2, column field", "must name a field", "'chips'",
                "Did you mean 'chip'?"),
    _technology("no class", ",,high,82", ",,hihg,82", "row 2, column uncertainty", "must name an uncertainty class",
                "'hihg'", "Did you mean 'high'?"),
    _technology("below the window", "leap,chip,5,15", "leap,chip,2,15", "row 2, column trl", "entry window", "2"),
    _technology("at its target", "base,bio,4,10,55,,", "base,bio,4,10,55,4,", "row 7, column trl",
                "below the target TRL, 4", "4"),
    _technology("no value", "15,120", "15,", "row 2, column value", "must be given, or a market_size"),
    _partner("partner twice", "US+JP,", "JP,일본,Asia,,,,,,,,,,,\nUS+JP,", "row 5, column code", "must be unique",
             "as in row 3"),
    _partner("unknown member", "US|JP,direct", "US|JPN,direct", "row 5, column members", "must name a partner",
             "'JPN'", "Did you mean 'JP'?"),
    _partner("one member", "US|JP,direct", "US,direct", "row 5, column members", "at least two members", "1"),
    _partner("places of a consortium", "direct,0,0,0,0,0.7", "direct,0,0,0,3,0.7", "row 5, column places", "must be 0",
             "3"),
    _partner("running cost of a consortium", "direct,0,0,0,0,0.7", "direct,0,0,2,0,0.7", "row 5, column running_cost",
             "must be 0", "2"),
    _partner("unknown mode", "matching|direct", "maching|direct", "row 2, column modes", "must name a mode",
             "'maching'", "Did you mean 'matching'?"),
    _partner("domestic on offer", "matching|direct", "matching|domestic", "row 2, column modes", "never 'domestic'"),
    _partner("mode twice", "matching|direct", "direct|direct", "row 2, column modes", "must be different names"),
    _partner("currency", "0.02,USD,", "0.02,dollar,", "row 2, column currency", "currency's code", "'dollar'"),
    Broken("levels of nobody", "partner_levels.csv, row 4", "must name a partner", "'DEU'", "Did you mean 'DE'?",
           {"partner_levels": ("DE,94", "DEU,94")}),
    Broken("levels of no field", "partner_levels.csv, row 1, column chips", "must name a field", "'chips'", "'chip'",
           {"partner_levels": ("chip", "chips")}),
    Broken("levels twice", "partner_levels.csv, row 4, column partner", "each partner once", "as in row 2", "",
           {"partner_levels": ("DE,94", "US,94")}),
    Broken("level too high", "partner_levels.csv, row 2, column bio", "from 0 to 200", "1000", "",
           {"partner_levels": ("US,100", "US,1000")}),
    Broken("levels without partner", "partner_levels.csv, row 1", "first column must be 'partner'", "country", "",
           {"partner_levels": ("partner,", "country,")}),
    Broken("waives nothing that is asked", "technologies.csv, row 2, column waives", "deliverables of programme leap",
           "'patnet'", "Did you mean 'patent'?", {"technologies": _waiving("patnet")}),
    Broken("waives what another programme asks for", "technologies.csv, row 5, column waives",
           "deliverables of programme base", "'patent'", "", {"technologies": _waiving("export", "", "", "patent")}),
    _link("link to nothing", "synergy,T1,T7,1,\n", "row 6, column other", "must name a technology", "'T7'"),
    _link("self link", "synergy,T1,T1,1,\n", "row 6, column other", "must not be linked to itself", "'T1'"),
    _link("link twice", "exclusion,T6,T5,,\n", "row 6, column kind", "listed twice", "exclusion T6 T5"),
    _link("cycle", "prerequisite,T2,T3,,\nprerequisite,T1,T2,,\n", "row 6, column other", "must not form a cycle",
          "T3 -> T1 -> T2 -> T3"),
    _link("unknown kind", "synergi,T1,T2,1,\n", "row 6, column kind", "one of 'prerequisite'", "'synergi'",
          "Did you mean 'synergy'?"),
    Broken("need of nothing", "facility_needs.csv, row 2, column facility", "must name a facility", "'testbd'",
           "Did you mean 'testbed'?", {"facility_needs": ("T2,5,testbed", "T2,5,testbd")}),
    Broken("need above capacity", "facility_needs.csv, row 2, column units", "capacity of testbed, 1", "4", "",
           {"facility_needs": ("T2,5,testbed,1", "T2,5,testbed,4")}),
    Broken("own step twice", "technology_steps.csv, row 3, column trl", "may be described once", "T5 at TRL 5", "",
           {"technology_steps": ("T6,5,15", "T5,5,15")}),
    Broken("own step of nothing", "technology_steps.csv, row 2, column technology", "must name a technolog", "'T55'",
           "Did you mean 'T5'?", {"technology_steps": ("T5,5,13", "T55,5,13")}),
    Broken("own step without time", "technology_steps.csv, row 2, column median_months", "a number of months above 0",
           "0", "", {"technology_steps": ("T5,5,13", "T5,5,0")}),
)  # fmt: skip

SETTINGS = (
    _settings("unknown key", "seats = 1", "seats = 1\nreview_month = 3", "panels.experts.review_month", "unknown key"),
    _settings("key misspelt", "carry_over = 0.5", "cary_over = 0.5", "programmes.leap.cary_over", "unknown key", "",
              "Did you mean 'carry_over'?"),
    _settings("key misplaced", 'name = "tiny"', 'name = "tiny"\ndiscount = 1', "discount", "unknown key"),
    _settings("number in quotes", "seats = 1", 'seats = "1"', "panels.experts.seats", "a whole number", "'1'",
              "without quotes"),
    _settings("number for text", 'name = "Bio"', "name = 3", "fields.bio.name", "must be text", "3", "in quotes"),
    _settings("bool for a number", "seats = 1", "seats = true", "panels.experts.seats", "a whole number", "true"),
    _settings("date for text", 'name = "Bio"', "name = 2024-01-01", "fields.bio.name", "must be text", "2024-01-01"),
    _settings("not a number", "discount_rate = 0.045", "discount_rate = nan", "discount_rate", "rate per year", "nan"),
    _settings("wrong unit", "months = 12,", 'months = "12 kg",', "programmes.leap.tranches.0.months",
              "wrong unit: must be in months", "'12 kg'"),
    _settings("wrong currency", '"10 billion KRW"', '"10 billion USD"', "programmes.leap.budget.2027",
              "wrong unit: must be in billion KRW", "'10 billion USD'"),
    _settings("money unit", '"billion KRW"\nstart', '"bn KRW"\nstart', "money_unit", "'<scale> KRW'", "'bn KRW'"),
    _settings("currency of money", '"billion KRW"\nstart', '"billion USD"\nstart', "money_unit", "'<scale> KRW'"),
    _settings("not a year", "2025 = 14", "20x5 = 14", "programmes.leap.budget.20x5", "the key must be", "'20x5'"),
    _settings("year too early", "2025 = 14", "2020 = 14", "programmes.leap.budget.2020", "from 2024 (start_year)",
              "2020"),
    _settings("years reversed", "horizon_year = 2036", "horizon_year = 2020", "horizon_year", "after horizon_year"),
    _settings("no calibration", '"strict"\nfiscal', '"srtict"\nfiscal', "calibration", "name a calibration", "'srtict'",
              "Did you mean 'strict'?"),
    _settings("tranche shares", "share = 0.4 }", "share = 0.3 }", "programmes.leap.tranches", "must sum to 1", "0.9"),
    _settings("window reversed", "trl_entry_max = 7", "trl_entry_max = 2", "programmes.leap.trl_entry_min",
              "must not be above trl_entry_max", "3 and 2"),
    _settings("fallback", "call_month = 4", "call_month = 4\nforeign_partner_required = true",
              "programmes.leap.fallback", "must be 'drop'", "'domestic'"),
    _settings("network", '["IMDRF"]', '["IMDFR"]', "programmes.leap.preferred_networks", "network that a partner",
              "'IMDFR'", "Did you mean 'IMDRF'?"),
    _settings("panel", 'extension_months = 6\npanel = "experts"', 'panel = "expert"', "programmes.leap.gate.panel",
              "must name a panel", "'expert'", "Did you mean 'experts'?"),
    _settings("tranche of a deliverable", "due_tranche = 2", "due_tranche = 4",
              "programmes.leap.deliverables.patent.due_tranche", "from 1 to 3", "4"),
    _settings("no domestic mode", "[modes.domestic]", "[modes.dommestic]", "modes", "there must be a mode 'domestic'",
              "none", "Did you mean 'dommestic'?"),
    _settings("domestic with a share", 'name = "Domestic"', 'name = "Domestic"\nvalue_share = 0.5',
              "modes.domestic.value_share", "must be 1.0 in the mode 'domestic'", "0.5"),
    _settings("agreement twice", "agreement_months = 6\n",
              'agreement_months = 6\nformation = [{ name = "talks", months = 6 }]\n', "modes.matching.agreement",
              "must be left out where a formation", "agreement_probability, agreement_months", "a stage of the"),
    _settings("no such learning", 'programme = "leap"', 'programme = "leap"\nlearning = 0', "network.learning",
              "above 0 and at most 1", "0"),
    _settings("network programme", 'programme = "leap"', 'programme = "leep"', "network.programme",
              "must name a programme", "'leep'", "Did you mean 'leap'?"),
    _settings("limit of no field", "[limits.fields.bio]", "[limits.fields.boi]", "limits.fields.boi",
              "must name a field", "'boi'", "Did you mean 'bio'?"),
    _settings("gate policy", 'policy = "threshold"', 'policy = "treshold"', "programmes.leap.gate.policy",
              "must name a gate policy", "'treshold'", "Did you mean 'threshold'?"),
    _settings("limit of a consortium", "[limits.partners.US]", '[limits.partners."US+JP"]', "limits.partners.US+JP",
              "counts for each of its members", "'US+JP'"),
    _settings("floor above ceiling", "floor = 0.1", "floor = 0.9", "limits.fields.bio.floor", "above the ceiling",
              "0.9 and 0.8"),
    _settings("floors", "[limits.partners.US]", "[limits.fields.chip]\nfloor = 0.95\n\n[limits.partners.US]",
              "limits.fields", "floors must sum to at most 1", "1.05"),
    _settings("payment ratio", "{ leap = 1.2 }", "{ leep = 1.2 }", "optimiser.payment_ratio.leep",
              "must name a programme", "'leep'", "Did you mean 'leap'?"),
    _settings("steps", "attempts = 3", "attempts = 3\nmedian_years = [1, 1]", "steps.median_years",
              "a list of 8 entries", "a list of 2"),
    _settings("share without a budget", "{ 2024 = 100, ", "{ 2024 = 100, 2026 = 0, ", "", "valid TOML"),
    _settings("floor without a budget", "2026 = 100, 2027 = 100, 2028 = 100 }", "2027 = 100, 2028 = 100 }",
              "international.share_floor.2026", "needs an rd_budget above 0"),
    _settings("missing key", 'currency = "KRW"\n', "", "currency", "is required: ISO code", "nothing"),
    _settings("table for a number", "seats = 1", "seats = { a = 1 }", "panels.experts.seats", "whole number",
              "a table of 1"),
    _settings("number for a table", "[panels.experts]\nseats = 1\nreview_months = 2", "[panels]\nexperts = 3",
              "panels.experts", "must be a table", "3"),
    _settings("no world market", "[panels.experts]", "[market.world]\n2030 = 0\n\n[panels.experts]",
              "market.world.2030", "the world market must be above 0", "0"),
    _settings("target without a world market", "[panels.experts]",
              "[market]\nworld = { 2030 = 900000 }\ntarget = { 2031 = 0.15 }\n\n[panels.experts]",
              "market.target.2031", "a target needs the world market of its year", "none", "2030"),
    _settings("world market of a year beyond", "[panels.experts]", "[market.world]\n2050 = 900000\n\n[panels.experts]",
              "market.world.2050", "must be a year of the scenario", "2050"),
    _settings("control character", 'name = "Bio"', r'name = "Bio\u0007"', "fields.bio.name", "control characters",
              "U+0007"),
)  # fmt: skip

OVERRIDES = (
    _set("programmes.leep.budget.2024=1", "programmes.leep.budget.2024", "'programmes' has no 'leep'", "", "'leap'"),
    _set("technologies.T1.institute=KIST", "technologies.T1.institute", "must name an institute", "'KIST'"),
    _set("programmes.leap.cary_over=1", "programmes.leap.cary_over", "has no 'cary_over'", "", "'carry_over'"),
    _set("technologies.T9.cost=12", "technologies.T9.cost", "'technologies' has no 'T9'", "", "Known: T1, T2"),
    _set("technologies.T9=12", "technologies.T9", "'technologies' has no 'T9'", "", "Known: T1, T2"),
    _set("start_year.first=1", "start_year.first", "'start_year' is a single value"),
    _set("technologies.T1.cost.low=1", "technologies.T1.cost.low", "is a single value"),
    _set("programmes.leap.tranches.3.months=9", "programmes.leap.tranches.3.months", "has 3 entries, counted from 0"),
    _set("risks.market_factor.chance_field=0.9", "risks.market_factor.chance_field", "sum to less than 1", "1 ("),
    _set("risks.market_factor.value_common=1.2", "risks.market_factor.value_common", "from 0 to 1", "1.2"),
    _set("risks.breaks.bloc_share=-0.1", "risks.breaks.bloc_share", "from 0 to 1", "-0.1"),
    _set("partners.US+JP.bloc=west", "partners.US+JP.bloc", "members break, each with its bloc", "'west'"),
    _set("technologies.T1.cost=-1", "technologies.T1.cost", "above 0 and at most", "-1"),
    _set("calibration=lenint", "calibration", "must name a calibration", "'lenint'", "Did you mean 'lenient'?"),
    _set("simulation.replications=true", "simulation.replications", "a whole number", "true"),
    _set("discount_rate=4%", "discount_rate", "wrong unit: must be in % per year", "'4%'"),
    _set("levels.US.boi=90", "levels.US.boi", "must name a field", "'boi'", "Did you mean 'bio'?"),
    _set("levels.UK.bio=90", "levels.UK", "must name a partner", "'UK'"),
    _set("start_year=2024.5", "start_year", "a whole number from 1900 to 2200", "2024.5"),
    Broken("--set horizon_year=2025", "--set horizon_year", "a year of the scenario",
           "2026 (scenario.toml, programmes.leap",
           overrides=("horizon_year=2025",), count=13),
    _set("currency=none", "currency", "is required"),
    _set("panels.judges=none", "panels.judges", "there is no 'judges' to unset"),
    _set("links.0=none", "links.0", "an entry of a list cannot be unset"),
    _set("no path", "no path", "must be a dotted path, an equals sign and a value"),
    _set("a..b=1", "a..b=1", "must be a dotted path, an equals sign and a value"),
    _set("calibration=", "calibration=", "must be a dotted path, an equals sign and a value"),
)  # fmt: skip

BROKEN = (*FILES, *TABLES, *SETTINGS, *OVERRIDES)
