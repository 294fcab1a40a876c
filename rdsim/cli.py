"""The command line: arguments in, results and one-line errors out; no logic.

Exit codes: 0 done; 2 invalid input or usage; 3 infeasible; 4 finished with part of the work missing, or no answer.
Libraries are imported when a command needs them: `rdsim --help` answers at once.
"""

from __future__ import annotations

import contextlib
import enum
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdsim.errors import Fault, InputError, RdsimError

if TYPE_CHECKING:
    from rdsim.domain import Scenario
    from rdsim.plugins import Plugin
    from rdsim.results import Run

__all__ = ["app", "main"]

MOST_FAULTS = 40
INTERRUPTED = 130
INFEASIBLE = 3
INCOMPLETE = 4

app = typer.Typer(
    help="Decide which technologies to fund, with which partner countries, from which year - and see what will "
    "probably come of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class EngineName(enum.StrEnum):
    """Engines by name."""

    compiled = "compiled"
    simpy = "simpy"


class SolverName(enum.StrEnum):
    """Solvers by name."""

    highs = "highs"
    cbc = "cbc"


Folder = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Folder of the scenario.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a setting by dotted path; may be given several times."),
]
Out = Annotated[Path | None, typer.Option(help="Folder for the results; by default the next free one under results/.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a finished run.")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed of all draws; by default the scenario's.")]
Replications = Annotated[
    int | None, typer.Option(min=2, max=10_000_000, help="Replications; by default the scenario's.")
]
Engine = Annotated[EngineName, typer.Option(help="Simulation engine; both give the same outcomes.")]
Solver = Annotated[SolverName, typer.Option(help="Solver of the optimiser.")]
TimeLimit = Annotated[
    float | None, typer.Option(min=0.001, help="Seconds, a safety net: when it bites, the answer may not repeat.")
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=256, help="Threads that simulate; by default one for each core.")
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin", metavar="FILE", help="Python file that registers gate policies or purse rules; repeatable."
    ),
]
Trace = Annotated[bool, typer.Option("--trace", help="Also write trace.csv: what happened in the first replication.")]


def main() -> None:
    """Run the command line; errors of rdsim become a message and their exit code."""
    try:
        app(prog_name="rdsim")
    except RdsimError as error:
        _complain(error)
        sys.exit(error.exit_code)


def _announce_compilation() -> None:
    from rdsim.native.cache import is_cold  # noqa: PLC0415

    if is_cold():
        text = "first run: compiling the simulation engine, which takes about half a minute; it is then kept"
        print(text, file=sys.stderr)  # noqa: T201


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C before anything is finished: say so, and leave nothing behind."""
    _announce_compilation()
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted: nothing was finished, nothing was written", file=sys.stderr)  # noqa: T201
        raise typer.Exit(INTERRUPTED) from None


def _complain(error: RdsimError) -> None:
    text = str(error)
    if isinstance(error, InputError) and len(error.faults) > MOST_FAULTS:
        shown = type(error)(error.faults[:MOST_FAULTS])
        lines = str(shown).splitlines()[1:]
        text = "\n".join([text.splitlines()[0], *lines, f"  ... and {len(error.faults) - MOST_FAULTS} more"])
    print(f"error: {text}", file=sys.stderr)  # noqa: T201


def _warn(faults: tuple[Fault, ...]) -> None:
    for fault in faults[:MOST_FAULTS]:
        print(f"warning: {fault}", file=sys.stderr)  # noqa: T201


def _load(folder: Path, overrides: list[str] | None) -> Scenario:
    from rdsim.scenario import load  # noqa: PLC0415

    return load(folder, overrides or [])


def _plug_in(paths: list[Path] | None) -> tuple[Plugin, ...]:
    """Run the plug-ins, before the scenario that names what they register is read."""
    from rdsim.plugins import load  # noqa: PLC0415

    return load(paths or [])


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage, on a terminal; nothing elsewhere."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    bars: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = progress.add_task(stage, total=total)
            progress.update(bars[stage], completed=done, total=total)

        yield tell


def _claim(out: Path | None, name: str, overrides: list[str] | None, force: bool, plugins: tuple[Plugin, ...]) -> Run:
    """The run's place, refused before anything long runs if it cannot be used."""
    from rdsim import results  # noqa: PLC0415

    run = results.Run(out or results.free_folder(name), tuple(overrides or ()), force, plugins)
    results.claim(run)
    return run


@app.command()
def new(folder: Annotated[Path, typer.Argument(help="Folder to make.")]) -> None:
    """Make a small scenario folder to start from."""
    from rdsim.scenario import start  # noqa: PLC0415

    start(folder)
    typer.echo(f"made {folder}: edit it, then try 'rdsim check {folder}' and 'rdsim plan {folder}'")


