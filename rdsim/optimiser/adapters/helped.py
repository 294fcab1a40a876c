"""A solver with another beside it, which does what the first does not declare."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rdsim.arrays import Floats
from rdsim.optimiser.adapters.answers import Feature, RunLimits, SolverResult, SolverState
from rdsim.optimiser.adapters.solver import Relaxation, Solver, is_linear
from rdsim.optimiser.models.model import Model

__all__ = ["NEEDED", "Helped"]

NEEDED = frozenset({Feature.RELAXATION, Feature.BOUND})
"""Features that rdsim needs of every solver."""


@dataclass(frozen=True)
class Helped(Solver):
    """A solver and who helps it: who solves linear models, and bounds the objective where no optimum is claimed."""

    solver: Solver
    helper: Solver

    @property
    def name(self) -> str:
        """The solver's name."""
        return self.solver.name

    @property
    def version(self) -> str:
        """The solver's version."""
        return self.solver.version

    @property
    def features(self) -> frozenset[Feature]:
        """What the solver can, and what is done for it."""
        return self.solver.features | NEEDED

    def ask(self, model: Model, limits: RunLimits, *, relaxed: bool, start: Floats | None) -> SolverResult:
        """See `Solver.ask`: the solver itself."""
        return self.solver.ask(model, limits, relaxed=relaxed, start=start)

    def run(
        self, model: Model, limits: RunLimits, *, relaxed: bool = False, start: Floats | None = None
    ) -> SolverResult:
        """See `Solver.run`."""
        if is_linear(model, relaxed) and Feature.RELAXATION not in self.solver.features:
            return self.helper.run(model, limits, relaxed=relaxed, start=start)
        answer = self.solver.run(model, limits, relaxed=relaxed, start=start)
        bounded = answer.state is not SolverState.STOPPED or Feature.BOUND in self.solver.features
        return answer if bounded else self._with_bound(model, limits, answer)

    def relaxation(self, model: Model) -> Relaxation:
        """See `Solver.relaxation`."""
        able = Feature.RELAXATION in self.solver.features
        return self.solver.relaxation(model) if able else super().relaxation(model)

    def _with_bound(self, model: Model, limits: RunLimits, answer: SolverResult) -> SolverResult:
        """What ended early, with the linear relaxation's word on the objective."""
        relaxed = self.helper.run(model, replace(limits, seconds=None), relaxed=True)
        if relaxed.state is SolverState.INFEASIBLE:
            return relaxed
        return replace(answer, bound=relaxed.bound if relaxed.state is SolverState.OPTIMAL else math.inf)
