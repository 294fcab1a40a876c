"""The command line: arguments in, results and one-line errors out; no logic.

Exit codes: 0 done; 1 a run that is not as it was written, or not the same again; 2 invalid input or usage; 3
infeasible; 4 finished with part of the work missing, or no answer; 5 a defect of rdsim.
Libraries are imported when a command needs them: `rdsim --help` answers at once.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
import dataclasses
import difflib
import enum
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
import typer.core

from rdsim import completion
from rdsim.complaints import DEBUG, INCOMPLETE, exit_code_of, notices_in_one_line, printable_streams
from rdsim.defaults import DEFAULT_SOLVER
from rdsim.errors import DrawingError, Fault, InputError, fault_lines
from rdsim.languages import ENGLISH, NP_, VARIABLE, active, pgettext, readers_language, require, retold, speaking
from rdsim.languages import gettext as _
from rdsim.unproven import unproven_solves, unproven_words
from rdsim.version import VERSION

if TYPE_CHECKING:
    from rdsim.bench import BenchRequest
    from rdsim.domain import Scenario
    from rdsim.plugins import Plugin
    from rdsim.reproduction import Repetition
    from rdsim.results import Run, Written
    from rdsim.runs import Earlier
    from rdsim.studies import Option, Question, StudySettings
    from rdsim.study import Study
    from rdsim.sweep import Estimate, Experiment, Sweep

__all__ = ["app", "main"]

MOST_FAULTS = 40
OTHERWISE = 1
"""Exit code of what is looked at again, and is otherwise than it was."""
INTERRUPTED = 130
INFEASIBLE = 3
_LONGEST = 80
"""Characters of a name that is put together from others, which a file system must take."""

_HELD = contextlib.ExitStack()
"""What a command holds until it ends: the places of its results."""


class _Commands(typer.core.TyperGroup):
    """The commands that stand here, and one for each question that is registered."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._own = dict(self.commands)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look up the questions, which stand behind `report`, before any word is read; unless it is of no question."""
        if not args or args[0] not in self._own:
            self._look_up(args)
        return super().parse_args(ctx, args)

    def _look_up(self, args: list[str]) -> None:
        from rdsim.studies import QUESTIONS  # noqa: PLC0415

        questions = QUESTIONS.at_hand()
        if not args or args[0] not in questions:
            questions = dict(QUESTIONS)  # those of installed packages too: to list them, or to find one
        self.commands.clear()
        for name, command in self._own.items():
            self.commands[name] = command
            if name == "report":
                self.commands.update({one: _command_of(one, question) for one, question in questions.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command; of one that is not known, which was meant, or that a plug-in may bring it."""
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            close = difflib.get_close_matches(name, list(self.commands))
            meant = f"Did you mean {', '.join(map(repr, close))}?" if close else "If it is a plug-in's: --plugin FILE."
            ctx.fail(f"No such command {name!r}. {meant}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    help="Decide which technologies to fund, with which partner countries, from which year - and see what will "
    "probably come of it.",
    no_args_is_help=True,
    epilog="Example: rdsim new my-scenario, then rdsim plan my-scenario",
    pretty_exceptions_enable=False,
)


_CONTEXT: contextvars.ContextVar[Any] = contextvars.ContextVar("command")
"""The command that runs, with what was typed for it."""


class _Command(typer.core.TyperCommand):
    """A command that a run can be asked for again by."""

    def invoke(self, ctx: Any) -> Any:
        """Run it, and let `_command_line` see what was typed."""
        _CONTEXT.set(ctx)
        return super().invoke(ctx)


_SCENARIOS, _PLANNING, _QUESTIONS = "Scenarios", "Planning", "Questions about a plan"
_RESEARCH, _EVIDENCE = "Research", "Evidence"
"""Groups of commands, as `rdsim --help` shows them."""


def _help_of(group: str, example: str, *, repeats: bool = True) -> dict[str, Any]:
    """How a command is shown: in its group, with an example; those that make runs can be asked for again."""
    of_kind: dict[str, Any] = {"cls": _Command} if repeats else {}
    return {"rich_help_panel": group, "epilog": f"Example: {example}", **of_kind}


class EngineName(enum.StrEnum):
    """Engines by name."""

    compiled = "compiled"
    simpy = "simpy"


def _solver(name: str) -> str:
    """A solver that is installed; any but the default is looked for before anything long runs."""
    if name != DEFAULT_SOLVER:
        from rdsim.optimiser.adapters import solver_fault  # noqa: PLC0415

        fault = solver_fault(name)
        if fault is not None:
            raise InputError((fault,))
    return name


def _language(name: str) -> str:
    """A language that rdsim speaks, before anything long runs."""
    return require(name)


_OF_SCENARIO = typer.Argument(
    metavar="SCENARIO", help="Folder, or workbook (.xlsx), of the scenario.", autocompletion=completion.scenarios
)
Folder = Annotated[Path, _OF_SCENARIO]
FolderOrNone = Annotated[Path | None, _OF_SCENARIO]
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
Solver = Annotated[
    str, typer.Option(callback=_solver, help="Solver of the optimiser: highs, cbc, or another that PuLP finds.")
]
TimeLimit = Annotated[
    float | None, typer.Option(min=0.001, help="Seconds, a safety net: when it bites, the answer may not repeat.")
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=256, help="Threads that simulate; by default one for each core.")
]
Stated = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Instead of a scenario: folder of a portfolio problem stated by tables."),
]
Behind = Annotated[int | None, typer.Option(min=2, max=1_000_000, help="Replications behind each option.")]
ProvenGap = Annotated[
    float | None,
    typer.Option(min=0.0, max=0.999, help="Relative gap to prove; by default the scenario's, of a problem 0."),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Python file that registers gate policies, purse rules, solvers, studies and the like; repeatable.",
    ),
]
Language = Annotated[
    str,
    typer.Option(
        "--language",
        envvar=VARIABLE,
        show_envvar=False,
        callback=_language,
        metavar="CODE",
        help=f"Language of the page and of what is said here, en or ko; by default that of {VARIABLE}, or English.",
    ),
]
Trace = Annotated[bool, typer.Option("--trace", help="Also write trace.csv: what happened in the first replication.")]

With = Annotated[
    str | None,
    typer.Option(
        "--with",
        metavar="NAME,NAME...",
        help="Then ask questions of the plan, as explain,frontier: each a section of its page, kept in its folder.",
    ),
]


def main() -> None:
    """Run the command line; errors of rdsim become a message and their exit code."""
    from rdsim.signals import terminate_like_ctrl_c  # noqa: PLC0415

    printable_streams()
    notices_in_one_line()
    terminate_like_ctrl_c()
    given = sys.argv[1:]
    words = [one for one in given if one != DEBUG]
    with _HELD, unproven_solves() as unproven:
        try:
            code = exit_code_of(
                lambda: app(_run_plugins(words), prog_name="rdsim"), given, debug=len(words) < len(given)
            )
        except SystemExit as stop:
            if stop.code or not unproven:
                raise
            code = 0
    if unproven and not code:
        print(f"incomplete: {unproven_words(unproven)}", file=sys.stderr)  # noqa: T201
        code = INCOMPLETE
    if code:
        sys.exit(code)


def _run_plugins(words: list[str]) -> list[str]:
    """The words, after the plug-ins among them were run: a command, or a solver, may be one of theirs.

    Plug-ins that are named before the command then stand behind it, where it hears of them.
    """
    named = list(_plugin_words(words[: words.index("--")] if "--" in words else words))
    _plug_in([Path(one) for one in named])
    before = 0
    while before < len(words) and words[before].partition("=")[0] == "--plugin":
        before += 1 if "=" in words[before] else 2
    command, rest = words[before : before + 1], words[before + 1 :]
    return words if not command or command[0].startswith("-") else [*command, *words[:before], *rest]


def _plugin_words(words: list[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        name, given, value = word.partition("=")
        if name == "--plugin" and (given or place + 1 < len(words)):
            yield value if given else words[place + 1]


def _announce_compilation() -> None:
    from rdsim.native.cache import is_cold  # noqa: PLC0415

    if is_cold():
        text = _("first run: compiling the simulation engine, which takes about half a minute; it is then kept")
        print(text, file=sys.stderr)  # noqa: T201


@contextlib.contextmanager
def _interruptible(*, compiles: bool = True, left: str = "") -> Iterator[None]:
    """Ctrl-C before anything is finished: say so, and what is left behind."""
    if compiles:
        _announce_compilation()
    try:
        yield
    except KeyboardInterrupt:
        left = left or _("nothing was finished, nothing was written")
        print(_("interrupted: {left}").format(left=left), file=sys.stderr)  # noqa: T201
        raise typer.Exit(INTERRUPTED) from None


def _warn(faults: tuple[Fault, ...]) -> None:
    for line in fault_lines(faults)[:MOST_FAULTS]:
        print(f"warning: {line}", file=sys.stderr)  # noqa: T201


def _remarks(world: Scenario) -> tuple[Fault, ...]:
    """What a planner may not have meant: settings that go unused, and median projects that come to nothing."""
    from rdsim import outlook  # noqa: PLC0415
    from rdsim import scenario as rooms  # noqa: PLC0415

    return (*rooms.remarks(world), *outlook.remarks(world))


_BRIEF = ["optimiser.what_if.repeats=0"]
"""What a plan is told that is not asked what would change it."""


def _load(folder: Path, overrides: list[str] | None) -> Scenario:
    from rdsim.scenario import load  # noqa: PLC0415

    return load(folder, overrides or [])


def _plug_in(paths: list[Path] | None) -> tuple[Plugin, ...]:
    """Run the plug-ins, before the scenario that names what they register is read."""
    if not paths:
        return ()
    from rdsim.plugins import load  # noqa: PLC0415

    return load(paths)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage, on a terminal; nothing elsewhere."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    bars: dict[str, TaskID] = {}
    language = active()
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                with speaking(language):  # what is computed is told in English
                    bars[stage] = progress.add_task(pgettext("stage", stage), total=total)
            progress.update(bars[stage], completed=done, total=total)

        yield tell


_STAGES = (
    *(NP_("stage", "optimise"), NP_("stage", "search"), NP_("stage", "simulate"), NP_("stage", "firmness")),
    *(NP_("stage", "assume"), NP_("stage", "break even"), NP_("stage", "absence"), NP_("stage", "lapse")),
    *(NP_("stage", "change"), NP_("stage", "partners"), NP_("stage", "samples"), NP_("stage", "repeat")),
    *(NP_("stage", "roll"), NP_("stage", "foresee"), NP_("stage", "decide")),
)
"""Stages that a bar is shown for, as they call themselves."""

_UNREPEATED = frozenset({"out", "force", "jobs", "dask", "retry_failed"})


def _command_line() -> tuple[str, ...]:
    """The command as typed, made canonical: what was given, by the long names of options, in one order.

    Left out is where results go, and who works how long on them, where no number depends on it.
    """
    context = _CONTEXT.get()
    solving = context.params.get("problem") is not None
    arguments, options = list[str](), list[str]()
    for parameter in context.command.params:
        name = parameter.name or ""
        if not _is_typed(context, name) or name in _UNREPEATED:
            continue
        if name == "threads" and not solving:
            continue
        words = _option_words(parameter, context.params[name])
        (arguments if parameter.param_type_name == "argument" else options).extend(words)
    guarded = [*options, "--", *arguments] if any(word.startswith("-") for word in arguments) else arguments + options
    return (*context.command_path.split(), *guarded)


_NO_SETTINGS = frozenset({
    "scenario", "problem", "portfolio", "overrides", "plugins", "out", "force", "questions", "brief_page", "language",
    "threads", "jobs",
})  # fmt: skip
"""Parameters that are no settings: they name what else a run holds, where it goes, or who works how long on it."""


def _settings() -> dict[str, Any]:
    """What the command was told, defaults included, by name: by it a run is made again from its own folder."""
    context = _CONTEXT.get()
    given = {name: value for name, value in context.params.items() if name not in _NO_SETTINGS}
    return {name: value.value if isinstance(value, enum.Enum) else value for name, value in given.items()
            if not _is_path(value)}  # fmt: skip


def _is_path(value: object) -> bool:
    every = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(one, Path) for one in every)


def _is_typed(context: Any, name: str) -> bool:
    found: str = context.get_parameter_source(name).name
    return found in ("COMMANDLINE", "ENVIRONMENT")


def _option_words(parameter: Any, value: object) -> list[str]:
    """A parameter as words of a command."""
    every = value if isinstance(value, list | tuple) else [value]
    texts = [str(one.value if isinstance(one, enum.Enum) else one) for one in every]
    if parameter.param_type_name == "argument":
        return texts
    name = max(parameter.opts, key=len)
    if isinstance(value, bool):
        return [name if value else max(parameter.secondary_opts, key=len)]
    return [word for text in texts for word in (name, text)]


def _claim(
    out: Path | None,
    name: str,
    overrides: list[str] | None,
    force: bool,
    plugins: tuple[Plugin, ...],
    scenario: Path | None = None,
) -> Run:
    """The run's place, reserved before anything long runs, and refused if it cannot be used."""
    from rdsim import results  # noqa: PLC0415

    place = results.claim(name, out, force=force)
    _HELD.callback(place.release)
    for sentence in place.words:
        typer.echo(sentence, err=True)
    asked = (_command_line(), "" if scenario is None else scenario.as_posix())
    return results.Run(place.folder, tuple(overrides or ()), force, plugins, *asked, place=place, settings=_settings())


def _finish(study: Study, run: Run, plan: Path | None = None) -> None:
    """Write a run, tell what it found, and where it is; if it lacks something, the exit code is 4.

    `plan` is the folder of the plan's run that it is an answer of: the plan's page then shows it.
    """
    from rdsim import results  # noqa: PLC0415

    try:
        found = results.write(study, run)
    finally:
        typer.echo("\n".join(map(retold, study.lines)))
    with contextlib.ExitStack() as last:
        if plan is not None:
            last.callback(_show, plan)
        _tell_result(found)


def _show(plan: Path) -> None:
    """Draw a plan's page with what was asked of it; if that cannot be done, the exit code is 4."""
    from rdsim import asking  # noqa: PLC0415

    if not asking.show(plan, _tell):
        raise typer.Exit(INCOMPLETE)


def _tell_result(found: Written) -> None:
    for sentence in found.words:
        typer.echo(sentence, err=True)
    told = _("written to {folder}; open {page}") if found.drawn else _("written to {folder}")
    typer.echo(told.format(folder=found.folder, page=found.folder / "report.html"))
    if found.missing:
        told = (
            _("incomplete: still missing {parts} ({reason})") if found.why else _("incomplete: still missing {parts}")
        )
        typer.echo(told.format(parts=", ".join(found.missing), reason=found.why), err=True)
        if found.drawable and not found.drawn:
            told = _("all that was computed is kept; to draw the page: rdsim report {folder}")
            typer.echo(told.format(folder=found.folder), err=True)
        raise typer.Exit(INCOMPLETE)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"rdsim {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show the details of a defect of rdsim here instead of keeping them in a file.")
    ] = False,
    plugins: Plugins = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version of rdsim, and end.")
    ] = False,
) -> None:
    """Decide which technologies to fund, with which partner countries, from which year."""


