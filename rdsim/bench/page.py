"""The page of a benchmark: sections with sentences, figures and tables, a scenario after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from rdsim.bench.stages import Contest
from rdsim.bench.words import (
    best_sentences,
    doubt_sentences,
    given_sentences,
    interval_words,
    name_list,
    rival_sentences,
    world_sentences,
)
from rdsim.report import Column, Plot, Section, Table

__all__ = ["Tables", "lead", "sections"]

Tables = Mapping[str, pd.DataFrame]

_BEST_COLUMNS: Mapping[str, Column] = {
    "title": Column("Portfolio"),
    "value": Column("Value", "money"),
    "low": Column("from", "money"),
    "high": Column("to", "money"),
    "ranks": Column("Rank, from and to"),
    "ahead": Column("Ahead of the best other", "money"),
    "ahead_low": Column("at least", "money"),
    "ahead_high": Column("at most", "money"),
    "best": Column("May be the best"),
}

_ROWS_COLUMNS: Mapping[str, Column] = {"title": Column("Portfolio"), "words": Column("Row")}

_RIVALS_COLUMNS: Mapping[str, Column] = {
    "proposed": Column("Proposed"),
    "title": Column("Competitor"),
    "more": Column("Brings more", "money"),
    "low": Column("at least", "money"),
    "high": Column("at most", "money"),
    "payments": Column("payments", "money"),
    "awards": Column("awards", "money"),
    "year": Column("no more in any year"),
    "shared": Column("technologies in both", "count"),
    "only_here": Column("only proposed", "count"),
    "only_there": Column("only there", "count"),
}

_ELSEWHERE_COLUMNS: Mapping[str, Column] = {
    "title": Column("Portfolio"),
    "mean": Column("Mean regret", "money"),
    "mean_low": Column("from", "money"),
    "mean_high": Column("to", "money"),
    "most": Column("largest", "money"),
    "most_low": Column("from", "money"),
    "most_high": Column("to", "money"),
    "most_in_title": Column("in the world"),
    "keeps": Column("Keeps every row"),
}

_BY_WORLD_COLUMNS: Mapping[str, Column] = {
    "world_title": Column("World"),
    "change": Column("What is otherwise"),
    "best_title": Column("Best known"),
}

_TRADEOFFS_COLUMNS: Mapping[str, Column] = {
    "title": Column("Portfolio"),
    "value": Column("Value", "money"),
    "cvar": Column("Mean of the worst", "money"),
    "cvar_low": Column("from", "money"),
    "cvar_high": Column("to", "money"),
    "countries": Column("Countries", "count"),
    "joint": Column("Joint projects", "share"),
    "keeps": Column("Keeps every row"),
    "dominated_cvar": Column("Shown to be better in value and in the worst"),
    "beyond_countries": Column("Shown to be worth more with as many countries"),
}

_ALIKE_COLUMNS: Mapping[str, Column] = {
    "title": Column("Portfolio"),
    "funded": Column("Technologies", "count"),
    "shared": Column("in both", "count"),
    "same_partner": Column("same partner", "count"),
    "same_mode": Column("same way of funding", "count"),
    "same_start": Column("same start", "count"),
    "same_all": Column("all the same", "count"),
    "only_here": Column("only here", "count"),
    "only_there": Column("only in the best", "count"),
}

_DOUBTS_COLUMNS: Mapping[str, Column] = {
    "doubt": Column("ChoiceDoubt"),
    "amount": Column("Amount", "money"),
    "low": Column("from", "money"),
    "high": Column("to", "money"),
    "n": Column("of", "count"),
    "words": Column("What it is"),
}

_ENTRANTS_COLUMNS: Mapping[str, Column] = {
    "title": Column("Portfolio"),
    "source": Column("Whose"),
    "funded": Column("Technologies", "count"),
    "countries": Column("Countries", "count"),
    "payments": Column("Expected payments", "money"),
    "awards": Column("Full awards", "money"),
    "payment_ratio": Column("of the announced money, at most", "share"),
    "value": Column("Value", "money"),
    "low": Column("from", "money"),
    "high": Column("to", "money"),
    "seconds": Column("Seconds to choose", "money"),
}

_COMMON = "All live through the same replications; intervals of a table hold together, with the covariance as it is."


def lead(found: Contest, tables: Tables) -> Iterator[str]:
    """What a benchmark of a scenario comes to, in a few sentences."""
    ranks, short = _mine(found, tables["ranks"]), _mine(found, tables["regrets_in_short"])
    yield from best_sentences(found, ranks)
    yield from given_sentences(found, ranks)
    for met in found.rivals:
        yield next(rival_sentences(found, met))
    yield from list(world_sentences(found, short))[:1]


def sections(found: Contest, tables: Tables, *, many: bool) -> Iterator[Section]:
    """The sections of a scenario; where there are several, each says of which."""
    mine = {name: _mine(found, table) for name, table in tables.items()}
    head = f"{found.scenario.title}: " if many else ""
    makers = (_best, _rows_section, _rivals, _elsewhere, _tradeoffs, _alike, _doubts, _rolling_section, _entrants)
    for make in makers:
        section = make(found, mine)
        if section is not None:
            title = f"{head}{section.title[:1].lower()}{section.title[1:]}" if head else section.title
            yield Section(title, section.sentences, section.plots, section.tables)


def _mine(found: Contest, table: pd.DataFrame) -> pd.DataFrame:
    return table[table["scenario"] == found.scenario.name].reset_index(drop=True) if len(table) else table


def _unit(found: Contest) -> str:
    return found.scenario.money_unit


# --- who is best ------------------------------------------------------------------------------------


def _best(found: Contest, tables: Tables) -> Section:
    ranks = tables["ranks"]
    shown, plots = [], []
    for freedom in found.freedoms if len(ranks) else ():
        rows = ranks[ranks["freedom"] == freedom].copy()
        if rows.empty:
            continue
        rows["ranks"] = [
            f"{a}" if a == b else f"{a} to {b}" for a, b in zip(rows["rank_low"], rows["rank_high"], strict=True)
        ]
        rows["best"] = ["yes" if one else "no" for one in rows["maybe_best"]]
        caption = (
            f"Portfolios that keep every row, {freedom}, {_unit(found)}; {rows['n'].iloc[0]:,} replications. Each "
            "value has an interval of its own. Ranks hold together, by all pairwise differences; so do distances "
            "from the best of the others (Hsu)."
        )
        shown.append(Table(caption, rows, _BEST_COLUMNS))
    if len(ranks):
        plots.append(_value_plot(found, ranks[ranks["freedom"] == found.freedoms[-1]]))
    return Section("Who is best", (*best_sentences(found, ranks), _COMMON), tuple(plots), tuple(shown))


def _value_plot(found: Contest, rows: pd.DataFrame) -> Plot:
    first = rows.iloc[0] if len(rows) else None
    answer = (
        "" if first is None else f"{first['title']}: {interval_words(first['value'], first['low'], first['high'])}."
    )
    return Plot(
        f"values-{found.scenario.name}",
        "How far apart are they?",
        answer,
        "Means and their intervals. These are wider than those of paired differences, which the table gives.",
        rows[["title", "value", "low", "high"]],
        ("value", f"value, {_unit(found)}"),
        ("title", ""),
        kind="bars",
        low="low",
        high="high",
        tips={"title": Column("portfolio"), "value": Column("value", "money")},
    )


# --- rows -------------------------------------------------------------------------------------------


def _rows_section(found: Contest, tables: Tables) -> Section:
    """Of given portfolios every row, of others those that they break even at the plan's promises."""
    rows = tables["rows"]
    if rows.empty:
        return Section("Rows that are broken", ("Every portfolio keeps every row.",))
    given = {name for name, one in found.entrants.items() if one.kind == "given"}
    hard, soft, last = rows[rows["hard"]], rows[~rows["hard"]], found.freedoms[-1]
    barred = given | set(hard.loc[hard["freedom"] == last, "entrant"])
    free = [name for name in dict.fromkeys(hard["entrant"]) if name not in barred]
    reading = [
        "Budgets are rows of expected payments, net of refunds; all other rows are the same at both freedoms. A "
        "portfolio that breaks a row is simulated all the same: what does not fit waits, or finds no money. It is "
        "ranked with nobody.",
    ]
    if free:
        told = name_list([found.titles[name] for name in free], 12)
        reading.append(f"Within the announced money budgets are broken by {told}; at equal promises none of them is.")
    shown = []
    if barred & set(hard["entrant"]):
        shown.append(_row_table(found, hard[hard["entrant"].isin(barred)], "Rows that bar a portfolio."))
    mine = soft[soft["entrant"].isin(given) & (soft["freedom"] == last)]
    if len(mine):
        caption = "Rows that may be missed: what is short is charged in the optimiser's view; of given portfolios."
        shown.append(_row_table(found, mine, caption))
    return Section("Rows that are broken", reading, (), tuple(shown))


