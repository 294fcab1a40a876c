"""The extensions that a scenario names: where, of which registry, and with which parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from rdsim.choice_rules import CHOOSING_RULES
from rdsim.distributions import DISTRIBUTIONS
from rdsim.domain import QueueSettings, Scenario
from rdsim.families import FAMILIES
from rdsim.figures import FIGURES
from rdsim.gates import GATE_POLICIES
from rdsim.markets import MARKET_MODELS
from rdsim.purses import PURSE_RULES
from rdsim.queues import QUEUE_RULES
from rdsim.registry import Extension, Numbers, Registry, Setting, load_installed_packages
from rdsim.scenario.findings import Finding
from rdsim.scenario.shapes import Path
from rdsim.tables import did_you_mean, shown_value

__all__ = ["Named", "named_extensions", "package_names", "unfit"]


_MISSING = "If a plug-in registers it, give its file with --plugin."


class Named(NamedTuple):
    """A place of a scenario that names an extension, and the place of its parameters."""

    registry: Registry[Any]
    path: Path
    name: str
    parameters: Path
    given: Mapping[str, Any]


def named_extensions(s: Scenario) -> Iterator[Named]:
    """Every extension that a scenario names, built-in ones too."""
    for code, line in s.programmes.items():
        here: Path = ("programmes", code)
        gate = (*here, "gate")
        yield Named(GATE_POLICIES, (*gate, "policy"), line.gate.policy, (*gate, "parameters"), line.gate.parameters)
        rule = (*here, "purse_rule")
        yield Named(PURSE_RULES, rule, line.purse_rule, (*here, "purse_parameters"), line.purse_parameters)

    yield from _queues(s)
    yield from _of_numbers(s)
    for table, registry, tables in (("families", FAMILIES, s.families), ("rules", CHOOSING_RULES, s.rules)):
        for name, given in tables.items():
            yield Named(registry, (table, name), name, (table, name), given)


def _queues(s: Scenario) -> Iterator[Named]:
    found: dict[Path, QueueSettings] = {("panels", code, "queue"): one.queue for code, one in s.panels.items()}
    found |= {("queues", one.name): getattr(s.queues, one.name) for one in fields(s.queues)}
    for here, queue in found.items():
        yield Named(QUEUE_RULES, (*here, "rule"), queue.rule, (*here, "parameters"), queue.parameters)


def _of_numbers(s: Scenario) -> Iterator[Named]:
    """Distributions and the market value model; a calibration that names none may still give parameters to that of
    `steps`."""
    for here, key, one in _distributions(s):
        path, given = (*here, key), (*here, f"{key}_parameters")
        yield Named(DISTRIBUTIONS, path, getattr(one, key), given, getattr(one, f"{key}_parameters"))
    model: Path = ("value", "model")
    yield Named(MARKET_MODELS, model, s.value.model, ("value", "model_parameters"), s.value.model_parameters)
    for code, own in s.calibrations.items():
        here = ("calibrations", code)
        if own.distribution is not None or own.distribution_parameters:
            name, path = own.distribution or s.steps.distribution, (*here, "distribution")
            parameters = (*here, "distribution_parameters")
            yield Named(DISTRIBUTIONS, path, name, parameters, own.distribution_parameters)


def _distributions(s: Scenario) -> Iterator[tuple[Path, str, object]]:
    """Tables that name a distribution, and by which key."""
    yield ("steps",), "distribution", s.steps
    yield ("value",), "distribution", s.value
    yield ("value",), "market_distribution", s.value
    yield ("risks", "budget"), "distribution", s.risks.budget
    yield ("risks", "exchange"), "distribution", s.risks.exchange
    yield from ((("modes", code), "distribution", mode) for code, mode in s.modes.items())


def package_names(s: Scenario) -> Iterator[tuple[str, str]]:
    """What a scenario brings up by name that an installed package may have brought, as `registry.packages_of` takes it.

    Figures of packages count as soon as somebody asked for them.
    """
    yield from ((one.registry.noun, one.name) for one in named_extensions(s))
    yield from ((FIGURES.noun, name) for name in FIGURES.at_hand())


def unfit(s: Scenario) -> Iterator[Finding]:
    """Names that nobody registered, and parameters that an extension does not have, or not with such a value."""
    for one in named_extensions(s):
        if one.name in one.registry:
            yield from _parameters(s, one, one.registry[one.name])
        else:
            known = one.registry.own() if one.registry is FAMILIES else one.registry  # others hold in any case
            rule = f"must name a {one.registry.noun}: " + (", ".join(known) or "none is registered")
            advice = [did_you_mean(one.name, known, shown_at_most=0), _MISSING, *map(str, load_installed_packages())]
            yield Finding((one.path,), rule, shown_value(one.name), " ".join(filter(None, advice)))


def _parameters(s: Scenario, one: Named, extension: Extension) -> Iterator[Finding]:
    known = {parameter.name: parameter for parameter in extension.parameters}
    label = f"{one.registry.noun} {one.name!r}"
    for name, value in one.given.items():
        paths: tuple[Path, ...] = ((*one.parameters, name), one.path)
        if name not in known:
            rule = f"must be a parameter of {label}: {', '.join(known)}" if known else f"{label} has no parameters"
            yield Finding(paths, rule, shown_value(name), did_you_mean(name, known) or _no_parameters(one))
        elif isinstance(numbers := known[name], Numbers) and isinstance(value, Mapping):
            yield from _entries(s, paths, numbers, value)
        elif rule := known[name].rule(value):
            yield Finding(paths, f"{rule}{_meaning(known[name])}", shown_value(value))


def _no_parameters(one: Named) -> str:
    return f"To give none: --set {'.'.join(map(str, one.parameters))}={{}}."


def _entries(s: Scenario, paths: tuple[Path, ...], numbers: Numbers, given: Mapping[Any, Any]) -> Iterator[Finding]:
    """Keys that are no fiscal years, partners, ... of the scenario, and numbers that cannot be."""
    years = range(s.start_year, s.horizon_year + 1)
    known = getattr(s, numbers.of) if numbers.of else {}
    for key, value in given.items():
        place = ((*paths[0], str(key)), *paths[1:])
        if numbers.by_year and not (numbers.is_key(key) and int(key) in years):
            yield Finding(place, f"must be a fiscal year, {years[0]} to {years[-1]}", shown_value(key))
        elif numbers.of and key not in known:
            yield Finding(place, f"must be one of the {numbers.of}", shown_value(key), did_you_mean(str(key), known))
        elif rule := numbers.each.rule(value):
            yield Finding(place, f"{rule}{_meaning(numbers)}", f"{shown_value(value)}, for {key}")


def _meaning(parameter: Setting) -> str:
    return f": {parameter.description}".rstrip(".") if parameter.description else ""