@app.command(**_help_of(_SCENARIOS, "rdsim new my-scenario --from korea-2024"))
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="NAME",
            help="Copy a scenario that comes with rdsim, its parts and experiments too; 'rdsim scenarios' lists them.",
            autocompletion=completion.shipped_names,
        ),
    ] = "",
) -> None:
    """Make a scenario folder to start from: a small one, or a copy of one that comes with rdsim."""
    from rdsim.scenario import start  # noqa: PLC0415

    start(folder, source)
    typer.echo(f"made {folder}: edit it, then try 'rdsim check {folder}' and 'rdsim plan {folder}'")


@app.command(**_help_of(_SCENARIOS, "rdsim scenarios", repeats=False))
def scenarios() -> None:
    """List the scenarios that come with rdsim: what each is, and what it asks."""
    from rdsim import shipped  # noqa: PLC0415

    found = shipped.scenarios()
    for one in found:
        typer.echo(f"{one.name}: {one.title}\n    asks {one.asks}")
    typer.echo("to edit a copy: rdsim new my-scenario --from NAME" if found else "no scenario came with this rdsim")


@app.command(**_help_of(_SCENARIOS, "rdsim check my-scenario --set calibration=lenient"))
def check(scenario: Folder, overrides: Set = None, plugins: Plugins = None) -> None:
    """Check a scenario: every fault at once, then cheap bounds on what can be done at all."""
    from rdsim import scenario as rooms  # noqa: PLC0415
    from rdsim.brief import count  # noqa: PLC0415

    _plug_in(plugins)
    world = _load(scenario, overrides)
    rooms.require_bounds(world)
    faults = rooms.check(world)
    _warn((*faults, *_remarks(world)))
    typer.echo(
        f"{world.name}: valid; {count(len(world.programmes), 'programme')}, "
        f"{count(len(world.technologies), 'technology')}, {count(len(world.partners), 'partner')}, "
        f"{count(_pairs(world), 'eligible combination')} of technology, partner and mode"
    )
    for line in (*rooms.success_lines(world), *rooms.judgement_lines(world)):
        typer.echo(line)
    for name, one in rooms.screenings(world).items():
        layers = f"in {one.layers} layer{'' if one.layers == 1 else 's'}" if one.layers else "by lot"
        typer.echo(f"{name}: the screening keeps {one.kept} of {one.candidates} candidates, {layers}")
    parts = rooms.part_names(scenario)
    if parts:
        used = f"; in use: {', '.join(world.parts)}" if world.parts else ""
        typer.echo(f"optional parts: {', '.join(parts)} (--set parts=NAME){used}")
    if faults:
        typer.echo("no portfolio can meet every demand: see the warnings", err=True)
        raise typer.Exit(INFEASIBLE)


