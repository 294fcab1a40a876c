"""How likely it is that a project does so many TRL steps in the months that it was looked at.

A record says how many steps were done within a window of T months, and nothing of when; the step that was under way
at the end is censored. With independent step times X the probability of K steps is P(S_K <= T) - P(S_{K+1} <= T),
where S_K is the sum of the first K of them. Sums of lognormal or gamma times with unequal medians have no closed
form: their distributions are convolved on a grid of months (fast Fourier transform). A covariate multiplies all
times of a project, which is the same as dividing its window.

A step is what the simulation calls one (`model.md`): attempts follow one another as long as they end in a setback,
and a step that fails in the end looks, in a record of gains alone, like one that is slow. Where a record says how the
project ended, completing a step and failing at it are competing risks (Kalbfleisch & Prentice 2002, The Statistical
Analysis of Failure Time Data, chapter 8): with F the time until the step under way fails in the end,

    reached   P(S_K <= T)                             it took no further step
    failed    P(S_K + F_{K+1} <= T)
    under way P(S_K <= T) - P(S_{K+1} <= T) - P(S_K + F_{K+1} <= T)     stopped or running

S has the mass of success and F that of failure. Where a project ended just when it reached or failed, the first two are
taken within the month of T and not up to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import gammainc, gammaincinv, ndtr

from rdsim.arrays import Floats
from rdsim.case import attempt_success
from rdsim.domain import Steps

__all__ = ["GRID", "Kind", "Law", "Windows", "gain_probabilities", "window_probabilities"]

Kind = Literal["lognormal", "gamma"]

GRID = 0.5
"""Months between grid points: halving it changes no fitted median of the shipped records by 0.5%."""

_LEVELS = 9


@dataclass(frozen=True)
class Law:
    """Times of one attempt at the steps from TRL 1..8: medians in months, a common log standard deviation, and the
    distribution; and how often each step succeeds, all attempts together, with which chance of another attempt."""

    medians: tuple[float, ...]
    sigma: float
    kind: Kind = "lognormal"
    success: tuple[float, ...] = (1.0,) * 8
    setback: float = Steps().setback_probability
    attempts: int = Steps().attempts

    def within(self, median: float, months: Floats) -> Floats:
        """P(an attempt at a step of that median takes at most so many months)."""
        ratio = np.maximum(months, 0.0) / median
        if self.kind == "gamma":
            # The simulation's gamma has the coefficient of variation of the lognormal of the same sigma.
            shape = 1.0 / max(float(np.expm1(self.sigma**2)), 1e-9)
            return np.asarray(gammainc(shape, ratio * gammaincinv(shape, 0.5)))
        with np.errstate(divide="ignore"):
            return np.asarray(ndtr(np.log(ratio) / self.sigma))

    def weights(self, success: float) -> Floats:
        """Probability that a step succeeds with just so many attempts, (attempts,); they add up to `success`."""
        one, goes_on = self._attempt(success)
        return np.asarray(one * goes_on ** np.arange(self.attempts))

    def failure_weights(self, success: float) -> Floats:
        """Probability that a step fails for good at just so many attempts, (attempts,); up to 1 - `success`."""
        one, goes_on = self._attempt(success)
        ends = np.full(self.attempts, (1.0 - one) * (1.0 - self.setback))
        ends[-1] = 1.0 - one
        return np.asarray(ends * goes_on ** np.arange(self.attempts))

    def _attempt(self, success: float) -> tuple[float, float]:
        """Chances that an attempt succeeds, and that it is a setback."""
        one = _once(success, self.setback, self.attempts)
        return one, (1.0 - one) * self.setback


@dataclass(frozen=True)
class Windows:
    """Probabilities of what happened by the end of windows, of any shape."""

    at_least: Floats  # (..., 10) so many steps were done
    failed: Floats  # (..., 9) so many steps were done, and the next one failed


@functools.lru_cache(maxsize=256)
def _once(success: float, setback: float, attempts: int) -> float:
    return float(attempt_success(np.array([success]), setback, attempts)[0])


def gain_probabilities(law: Law, begin: npt.NDArray[np.int64], windows: Floats, grid: float = GRID) -> Floats:
    """Probability of each number of steps, shape (N, 9), for projects that begin at a TRL and have so many months.

    Windows are months already divided by what multiplies a project's times.
    """
    at_least = _Steps(law, begin, windows, grid).at_least()
    return np.maximum(at_least[..., :-1] - at_least[..., 1:], 0.0)


def window_probabilities(law: Law, begin: npt.NDArray[np.int64], windows: Floats, grid: float = GRID) -> Windows:
    """What happens within windows, (..., N), of projects that begin at a TRL (N,)."""
    steps = _Steps(law, begin, windows, grid)
    return Windows(steps.at_least(), steps.failures())


class _Steps:
    """Distributions of step times on the grid, as spectra: multiplying them convolves."""

    def __init__(self, law: Law, begin: npt.NDArray[np.int64], windows: Floats, grid: float) -> None:
        self.law = law
        self.windows = windows
        self.size = int(np.ceil(windows.max() / grid)) + 2
        # A cell's middle is a whole multiple of the grid; what lies beyond the last is not asked for.
        self.edges = np.asarray((np.arange(self.size + 1) - 0.5) * grid, np.float64)
        # Sums of two cells reach twice as far: room for them keeps what wraps around out of sight.
        self.length = next_fast_len(2 * self.size, real=True)
        self.firsts, self.mine = np.unique(begin), [begin == first for first in np.unique(begin).tolist()]
        # Steps of the same median and success are transformed once.
        self.kinds, self.place = np.unique(np.column_stack([law.medians, law.success]), axis=0, return_inverse=True)

    def at_least(self) -> Floats:
        """Probability of at least so many steps within windows, (..., N, 10)."""
        found = np.zeros((*self.windows.shape, _LEVELS + 1))
        found[..., 0] = 1.0
        for done, masses in enumerate(self.sums[1:], start=1):
            found[..., done] = self._within(masses)
        return found

    def failures(self) -> Floats:
        """Probability of so many steps and then a failure within windows, (..., N, 9)."""
        found = np.zeros((*self.windows.shape, _LEVELS))
        spectra = self._spectra(self.law.failure_weights)
        for done, masses in enumerate(self.sums):
            steps = self._next_steps(done)
            if steps.size:
                found[..., done] = self._within(self._convolution(masses[: steps.size], spectra[steps - 1]))
        return found

    @functools.cached_property
    def sums(self) -> list[Floats]:
        """Masses of the time of 0, 1, ... steps, a row for each beginning in ascending order.

        All beginnings go on together, each with its next step, and drop out at TRL 9: the last of them first.
        """
        spectra = self._spectra(self.law.weights)
        masses = np.zeros((len(self.firsts), self.size))
        masses[:, 0] = 1.0
        found = [masses]
        for done in range(_LEVELS):
            steps = self._next_steps(done)
            if not steps.size:
                break
            found.append(self._convolution(found[-1][: steps.size], spectra[steps - 1]))
        return found

    def _next_steps(self, done: int) -> npt.NDArray[np.int64]:
        """The step that follows so many, of each beginning that has one."""
        return np.asarray(self.firsts[self.firsts + done < _LEVELS] + done)

    def _within(self, masses: Floats) -> Floats:
        """Masses, a row for each of the first beginnings, summed up to windows; 0 for the beginnings beyond."""
        found = np.zeros(self.windows.shape)
        reached = np.concatenate([np.zeros((len(masses), 1)), np.cumsum(masses, axis=1)], axis=1)
        for mine, upto in zip(self.mine, reached, strict=False):
            found[..., mine] = np.interp(self.windows[..., mine], self.edges, upto)
        return found

    def _spectra(self, weights: Callable[[float], Floats]) -> npt.NDArray[np.complex128]:
        """Of the time until the steps from TRL 1..8 end as `weights` says by attempt, a row each."""
        medians, success = self.kinds.T
        attempt = np.diff(np.array([self.law.within(float(median), self.edges) for median in medians]))
        each = np.array([weights(float(one)) for one in success])
        own, so_far = rfft(attempt, self.length), attempt
        total = attempt * each[:, :1]
        for weight in each[:, 1:].T:
            so_far = self._convolution(so_far, own)
            total = total + weight[:, None] * so_far
        return np.asarray(rfft(total, self.length)[self.place.ravel()])

    def _convolution(self, masses: Floats, spectra: npt.NDArray[np.complex128]) -> Floats:
        """Row by row."""
        return np.asarray(irfft(rfft(masses, self.length) * spectra, self.length)[:, : self.size])
