"""What every page is made of: one file that opens offline, with scripts, styles and data inside.

A content security policy lets only the scripts that were written here run, by their digests, and forbids every
request, so that no name in a table can do either.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdsim import languages
from rdsim.languages import gettext, listing, moment, pgettext, retold, script_texts
from rdsim.report.page.library import library

if TYPE_CHECKING:
    import jinja2

    from rdsim.report.charts.figure import Exhibit

__all__ = [
    "Content",
    "as_markup",
    "embed",
    "environment",
    "fill_page",
    "picture",
    "start_drawing",
    "tell",
    "template_text",
    "visible_text",
]

_HERE = Path(__file__).parent
_STATIC_WIDTH = 600
_ASIDE = 20  # pixels left of labels: readers' letters may be wider than those that the labels were measured with


@dataclass(frozen=True, eq=False)
class Content:
    """What a page is filled with: a template of this folder, figures, scripts beside the library, values by name.

    `data` is what the scripts read, by name, as JSON inside the page.
    """

    template: str
    figures: tuple[Exhibit, ...]
    scripts: tuple[str, ...]
    values: Mapping[str, object]
    data: Mapping[str, object] = field(default_factory=dict)


def fill_page(content: Content, manifest: Mapping[str, Any]) -> str:
    """The page: the template filled with the values, the figures' specifications, the scripts and the manifest."""
    drawing = (library(),) if content.figures else ()
    code = (*drawing, *((_HERE / name).read_text(encoding="utf-8") for name in content.scripts))
    return (
        environment()
        .get_template(content.template)
        .render(
            specs=embed({figure.key: figure.spec for figure in content.figures}),
            data={name: embed(block) for name, block in {**content.data, **_script_texts()}.items()},
            style=as_markup((_HERE / "page.css").read_text(encoding="utf-8")),
            scripts=[as_markup(script) for script in code],
            policy=_policy(code),
            manifest=manifest,
            language=languages.active(),
            **content.values,
        )
    )


def _script_texts() -> dict[str, object]:
    """What the page's scripts say in its language; nothing in English, which stands in them."""
    found = script_texts()
    return {"texts": found} if found else {}


def visible_text(page: str) -> str:
    """What is seen of a page of ours, in one line: no scripts, styles or tags."""
    body = re.sub(r"<(script|style|title)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@cache
def environment() -> jinja2.Environment:
    """What fills the templates of this folder: texts are escaped, a name that is not there is an error."""
    # Jinja, Altair and its JavaScript take most of a second to import: only who writes a page pays.
    import jinja2  # noqa: PLC0415

    from rdsim.report import words  # noqa: PLC0415

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"_": template_text, "pgettext": pgettext, "counted": _mark_count}
    environment.filters["amount"] = words.amount
    environment.filters["listed"] = listing
    environment.filters["moment"] = moment
    environment.filters["told"] = tell
    environment.filters["verdict"] = words.verdict_word
    environment.filters["command"] = shlex.join
    return environment


def tell(text: str) -> str:
    """A text, or a word of a table, in the language of the page; what no catalogue knows as it is."""
    return gettext(retold(text)) if text and languages.active() != languages.ENGLISH else text


def template_text(message: str, **values: object) -> Any:
    """A text of a template in the language of the page: what it says is markup, what is put in is escaped."""
    text = as_markup(gettext(message))
    if not values:
        return text
    shown = {name: one if hasattr(one, "__html__") else _retold(one) for name, one in values.items()}
    filled = text.format(**shown)
    return filled if languages.active() == languages.ENGLISH else as_markup(languages.with_particles(str(filled)))


def _retold(value: object) -> object:
    return retold(value) if isinstance(value, str) else value


def _mark_count(number: int) -> Any:
    """A number of rows that a script counts anew."""
    return as_markup(f'<span data-sum="count">{number:d}</span>')


def as_markup(text: str) -> Any:
    """Text of ours that the template must not escape."""
    import markupsafe  # noqa: PLC0415

    return markupsafe.Markup(text)  # noqa: S704 - our own files and drawings, never a scenario's text


def embed(value: object) -> Any:
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
    return as_markup(text)


def picture(figure: Exhibit, width: int = _STATIC_WIDTH, lower: float = 1.0) -> Any:
    """The figure as SVG, for readers without scripts; its texts are escaped by the converter.

    It is `width` pixels wide, and `lower` times as high as on the page; its letters have one size at any.
    """
    import altair  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    version = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    spec = {**figure.spec, "width": width, "height": round(figure.spec["height"] * lower)}
    spec["config"] = {**spec["config"], "padding": {**spec["config"]["padding"], "left": _ASIDE}}
    try:
        return as_markup(vl_convert.vegalite_to_svg(spec, vl_version=version))
    except ValueError:
        return as_markup(vl_convert.vegalite_to_svg(spec))


def start_drawing() -> None:
    """Let the converter start, with the smallest figure there is; a page that needs it is told if it cannot."""
    import vl_convert  # noqa: PLC0415

    with suppress(ValueError):
        vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"})


def _policy(scripts: tuple[str, ...]) -> str:
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rest = "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"
