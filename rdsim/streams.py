"""Which luck serves which purpose: what chooses never reports.

A number of a replication is part of the address of everything that is drawn in it (`rdsim.draws`), so that two purposes
are independent of one another if they share no number. All purposes are here, side by side; a test holds them apart.
Results rest on these numbers: none may be moved.
"""

from __future__ import annotations

from dataclasses import dataclass

from rdsim.errors import Fault, InputError

__all__ = [
    "ASKED",
    "ASSUMING",
    "BATCHES",
    "CHANGING",
    "CHECKING",
    "CHOOSING",
    "COMPARING",
    "EFFORT",
    "EVALUATION",
    "FORESEEING",
    "INFORMATION",
    "JUDGING",
    "MEASURED_AGAINST",
    "PROSPECTS",
    "RECHOSEN",
    "REDECIDED",
    "REFINING",
    "REPEATS",
    "REPLICATIONS",
    "REPORTED",
    "SAMPLES",
    "SAMPLING",
    "SEARCHING",
    "SELECTING",
    "Stream",
]


@dataclass(frozen=True)
class Stream:
    """Numbers kept for one purpose: `size` of them, from `first` on."""

    purpose: str
    first: int
    size: int

    @property
    def end(self) -> int:
        """The first number that is no longer its own."""
        return self.first + self.size

    def numbers(self, count: int) -> range:
        """The first `count` numbers. Raises InputError if the stream has not so many."""
        if not 0 <= count <= self.size:
            raise InputError((Fault(self.purpose, f"takes at most {self.size:,} numbers", str(count)),))
        return range(self.first, self.first + count)

    def after(self, count: int) -> Stream:
        """What is left of the stream after its first `count` numbers. Raises InputError if it has not so many."""
        return Stream(self.purpose, self.numbers(count).stop, self.size - count)

    def number(self, place: int) -> int:
        """One number, by its place from 0. Raises InputError if the stream has not so many."""
        return self.after(place).numbers(1).start


# --- replications of the simulation ---------------------------------------------------------------

REPORTED = Stream("replications that results are reported of", 0, 2**30)
SEARCHING = Stream("replications that guide the loop", 2**30, 2**29)
SELECTING = Stream("replications that select among the loop's portfolios", 2**30 + 2**29, 2**28)
FORESEEING = Stream("replications that imagined futures are made of", 2**30 + 2**29 + 2**28, 2**28)
SAMPLING = Stream("samples of options, which state the problem", 2**31, 2**29)
PROSPECTS = Stream("samples of what may still be decided, year by year", 2**31 + 2**29, 2**29)
REFINING = Stream("further samples of promising options", 2**31 + 2**30, 2**29)
ASKED = Stream("replications that choose among portfolios when a run is asked what if", 2**32 - 2**29, 2**27)
MEASURED_AGAINST = Stream("replications that choose what a benchmark measures against", 2**32 - 2**29 + 2**27, 2**27)
CHECKING = Stream("samples on which a plan is decided again from nothing", 2**32 - 2**28, 2**27)
COMPARING = Stream("replications that compare choices of one technology", 2**32 - 2**27, 2**27)

REPLICATIONS = (
    REPORTED,
    SEARCHING,
    SELECTING,
    FORESEEING,
    SAMPLING,
    PROSPECTS,
    REFINING,
    ASKED,
    MEASURED_AGAINST,
    CHECKING,
    COMPARING,
)

# --- samples with a seed of their own (`rdsim.optimiser.questions.confidence.stream_seed`) ------------------

CHOOSING = Stream("the sample that chooses the candidate", 0, 1)
BATCHES = Stream("batches that are solved anew", 1, 2**20 - 1)
EVALUATION = Stream("samples that judge the candidate", 2**20, 2**20)
INFORMATION = Stream("worlds that are solved in hindsight", 2**21, 2**21)
REDECIDED = Stream("samples that judge what each batch chose", 2**22, 2**30 - 2**22)
JUDGING = Stream("samples that judge a plan's options", 2**30, 2**30)
REPEATS = Stream("repeats of an experiment, after the first, each decided and judged anew", 2**31 + 2**30, 2**20)
EFFORT = Stream("procedures gone through anew, which tell what more effort adds", 2**31 + 2**30 + 2**29, 2**20)
ASSUMING = Stream("decisions under other assumptions, and what judges them", 2**31, 2**20)
CHANGING = Stream("decisions under a change, and what judges them", 2**31 + 2**20, 2**20)
RECHOSEN = Stream("decisions of a benchmark made anew", 2**31 + 2**21, 2**20)

SAMPLES = (
    CHOOSING,
    BATCHES,
    EVALUATION,
    INFORMATION,
    REDECIDED,
    JUDGING,
    REPEATS,
    EFFORT,
    ASSUMING,
    CHANGING,
    RECHOSEN,
)