def _row_table(found: Contest, rows: pd.DataFrame, caption: str) -> Table:
    """A line for each row, by how much it is off at each freedom beside one another."""
    wide = rows.drop_duplicates(["entrant", "row"])[["entrant", "title", "row", "words"]]
    columns = dict(_ROWS_COLUMNS)
    for freedom in dict.fromkeys(rows["freedom"]):
        mine = rows[rows["freedom"] == freedom].set_index(["entrant", "row"])["by"]
        told = {key: by or "not kept" for key, by in mine.items()}
        wide = wide.assign(
            **{freedom: [told.get(key, "kept") for key in zip(wide["entrant"], wide["row"], strict=True)]}
        )
        columns[freedom] = Column(f"{freedom[:1].upper()}{freedom[1:]}" if len(found.freedoms) > 1 else "By how much")
    return Table(caption, wide, columns)


# --- competitors ------------------------------------------------------------------------------------


def _rivals(found: Contest, tables: Tables) -> Section | None:
    if not found.rivals:
        return None
    sentences = [sentence for met in found.rivals for sentence in rival_sentences(found, met)]
    reading = (
        "Looked at are all portfolios of this benchmark, and what the optimiser finds under the proposed portfolio's "
        "cost, in total and in every year. No more means: neither more expected payments nor more full awards in "
        "total. Who seems better is chosen on replications of their own, and told of by others, all intervals of one "
        "proposal together."
    )
    rows = tables["rivals"]
    if rows.empty:
        return Section("Who costs no more and brings more", (*sentences, reading))
    titles = found.titles
    table = rows.assign(proposed=rows["proposed"].map(titles), year=["yes" if one else "no" for one in rows["by_year"]])
    caption = (
        f"Competitors, the best five of each, {_unit(found)}; payments and awards are the competitor's less the "
        "proposed one's."
    )
    return Section(
        "Who costs no more and brings more", (*sentences, reading), (), (Table(caption, table, _RIVALS_COLUMNS),)
    )


