"""Experiments: a scenario, what is done with it, what is varied and what is measured; written as a TOML file.

See `experiments/README.md` for the format. Everything is checked before anything runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdsim.arguments import check_arguments
from rdsim.sweep.origin import settings_of_sweep
from rdsim.sweep.runner import Sweep, run
from rdsim.sweep.settings import ExperimentSettings, read_as

__all__ = ["Experiment", "experiment_of_sweep", "read"]


@dataclass(frozen=True)
class Experiment(ExperimentSettings):
    """What to run. Factors may be given as lists of values or as tables, as a file would.

    >>> import rdsim
    >>> experiment = rdsim.Experiment(
    ...     rdsim.examples.medical_ai(),
    ...     factors={"partner_effect.duration_gain": [0.0, 0.3]},
    ...     policy="value-per-cost",
    ...     replications=20,
    ... )
    >>> found = experiment.run()
    >>> list(found.table["partner_effect.duration_gain"])
    [0.0, 0.3]
    """

    @check_arguments()
    def run(
        self,
        folder: str | Path | None = None,
        *,
        executor: Executor | None = None,
        jobs: int = 1,
        retry_failed: bool = False,
        force: bool = False,
        partial: bool = False,
    ) -> Sweep:
        """Run what the folder does not hold yet, on any Executor of `concurrent.futures`, and read all of it.

        Without a folder nothing is kept but what is returned. Without an executor, in this process or, with several
        `jobs`, in as many; those do not run the script again that calls this, which needs no ``__main__`` guard.
        Raises ExperimentError with every fault before anything runs, and OutputError for a folder that holds another
        experiment, which is replaced with `force` only; SweepError at the end, when all is kept in the folder, if a
        point failed or is not done, unless `partial` sweeps are welcome.
        """
        how: dict[str, Any] = {"executor": executor, "jobs": jobs, "retry_failed": retry_failed}
        return run(self, folder, **how, force=force, partial=partial)


def read(path: str | Path) -> Experiment:
    """The experiment of a TOML file. Raises ExperimentError with every fault of its form."""
    return read_as(Experiment, path)


def experiment_of_sweep(folder: str | Path, plugins: Sequence[str | Path] = ()) -> Experiment:
    """The experiment of a sweep that was run, with its scenario and portfolios, as the sweep's own folder holds them.

    `plugins` are files of those that it used: they are code, and run only if they are named again. Raises
    ExperimentError if the folder holds none, or not as it was written, or a plug-in is not named.
    """
    return settings_of_sweep(Experiment, Path(folder), [Path(one) for one in plugins])
