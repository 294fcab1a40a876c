"""What is measured of the package: sizes, parameter lists, names with two meanings or without a noun, and circles.

A circle is a set of siblings - modules or packages beside one another in one package - that import one another, each
with all that is under it. What is imported for type checking alone counts as well: who reads one reads all of them.
"""

from __future__ import annotations

import ast
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grimp

__all__ = [
    "MOST_PARAMETERS",
    "ONE_THING",
    "Architecture",
    "Function",
    "circles",
    "functions",
    "is_bare_participle",
    "measure",
    "parameters",
]

MOST_PARAMETERS = 7
"""Of a public function."""
ONE_THING = {
    "Entry": "of the agenda, in each of the two engines",
    "Partner": "of the scenario, and what it is in each of the two engines while a replication runs",
    "Project": "while a replication runs, in each of the two engines",
}
"""Class names that stand in several modules and mean one thing in all of them."""

_IRREGULAR = frozenset(
    {
        "begun",
        "bought",
        "broken",
        "partner_benefit",
        "built",
        "chosen",
        "done",
        "drawn",
        "given",
        "gone",
        "grown",
        "heard",
        "held",
        "kept",
        "known",
        "laid",
        "led",
        "lent",
        "lost",
        "made",
        "meant",
        "met",
        "paid",
        "said",
        "seen",
        "sent",
        "shown",
        "sold",
        "spent",
        "taken",
        "told",
        "torn",
        "won",
        "written",
    }
)
"""Those that are no verbs, nouns or sides as well, as `bound`, `left` and `found`."""
_NO_PARTICIPLES = {"bed", "embed", "exceed", "feed", "indeed", "need", "proceed", "red", "seed", "shed", "speed"}
_PREDICATES = {"is", "are", "was", "has", "have", "had", "can", "may", "looks", "with", "without", "by", "as", "of"}
_SMALL_WORDS = {"abroad", "apart", "as", "by", "down", "for", "in", "of", "on", "out", "over", "to", "up", "with"}


@dataclass(frozen=True)
class Function:
    """A function or method, where it stands, and what is counted of it."""

    module: str
    name: str
    lines: int  # of its body, without its documentation
    parameters: int  # without self and cls
    is_command: bool = False  # of the command line, whose options are its parameters

    @property
    def is_public(self) -> bool:
        """True if neither it, nor its class, nor a part of its module's name is private."""
        return not any(part.startswith("_") for part in [*self.module.split("."), *self.name.split(".")])

    @property
    def is_participle(self) -> bool:
        """Whether its name says what was done, and not what comes back."""
        return is_bare_participle(self.name.rpartition(".")[2])

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def is_bare_participle(name: str) -> bool:
    """Whether a function's name ends in a participle, or in one and a small word, and no predicate leads it.

    An adjective before a noun, as in `expected_figures`, names what comes back.
    """
    words = name.strip("_").split("_")
    if words[0] in _PREDICATES:
        return False
    while len(words) > 1 and words[-1] in _SMALL_WORDS:
        words.pop()
    return _participle(words[-1])


def _participle(word: str) -> bool:
    return word in _IRREGULAR or (word.endswith("ed") and word not in _NO_PARTICIPLES)


