"""What options are worth, sampled once and kept beside the run: read back where it fits, else made again.

Samples see options alone, in a world without want of money: no lever but the assumptions moves them. So they are made
in an **open world**, in which every partner and every technology of the run may be chosen, and serve all questions with
the same assumptions. The file names what it was made of by a digest; a file of anything else is not read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rdsim.arrays import Floats
from rdsim.domain import Choice, Scenario
from rdsim.errors import Fault, OutputError
from rdsim.families import Options
from rdsim.folders import write_whole
from rdsim.formulation import state
from rdsim.optimiser import PortfolioProblem, Solving
from rdsim.options import candidates, joined_options, sample
from rdsim.scenario import digest
from rdsim.search import Instance, Near, estimates_of, refine
from rdsim.simulation import Running
from rdsim.version import VERSION

__all__ = [
    "Drawing",
    "SampledOptions",
    "StoppedError",
    "read_samples",
    "sample_options",
    "samples_key",
    "write_samples",
]

_FORMAT = 1
_PORTION = 1000
"""Options that are sampled before anybody is asked whether to go on."""
_FURTHER = 4
"""Portions in which options near the relaxation are sampled further."""
_ARRAYS = tuple(one.name for one in dataclasses.fields(Options) if one.name not in ("choices", "figures"))
_FIGURE = "figure "

Tell = Callable[[int, int], None]
"""Called with what is done and what there is; it may raise StoppedError, and then nothing is left behind."""


class StoppedError(Exception):
    """Ends sampling that nobody wants any more; caught in this room, never a user's."""


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn: how many of each option, with which seed, and who works on it."""

    samples: int
    seed: int
    running: Running = Running()


@dataclass(frozen=True, eq=False)
class SampledOptions:
    """Options of an open world with their samples; N samples, O options."""

    world: Scenario
    options: Options
    means: Floats
    """What each is worth by all samples, (O,): those near the relaxation have more samples than others."""
    near: Near
    drawing: Drawing

    @cached_property
    def problem(self) -> PortfolioProblem:
        """The portfolio problem of the open world, options worth their means."""
        return state(self.world, self.options, worths=self.means)

    @cached_property
    def places(self) -> dict[Choice, int]:
        """The number of each option."""
        return {choice: place for place, choice in enumerate(self.options.choices)}


def samples_key(world: Scenario, drawing: Drawing, known: str = "") -> str:
    """Digest of all that the samples of an open world rest on; `known` is the world's own digest, if it is at hand."""
    rests_on = [_FORMAT, VERSION, known or digest(world), drawing.samples, drawing.seed]
    return hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()


def sample_options(world: Scenario, drawing: Drawing, tell: Tell = lambda _done, _total: None) -> SampledOptions:
    """Sample every option of an open world, portion by portion; those near the relaxation further.

    Raises: what `tell` raises, between portions; InfeasibleError and SolverError as `refine` does.
    """
    choices = candidates(world)
    starts = range(0, max(len(choices), 1), _PORTION)
    total, parts = len(starts) + _FURTHER, list[Options]()
    for done, start in enumerate(starts):
        tell(done, total)
        some = choices[start : start + _PORTION]
        each = world.optimiser.risk.money != "expected"
        asked: dict[str, Any] = {"samples": drawing.samples, "seed": drawing.seed, "each_payment": each}
        parts.append(sample(world, some, **asked, running=drawing.running))
    options = joined_options(parts)
    posed = Instance(world, options, state(world, options), drawing.samples, drawing.seed, drawing.running)
    done = len(parts)

    def go_on() -> None:
        nonlocal done
        tell(min(done, total - 1), total)
        done += 1

    refined = refine(posed, Solving(), progress=go_on)
    tell(total, total)
    return SampledOptions(world, options, refined.problem.expected_value, refined.near, drawing)


# --- the file -------------------------------------------------------------------------------------


def write_samples(path: Path, found: SampledOptions) -> None:
    """Write samples whole, or not at all. Raises OutputError."""
    choices, worths = found.options.choices, found.near.found.samples
    arrays: dict[str, Any] = {name: getattr(found.options, name) for name in _ARRAYS}
    arrays |= {_FIGURE + name: column for name, column in found.options.figures.items()}
    arrays |= {name: np.array([getattr(one, name) for one in choices]) for name in ("technology", "mode", "partner")}
    arrays |= {"start_year": np.array([one.start_year for one in choices], np.int64)}
    arrays |= {"means": found.means, "near": found.near.options, "charges": found.near.charges}
    arrays |= {"counts": np.array([len(one) for one in worths], np.int64), "worths": np.concatenate([*worths, []])}
    arrays |= {"key": np.array(samples_key(found.world, found.drawing))}
    content = io.BytesIO()
    np.savez_compressed(content, **{name: column for name, column in arrays.items() if column is not None})
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise OutputError((Fault(str(path), "must be writable", error.strerror or str(error)),)) from None


_BROKEN = (
    OSError, ValueError, LookupError, EOFError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged file may raise."""


def read_samples(path: Path, world: Scenario, drawing: Drawing) -> SampledOptions | None:
    """The samples of a file, if they are those of this world; None where there are none, others, or a broken file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            if str(held["key"]) != samples_key(world, drawing):
                return None
            return _options_from({name: held[name] for name in held.files}, world, drawing)
    except _BROKEN:
        return None


def _options_from(held: dict[str, Any], world: Scenario, drawing: Drawing) -> SampledOptions:
    told = (held[name].tolist() for name in ("technology", "mode", "partner", "start_year"))
    choices = tuple(Choice(*one) for one in zip(*told, strict=True))
    figures = {name.removeprefix(_FIGURE): one for name, one in held.items() if name.startswith(_FIGURE)}
    columns: dict[str, Any] = {name: held.get(name) for name in _ARRAYS}
    options = Options(choices, figures=figures, **columns)
    some, charges = held["near"], held["charges"]
    worths = np.split(held["worths"], held["counts"].cumsum()[:-1]) if len(some) else []
    codes = {code: g for g, code in enumerate(world.technologies)}
    group = np.array([codes[choices[o].technology] for o in some], np.int64)
    found = estimates_of(worths, group, charges[some], options.award[some])
    return SampledOptions(world, options, held["means"], Near(some, charges, found), drawing)