def _pairs(world: Scenario) -> int:
    from rdsim.scenario import eligible  # noqa: PLC0415

    joint = [(code, mode) for code, partner in world.partners.items() for mode in partner.modes]
    pairs = [("", "domestic"), *joint]
    return sum(not eligible(world, name, partner, mode) for name in world.technologies for partner, mode in pairs)


@app.command(**_help_of(_SCENARIOS, "rdsim schema > scenario.schema.json"))
def schema() -> None:
    """Print the JSON schema of scenarios, for editors."""
    from rdsim.scenario import schema as describe  # noqa: PLC0415

    typer.echo(json.dumps(describe(), indent=2, ensure_ascii=False))


@app.command(**_help_of(_SCENARIOS, "rdsim export my-scenario my-scenario.xlsx"))
def export(
    scenario: Folder,
    book: Annotated[Path, typer.Argument(metavar="BOOK.XLSX", help="Workbook to write.")],
    overrides: Set = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a workbook of a scenario.")] = False,
    plugins: Plugins = None,
) -> None:
    """Write a scenario as one Excel workbook, to edit there: settings, tables, offered names and checks."""
    from rdsim import workbook  # noqa: PLC0415

    _plug_in(plugins)
    workbook.claim_file(book, force=force)
    workbook.export(_load(scenario, overrides), book, force=force, settings=overrides or ())
    typer.echo(f"written to {book}: edit it, then try 'rdsim check {book}' and 'rdsim plan {book}'")


@app.command("import", **_help_of(_SCENARIOS, "rdsim import my-scenario.xlsx from-excel"))
def import_(
    book: Annotated[Path, typer.Argument(metavar="BOOK.XLSX", help="Workbook of a scenario.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace settings and tables of the folder's scenario.")
    ] = False,
    plugins: Plugins = None,
) -> None:
    """Write the scenario of an Excel workbook as a folder of text files."""
    from rdsim.scenario import import_book  # noqa: PLC0415

    _plug_in(plugins)
    import_book(book, folder, force=force)
    typer.echo(f"written to {folder}")


@app.command(**_help_of(_PLANNING, "rdsim simulate my-scenario --portfolio mine.csv --trace"))
def simulate(
    scenario: Folder,
    portfolio: Annotated[Path, typer.Option(help="CSV file of the portfolio, or the folder of a run.")],
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
    from rdsim import findings, runs  # noqa: PLC0415
    from rdsim import portfolio as portfolios  # noqa: PLC0415
    from rdsim.simulation import Running  # noqa: PLC0415
    from rdsim.simulation import simulate as run  # noqa: PLC0415
    from rdsim.simulation import trace as follow  # noqa: PLC0415

    plugged = _plug_in(plugins)
    world = _load(scenario, overrides)
    place = _claim(out, f"{world.name}-simulate", overrides, force, plugged, scenario)
    chosen = portfolios.read(runs.portfolio_file(portfolio), world)
    with _interruptible(), _progress() as progress:
        count, done = replications or world.simulation.replications, 0

        def tell(more: int) -> None:
            nonlocal done
            done += more
            progress("simulate", done, count)

        found = run(
            world,
            chosen,
            replications=replications,
            seed=seed,
            running=Running(engine.value, threads),
            progress=tell,
        )
    story = follow(world, chosen, seed=seed) if trace else None
    _finish(findings.of_simulation(found, story), place)


@app.command(**_help_of(_PLANNING, "rdsim optimise my-scenario --set programmes.main.budget.2026=25"))
def optimise(
    scenario: FolderOrNone = None,
    problem: Stated = None,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    replications: Behind = None,
    overrides: Set = None,
    solver: Solver = DEFAULT_SOLVER,
    gap: ProvenGap = None,
    time_limit: TimeLimit = None,
    engine: Engine = EngineName.compiled,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, max=256, help="Threads that simulate (default: one for each core); of a problem, that solve."
        ),
    ] = None,
    plugins: Plugins = None,
) -> None:
    """Choose a portfolio: of a scenario, by expected values, each option simulated alone; or of a stated problem."""
    from rdsim import findings  # noqa: PLC0415
    from rdsim.optimiser import Solving  # noqa: PLC0415
    from rdsim.search import optimise  # noqa: PLC0415
    from rdsim.simulation import Running  # noqa: PLC0415

    given = {"--replications": replications, "--set": overrides}
    folder = _scenario_or_none(scenario, problem, tuple(name for name, value in given.items() if value))
    plugged = _plug_in(plugins)
    if folder is None:
        _optimise_problem(problem or Path(), out, force, plugged, solver, gap, time_limit, seed or 0, threads or 1)
        return
    world = _load(folder, overrides)
    place = _claim(out, f"{world.name}-optimise", overrides, force, plugged, folder)
    with _interruptible():
        proposal = optimise(
            world,
            samples=replications,
            seed=seed,
            solving=Solving(solver=solver, gap=gap, time_limit=time_limit),
            running=Running(engine=engine.value, threads=threads),
        )
    asked = {"gap": world.optimiser.gap if gap is None else gap, "time_limit": time_limit, "threads": 1, "seed": 0}
    told = {**asked, "untold": _untold(solver, gap=gap, time_limit=time_limit)}
    given_seed = world.simulation.seed if seed is None else seed
    _finish(findings.of_proposal(world, proposal, given_seed, told), place)