@dataclass(frozen=True)
class Architecture:
    """The measures of a package."""

    lines: dict[str, int]  # by module
    functions: tuple[Function, ...]
    classes: dict[str, tuple[str, ...]]  # modules of each class name that stands in several
    circles: tuple[tuple[str, ...], ...]

    @property
    def crowded(self) -> tuple[Function, ...]:
        """Public functions with more parameters than `MOST_PARAMETERS`, the largest lists first."""
        called = [one for one in self.functions if one.is_public and not one.is_command]
        public = [one for one in called if one.parameters > MOST_PARAMETERS]
        return tuple(sorted(public, key=lambda one: (-one.parameters, str(one))))

    def report(self) -> Iterator[str]:
        """A line or more for each measure."""
        bodies = sorted(one.lines for one in self.functions)
        called = [one for one in self.functions if one.is_public and not one.is_command]
        most = max(called, key=lambda one: one.parameters)
        longest = max(self.lines, key=lambda name: self.lines[name])
        yield f"modules: {len(self.lines)}, lines: {sum(self.lines.values()):,}"
        yield f"longest module: {longest}, {self.lines[longest]:,} lines"
        yield f"functions: {len(bodies)}; lines of a body: median {statistics.median(bodies):.0f}, "
        yield f"  ninetieth percentile {bodies[len(bodies) * 9 // 10]}, largest {bodies[-1]}"
        yield f"circles: {len(self.circles)}"
        yield from (f"  {' - '.join(circle)}" for circle in self.circles)
        yield f"most parameters of a public function: {most.parameters} ({most}); limit {MOST_PARAMETERS}"
        yield from (f"  {one.parameters}: {one}" for one in self.crowded)
        yield f"class names with two meanings: {len(self.ambiguous)}; limit 0"
        yield from (f"  {name}: {', '.join(where)}" for name, where in self.ambiguous.items())
        yield f"class names of one thing in several modules: {len(self.classes) - len(self.ambiguous)}"
        yield from (f"  {name}: {ONE_THING[name]}" for name in sorted(self.classes) if name in ONE_THING)
        yield f"functions named by a bare participle: {len(self.participles)}; limit 0"
        yield from (f"  {one}" for one in self.participles)

    @property
    def ambiguous(self) -> dict[str, tuple[str, ...]]:
        """Class names with two meanings, and the modules where each stands."""
        return {name: self.classes[name] for name in sorted(self.classes) if name not in ONE_THING}

    @property
    def participles(self) -> tuple[Function, ...]:
        """Functions whose name is a bare participle."""
        return tuple(one for one in self.functions if one.is_participle)

    def faults(self) -> list[str]:
        """What is beyond its limit: circles, parameters of public functions, and names that say too little."""
        return [
            *(f"a circle: {' - '.join(circle)}" for circle in self.circles),
            *(f"{one} takes {one.parameters} parameters, more than {MOST_PARAMETERS}" for one in self.crowded),
            *(f"{name} has two meanings: {', '.join(where)}" for name, where in self.ambiguous.items()),
            *(f"{one} is named by a bare participle" for one in self.participles),
        ]


def measure(package: str, root: Path) -> Architecture:
    """Measure an importable package whose files are under `root`."""
    lines: dict[str, int] = {}
    found: list[Function] = []
    classes: dict[str, list[str]] = defaultdict(list)
    for file in sorted(root.rglob("*.py")):
        parts = [package, *file.relative_to(root).with_suffix("").parts]
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines[module] = text.count("\n")
        found += functions(tree, module)
        for one in tree.body:
            if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
                classes[one.name].append(module)
    twice = {name: tuple(where) for name, where in classes.items() if len(where) > 1}
    return Architecture(lines, tuple(found), twice, circles(package))


def functions(tree: ast.Module, module: str) -> Iterator[Function]:
    """All functions and methods of a module, those inside others left out."""
    for one in tree.body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _function(one, module, "")
        elif isinstance(one, ast.ClassDef):
            for method in one.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield _function(method, module, f"{one.name}.")


def _function(one: ast.FunctionDef | ast.AsyncFunctionDef, module: str, inside: str) -> Function:
    body = one.body[1:] if ast.get_docstring(one) is not None else one.body
    lines = (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1 if body else 0
    command = any("command" in ast.unparse(by).partition("(")[0].split(".") for by in one.decorator_list)
    return Function(module, f"{inside}{one.name}", lines, parameters(one), command)


def parameters(one: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many it takes, `self` and `cls` left out."""
    taken = [*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs]
    own = [name for name in taken if name.arg not in ("self", "cls")]
    return len(own) + (one.args.vararg is not None) + (one.args.kwarg is not None)


# --- circles --------------------------------------------------------------------------------------


def circles(package: str) -> tuple[tuple[str, ...], ...]:
    """Sets of siblings that import one another, in every package."""
    graph = grimp.build_graph(package)
    found: list[tuple[str, ...]] = []
    for parent in sorted(one for one in graph.modules if graph.find_children(one)):
        siblings = {one: _inside(graph, one) for one in sorted(graph.find_children(parent))}
        arrows = {one: _siblings_of(graph, one, siblings) for one in siblings}
        found += [circle for circle in _strongly_connected(arrows) if len(circle) > 1]
    return tuple(found)


def _inside(graph: grimp.ImportGraph, module: str) -> frozenset[str]:
    return frozenset({module} | graph.find_descendants(module))


def _siblings_of(graph: grimp.ImportGraph, one: str, siblings: dict[str, frozenset[str]]) -> set[str]:
    imported = {far for near in siblings[one] for far in graph.find_modules_directly_imported_by(near)}
    return {other for other, inside in siblings.items() if other != one and imported & inside}


def _strongly_connected(arrows: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """Sets whose members reach one another, by what each reaches: the graphs are small."""
    reached = {one: _reachable(arrows, one) for one in arrows}
    sets = {tuple(sorted({one, *(far for far in reached[one] if one in reached[far])})) for one in arrows}
    return sorted(sets)


def _reachable(arrows: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for far in arrows[waiting.pop()] - seen:
            seen.add(far)
            waiting.append(far)
    return seen
