"""rdsim: which technologies to fund, with which partner countries, from which year - and what will come of it.

>>> import rdsim
>>> scenario = rdsim.examples.medical_ai()
>>> portfolio = rdsim.optimise(scenario, samples=50).portfolio
>>> outcomes = rdsim.simulate(scenario, portfolio, replications=20, seed=1)
>>> len(outcomes.replications)
20

Four nouns: a `Scenario` (the world), a `Portfolio` of `Choice`s (what is funded), draws (a seed), and outcomes
(`Simulation`: pandas frames). Verbs: `load`, `check`, `optimise`, `simulate`, `trace`, `plan`, `read_portfolio`
and `write_portfolio`; `export` makes a scenario one workbook, which `load` reads, and `import_book` a folder of that.
An `Experiment` varies scenarios and policies; `read_sweep` reads what came of it. `compare` tells what differs between
finished runs, `index` what runs a folder holds, `verify` whether a run is what it says. `examples` holds the scenarios
that come with rdsim. What goes wrong is an `RdsimError`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from rdsim.version import VERSION

if TYPE_CHECKING:
    from rdsim import examples
    from rdsim.comparison import RunComparison, compare
    from rdsim.domain import Choice, Portfolio, Scenario
    from rdsim.errors import ExperimentError, InfeasibleError, InputError, RdsimError, SolverError
    from rdsim.optimiser import Solving
    from rdsim.overview import RunIndex, index
    from rdsim.plans import Plan, plan
    from rdsim.portfolio import read as read_portfolio
    from rdsim.portfolio import write as write_portfolio
    from rdsim.reproduction import Verification, verify
    from rdsim.scenario import check, import_book, load
    from rdsim.search import Proposal, optimise
    from rdsim.simulation import Running, Simulation, simulate, trace
    from rdsim.sweep import Experiment, Factor, Sweep, read_sweep
    from rdsim.workbook import export

__all__ = [
    "Choice",
    "Experiment",
    "ExperimentError",
    "Factor",
    "InfeasibleError",
    "InputError",
    "Plan",
    "Portfolio",
    "Proposal",
    "RdsimError",
    "RunComparison",
    "RunIndex",
    "Running",
    "Scenario",
    "Simulation",
    "SolverError",
    "Solving",
    "Sweep",
    "Verification",
    "__version__",
    "check",
    "compare",
    "examples",
    "export",
    "import_book",
    "index",
    "load",
    "optimise",
    "plan",
    "read_portfolio",
    "read_sweep",
    "simulate",
    "trace",
    "verify",
    "write_portfolio",
]

__version__ = VERSION

# Where each public name lives. They are imported when first used: `rdsim --help` must not wait for numba.
_HOMES = {
    "Choice": ("portfolio", "Choice"),
    "Experiment": ("sweep", "Experiment"),
    "ExperimentError": ("errors", "ExperimentError"),
    "Factor": ("sweep", "Factor"),
    "InfeasibleError": ("errors", "InfeasibleError"),
    "InputError": ("errors", "InputError"),
    "Plan": ("plans", "Plan"),
    "Portfolio": ("portfolio", "Portfolio"),
    "Proposal": ("search", "Proposal"),
    "RdsimError": ("errors", "RdsimError"),
    "RunComparison": ("comparison", "RunComparison"),
    "RunIndex": ("overview", "RunIndex"),
    "Running": ("simulation", "Running"),
    "Scenario": ("scenario", "Scenario"),
    "Simulation": ("simulation", "Simulation"),
    "SolverError": ("errors", "SolverError"),
    "Solving": ("optimiser", "Solving"),
    "Sweep": ("sweep", "Sweep"),
    "Verification": ("reproduction", "Verification"),
    "check": ("scenario", "check"),
    "compare": ("comparison", "compare"),
    "export": ("workbook", "export"),
    "import_book": ("scenario", "import_book"),
    "index": ("overview", "index"),
    "load": ("scenario", "load"),
    "optimise": ("search", "optimise"),
    "plan": ("plans", "plan"),
    "read_portfolio": ("portfolio", "read"),
    "read_sweep": ("sweep", "read_sweep"),
    "simulate": ("simulation", "simulate"),
    "trace": ("simulation", "trace"),
    "verify": ("reproduction", "verify"),
    "write_portfolio": ("portfolio", "write"),
}


def __getattr__(name: str) -> object:
    if name == "examples":
        return importlib.import_module("rdsim.examples")
    if name not in _HOMES:
        raise AttributeError(f"module 'rdsim' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(f"rdsim.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