def _untold(solver: str, **typed: object) -> list[str]:
    """What the solver cannot be told; of what was typed all the same a line says so."""
    from rdsim.optimiser.adapters import find_solver, untold  # noqa: PLC0415

    found = list(untold(find_solver(solver)))
    for name in (name for name in found if typed.get(name) is not None):
        option = "--" + name.replace("_", "-")
        print(f"warning: solver {solver} cannot be told {option}, and went on without it", file=sys.stderr)  # noqa: T201
    return found


def _scenario_or_none(
    scenario: Path | None, problem: Path | None, given: tuple[str, ...], command: str = "optimise"
) -> Path | None:
    """The scenario's folder, or None for a problem; both, neither, or `given` options without meaning are refused."""
    if (scenario is None) == (problem is None):
        found = "neither" if scenario is None else "both"
        advice = f"Give 'rdsim {command} SCENARIO' or 'rdsim {command} --problem FOLDER'."
        raise InputError((Fault(f"rdsim {command}", "needs either a scenario or a problem", found, advice),))
    if problem is not None and given:
        rule = "has no meaning for a problem, which is not simulated"
        raise InputError(tuple(Fault(name, rule) for name in given))
    return scenario


def _optimise_problem(
    folder: Path,
    out: Path | None,
    force: bool,
    plugged: tuple[Plugin, ...],
    solver: str,
    gap: float | None,
    time_limit: float | None,
    seed: int,
    threads: int,
) -> None:
    """`rdsim optimise --problem`."""
    from rdsim import findings  # noqa: PLC0415
    from rdsim.optimiser import Solving  # noqa: PLC0415
    from rdsim.optimiser.problem import folder as folders  # noqa: PLC0415

    given = folders.given_problem(folder)
    posed = folders.read_statement(folder)
    place = _claim(out, f"{folder.resolve().name}-optimise", None, force, plugged)
    told = {"solver": solver, "gap": gap or 0.0, "time_limit": time_limit, "seed": seed, "threads": threads}
    _untold(solver, gap=gap, time_limit=time_limit)
    with _interruptible(compiles=False):
        study = findings.of_statement(posed, Solving(**told))  # type: ignore[arg-type]
    _finish(study, dataclasses.replace(place, problem=given, settings=told))


@app.command(**_help_of(_PLANNING, "rdsim plan my-scenario --with explain,frontier"))
def plan(
    scenario: Folder,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    replications: Replications = None,
    overrides: Set = None,
    solver: Solver = DEFAULT_SOLVER,
    time_limit: TimeLimit = None,
    engine: Engine = EngineName.compiled,
    threads: Threads = None,
    one_shot: Annotated[
        bool, typer.Option("--one-shot", help="Skip the loop of optimiser and simulator: solve once.")
    ] = False,
    questions: With = None,
    brief_page: Annotated[
        bool, typer.Option("--brief-page", help="Leave out what would change the plan, and why money lapses: quicker.")
    ] = False,
    plugins: Plugins = None,
    language: Language = ENGLISH,
) -> None:
    """Check, optimise with simulation in the loop, simulate beside simple rules, and report."""
    from rdsim import asking, findings  # noqa: PLC0415
    from rdsim import scenario as rooms  # noqa: PLC0415
    from rdsim.optimiser import Solving  # noqa: PLC0415
    from rdsim.plans import plan as run  # noqa: PLC0415
    from rdsim.simulation import Running  # noqa: PLC0415
    from rdsim.studies import StudySettings  # noqa: PLC0415

    plugged = _plug_in(plugins)
    wanted = () if questions is None else asking.require_questions(questions)
    settings = [*(overrides or []), *(_BRIEF if brief_page else [])]
    world = _load(scenario, settings)
    _warn((*rooms.check(world), *_remarks(world)))
    place = _claim(out, world.name, settings, force, plugged, scenario)
    solving, running = Solving(solver, time_limit=time_limit), Running(engine.value, threads)
    with speaking(language):
        with _interruptible(), _progress() as progress, speaking(ENGLISH):
            found = run(
                world,
                replications=replications,
                seed=seed,
                solving=solving,
                running=running,
                one_shot=one_shot,
                progress=progress,
            )
        _untold(solver, time_limit=time_limit)
        alike = StudySettings(replications=replications, seed=seed, solving=solving, running=running)
        _finish_with(findings.of_plan(found), wanted, place, alike)


_ASKED_ALIKE = ("replications", "solver", "time_limit", "engine", "plugins")
"""Options of a plan that are typed again where it is asked; the rest its run says."""


def _finish_with(study: Study, wanted: tuple[str, ...], run: Run, settings: StudySettings) -> None:
    """Write a plan, then ask it questions, if there are any; of one that lacks something none is asked."""
    if not wanted:
        _finish(study, run)
        return
    from rdsim import asking  # noqa: PLC0415

    context = _CONTEXT.get()
    typed = [one for one in context.command.params if one.name in _ASKED_ALIKE and _is_typed(context, one.name)]
    options = [(str(one.name), *_option_words(one, context.params[one.name])) for one in typed]
    assert study.scenario is not None  # noqa: S101 - of a plan
    try:
        _finish(study, run)
    except (typer.Exit, InputError):
        asking.say_how_later(asking.FinishedPlan(run, study.scenario, settings, options), wanted, _tell)
        raise
    if not asking.ask_all(asking.of_written(run, study.scenario, settings, options), wanted, _progress, _tell):
        raise typer.Exit(INCOMPLETE)


def _tell(line: str, *, err: bool = False) -> None:
    typer.echo(line, err=err)


@app.command(**_help_of(_PLANNING, "rdsim report results/my-scenario --language ko", repeats=False))
def report(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="Folder of a plan, a study, a calibration or a sweep.", autocompletion=completion.runs
        ),
    ],
    language: Language = ENGLISH,
) -> None:
    """Draw report.html again, from what the folder of a run holds."""
    from rdsim import results, sweep  # noqa: PLC0415

    if sweep.is_sweep(run):
        _draw_sweep(run)
        return
    with speaking(language):
        _tell_result(results.redraw(run))


@app.command(**_help_of(_PLANNING, "rdsim brief results/my-scenario", repeats=False))
def brief(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a plan.", autocompletion=completion.runs)],
    language: Language = ENGLISH,
) -> None:
    """Put a plan on one page, for who decides: brief.html prints to one sheet of A4, brief.svg is a slide."""
    from rdsim import results  # noqa: PLC0415

    with speaking(language):
        found = results.brief(run)
        told = _("written to {page} and, as a slide, {slide}")
        typer.echo(told.format(page=found.folder / "brief.html", slide=found.folder / "brief.svg"))


@app.command(**_help_of(_PLANNING, "rdsim serve results/my-scenario --port 0", repeats=False))
def serve(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="Folder of a run of plan, optimise or simulate.", autocompletion=completion.runs
        ),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 for any that is free.")] = 8124,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    replications: Annotated[int, typer.Option(min=2, max=100_000, help="Replications behind each answer.")] = 500,
    threads: Threads = None,
    plugins: Plugins = None,
    language: Language = ENGLISH,
) -> None:
    """Ask a run what if, in a browser: levers moved, decided again in seconds; on this machine alone, until Ctrl-C."""
    web = _web()
    from rdsim.serve import open_workplace  # noqa: PLC0415
    from rdsim.simulation import Running  # noqa: PLC0415

    asked = Running("compiled", threads)
    place, told = open_workplace(run, replications=replications, running=asked, plugins=plugins or ())
    _warn(told)
    door = web.listen(port)
    _HELD.callback(door.close)
    with speaking(language):
        with _interruptible(left=_("samples were not finished, nothing was written")), _progress() as progress:
            place.prepare(place.levers, lambda done, total: progress("samples", done, total))
            place.run_figures()
        address = f"http://127.0.0.1:{door.getsockname()[1]}/"
        typer.echo(_("open {address} in a browser on this machine; Ctrl-C ends it").format(address=address))
        if not no_browser:
            typer.launch(address)
        with contextlib.suppress(KeyboardInterrupt):
            web.serve(place, door)
        typer.echo(_("ended; answers are kept in {folder}").format(folder=place.history.folder))


