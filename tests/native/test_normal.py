"""The normal distribution: quantiles and probabilities beside scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from rdsim.native.normal import probability, quantile

P = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 4001), 10.0 ** -np.arange(1, 16), 1 - 10.0 ** -np.arange(1, 16)])


def test_quantiles_are_exact_to_the_last_digits_in_the_middle_and_in_the_tails() -> None:
    found = np.array([quantile(float(p)) for p in P])
    assert found == pytest.approx(ndtri(P), rel=2e-15, abs=1e-15)


def test_quantiles_rise_and_are_symmetric_about_one_half() -> None:
    found = np.array([quantile(float(p)) for p in np.sort(P)])
    assert (np.diff(found) >= 0).all()
    assert quantile(0.5) == 0.0
    assert all(quantile(float(p)) == -quantile(1.0 - float(p)) for p in (0.25, 0.0625, 2.0**-20))


def test_the_smallest_and_largest_numbers_of_the_generator_have_quantiles() -> None:
    assert -8.3 < quantile(2.0**-53) < -8.1
    assert 8.1 < quantile(1 - 2.0**-53) < 8.3


def test_probabilities_agree_and_undo_quantiles() -> None:
    x = np.linspace(-8, 8, 1001)
    assert np.array([probability(float(v)) for v in x]) == pytest.approx(ndtr(x), rel=1e-12)
    assert np.array([probability(quantile(float(p))) for p in P]) == pytest.approx(P, rel=1e-11)
