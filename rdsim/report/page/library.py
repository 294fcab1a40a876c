"""The scripts that draw in a browser: Vega, Vega-Lite and Vega-Embed as one text, from the installed converter.

To bundle them takes two seconds of every process that draws. So the text is kept beside the compiled modules, named by
what it depends on; the first line is its digest, and a text that does not fit it is made again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from importlib.metadata import version
from pathlib import Path

from rdsim.folders import write_whole

__all__ = ["library"]

_KEPT = Path(__file__).parent / "__pycache__"
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@functools.cache
def library() -> str:
    """The text of the script, safe inside a page."""
    path = _KEPT / f"library-{_digest(_depends_on())}.js"
    script = _read(path)
    if script is None:
        script = _bundle()
        _keep(path, script)
    return script


def _depends_on() -> str:
    import altair  # noqa: PLC0415

    return "\0".join((version("vl-convert-python"), altair.SCHEMA_VERSION, Path(__file__).read_text(encoding="utf-8")))


def _bundle() -> str:
    import altair  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    vega_lite = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    try:
        script = vl_convert.javascript_bundle(_SNIPPET, vl_version=vega_lite)
    except ValueError:  # an Altair whose Vega-Lite the converter does not carry: its newest reads older charts
        script = vl_convert.javascript_bundle(_SNIPPET)
    return str(script).replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _read(path: Path) -> str | None:
    """What is kept there, if it is whole."""
    try:
        digest, _, script = path.read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return script if digest == _digest(script) else None


def _keep(path: Path, script: str) -> None:
    """Keep the text in place of older ones; where the package's folder is closed, or full, nothing is kept."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        for older in path.parent.glob("library-*.js"):
            older.unlink(missing_ok=True)
        write_whole(path, f"{_digest(script)}\n{script}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