@app.command()
def check(scenario: Folder, overrides: Set = None, plugins: Plugins = None) -> None:
    """Check a scenario: every fault at once, then cheap bounds on what can be done at all."""
    from rdsim import scenario as rooms  # noqa: PLC0415

    _plug_in(plugins)
    world = _load(scenario, overrides)
    faults = rooms.check(world)
    _warn((*faults, *rooms.remarks(world)))
    typer.echo(
        f"{world.name}: valid; {len(world.programmes)} programmes, {len(world.technologies)} technologies, "
        f"{len(world.partners)} partners, {_pairs(world)} eligible combinations of technology, partner and mode"
    )
    if faults:
        typer.echo("no portfolio can meet every demand: see the warnings", err=True)
        raise typer.Exit(INFEASIBLE)


def _pairs(world: Scenario) -> int:
    from rdsim.scenario import eligible  # noqa: PLC0415

    joint = [(code, mode) for code, partner in world.partners.items() for mode in partner.modes]
    pairs = [("", "domestic"), *joint]
    return sum(not eligible(world, name, partner, mode) for name in world.technologies for partner, mode in pairs)


@app.command()
def schema() -> None:
    """Print the JSON schema of scenarios, for editors."""
    from rdsim.scenario import schema as describe  # noqa: PLC0415

    typer.echo(json.dumps(describe(), indent=2, ensure_ascii=False))


@app.command()
def simulate(
    scenario: Folder,
    portfolio: Annotated[Path, typer.Option(help="CSV file of the portfolio.")],
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    replications: Replications = None,
    overrides: Set = None,
    engine: Engine = EngineName.compiled,
    threads: Threads = None,
    plugins: Plugins = None,
    trace: Trace = False,
) -> None:
    """Simulate a portfolio."""
    from rdsim import findings, results  # noqa: PLC0415
    from rdsim import portfolio as portfolios  # noqa: PLC0415
    from rdsim.simulation import simulate as run  # noqa: PLC0415
    from rdsim.simulation import trace as follow  # noqa: PLC0415

    plugged = _plug_in(plugins)
    world = _load(scenario, overrides)
    place = _claim(out, f"{world.name}-simulate", overrides, force, plugged)
    chosen = portfolios.read(portfolio, world)
    with _interruptible(), _progress() as progress:
        count, done = replications or world.simulation.replications, 0

        def tell(more: int) -> None:
            nonlocal done
            done += more
            progress("simulate", done, count)

        found = run(
            world, chosen, replications=replications, seed=seed, engine=engine.value, threads=threads, progress=tell
        )
    story = follow(world, chosen, seed=seed) if trace else None
    results.write_simulation(found, place, story)
    typer.echo(findings.describe_simulation(found))
    typer.echo(f"written to {place.folder}")


@app.command()
def optimise(
    scenario: Folder,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    replications: Annotated[
        int | None,
        typer.Option(min=2, max=1_000_000, help="Replications behind each option."),
    ] = None,
    overrides: Set = None,
    solver: Solver = SolverName.highs,
    time_limit: TimeLimit = None,
    engine: Engine = EngineName.compiled,
    threads: Threads = None,
    plugins: Plugins = None,
) -> None:
    """Choose a portfolio: expected values, each option simulated alone."""
    from rdsim import findings, results  # noqa: PLC0415
    from rdsim.search import propose  # noqa: PLC0415

    plugged = _plug_in(plugins)
    world = _load(scenario, overrides)
    place = _claim(out, f"{world.name}-optimise", overrides, force, plugged)
    with _interruptible():
        proposal = propose(
            world,
            samples=replications,
            seed=seed,
            solver=solver.value,
            time_limit=time_limit,
            engine=engine.value,
            threads=threads,
        )
    results.write_proposal(world, proposal, world.simulation.seed if seed is None else seed, place)
    typer.echo(findings.describe_proposal(world, proposal))
    typer.echo(f"written to {place.folder}")


@app.command()
def plan(
    scenario: Folder,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    replications: Replications = None,
    overrides: Set = None,
    solver: Solver = SolverName.highs,
    time_limit: TimeLimit = None,
    engine: Engine = EngineName.compiled,
    threads: Threads = None,
    plugins: Plugins = None,
) -> None:
    """Check, optimise, simulate beside simple rules, and report."""
    from rdsim import findings, results  # noqa: PLC0415
    from rdsim import scenario as rooms  # noqa: PLC0415
    from rdsim.planning import plan as run  # noqa: PLC0415

    plugged = _plug_in(plugins)
    world = _load(scenario, overrides)
    _warn((*rooms.check(world), *rooms.remarks(world)))
    place = _claim(out, world.name, overrides, force, plugged)
    with _interruptible(), _progress() as progress:
        found = run(
            world,
            replications=replications,
            seed=seed,
            engine=engine.value,
            solver=solver.value,
            time_limit=time_limit,
            threads=threads,
            progress=progress,
        )
    results.write_plan(found, place)
    typer.echo(findings.describe_plan(found))
    typer.echo(f"written to {place.folder}; open {place.folder / 'report.html'}")
    if found.missing:
        typer.echo(f"interrupted: still missing {', '.join(found.missing)}", err=True)
        raise typer.Exit(INCOMPLETE)
