"""How likely it is that a project does so many TRL steps in the months that it was looked at.

A record says how many steps were done within a window of T months, and nothing of when; the step that was under way
at the end is censored. With independent step times X the probability of K steps is P(S_K <= T) - P(S_{K+1} <= T),
where S_K is the sum of the first K of them. Sums of lognormal or gamma times with unequal medians have no closed
form: their distributions are convolved on a grid of months (fast Fourier transform). A covariate multiplies all
times of a project, which is the same as dividing its window.

A step is what the simulation calls one (`model.md`): attempts follow one another as long as they end in a setback,
and a step that fails in the end looks, in a record, like one that is slow. How often that happens is held fixed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import gammainc, gammaincinv, ndtr

from rdsim.arrays import Floats
from rdsim.case import attempt_success
from rdsim.domain import Steps

__all__ = ["GRID", "Kind", "Law", "gain_probabilities"]

Kind = Literal["lognormal", "gamma"]

GRID = 0.5
"""Months between grid points: halving it changes no fitted median of the shipped records by 0.5%."""

_LEVELS = 9


@dataclass(frozen=True)
class Law:
    """Times of one attempt at the steps from TRL 1..8: medians in months, a common log standard deviation, and the
    distribution; and how often a step succeeds, all attempts together, with which chance of another attempt."""

    medians: tuple[float, ...]
    sigma: float
    kind: Kind = "lognormal"
    success: float = 1.0
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

    @property
    def weights(self) -> Floats:
        """Probability that the step succeeds with just so many attempts, (attempts,); they add up to `success`."""
        one = _once(self.success, self.setback, self.attempts)
        return np.asarray(one * ((1.0 - one) * self.setback) ** np.arange(self.attempts))


@functools.lru_cache(maxsize=256)
def _once(success: float, setback: float, attempts: int) -> float:
    return float(attempt_success(np.array([success]), setback, attempts)[0])


def gain_probabilities(law: Law, begin: npt.NDArray[np.int64], windows: Floats, grid: float = GRID) -> Floats:
    """Probability of each number of steps, shape (N, 9), for projects that begin at a TRL and have so many months.

    Windows are months already divided by what multiplies a project's times.
    """
    firsts, place = np.unique(begin, return_inverse=True)
    steps = _Steps(law, int(np.ceil(windows.max() / grid)) + 2, grid)
    return steps.gains(firsts, place, windows)


class _Steps:
    """Distributions of step times on the grid, as spectra: multiplying them convolves."""

    def __init__(self, law: Law, size: int, grid: float) -> None:
        self.size = size
        # A cell's middle is a whole multiple of the grid; what lies beyond the last is not asked for.
        self.edges = np.asarray((np.arange(size + 1) - 0.5) * grid, np.float64)
        # Sums of two cells reach twice as far: room for them keeps what wraps around out of sight.
        self.length = next_fast_len(2 * size, real=True)
        self.spectra = self._spectra(law)

    def _spectra(self, law: Law) -> npt.NDArray[np.complex128]:
        """Of the steps from TRL 1..8, a row each; steps of equal medians are transformed once."""
        medians, place = np.unique(np.array(law.medians), return_inverse=True)
        attempt = np.diff(np.array([law.within(float(median), self.edges) for median in medians]))
        own, so_far = rfft(attempt, self.length), attempt
        total = attempt * law.weights[0]
        for weight in law.weights[1:].tolist():
            so_far = self._convolution(so_far, own)
            total = total + weight * so_far
        return np.asarray(rfft(total, self.length)[place])

    def _convolution(self, masses: Floats, spectra: npt.NDArray[np.complex128]) -> Floats:
        """Row by row."""
        return np.asarray(irfft(rfft(masses, self.length) * spectra, self.length)[:, : self.size])

    def gains(self, firsts: npt.NDArray[np.int64], place: npt.NDArray[np.int64], windows: Floats) -> Floats:
        """Probability of each number of steps, (N, 9), of projects that begin at `firsts[place]`, in ascending order.

        All beginnings go on together, each with its next step, and drop out at TRL 9: the last of them first.
        """
        at_least = np.zeros((len(windows), _LEVELS + 1))
        at_least[:, 0] = 1.0
        masses = np.zeros((len(firsts), self.size))
        masses[:, 0] = 1.0
        for done in range(1, _LEVELS):
            steps = firsts[firsts + done <= _LEVELS] + done - 1
            if not steps.size:
                break
            masses = self._convolution(masses[: steps.size], self.spectra[steps - 1])
            reached = np.concatenate([np.zeros((steps.size, 1)), np.cumsum(masses, axis=1)], axis=1)
            for row in range(steps.size):
                mine = place == row
                at_least[mine, done] = np.interp(windows[mine], self.edges, reached[row])
        return np.maximum(at_least[:, :-1] - at_least[:, 1:], 0.0)
