"""HiGHS where it fails."""

from __future__ import annotations

import highspy

from rdsim.optimiser.adapters.highs import Highs


class _Failing:
    """A HiGHS that fails until it is told to be stricter."""

    def __init__(self) -> None:
        self.strict, self.ran = False, 0

    def run(self) -> highspy.HighsStatus:
        self.ran += 1
        return highspy.HighsStatus.kOk if self.strict else highspy.HighsStatus.kError

    def getModelStatus(self) -> highspy.HighsModelStatus:  # noqa: N802 - HiGHS's name
        return highspy.HighsModelStatus.kOptimal if self.strict else highspy.HighsModelStatus.kSolveError

    def clearSolver(self) -> highspy.HighsStatus:  # noqa: N802 - as above
        return highspy.HighsStatus.kOk

    def setOptionValue(self, name: str, value: object) -> highspy.HighsStatus:  # noqa: N802 - as above
        self.strict |= (name, value) == ("presolve", "off")
        return highspy.HighsStatus.kOk


def test_a_failure_is_tried_again_more_strictly() -> None:
    """HiGHS 1.16 fails on relaxations whose coefficients differ by 18 orders of magnitude, but not without presolve."""
    failing = _Failing()
    Highs().run_whole(failing)
    assert (failing.ran, failing.strict) == (2, True)
