"""One scenario, varied again and again: cheap copies of which some settings differ, and a digest of each."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from rdsim.domain import Scenario
from rdsim.errors import Fault, ScenarioError
from rdsim.scenario.bounds import ASSUMPTIONS
from rdsim.scenario.consistency import contradictions
from rdsim.scenario.findings import Finding, Origin
from rdsim.scenario.folder import PARTS, chosen_parts
from rdsim.scenario.illustrative import DRAW
from rdsim.scenario.loader import accept, sound
from rdsim.scenario.overrides import Override, UnknownPathError, apply_override, new_figures, places
from rdsim.scenario.renamed import first_sections, with_first_names
from rdsim.scenario.shapes import Path, dotted_path
from rdsim.scenario.validation import as_json, validate
from rdsim.scenario.values import resolve, stated_money
from rdsim.tables import did_you_mean

__all__ = ["Variations", "World"]

World = tuple[tuple[str, ...], int]
"""What is chosen when a folder is read: its optional parts, and the draw of its illustrative figures."""


class Variations:
    """Variations of a scenario; only the sections that an override touches are copied, validated and digested anew.

    `worlds` are the scenario with other choices of its optional parts and of its draw; an override of ``parts`` or of
    ``illustrative.draw`` takes one of them in place of the scenario.
    """

    def __init__(self, scenario: Scenario, worlds: Mapping[World, Scenario] | None = None) -> None:
        self.scenario = scenario = sound(scenario)
        self.world: World = (scenario.parts, scenario.illustrative.draw)
        self.worlds = {self.world: scenario, **(worlds or {})}
        self._plain: dict[str, Any] = _plain(dataclasses.asdict(scenario))
        self._money, _ = stated_money(self._plain)
        self._digests = {name: _digest(value) for name, value in with_first_names(self._plain).items()}
        self._texts = {name: as_json(value) for name, value in self._plain.items()}
        self._others: dict[World, Variations] = {}

    def chosen_world(self, settings: Mapping[Path, object]) -> World:
        """The world that settings by path choose; the scenario's own in what they leave open."""
        parts, draw = self.world
        if (PARTS,) in settings:
            parts = tuple(chosen_parts(settings[(PARTS,)]))
        asked = settings.get(DRAW, draw)
        return parts, asked if isinstance(asked, int) else 0

    def in_world(self, world: World) -> Variations:
        """The variations of the scenario in another world. Raises ScenarioError if that was not given."""
        if world == self.world:
            return self
        if world not in self.worlds:
            what = (PARTS,) if world[0] != self.world[0] else DRAW
            noun = "parts" if what == (PARTS,) else "draws"
            advice = f"Give the scenario's folder, and the {noun} as levels of a factor or under [set]."
            self._refuse(what, "is chosen when the folder is read", advice)
        if world not in self._others:
            self._others[world] = Variations(self.worlds[world])
        return self._others[world]

    def override(self, path: Path, value: object) -> Override:
        """The setting at a path to be another value; None unsets."""
        return Override(dotted_path(path), path, _plain(value))

    def places(self, path: Path) -> list[Path]:
        """The paths that a path with ``*`` for every entry stands for. Raises ScenarioError if there are none."""
        try:
            return places(self._plain, path)
        except UnknownPathError as error:
            self._refuse(path, error.rule, error.suggestion)

    def value(self, path: Path) -> Any:
        """The scenario's own value at a path, as plain data. Raises ScenarioError if there is none."""
        node: Any = self._plain
        for depth, segment in enumerate(path):
            if isinstance(node, dict) and str(segment) in node:
                node = node[str(segment)]
            elif isinstance(node, list) and str(segment).isdecimal() and int(segment) < len(node):
                node = node[int(segment)]
            else:
                known = node if isinstance(node, dict) else ()
                place = f"'{dotted_path(path[:depth])}'" if depth else "the scenario"
                self._refuse(path, f"unknown path: {place} has no '{segment}'", did_you_mean(str(segment), known))
        return node

    def digest(self, overrides: Sequence[Override]) -> str:
        """SHA-256 of the varied content: equal for equal content, however it came about. Raises as `vary`."""
        world, overrides = self._world(overrides)
        if world is not self:
            return world.digest(overrides)
        varied, touched = self._vary(overrides)
        named = with_first_names(varied)
        absent = {
            name
            for name in ("aim", "domestic", "families", "figures", "illustrative", "rules", "tags")
            if name not in named
        }  # empty ones count as none
        absent.add(ASSUMPTIONS)  # settings there move no outcome
        changed = {name: _digest(named.get(name)) for name in first_sections(touched) - absent}
        sections = {name: one for name, one in {**self._digests, **changed}.items() if name not in absent}
        text = "".join(f"{name}={value};" for name, value in sorted(sections.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def vary(self, overrides: Sequence[Override]) -> Scenario:
        """The scenario after overrides, later ones winning. Raises ScenarioError with every fault."""
        world, overrides = self._world(overrides)
        if world is not self:
            return world.vary(overrides)
        if not overrides:
            return self.scenario
        varied, touched = self._vary(overrides)
        same = {name: text for name, text in self._texts.items() if name not in touched}
        scenario, findings = validate(varied, str(self._money), (), same)
        if scenario is not None:
            findings = list(contradictions(scenario))
        self._complain(findings, overrides)
        assert scenario is not None  # noqa: S101 - nothing was found wrong
        return accept(scenario)

    def _world(self, overrides: Sequence[Override]) -> tuple[Variations, list[Override]]:
        """The variations that the last choice of parts, and of a draw, means, and all other overrides."""
        chosen: dict[Path, object] = {one.path: one.value for one in overrides if one.path in ((PARTS,), DRAW)}
        rest = [one for one in overrides if one.path not in chosen]
        return self.in_world(self.chosen_world(chosen)), rest

    def _vary(self, overrides: Sequence[Override]) -> tuple[dict[str, Any], list[str]]:
        """The content after overrides, sharing what they do not touch, and the sections that they do."""
        varied, faults = dict(self._plain), list(new_figures(self._plain, overrides))
        for override in overrides:
            fault = _apply(varied, override)
            faults += [fault] if fault else []
        if faults:
            raise ScenarioError(tuple(faults))
        touched = sorted({str(override.path[0]) for override in overrides})
        part, findings = resolve({name: varied[name] for name in touched if name in varied}, self._money)
        self._complain(findings, overrides)
        return {**varied, **part}, touched

    def _complain(self, findings: Iterable[Finding], overrides: Sequence[Override]) -> None:
        origin = Origin({}, tuple(overrides))
        faults = tuple(dict.fromkeys(origin.fault(finding) for finding in findings))
        if faults:
            raise ScenarioError(faults)

    def _refuse(self, path: Path, rule: str, suggestion: str = "") -> NoReturn:
        raise ScenarioError((Fault(dotted_path(path), rule, "", suggestion),))


def _plain(value: Any) -> Any:
    """Plain data as TOML would have given it: text keys, lists, Python's own numbers; no key whose value is None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _apply(varied: dict[str, Any], override: Override) -> Fault | None:
    """Apply an override to tables that may be shared with the original, which stays as it is."""
    try:
        for place in places(varied, override.path):
            _detach(varied, place)
    except UnknownPathError:
        pass  # applying it says what is wrong
    return apply_override(varied, override)


def _detach(varied: dict[str, Any], path: Path) -> None:
    """Copy the tables along a path, so that a change there leaves the original alone."""
    node: Any = varied
    for segment in path[:-1]:
        key = int(segment) if isinstance(node, list) and str(segment).isdecimal() else str(segment)
        below = node.get(key) if isinstance(node, dict) else node[key] if int(key) < len(node) else None
        if not isinstance(below, dict | list):
            return
        node[key] = below.copy()
        node = node[key]


def _digest(value: Any) -> str:
    text = json.dumps(_floats(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _floats(value: Any) -> Any:
    """Numbers as floats, without negative zero: 1 and 1.0 are one content."""
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) + 0.0 if isinstance(value, int | float) and not isinstance(value, bool) else value
