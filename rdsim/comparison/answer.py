"""Runs compared with the first of them: the tables, and the sentences that tell them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from rdsim.arguments import check_arguments
from rdsim.brief import count, listing
from rdsim.comparison.choices import choice_table
from rdsim.comparison.figures import RESULTS, RunPair, money_table, result_table
from rdsim.comparison.inputs import input_table
from rdsim.comparison.reading import FinishedRun, read_runs
from rdsim.comparison.words import Remark, choice_words, input_words, money_words, result_words
from rdsim.languages import ENGLISH, Message, noting, retold, speaking
from rdsim.languages import gettext as _

__all__ = ["RunComparison", "compare"]


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Runs and what differs between the first and each of the others: four tables, whose column `run` names the other.

    Columns `first` and `second` are of the first run and of the other; a difference is the other's less the first's.
    Money is in the runs' `money_unit`.
    """

    runs: tuple[FinishedRun, ...]
    inputs: pd.DataFrame
    """A row for each input that differs: kind, path and both values as text."""
    choices: pd.DataFrame
    """A row for each decision that differs, with how firm it was in each run."""
    money: pd.DataFrame
    """A row for each year, field and partner and who pays."""
    results: pd.DataFrame
    """A row for each figure that both runs estimate: means, difference with its interval, who is better how often."""
    noted: Mapping[str, Message] = field(default_factory=dict)
    """What texts of the tables say, by their English."""

    @cached_property
    def pairs(self) -> tuple[RunPair, ...]:
        """The first run with each of the others."""
        return _pairs(self.runs)

    def lines_of(self, pair: RunPair) -> Mapping[str, list[Remark]]:
        """What is said of one pair, by topic: inputs, choices, money, results; in English, which knows what it says."""
        topics = {"inputs": input_words, "choices": choice_words, "money": money_words, "results": result_words}
        label = pair.second.label
        with speaking(ENGLISH), noting(self.noted):
            return {
                name: list(words(pair, table[table["run"] == label]))
                for (name, words), table in zip(topics.items(), self.tables.values(), strict=True)
            }

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The four tables, by name."""
        return {"inputs": self.inputs, "choices": self.choices, "money": self.money, "results": self.results}

    @property
    def lines(self) -> list[str]:
        """All of it in plain sentences, pair by pair, as the terminal tells it."""
        found = list[str]()
        for pair in self.pairs:
            head = _("{run} compared with {base}:").format(run=pair.second.label, base=pair.first.label)
            found += [head, *(retold(one.on_terminal) for lines in self.lines_of(pair).values() for one in lines)]
        return found

    def __repr__(self) -> str:
        labels = listing(run.label for run in self.runs)
        return f"RunComparison of {count(len(self.runs), 'run')}: {labels}"


@check_arguments()
def compare(first: str | Path, *others: str | Path) -> RunComparison:
    """Compare finished runs of plan, simulate or optimise, by their folders, with the first of them.

    Results are paired, replication by replication, where the runs have one seed, and unpaired (Welch) where not; with
    several others the intervals of each figure hold together.

    Raises:
        InputError: for an argument that is no path.
        RunError: with the faults of every folder that is no run, lacks a portfolio, has a damaged table, or states
            money in another unit; and for fewer than two runs.
        PortfolioError: for a portfolio that cannot be read.

    >>> from pathlib import Path
    >>> import rdsim
    >>> from rdsim import findings, results
    >>> scenario, portfolio = rdsim.examples.starter(), rdsim.Portfolio((rdsim.Choice("C1", start_year=2026, rank=1),))
    >>> for count in (20, 40):
    ...     found = rdsim.simulate(scenario, portfolio, replications=count)
    ...     _ = results.write(findings.of_simulation(found), results.Run(Path(f"results/of-{count}")))
    >>> rdsim.compare("results/of-20", "results/of-40")
    RunComparison of 2 runs: of-20, of-40
    """
    runs = read_runs((first, *others))
    pairs = _pairs(runs)
    with speaking(ENGLISH), noting() as noted:  # files hold English
        return RunComparison(
            runs,
            _all(pairs, lambda pair: input_table(pair.first, pair.second)),
            _all(pairs, lambda pair: choice_table(pair.first, pair.second)),
            _all(pairs, money_table),
            _all(pairs, _results),
            noted,
        )


def _pairs(runs: tuple[FinishedRun, ...]) -> tuple[RunPair, ...]:
    return tuple(RunPair(runs[0], other, len(runs) - 1) for other in runs[1:])


def _results(pair: RunPair) -> pd.DataFrame:
    if pair.first.is_simulated and pair.second.is_simulated:
        return result_table(pair)
    return pd.DataFrame(columns=list(RESULTS))


def _all(pairs: tuple[RunPair, ...], make: Callable[[RunPair], pd.DataFrame]) -> pd.DataFrame:
    """Tables below one another; those without rows give their columns."""
    tables = [make(pair) for pair in pairs]
    filled = [one for one in tables if len(one)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
