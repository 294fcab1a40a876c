"""`python -m benchmarks.answers [--seed 2] [NAME ...]`: every shipped experiment again, on another seed.

What an experiment's README calls sure is in `answers/NAME.json` beside it. Each experiment runs again, decided on other
samples and judged on other luck, and what it says is set beside what was written. Exit code 1 if a sure statement
turned, a sweep is not complete, or an experiment has answers that were never written down.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rdsim.errors import RdsimError
from rdsim.native.threads import cores
from rdsim.sweep import Experiment, manifest_of, read, read_sweep, run
from rdsim.sweep.again import StatementChange, changes, read_answers
from rdsim.sweep.answers import statements

__all__ = ["Outcome", "again", "experiments", "main"]

EXPERIMENTS = Path(__file__).parent.parent / "experiments"


@dataclass(frozen=True)
class Outcome:
    """What another seed says of an experiment: its changes, or what kept it from being asked."""

    name: str
    changes: Sequence[StatementChange] = ()
    fault: str = ""

    @property
    def stands(self) -> bool:
        """Whether nothing that was called sure turned."""
        return not self.fault and all(one.outcome != "turned" for one in self.changes)

    def lines(self) -> Iterator[str]:
        """For the terminal: counts, then every statement that does not simply hold."""
        counts = Counter(one.outcome for one in self.changes)
        told = ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing is stated"
        yield f"{self.name}: {self.fault or told}"
        yield from (f"  {one.outcome.upper()} {one}" for one in self.changes if one.outcome in ("turned", "moved"))
        yield from (f"  {one.outcome} {one}" for one in self.changes if one.outcome == "weaker")


def experiments(folder: Path = EXPERIMENTS, names: Sequence[str] = ()) -> list[Path]:
    """The files of experiments that state answers, or those that are named."""
    files = [folder / f"{name}.toml" for name in names] or sorted(folder.glob("*.toml"))
    return [file for file in files if names or read(file).answers]


def again(file: Path, seed: int, results: Path, jobs: int = 1) -> Outcome:
    """Run an experiment on another seed, and compare what it says with what was written beside its README."""
    wanted = read(file)
    try:
        written = read_answers(_record(wanted))
        if written.seed == seed:
            return Outcome(wanted.name, fault=f"was written on seed {seed} itself: give another")
        folder = results / f"{wanted.name}-{seed}"
        run(replace(wanted, seed=seed), folder, jobs=jobs, force=True)
        return Outcome(wanted.name, changes(written, statements(read_sweep(folder), manifest_of(folder))))
    except RdsimError as error:
        return Outcome(wanted.name, fault=" ".join(str(error).split()))


def _record(experiment: Experiment) -> Path:
    return experiment.path(str(experiment.scenario)) / "answers" / f"{experiment.name}.json"


def main(words: Sequence[str]) -> int:
    """Run them all; 0 if everything that was called sure stands."""
    asked = _parser().parse_args(words)
    outcomes = []
    for file in experiments(asked.experiments, asked.names):
        outcomes.append(again(file, asked.seed, asked.out, asked.jobs or cores()))
        print("\n".join(outcomes[-1].lines()), flush=True)
    fallen = [one.name for one in outcomes if not one.stands]
    print(f"{len(outcomes) - len(fallen)} of {len(outcomes)} experiments stand on seed {asked.seed}")
    return 1 if fallen else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments; by default all that state answers")
    parser.add_argument("--seed", type=int, default=2, help="seed of choosing and luck (2)")
    parser.add_argument("--out", type=Path, default=Path("results/answers"), help="folder of the sweeps")
    parser.add_argument("--experiments", type=Path, default=EXPERIMENTS, help="folder of the experiments")
    parser.add_argument("--jobs", type=int, default=0, help="worker processes; by default one for each core")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