def _web() -> Any:
    """What answers a browser; it is not installed with everything else."""
    try:
        from rdsim.serve import web  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "anyio", "h11"):
            raise
        rule, advice = "needs what the extra `serve` installs", "Install it: pip install 'rdsim[serve]'"
        raise InputError((Fault("rdsim serve", rule, f"no {error.name}", advice),)) from None
    return web


_Benched = Annotated[
    list[Path],
    typer.Argument(
        metavar="SCENARIO...", help="Folders, or workbooks, of scenarios.", autocompletion=completion.scenarios
    ),
]
_Portfolios = Annotated[
    list[Path] | None,
    typer.Option(metavar="PATH", help="A portfolio: a CSV file, a workbook or a run's folder; repeatable."),
]
_Rules = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="A rule for choosing; repeatable; by default all that plans are compared with."),
]
_Worlds = Annotated[
    str, typer.Option(metavar="NAME,NAME...", help="Other worlds: money, crowded, calibrations, bounds; or none.")
]
_Elsewhere = Annotated[int, typer.Option(min=2, max=1_000_000, help="Replications in each other world.")]
_Repeats = Annotated[int, typer.Option(min=0, max=1000, help="Times that choices are made anew; 0: none.")]
_Batches = Annotated[int, typer.Option(min=0, max=1000, help="Fresh samples of options that are solved anew; 0: none.")]
_Rolled = Annotated[
    int, typer.Option(min=0, max=100_000, help="Replications in which each year is decided anew; 0: none.")
]
_Raced = Annotated[
    list[str] | None,
    typer.Option(
        "--solver",
        metavar="NAME",
        help="A solver to set side by side with others; repeatable; all: every installed one.",
    ),
]
_Copies = Annotated[int, typer.Option(min=0, max=1000, help="Perturbed copies of each problem that solvers are given.")]
_Instances = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Published problems for solvers: text files in the layout of OR-Library."),
]
_Limit = Annotated[float, typer.Option(min=0.01, max=1e6, help="Seconds of a solver for each problem and gap.")]
_Timings = Annotated[int, typer.Option(min=1, max=1000, help="Times that each solver is asked each question.")]
_Against = Annotated[
    Path | None, typer.Option(metavar="PATH", help="An earlier benchmark: its folder, or its measurements.parquet.")
]
_OneShot = Annotated[bool, typer.Option("--one-shot", help="Without a plan of the loop of optimiser and simulation.")]
_Quick = Annotated[bool, typer.Option("--quick", help="Very few of everything: shows that it works, and no figures.")]