# --- other worlds -----------------------------------------------------------------------------------


def _elsewhere(found: Contest, tables: Tables) -> Section | None:
    short, whole = tables["regrets_in_short"], tables["regrets"]
    if short.empty or len(found.worlds) < 2:
        return None
    shown = []
    for freedom in found.freedoms:
        rows = short[short["freedom"] == freedom]
        rows = rows.assign(keeps=["yes" if one else "no" for one in rows["keeps"]])
        caption = (
            f"Regret over {len(found.worlds)} worlds, {freedom}, {_unit(found)}; n = {rows['n'].iloc[0]:,} in each."
        )
        shown.append(Table(caption, rows, _ELSEWHERE_COLUMNS))
    shown.append(_by_world(found, whole))
    reading = (
        "Regret is what a portfolio, decided as the scenario stands, is worth less in a world than the best that is "
        "known there; it is below nothing where the portfolio breaks rows that bind the best, or where that was not "
        "the best after all. Known are all that keep every row, and one that the optimiser chose knowing that world. "
        "The best was chosen on other replications, so it is no lucky winner. The mean is over these worlds as they "
        "are listed, none likelier than another; its interval is of luck alone."
    )
    return Section("In other worlds", (*world_sentences(found, short), reading), (), tuple(shown))


def _by_world(found: Contest, whole: pd.DataFrame) -> Table:
    """A row for each world: the best there, and the regret of whom a reader looks for first."""
    rows = whole[whole["freedom"] == found.freedoms[-1]]
    changes = {one.name: one.change for one in found.worlds}
    wanted = [name for name, one in found.entrants.items() if one.kind == "given" or name in ("plan", "one_shot")][:4]
    wide = rows.drop_duplicates("world")[["world", "world_title", "best_title"]].assign(
        change=lambda one: one["world"].map(changes)
    )
    columns = dict(_BY_WORLD_COLUMNS)
    for name in wanted:
        mine = rows[rows["entrant"] == name].set_index("world")
        wide[name] = [interval_words(*mine.loc[world, ["regret", "low", "high"]]) for world in wide["world"]]
        columns[name] = Column(f"Regret of {found.entrants[name].title}")
    return Table(f"World by world, {found.freedoms[-1]}; {_unit(found)}.", wide, columns)


