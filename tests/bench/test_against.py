"""A benchmark against an earlier one: ratios with intervals that cover, what is flagged, files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rdsim.bench.against import COLUMNS, SOLVING, STAGE, VALUE, changes, ratio_of_means, read_measurements
from rdsim.errors import InputError

RNG = np.random.default_rng(2)
LUCK = RNG.normal(100.0, 20.0, 200)


def values(amounts: np.ndarray, seed: int = 1, subject: str = "plan") -> pd.DataFrame:
    head = {"scenario": "s", "digest": "d", "seed": seed, "what": VALUE, "world": "as-stated", "subject": subject}
    return pd.DataFrame({**head, "number": np.arange(len(amounts)), "amount": amounts})[list(COLUMNS)]


def times(amounts: list[float], subject: str = "highs, exact, to a gap of 1%") -> pd.DataFrame:
    head = {"scenario": "", "digest": "", "seed": 0, "what": SOLVING, "subject": subject, "number": 0}
    worlds = [f"problem {place}" for place in range(len(amounts))]
    return pd.DataFrame({**head, "world": worlds, "amount": amounts})[list(COLUMNS)]


def test_with_one_seed_a_small_loss_is_seen() -> None:
    worse = LUCK - 2.0 + RNG.normal(0, 1, 200)
    (row,) = changes(values(worse), values(LUCK)).itertuples()
    assert row.paired
    assert row.verdict == "less"
    assert row.ratio_low < row.ratio < row.ratio_high < 1.0
    assert row.ratio == pytest.approx(worse.mean() / LUCK.mean())


def test_with_another_seed_it_is_not_and_nothing_is_flagged() -> None:
    (row,) = changes(values(RNG.permutation(LUCK) - 2.0, seed=2), values(LUCK)).itertuples()
    assert not row.paired
    assert row.verdict == "no change shown"
    assert row.ratio_low < 1.0 < row.ratio_high


def test_the_same_is_no_change() -> None:
    (row,) = changes(values(LUCK), values(LUCK)).itertuples()
    assert (row.ratio, row.low, row.high, row.verdict) == (1.0, 0.0, 0.0, "no change shown")


def test_no_ratio_to_what_is_not_told_apart_from_nothing() -> None:
    around = LUCK - LUCK.mean()
    (row,) = changes(values(around + 5), values(around)).itertuples()
    assert np.isnan(row.ratio_low)
    assert row.verdict == "more", "the difference is known all the same"


def test_times_are_compared_problem_by_problem() -> None:
    before = [0.1, 1.0, 10.0, 100.0, 3.0, 7.0]
    after = [2.0 * one * factor for one, factor in zip(before, (0.9, 1.0, 1.1, 1.0, 0.95, 1.05), strict=True)]
    (row,) = changes(times(after), times(before)).itertuples()
    assert row.verdict == "slower"
    assert row.ratio == pytest.approx(2.0, rel=0.05)
    assert 1.5 < row.ratio_low < row.ratio_high < 2.5
    (same,) = changes(times(before), times(before)).itertuples()
    assert same.verdict == "no change shown"


def test_what_was_not_proven_then_or_now_is_left_out() -> None:
    (row,) = changes(times([1.0, np.inf, 2.0]), times([1.0, 5.0, np.inf])).itertuples()
    assert (row.n, row.verdict) == (1, "no change shown"), "one problem tells no interval"


def test_a_stage_is_measured_once_and_never_flagged() -> None:
    row = {"scenario": "s", "digest": "d", "seed": 1, "what": STAGE, "world": "", "subject": "choosing", "number": 0}
    now, then = (pd.DataFrame([{**row, "amount": amount}]) for amount in (9.0, 1.0))
    (found,) = changes(now, then).itertuples()
    assert (found.ratio, found.verdict) == (9.0, "measured once")


def test_several_values_hold_together() -> None:
    """Of forty that did not change hardly one is flagged, for their intervals hold together."""
    rng = np.random.default_rng(0)
    flagged = 0
    for _ in range(25):
        luck = rng.normal(100.0, 20.0, 60)
        pairs = [(luck + rng.normal(0, 1, 60), f"p{place}") for place in range(40)]
        now = pd.concat([values(one, subject=name) for one, name in pairs])
        then = pd.concat([values(luck, subject=name) for _, name in pairs])
        flagged += bool((changes(now, then)["verdict"] != "no change shown").any())
    assert flagged <= 5


def test_a_ratio_covers() -> None:
    covered = 0
    for number in range(400):
        rng = np.random.default_rng([number, 5])
        luck = rng.normal(50.0, 10.0, 40)
        found = ratio_of_means(luck * 0.8 + rng.normal(0, 3, 40), luck, 0.95, paired=True)
        covered += found.low <= 0.8 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_a_benchmark_is_read_again_by_its_file_or_folder(tmp_path: Path) -> None:
    values(LUCK).to_parquet(tmp_path / "measurements.parquet")
    for path in (tmp_path, tmp_path / "measurements.parquet"):
        assert len(read_measurements(path)) == 200


def test_what_is_no_benchmark_is_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "a.parquet", tmp_path / "b.parquet"
    text.write_text("no parquet")
    pd.DataFrame({"x": [1]}).to_parquet(other)
    for path, told in ((tmp_path / "none.parquet", "nothing there"), (text, "measurements"), (other, "no column")):
        with pytest.raises(InputError, match=told):
            read_measurements(path)