@app.command(**_help_of(_EVIDENCE, "rdsim bench my-scenario --portfolio mine.csv --one-shot"))
def bench(
    scenarios: _Benched,
    portfolio: _Portfolios = None,
    rule: _Rules = None,
    worlds: _Worlds = "money,crowded,calibrations,bounds",
    elsewhere: _Elsewhere = 400,
    repeats: _Repeats = 6,
    batches: _Batches = 6,
    rolled: _Rolled = 24,
    one_shot: _OneShot = False,
    solver: _Raced = None,
    copies: _Copies = 5,
    instances: _Instances = None,
    limit: _Limit = 60.0,
    timings: _Timings = 1,
    against: _Against = None,
    quick: _Quick = False,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    replications: Replications = None,
    overrides: Set = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    engine: Engine = EngineName.compiled,
    threads: Threads = None,
    plugins: Plugins = None,
) -> None:
    """Set portfolios side by side for reviewers: in several worlds, with ranks, regret, competitors and doubts."""
    from rdsim import bench as benchmark  # noqa: PLC0415
    from rdsim.optimiser import Solving  # noqa: PLC0415
    from rdsim.simulation import Running  # noqa: PLC0415

    plugged = _plug_in(plugins)
    counts: dict[str, Any] = {"elsewhere": elsewhere, "repeats": repeats, "batches": batches, "rolled": rolled}
    how: dict[str, Any] = {
        "solving": Solving(gap=gap, time_limit=time_limit),
        "running": Running(engine.value, threads),
    }
    chosen: dict[str, Any] = {"rules": tuple(rule or ()), "worlds": benchmark.world_kinds(worlds), "loop": not one_shot}
    asked = benchmark.BenchSettings(replications=replications, seed=seed, **counts, **how, **chosen)
    racing = benchmark.Racing(tuple(solver), limit=limit, repeats=timings, copies=copies) if solver else None
    whole = benchmark.BenchRequest(asked, tuple(portfolio or ()), racing, instances, against, quick)
    _bench(scenarios, whole, _Place(out, overrides, force, plugged))


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where results go, as it was typed, and what was typed that is in the manifest."""

    out: Path | None
    overrides: list[str] | None
    force: bool
    plugins: tuple[Plugin, ...]


def _bench(scenarios: list[Path], asked: BenchRequest, place: _Place) -> None:
    """Run a benchmark, and write what it found."""
    from rdsim import bench as benchmark  # noqa: PLC0415

    known = [_load(one, place.overrides) for one in scenarios]
    benchmark.require(known, asked)
    name = "bench-" + "-".join(one.name for one in known)[:_LONGEST]
    claimed = _claim(place.out, name, place.overrides, place.force, place.plugins, scenarios[0])
    with _interruptible(), _progress() as progress:
        found = benchmark.run(known, asked, progress)
    _finish(benchmark.study(found), claimed)


@app.command(**_help_of(_EVIDENCE, "rdsim verify results/my-scenario --all"))
def verify(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished run.", autocompletion=completion.runs)
    ],
    replications: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="So many replications are simulated again, evenly spread.")
    ] = 100,
    every: Annotated[bool, typer.Option("--all", help="Simulate all replications again.")] = False,
    solve: Annotated[bool, typer.Option("--solve", help="Solve the problem again too, for the bound.")] = False,
    threads: Threads = None,
    plugins: Plugins = None,
) -> None:
    """Check a run against what its own folder holds: files, portfolio, replications, figures; exit code 1 if it does
    not hold."""
    from rdsim import reproduction  # noqa: PLC0415
    from rdsim.simulation import Running  # noqa: PLC0415

    _plug_in(plugins)
    with _interruptible(left="the run was not changed"):
        found = reproduction.verify(
            run,
            replications=None if every else replications,
            solve=solve,
            plugins=plugins or (),
            running=Running("compiled", threads),
        )
    for line in (*fault_lines(found.faults), str(found), *(f"beside it: {note}" for note in found.notes)):
        typer.echo(line)
    if not found.holds:
        raise typer.Exit(OTHERWISE)


@app.command(**_help_of(_EVIDENCE, "rdsim rerun results/my-scenario --out results/again"))
def rerun(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished run.", autocompletion=completion.runs)
    ],
    overrides: Set = None,
    out: Out = None,
    force: Force = False,
    threads: Threads = None,
    plugins: Plugins = None,
) -> None:
    """Make a run again from its own folder alone, and say whether it comes out the same; with --set, otherwise."""
    from rdsim import reproduction, results, runs, sweep  # noqa: PLC0415

    more = overrides or []
    if out is not None and out.resolve() == run.resolve():
        raise InputError((Fault("--out", "must be another folder than the run's", str(out)),))
    reproduction.require_repeatable(run, more)
    if sweep.is_sweep(run):
        _rerun_sweep(run, out or Path("results") / f"{run.resolve().name}-again", force, plugins)
        return
    manifest = results.read_manifest(run)
    if not manifest.get("scenario"):
        _rerun_without_scenario(run, manifest, out, force, plugins)
        return
    kept = runs.kept_run(run)
    kept.require_plugins(plugins or [])
    _warn(kept.require_packages())
    plugged = _plug_in(plugins)
    world = _load(kept.scenario, [*kept.overrides, *more])
    said = manifest["scenario"]
    place = dataclasses.replace(
        _claim(out, f"{run.resolve().name}-again", [*said["overrides"], *more], force, plugged),
        command=(*manifest["command"], *(word for one in more for word in ("--set", one))),
        scenario=said["path"],
        settings=manifest["settings"],
        given=reproduction.given_again(run, world),
    )
    with _interruptible(), _progress() as progress:
        study = reproduction.make_again(run, world, progress, threads)
    _finish(study, place)
    _tell_repetition(run, place.folder, manifest, is_otherwise=bool(more))


def _rerun_sweep(run: Path, place: Path, force: bool, plugins: list[Path] | None) -> None:
    """Run a sweep again from what its own folder holds, and say whether it comes out the same."""
    from rdsim import reproduction, sweep  # noqa: PLC0415
    from rdsim.native.threads import cores  # noqa: PLC0415

    wanted, before = sweep.experiment_of_sweep(run, plugins or ()), sweep.manifest_of(run)
    kept = f"what is finished is kept in {place}: the same command goes on"
    with _interruptible(left=kept), _sweep_progress() as progress:
        prepared = sweep.prepare(wanted)
        sweep.check_same(prepared, place, force=force)
        asked: dict[str, Any] = {"force": force, "command": before.get("command", ())}
        with sweep.backend(prepared.count, cores()) as backend:
            found = sweep.run_on(prepared, place, backend, progress=progress, **asked)
    _finish_sweep(found, place, kept)
    _tell_same(reproduction.sweep_repetition(run, place))


def _rerun_without_scenario(
    run: Path, manifest: dict[str, Any], out: Path | None, force: bool, plugins: list[Path] | None
) -> None:
    """Make a run again that is of a stated problem, or of other runs."""
    from rdsim import reproduction  # noqa: PLC0415

    plugged = _plug_in(plugins)
    place = _claim(out, f"{run.resolve().name}-again", None, force, plugged)
    with _interruptible(compiles=False):
        study, stated = reproduction.make_again_without_scenario(run)
    told: dict[str, Any] = {"command": tuple(manifest["command"]), "settings": manifest["settings"], "problem": stated}
    _finish(study, dataclasses.replace(place, **told))
    _tell_repetition(run, place.folder, manifest, is_otherwise=False)


def _tell_repetition(run: Path, again: Path, manifest: dict[str, Any], *, is_otherwise: bool) -> None:
    """What came out otherwise than in the run, and with which versions; the exit code is 1 if something did."""
    from rdsim import reproduction  # noqa: PLC0415

    for line in reproduction.version_lines(manifest):
        typer.echo(f"another version: {line}")
    if is_otherwise:
        typer.echo(f"what differs: rdsim compare {run} {again}")
        return
    _tell_same(reproduction.repetition(run, again))


def _tell_same(found: Repetition) -> None:
    for line in (*fault_lines(found.faults), str(found)):
        typer.echo(line)
    if not found.is_identical:
        raise typer.Exit(OTHERWISE)


@app.command(**_help_of(_EVIDENCE, "rdsim compare results/my-scenario results/more-money"))
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN...",
            help="Folders of finished runs; the first is compared with.",
            autocompletion=completion.runs,
        ),
    ],
    out: Out = None,
    force: Force = False,
    language: Language = ENGLISH,
) -> None:
    """Tell what differs between finished runs of plan, simulate or optimise: inputs, portfolio, money, results."""
    from rdsim import comparison  # noqa: PLC0415

    with speaking(language):
        with _interruptible(compiles=False):
            found = comparison.compare(*runs)
        place = _claim(out, "compare-" + "-".join(run.resolve().name for run in runs)[:_LONGEST], None, force, ())
        _finish(comparison.study(found), place)


@app.command(**_help_of(_PLANNING, "rdsim index results"))
def index(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Folder that holds runs.")] = Path("results"),
    force: Annotated[bool, typer.Option("--force", help="Replace an index.html that rdsim did not write.")] = False,
    language: Language = ENGLISH,
) -> None:
    """List the runs of a folder on one page, index.html: what was tried, what came of it, what is best."""
    from rdsim import overview  # noqa: PLC0415

    with speaking(language):
        with _interruptible(compiles=False, left=_("no index was written")):
            found = overview.index(folder)
            page = found.write(force=force)
        typer.echo("\n".join(found.lines))
        typer.echo(_("written to {page}; open it in a browser").format(page=page))


# --- studies --------------------------------------------------------------------------------------

OfPlan = Annotated[
    Path | None,
    typer.Option(
        "--portfolio",
        metavar="PATH",
        help="Whose portfolio it speaks of: a CSV file, or a run's folder; by default SCENARIO's, if that is a run.",
    ),
]
Asked = Annotated[
    Path,
    typer.Argument(
        metavar="SCENARIO",
        help="Folder, or workbook, of the scenario; or folder of a run of it.",
        autocompletion=completion.scenarios_and_runs,
    ),
]
Gap = Annotated[
    float | None, typer.Option(min=0.0, max=0.999, help="Relative gap of each solve; by default the scenario's.")
]
Samples = Annotated[
    int | None,
    typer.Option(min=2, max=1_000_000, help="Replications behind each option; by default the scenario's."),
]


@dataclasses.dataclass(frozen=True)
class _Source:
    """What a question is asked about, as it was typed."""

    scenario: Path
    portfolio: Path | None
    overrides: list[str] | None
    plugins: list[Path] | None
    seed: int | None
    samples: int | None

    def resolve(self) -> tuple[_Source, Scenario, Earlier | None, tuple[Plugin, ...]]:
        """With what the run says, if one was named instead of a scenario; what was typed beside it comes after. Then
        the scenario, the run, and the plug-ins, which were run before it was read."""
        from rdsim import runs  # noqa: PLC0415
        from rdsim.folders.contents import PORTFOLIO  # noqa: PLC0415

        if not runs.is_run(self.scenario):
            plugged = _plug_in(self.plugins)
            return self, _load(self.scenario, self.overrides), None, plugged
        said = runs.read_run(self.scenario)
        said.require_plugins(self.plugins or [])
        _warn(said.require_packages())
        plugged = _plug_in(self.plugins)
        opened = runs.open_run(said)
        run, typed = opened.run, self.overrides or []
        _warn(opened.notes)
        found = _Source(
            run.scenario,
            self.portfolio or (self.scenario if (self.scenario / PORTFOLIO.name).is_file() else None),
            [*run.overrides, *typed],
            self.plugins,
            run.seed if self.seed is None else self.seed,
            run.samples if self.samples is None else self.samples,
        )
        return found, _load(found.scenario, found.overrides) if typed else opened.world, run, plugged

    def is_of_its_plan(self, question: Question) -> bool:
        """Whether a plan's run was named, and nothing beside it that makes another portfolio or world of it."""
        from rdsim import asking  # noqa: PLC0415

        alone = self.portfolio is None and self.seed is None and not self.overrides
        return alone and asking.is_of_plans(question) and asking.is_plan(self.scenario)


def _claim_answer(plan: Path, name: str, asked: _Source, force: bool, plugins: tuple[Plugin, ...]) -> Run:
    """The place of an answer in the folder of its plan's run, reserved before anything long runs."""
    from rdsim import asking, results  # noqa: PLC0415

    _HELD.callback(asking.clear, plan)
    place = results.claim_answer(plan, name, force=force)
    _HELD.callback(place.release)
    for sentence in place.words:
        typer.echo(sentence, err=True)
    told = (_command_line(), asked.scenario.as_posix(), place, asking.portfolio_digest(plan))
    return results.Run(place.folder, tuple(asked.overrides or ()), force, plugins, *told, settings=_settings())