# --- trade-offs, likeness ---------------------------------------------------------------------------


def _tradeoffs(found: Contest, tables: Tables) -> Section:
    rows, titles = tables["tradeoffs"].copy(), found.titles
    for column in ("dominated_cvar", "beyond_countries", "beyond_international"):
        rows[column] = [", ".join(titles[name] for name in text.split(", ") if name) for text in rows[column]]
    rows["keeps"] = ["yes" if one else "no" for one in rows["keeps"]]
    columns = dict(_TRADEOFFS_COLUMNS)
    if rows["international"].notna().any():
        columns["international"] = Column("International share", "share")
        columns["beyond_international"] = Column("Shown to be worth more with as large a share")
    alpha = found.scenario.optimiser.risk.level
    worst = f"The worst are the worst {1 - alpha:.0%} of {found.judged.measured.replications:,} replications"
    caption = f"{_unit(found)}. {worst}, with all luck."
    unbeaten = [str(one.title) for one in rows.itertuples() if not one.dominated_cvar and one.keeps == "yes"]
    several = "is" if len(unbeaten) == 1 else "are"
    told = (
        f"{', '.join(unbeaten)} {several} shown by nobody to be worse both in value and in the worst cases."
        if unbeaten
        else ""
    )
    plot = Plot(
        f"risk-{found.scenario.name}",
        "Does more value mean worse worst cases?",
        told,
        "Right is more value, up is less bad. Whoever stands right and above another dominates it, as far as it is "
        "shown.",
        rows[["title", "value", "cvar", "cvar_low", "cvar_high", "countries"]],
        ("value", f"value, {_unit(found)}"),
        ("cvar", f"mean of the worst, {_unit(found)}"),
        joined=False,
        low="cvar_low",
        high="cvar_high",
        tips={
            "title": Column("portfolio"),
            "value": Column("value", "money"),
            "cvar": Column("mean of the worst", "money"),
            "countries": Column("countries", "count"),
        },
    )
    return Section(
        "Value against risk and partners",
        (told, _COMMON) if told else (_COMMON,),
        (plot,),
        (Table(caption, rows, columns),),
    )


def _alike(found: Contest, tables: Tables) -> Section | None:
    rows = tables["shared"]
    if rows.empty:
        return None
    rows = rows[rows["freedom"] == found.freedoms[-1]]
    best = found.titles[str(rows["best"].iloc[0])]
    reading = f"Beside {best}, the best by the replications that choose. The table of differences names every decision."
    return Section(
        "What they share with the best",
        (reading,),
        (),
        (Table("Technologies, and decisions on them.", rows, _ALIKE_COLUMNS),),
    )


# --- doubts -----------------------------------------------------------------------------------------


def _doubts(found: Contest, tables: Tables) -> Section | None:
    rows = tables["doubts"]
    if rows.empty:
        return None
    reading = (
        "Four numbers of the choice without simulation, never one: the first three are of options alone, added up, "
        "as the optimiser sees them; the fourth is of whole portfolios in simulation. They answer other questions "
        "and do not add up."
    )
    return Section(
        "Four doubts, each by itself",
        (*doubt_sentences(found), reading),
        (),
        (Table(f"Doubts, {_unit(found)}.", rows, _DOUBTS_COLUMNS),),
    )


def _rolling_section(found: Contest, tables: Tables) -> Section | None:
    rows = tables["rolling"]
    if rows.empty:
        return None
    row = rows.iloc[0]
    gain = interval_words(row["gain"], row["low"], row["high"])
    verdict = "is worth more" if row["low"] > 0 else "is worth less" if row["high"] < 0 else "is not told apart"
    told = (
        f"Decided again each year, {found.titles[str(row['once'])]} {verdict}"
        f"{' than' if row['low'] > 0 or row['high'] < 0 else ' from'} the same decided once: {gain} {_unit(found)} "
        f"more (paired, n = {row['n']})."
    )
    return Section(
        "Deciding again each year", (told, "It sees only what has happened; `rdsim rolling` tells more of it.")
    )


def _entrants(found: Contest, tables: Tables) -> Section:
    rows = tables["entrants"].copy()
    caption = f"All portfolios, {_unit(found)}; values of those that break rows too."
    changes = [f"{one.title}: {one.change}." for one in found.worlds[1:]]
    if len(changes) > 4:
        changes = []
    return Section("Who took part", changes, (), (Table(caption, rows, _ENTRANTS_COLUMNS),))
