"""The registry of figures: names, aliases, the table of the documentation, and what a figure's parts come to."""

from __future__ import annotations

from pathlib import Path

from rdsim.figures import (
    ESTIMATED,
    FIGURES,
    SHOWN,
    TOLD,
    Figure,
    FigureFamily,
    Source,
    column_figures,
    figures_of,
    find_figure,
    single_figures,
)
from rdsim.scenario import load
from rdsim.simulation import replicate
from tests.golden.digests import some_portfolio
from tests.tiny import tiny_folder

PAGE = Path(__file__).parent.parent / "docs" / "figures.md"


def row(name: str, source: Source) -> str:
    """A row of the table of docs/figures.md."""
    if isinstance(source, Figure):
        cells = (
            source.label,
            source.unit,
            source.sense,
            "yes" if source.is_additive else "",
            "" if source.column else "-",
        )
    else:
        assert isinstance(source, FigureFamily)
        cells = (source.label, "", "", "", "")
    return f"| `{name}` | {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def test_the_table_of_the_documentation_is_that_of_the_registry() -> None:
    rows = [row(name, FIGURES[name]) for name in FIGURES if name in FIGURES.built_in]
    head = ["| figure | what it is | unit | better | aim | column |", "| --- | --- | --- | --- | --- | --- |"]
    assert "\n".join([*head, *rows]) in PAGE.read_text("utf-8")


def test_columns_of_the_replications_are_the_figures_that_say_so(tmp_path: Path) -> None:
    scenario = load(tiny_folder(tmp_path / "tiny"))
    table = replicate(scenario, some_portfolio(scenario), replications=2)
    assert list(table) == ["replication", *column_figures(scenario)]
    for name, figure in figures_of(scenario).items():
        found = find_figure(scenario, name)
        assert found is not None
        assert (found.label, found.key) == (figure.label, figure.key)
        assert (table.get(name, 0.0) >= figure.least).all() if name in table else not figure.column


def test_what_is_told_by_name_is_there() -> None:
    assert {*ESTIMATED, *SHOWN, *TOLD} <= {name for name, one in single_figures().items() if one.column}


def test_no_alias_is_a_name_or_stands_twice() -> None:
    aliases = [alias for one in single_figures().values() for alias in one.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(FIGURES)