_SHARED: dict[str, tuple[Any, Any]] = {
    "portfolio": (OfPlan, None),
    "out": (Out, None),
    "force": (Force, False),
    "seed": (Seed, None),
    "samples": (Samples, None),
    "replications": (Replications, None),
    "overrides": (Set, None),
    "solver": (Solver, DEFAULT_SOLVER),
    "gap": (Gap, None),
    "time_limit": (TimeLimit, None),
    "engine": (Engine, EngineName.compiled),
    "threads": (Threads, None),
    "plugins": (Plugins, None),
}
"""Options that questions share, and their defaults."""


_LANGUAGE = "language"


def _command_of(name: str, question: Question) -> Any:
    """The command of a question, which takes what the question declares."""

    def answer(**typed: Any) -> None:
        mine = any(one.name == _LANGUAGE for one in (*question.own, *question.stated_options))
        with speaking(readers_language() if mine else typed.pop(_LANGUAGE)):
            _answer(name, question, typed)

    shared = {one: _type_and_default(question, one) for one in question.shared_options}
    first = {one: shared.pop(one) for one in question.first}
    asked = {"scenario": (Asked, inspect.Parameter.empty)} if question.stated is None else _STATED
    own = {one.name: _own(one) for one in question.own}
    more = {one.name: _own(one, "Of a stated problem: ") for one in question.stated_options if one.name not in own}
    taken = asked | first | own | more | shared
    taken.setdefault(_LANGUAGE, (Language, ENGLISH))  # a plug-in may have an option of its own by that name
    keyword = inspect.Parameter.KEYWORD_ONLY
    answer.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(one, keyword, default=by, annotation=kind) for one, (kind, by) in taken.items()]
    )
    alone = typer.Typer(add_completion=False)
    example = question.example or f"rdsim {name} my-scenario"
    alone.command(name, help=question.help, **_help_of(_QUESTIONS, example))(answer)
    return typer.main.get_command(alone)


def _type_and_default(question: Question, name: str) -> tuple[Any, Any]:
    """A shared option's type and default, as the question has them."""
    kind, default = _SHARED[name]
    if name in question.helps:
        of, option = get_args(kind)
        option = copy.copy(option)
        option.help = question.helps[name]
        kind = Annotated[of, option]
    return kind, question.defaults.get(name, default)


_TYPES: dict[str, Any] = {"whole": int, "number": float, "text": str, "flag": bool, "numbers": str}


_STATED: dict[str, tuple[Any, Any]] = {"scenario": (Annotated[Path | None, get_args(Asked)[1]], None),
                                       "problem": (Stated, None)}  # fmt: skip
"""What a question is asked about that has a meaning of a stated problem too."""


def _own(option: Option, about: str = "") -> tuple[Any, Any]:
    """The type and default of a question's own option; `about` stands before what it means."""
    if option.form == "words":
        words = typer.Argument(metavar=option.metavar, help=option.help)
        return Annotated[list[str] | None, words], None
    kind = _TYPES[option.form]
    numbers = option.form in ("whole", "number")
    limits = {"min": 0 if option.zero else option.lowest, "max": option.highest} if numbers else {}
    named = typer.Option(metavar=option.metavar, help=f"{about}{option.help}", **limits)  # type: ignore[arg-type]
    return Annotated[kind | None if option.default is None else kind, named], option.default_text


_OF_PROBLEM = ("problem", "out", "force", "seed", "solver", "gap", "time_limit", "threads", "plugins")
"""Shared options that have a meaning of a stated problem."""


def _without_problem(name: str, question: Question, typed: dict[str, Any]) -> dict[str, Any]:
    """What was typed about a scenario; {} if a stated problem was named, of which the question is then asked."""
    context = _CONTEXT.get()
    of_problem = {one.name for one in question.problem_options}
    own = {one.name for one in question.own}
    folder: Path | None = typed.pop("problem")
    if folder is None:
        strange = [one for one in of_problem - own if _is_typed(context, one)]
        rule = "has a meaning of a stated problem alone"
    else:
        known = {*of_problem, *_OF_PROBLEM, "scenario"}
        strange = [one for one in typed if one not in known and _is_typed(context, one)]
        rule = "has no meaning for a problem, which is not simulated"
    if strange:
        raise InputError(tuple(Fault(f"--{one.replace('_', '-')}", rule) for one in strange))
    about = typed["scenario"]
    if _is_stated_alone(name, about, folder, question):
        _answer_problem(name, question, folder, typed)
        return {}
    for one in of_problem - own:
        del typed[one]
    return typed


def _is_stated_alone(name: str, about: Path | None, folder: Path | None, question: Question) -> bool:
    """Whether a problem was named; words that were typed behind it are what is asked, and not a scenario."""
    has_words = any(one.form == "words" for one in question.own)
    if about is not None and folder is not None and has_words:
        return True
    return _scenario_or_none(about, folder, (), name) is None


def _answer_problem(name: str, question: Question, folder: Path | None, typed: dict[str, Any]) -> None:
    """Ask a question of a stated problem, and write the study that answers it."""
    from rdsim import studies  # noqa: PLC0415
    from rdsim.optimiser import Solving  # noqa: PLC0415
    from rdsim.optimiser.problem import folder as folders  # noqa: PLC0415

    assert folder is not None  # noqa: S101 - it was named
    context = _CONTEXT.get()
    given = {one.name: typed[one.name] for one in question.problem_options if _is_typed(context, one.name)}
    words = next((one.name for one in question.own if one.form == "words"), "")
    if words and typed["scenario"] is not None:  # the first word stands where a scenario would
        given[words] = [str(typed["scenario"]), *(typed[words] or ())]
    values = question.problem_values(given)
    plugged = _plug_in(typed["plugins"])
    stated, posed = folders.given_problem(folder), folders.read_statement(folder)
    place = _claim(typed["out"], f"{folder.resolve().name}-{name}", None, typed["force"], plugged)
    told = {one: typed[one] for one in ("solver", "gap", "time_limit")}
    _untold(**told)
    told |= {"seed": typed["seed"] or 0, "threads": typed["threads"] or 1}
    place = dataclasses.replace(place, problem=stated, settings={**told, **values})
    with _interruptible(compiles=False):
        _finish(studies.ask_of_problem(name, posed, Solving(**told), **values), place)


def _answer(name: str, question: Question, typed: dict[str, Any]) -> None:
    """Ask a question as it was typed, and write the study that answers it."""
    from rdsim import runs, studies  # noqa: PLC0415
    from rdsim.optimiser import Solving  # noqa: PLC0415
    from rdsim.simulation import Running  # noqa: PLC0415

    if question.stated is not None:
        typed = _without_problem(name, question, typed)
        if not typed:
            return
    values = question.option_values({one.name: typed[one.name] for one in question.own if typed[one.name] is not None})
    inputs = ("scenario", "portfolio", "overrides", "plugins", "seed", "samples")
    own = {one.name for one in question.own}  # what a question calls so itself is not the plan's
    source = _Source(**{one: None if one in own else typed.get(one) for one in inputs})  # type: ignore[arg-type]
    asked, world, run, plugged = source.resolve()
    plan = source.scenario if typed["out"] is None and source.is_of_its_plan(question) else None
    if plan is not None and run is not None:
        run.require_same(world)
    given = None if asked.portfolio is None else runs.portfolio_of(asked.portfolio, world)
    if plan is None:
        place = _claim(typed["out"], f"{world.name}-{name}", asked.overrides, typed["force"], plugged, asked.scenario)
    else:
        place = _claim_answer(plan, name, asked, typed["force"], plugged)
    alike = {one: getattr(asked, one) for one in ("seed", "samples") if one in place.settings}
    place = dataclasses.replace(place, settings={**place.settings, **alike}, given=given)
    told = {one: typed[one] for one in ("solver", "gap", "time_limit") if one in typed}
    if told:
        _untold(**told)
    replications = None if "replications" in values else typed.get("replications")
    with _interruptible(), _progress() as progress:
        running = Running(typed["engine"].value, typed["threads"])
        wanted = studies.StudySettings(asked.samples, replications, asked.seed, Solving(**told), running)
        _finish(studies.ask(name, world, given, wanted, progress, **values), place, plan)


