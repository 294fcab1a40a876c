"""What a shell offers for a word of a command: scenarios, runs and the like that are close at hand.

Nothing is read but names in folders. Where nothing is offered, the shell goes on with files as it always does.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["runs", "scenarios", "scenarios_and_runs", "shipped_names"]

_MOST = 200
"""Names that are offered at most."""


def scenarios(incomplete: str) -> list[str]:
    """Scenarios, folders and workbooks, here and one folder below, that begin as what was typed."""
    return _beginning(incomplete, "scenario.toml", "*.xlsx")


def runs(incomplete: str) -> list[str]:
    """Finished runs, here and one folder below, as in `results`, that begin as what was typed."""
    return _beginning(incomplete, "manifest.json")


def scenarios_and_runs(incomplete: str) -> list[str]:
    """What a question may be asked of."""
    return [*scenarios(incomplete), *runs(incomplete)]


def shipped_names(incomplete: str) -> list[str]:
    """Scenarios that come with rdsim, by name."""
    from rdsim.shipped import names  # noqa: PLC0415 - only where a word is completed

    return [name for name in names() if name.startswith(incomplete)]


def _beginning(incomplete: str, sign: str, books: str = "") -> list[str]:
    """Paths, as they are typed, of folders that hold a file called so, and of files like `books`."""
    before = incomplete[: incomplete.rfind("/") + 1]
    place = Path(before).expanduser()
    try:
        found = [one.parent for deep in ("*", "*/*") for one in place.glob(f"{deep}/{sign}")]
        found += place.glob(books) if books else ()
        names = sorted(before + one.relative_to(place).as_posix() for one in found)
    except (OSError, ValueError, RuntimeError):
        return []
    return [name for name in names if name.startswith(incomplete)][:_MOST]
