"""Answers in a README: what a sweep found, written between two markers, with its figures beside the README."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim.errors import ExperimentError, Fault
from rdsim.folders import write_whole
from rdsim.numerals import numeral
from rdsim.report import Page, Plot, plot_svgs
from rdsim.sweep.again import written_text
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.answers import between, metric_words
from rdsim.sweep.manifests import manifest_of
from rdsim.sweep.page import page_of
from rdsim.sweep.reader import read_sweep
from rdsim.sweep.repeats import repeats_of
from rdsim.texts import read_text

__all__ = ["write_answer"]

_FOLDER = "answers"
_END = "<!-- end of answer -->"
_ROWS, _METRICS, _FIGURES = 30, 4, 2
"""The largest table shown whole, and how many metrics and figures."""


def write_answer(folder: str | Path, readme: str | Path) -> list[Path]:
    """Put what a finished sweep found into a README, in place of what stood between its markers, or at the end.

    The markers are `<!-- answer NAME -->`, with the experiment's name, and `<!-- end of answer -->`. Figures go to
    `answers/NAME-1.svg` and so on, beside the README, and what is stated to `answers/NAME.json`, so that another
    seed can be asked whether it holds (`rdsim.sweep.again`). Returns the files written. Raises ExperimentError if there
    is no sweep, if points of it are missing, or if the README cannot be written, InputError if it cannot be read.
    """
    table, manifest, path = read_sweep(folder), manifest_of(folder), Path(readme)
    if manifest["missing"]:
        rule = "must be complete before its answers are written down"
        raise ExperimentError((Fault(str(folder), rule, f"{manifest['missing']} points are missing"),))
    name, page = manifest["experiment"], page_of(table, manifest)
    try:
        drawings = dict(_drawings(name, page))
        text = _place(read_text(path), name, "\n".join(_block(table, manifest, page, drawings)))
        (path.parent / _FOLDER).mkdir(exist_ok=True)
        for file, drawing in drawings.items():
            write_whole(path.parent / file, drawing)
        write_whole(path.parent / _FOLDER / f"{name}.json", written_text(table, manifest))
        write_whole(path, text)
    except OSError as error:
        raise ExperimentError((Fault(str(path), "must be writable", error.strerror or str(error)),)) from None
    return [path, path.parent / _FOLDER / f"{name}.json", *(path.parent / file for file in drawings)]


def _place(text: str, name: str, block: str) -> str:
    start = f"<!-- answer {name} -->"
    before, found, after = text.partition(start)
    if not found:
        return f"{text.rstrip()}\n\n{start}\n{block}\n{_END}\n"
    _, end, rest = after.partition(_END)
    if not end:
        raise ExperimentError((Fault("README", f"must have {_END} after {start}", "none"),))
    return f"{before}{start}\n{block}\n{_END}{rest}"


def _drawings(name: str, page: Page) -> Iterator[tuple[str, str]]:
    plots = [plot for section in page.sections for plot in section.plots if _tells(plot)]
    for number, drawing in enumerate(plot_svgs(plots[:_FIGURES]), start=1):
        yield f"{_FOLDER}/{name}-{number}.svg", drawing


def _tells(plot: Plot) -> bool:
    """A ranking of one factor tells nothing."""
    return plot.key != "tornado" or len(plot.frame) > 1


def _block(table: pd.DataFrame, manifest: Mapping[str, Any], page: Page, drawings: Mapping[str, str]) -> Iterator[str]:
    yield f"### {_escape(page.title)}\n"
    command = f"`rdsim sweep experiments/{manifest['experiment']}.toml`"
    seed = f"seed {manifest['seed']}, intervals of {manifest['confidence']:.0%}"
    yield (
        f"Written by {command} on {manifest['date']}: {manifest['points']} points of {manifest['replications']:,} "
        f"replications each{_repeats_words(manifest)}, {seed}; comparisons of one sentence hold together.\n"
    )
    # The first sentences are the experiment's own description and how much of it is done.
    told = [line for line in page.lead if line != manifest["description"].strip()][1:]
    yield from (f"- {_escape(line)}" for line in told)
    yield ""
    if manifest["points"] <= _ROWS:
        yield from _rows(table, manifest)
        yield ""
    yield from (f"![{_escape(page.title)}]({file})" for file in drawings)


def _repeats_words(manifest: Mapping[str, Any]) -> str:
    count = repeats_of(manifest)
    return f", each decided anew in {count} repeats" if count > 1 else ""


def _rows(table: pd.DataFrame, manifest: Mapping[str, Any]) -> Iterator[str]:
    """All points as a table of Markdown: levels of factors, metrics with their intervals."""
    factors, metrics = manifest["factors"], manifest["metrics"][:_METRICS]
    kinds = manifest["kinds"]
    heads = [*(_escape(one["label"]) for one in factors.values()), *metrics]
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join(["---"] * (len(factors) + len(metrics))) + " |"
    each = [_by_point(table, manifest, name) for name in metrics]
    for point, row in table.drop_duplicates("point").set_index("point").iterrows():
        cells = [_level(row[name]) for name in factors]
        told = zip(each, metrics, kinds, strict=False)
        cells += [_cell(one, point, name, kind) for one, name, kind in told]
        yield "| " + " | ".join(cells) + " |"


def _level(value: object) -> str:
    return numeral(value, "g") if isinstance(value, float) else _escape(str(value))


def _escape(text: str) -> str:
    """Text of a user in one line of Markdown: no HTML, no cell of a table, no heading of its own."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def _by_point(table: pd.DataFrame, manifest: Mapping[str, Any], name: str) -> pd.DataFrame:
    """The points that are done, by number."""
    return Analysis(table, manifest, name).finished_points.set_index("point")


def _cell(done: pd.DataFrame, point: Any, name: str, kind: str) -> str:
    if point not in done.index:
        return "failed"
    row = done.loc[point]
    ends = between(row[f"{name} low"], row[f"{name} high"], lambda one: metric_words(name, kind, one))
    return f"{metric_words(name, kind, row[name])} ({ends})"