class DistributionName(enum.StrEnum):
    """Distributions of step times."""

    best = "best"
    lognormal = "lognormal"
    gamma = "gamma"


@app.command(**_help_of(_RESEARCH, "rdsim calibrate projects.csv --months 24"))
def calibrate(
    projects: Annotated[Path, typer.Argument(metavar="PROJECTS.CSV", help="Records of projects.")],
    test: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Records to test the fit's predictions on; repeatable.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the calibration; by default from the file's.")] = "",
    distribution: Annotated[DistributionName, typer.Option(help="Shape of step times.")] = DistributionName.best,
    bootstrap: Annotated[int, typer.Option(min=20, max=100_000, help="Bootstrap samples, for the intervals.")] = 200,
    months: Annotated[
        float, typer.Option(min=1, max=600, help="Length of the projects that medians are stated for.")
    ] = 36.0,
    step_success: Annotated[
        float | None,
        typer.Option(min=0.3, max=1.0, help="Success of steps at which no failure is told; by default 0.872 ^ (1/4)."),
    ] = None,
    planned_ends: Annotated[
        bool, typer.Option("--planned-ends", help="Take what was reached or failed to have been so before the end.")
    ] = False,
    stops_at_plan: Annotated[
        bool, typer.Option("--stops-at-plan", help="Take projects to have stopped where they were planned to.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="When the records were taken; by default the latest completed end."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of bootstrap and checks.")] = 1,
    out: Out = None,
    force: Force = False,
) -> None:
    """Fit step times and success to records of projects; write a calibration, and how far to believe it."""
    from rdsim import calibration  # noqa: PLC0415

    place = _claim(out, f"calibrate-{projects.stem}", None, force, ())
    given = {} if step_success is None else {"success": step_success}
    asked = calibration.CalibrationSettings(
        distribution.value,
        bootstrap,
        seed,
        months,
        stops_at_plan=stops_at_plan,
        as_of=as_of,
        planned_ends=planned_ends,
        **given,
    )
    with _interruptible(compiles=False), _progress() as progress:
        found = calibration.calibrate(projects, asked, name, tuple(test or ()), progress)
    _finish(calibration.study(found), place)


# --- sweeps ---------------------------------------------------------------------------------------


class _RunsByDefault(typer.core.TyperGroup):
    """`rdsim sweep FILE` is `rdsim sweep run FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the command that was left out."""
        known = {*self.commands, "--help"}
        return super().parse_args(ctx, ["run", *args] if args and args[0] not in known else args)


sweeps = typer.Typer(
    cls=_RunsByDefault,
    help="Run an experiment: thousands of variants of a scenario and of policies, resumable; or report on one.",
    epilog="Example: rdsim sweep my-experiment.toml --jobs 2",
    no_args_is_help=True,
)
app.add_typer(sweeps, name="sweep", rich_help_panel=_RESEARCH)


@sweeps.command("run", **_help_of(_RESEARCH, "rdsim sweep run my-experiment.toml --dry-run"))
def sweep_run(
    experiment: Annotated[Path, typer.Argument(metavar="FILE", help="TOML file of the experiment.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the sweep; what it holds is taken up. Default: results/NAME.")
    ] = None,
    points: Annotated[
        int | None, typer.Option(min=1, max=100_000_000, help="So many points instead of the file's.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(min=2, max=10_000_000, help="So many at each point instead of the file's.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Decide everything so often instead of the file's number.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Seed of choosing and of luck instead of the file's.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Worker processes; by default one for each core.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use a Dask scheduler, as tcp://host:8786; or 'local'.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Do points again that failed.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the results of another experiment.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check, count the points and estimate the time.")
    ] = False,
) -> None:
    """Run what is not done yet, write results.parquet, and report."""
    from rdsim import sweep  # noqa: PLC0415
    from rdsim.folders import settle  # noqa: PLC0415
    from rdsim.native.threads import cores  # noqa: PLC0415

    wanted = _experiment(experiment, points=points, replications=replications, repeats=repeats, seed=seed)
    place = out or Path("results") / wanted.name
    workers = jobs or cores()
    kept = f"what is finished is kept in {place}: the same command goes on"
    with _interruptible(left=kept), _sweep_progress() as progress:
        prepared = sweep.prepare(wanted)
        sweep.check_same(prepared, place, force=force)
        if dry_run:
            _tell_estimate(sweep.estimate(prepared, place), workers)
            return
        for sentence in settle(place):
            typer.echo(sentence, err=True)
        asked: dict[str, Any] = {"retry_failed": retry_failed, "force": force, "command": _command_line()}
        with sweep.backend(prepared.count, workers, dask) as backend:
            found = sweep.run_on(prepared, place, backend, progress=progress, **asked)
    _finish_sweep(found, place, kept)


def _experiment(file: Path, **typed: int | None) -> Experiment:
    """The experiment of a file, with what was typed in place of what the file says."""
    from rdsim import sweep  # noqa: PLC0415

    given: dict[str, Any] = {name: value for name, value in typed.items() if value is not None}
    return dataclasses.replace(sweep.read(file), **given)


def _finish_sweep(found: Sweep, place: Path, kept: str) -> None:
    """Tell what a sweep found, and draw its page; if it is not complete, the exit code is 4."""
    from rdsim import sweep  # noqa: PLC0415

    for line in sweep.terminal_lines(found):
        typer.echo(line)
    if found.stays:
        typer.echo(f"{found.stays}; {kept}", err=True)
        raise typer.Exit(INCOMPLETE)
    _draw_sweep(place)
    if not found.complete:
        raise typer.Exit(INCOMPLETE)


def _draw_sweep(folder: Path, metric: str | None = None) -> None:
    """The page of a sweep; if it cannot be drawn, what was computed is whole all the same."""
    from rdsim import sweep  # noqa: PLC0415

    again = f"all that was computed is kept; to draw the page: rdsim report {folder}"
    try:
        page = sweep.write_report(folder, metric)
    except (KeyboardInterrupt, DrawingError) as error:
        typer.echo(f"written to {folder}")
        why = error if isinstance(error, DrawingError) else "interrupted: still missing report.html"
        typer.echo(f"{why}; {again}", err=True)
        raise typer.Exit(INCOMPLETE) from None
    typer.echo(f"written to {folder}; open {page}")


def _tell_estimate(found: Estimate, workers: int) -> None:
    typer.echo(f"{found.points} points, {found.pending} tasks not done yet")
    seconds = found.pending * found.seconds / workers
    typer.echo(f"about {found.seconds:.3g} s each: about {_duration(seconds)} on {workers} workers")
    for need in found.needs:
        typer.echo(need.words)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextlib.contextmanager
def _sweep_progress() -> Iterator[Callable[[int, int, int], None]]:
    """A bar with the time that is left, on a terminal; nothing elsewhere."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("points{task.fields[failed]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("points", total=None, failed="")

        def tell(done: int, failed: int, total: int) -> None:
            progress.update(bar, completed=done, total=total, failed=f", {failed} failed" if failed else "")

        yield tell


@sweeps.command("report", **_help_of(_RESEARCH, "rdsim sweep report results/my-experiment", repeats=False))
def sweep_report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a sweep.")],
    metric: Annotated[str | None, typer.Option(help="Metric to look at; by default the first.")] = None,
    readme: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also put the answers into this README, between its markers.")
    ] = None,
) -> None:
    """Write report.html of a sweep that was run, whole or in part; its answers also into a README."""
    from rdsim import sweep  # noqa: PLC0415

    _draw_sweep(folder, metric)
    for path in sweep.write_answer(folder, readme) if readme else ():
        typer.echo(f"written: {path}")
