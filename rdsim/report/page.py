"""The page itself: a plan's tables and manifest in, one self-contained HTML file out.

The file opens offline: scripts, styles and data are inside. A content security policy lets only the scripts that
were written here run, by their digests, and forbids every request, so that no name in a table can do either.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from rdsim.report.figures import Figure

__all__ = ["PlanReport", "write"]

_HERE = Path(__file__).parent
_STATIC_WIDTH = 600
# The schedule is left out: its hundred labels take seconds to draw, and what it says is in the table as well.
_PICTURED = ("chosen", "money", "results", "rules", "way")
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True, eq=False)
class PlanReport:
    """What a plan found. Names are for people, money is in `money_unit`, times are decimal calendar years.

    The frames' columns are those of `rdsim.frames` (projects, replications, budget, international) and of
    `rdsim.findings` (technologies, plan, targets, policies, sources); the manifest is the run's own.
    """

    title: str
    description: str
    money_unit: str
    confidence: float
    start_year: int
    horizon_year: int
    manifest: Mapping[str, Any]
    technologies: pd.DataFrame
    projects: pd.DataFrame
    replications: pd.DataFrame
    budget: pd.DataFrame
    plan: pd.DataFrame
    international: pd.DataFrame
    targets: pd.DataFrame
    policies: pd.DataFrame
    sources: pd.DataFrame


def write(report: PlanReport, path: Path) -> None:
    """Write the page to the path. Raises OSError if it cannot be written."""
    path.write_text(_render(report), encoding="utf-8")


def _render(report: PlanReport) -> str:
    # Altair, its JavaScript and Jinja take most of a second to import: only who writes a page pays.
    import jinja2  # noqa: PLC0415

    from rdsim.report import figures, words  # noqa: PLC0415

    drawn = {section: figures.draw(report, section) for section in figures.SECTIONS}
    scripts = (_library(), (_HERE / "page.js").read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["amount"] = words.amount
    environment.filters["listed"] = words.listed
    return environment.get_template("page.html.j2").render(
        report=report,
        manifest=report.manifest,
        headline=words.headline(report),
        tiles=words.tiles(report),
        doubts=words.doubts(report),
        figures=drawn,
        pictures={figure.key: _picture(figure) for name in _PICTURED for figure in drawn[name]},
        rows=_rows(report.technologies),
        choices={name: sorted(report.technologies[name].astype(str).unique()) for name in ("programme", "field")},
        countries=dict(zip(report.technologies["partner"], report.technologies["partner_name"], strict=True)),
        specs=_embedded({figure.key: figure.spec for group in drawn.values() for figure in group}),
        style=_safe((_HERE / "page.css").read_text(encoding="utf-8")),
        scripts=[_safe(script) for script in scripts],
        policy=_policy(scripts),
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for the template; what is missing is None."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


# --- what goes into the page unescaped ------------------------------------------------------------


def _safe(text: str) -> Any:
    """Text of ours that the template must not escape."""
    import markupsafe  # noqa: PLC0415

    return markupsafe.Markup(text)  # noqa: S704 - our own files and drawings, never a scenario's text


def _embedded(value: object) -> Any:
    """JSON that no text in it can break out of: HTML sees no <, > or &."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign, code in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(sign, code)
    return _safe(text)


@functools.cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the installed package."""
    import altair  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    version = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    try:
        script = vl_convert.javascript_bundle(_SNIPPET, vl_version=version)
    except ValueError:  # an Altair whose Vega-Lite the converter does not carry: its newest reads older charts
        script = vl_convert.javascript_bundle(_SNIPPET)
    return str(script).replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _picture(figure: Figure) -> Any:
    """The figure as SVG, for readers without scripts; its texts are escaped by the converter."""
    import altair  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    version = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    spec = {**figure.spec, "width": _STATIC_WIDTH}
    try:
        return _safe(vl_convert.vegalite_to_svg(spec, vl_version=version))
    except ValueError:
        return _safe(vl_convert.vegalite_to_svg(spec))


def _policy(scripts: tuple[str, ...]) -> str:
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rest = "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"
