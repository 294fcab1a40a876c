"""Cheap bounds that show, before any solver runs, that what the planner fixed cannot be done.

The scenario is valid and may be run; each fault says that some demand cannot be met. The bounds are safe: the
cheapest award of each technology against all money of its programme, and the dearest against a floor. So no fault
means nothing more than that these bounds found none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from rdsim.domain import Limit, Scenario
from rdsim.errors import Fault
from rdsim.scenario.bounds import bound_remarks
from rdsim.scenario.figures import award, eligible, money_scale, offer_refusal, required_refusals, target
from rdsim.scenario.loader import sound
from rdsim.scenario.money import plannable, years_to_last_request
from rdsim.scenario.partners import members, required_partners
from rdsim.scenario.shapes import dotted_path

__all__ = ["check", "remarks"]

_TOLERANCE = 1e-9


def check(scenario: Scenario) -> tuple[Fault, ...]:
    """Demands of the scenario that no portfolio can meet, as faults; () if these bounds find none.

    >>> import rdsim
    >>> rdsim.check(rdsim.examples.starter())
    ()
    >>> poor = rdsim.examples.starter(["technologies.*.status=must-fund", "programmes.main.budget.*=1"])
    >>> [fault.found for fault in rdsim.check(poor)]
    ['76.95 billion KRW', '10']
    """
    return _run(
        sound(scenario),
        (_without_option, _must_not_fund_faults, _exclusion_faults, _over_budget, _over_starts, _shares),
    )


def remarks(scenario: Scenario) -> tuple[Fault, ...]:
    """What a planner may not have meant, though portfolios exist: starts not paid to the end, caps, technologies that
    nobody may work on as they ask, idle judgements, bounds of assumptions that hold too little or too much."""
    return _run(sound(scenario), (_unpaid_starts, _cap_faults, _without_partner, _idle_judgements, _outside_bounds))


def _run(scenario: Scenario, rules: Iterable[Callable[[_Bounds], Iterator[Fault]]]) -> tuple[Fault, ...]:
    bounds = _Bounds(scenario)
    return tuple(fault for rule in rules for fault in rule(bounds))


@dataclass(frozen=True)
class _Bounds:
    """What the rules share, each worked out once."""

    scenario: Scenario

    @cached_property
    def needs(self) -> dict[str, list[str]]:
        """Prerequisites by technology."""
        needs: dict[str, list[str]] = {}
        for link in self.scenario.links:
            if link.kind == "prerequisite":
                needs.setdefault(link.technology, []).append(link.other)
        return needs

    @cached_property
    def requirements(self) -> dict[str, str]:
        """Technologies that every portfolio must hold: must-fund ones and their prerequisites, each with its reason."""
        technologies = self.scenario.technologies
        required = {code: "must-fund" for code, one in technologies.items() if one.status == "must-fund"}
        waiting = list(required)
        while waiting:
            code = waiting.pop()
            for other in self.needs.get(code, ()):
                if other not in required:
                    required[other] = f"prerequisite of {code}, {required[code]}"
                    waiting.append(other)
        return required

    @cached_property
    def awards(self) -> dict[str, dict[tuple[str, str], float]]:
        """Awards of each technology's eligible options, by (partner, mode)."""
        return {code: self._awards(code) for code in self.scenario.technologies}

    def _awards(self, code: str) -> dict[tuple[str, str], float]:
        s = self.scenario
        return {
            (partner, mode): award(s, code, partner, mode)
            for partner, mode in self.pairs
            if not eligible(s, code, partner, mode)
        }

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Every (partner, mode) on offer, and no partner."""
        partners = self.scenario.partners.items()
        return [("", "domestic"), *((code, mode) for code, partner in partners for mode in partner.modes)]

    @cached_property
    def money(self) -> dict[str, float]:
        """All announced money, by programme."""
        return {code: math.fsum(one.budget.values()) for code, one in self.scenario.programmes.items()}

    def place(self, code: str) -> str:
        return f"technologies.csv, {code} ({self.requirements.get(code, 'free')})"

    def of(self, programme: str) -> list[str]:
        """The programme's technologies."""
        return [code for code, one in self.scenario.technologies.items() if one.programme == programme]

    def requirements_of(self, programme: str) -> list[str]:
        return [code for code in self.of(programme) if code in self.requirements]

    def offers(self, code: str) -> bool:
        """Whether the technology would have an option if awards had no cap."""
        return any(not offer_refusal(self.scenario, code, *pair) for pair in self.pairs)

    def least_award(self, programme: str) -> float:
        """The least that any of the programme's technologies can be promised."""
        return min((self.cheapest([code]) for code in self.of(programme) if self.awards[code]), default=0.0)

    def cheapest(self, codes: Iterable[str]) -> float:
        """The least that these technologies can be promised together."""
        return math.fsum(min(self.awards[code].values(), default=0.0) for code in codes)


def _without_option(b: _Bounds) -> Iterator[Fault]:
    for code in b.requirements:
        if not b.awards[code] and b.scenario.technologies[code].status != "must-not-fund":
            reasons = dict.fromkeys(eligible(b.scenario, code, *pair) for pair in b.pairs)
            yield Fault(b.place(code), "must have at least one eligible option", "; ".join(list(reasons)[:4]))


def _must_not_fund_faults(b: _Bounds) -> Iterator[Fault]:
    for code, reason in b.requirements.items():
        if b.scenario.technologies[code].status == "must-not-fund":
            yield Fault(b.place(code), "a must-not-fund technology must not be needed", reason)


def _exclusion_faults(b: _Bounds) -> Iterator[Fault]:
    for link in b.scenario.links:
        if link.kind == "exclusion" and {link.technology, link.other} <= b.requirements.keys():
            reasons = (
                f"{link.technology}: {b.requirements[link.technology]}; {link.other}: {b.requirements[link.other]}"
            )
            rule = "both sides of an exclusion must not be funded"
            yield Fault(f"links.csv, {link.technology} and {link.other}", rule, reasons)


def _over_budget(b: _Bounds) -> Iterator[Fault]:
    unit = b.scenario.money_unit
    for code in b.scenario.programmes:
        needed = b.cheapest(b.requirements_of(code))
        money = b.money[code] * b.scenario.optimiser.payment_ratio.get(code, 1.0)
        if needed > money + _TOLERANCE:
            rule = f"the cheapest awards of all that must be funded must fit the budget, {money:.6g} {unit}"
            yield Fault(f"scenario.toml, programmes.{code}.budget", rule, f"{needed:.6g} {unit}", _of(b, code))


def _over_starts(b: _Bounds) -> Iterator[Fault]:
    for code, programme in b.scenario.programmes.items():
        starts, needed = sum(programme.starts.values()), len(b.requirements_of(code))
        if needed > starts:
            rule = f"all that must be funded must fit the programme's starts, {starts}"
            yield Fault(f"scenario.toml, programmes.{code}.starts", rule, str(needed), _of(b, code))


def _of(b: _Bounds, programme: str) -> str:
    codes = b.requirements_of(programme)
    return f"They are {', '.join(codes[:8])}{' and others' if len(codes) > 8 else ''}."


def _unpaid_starts(b: _Bounds) -> Iterator[Fault]:
    """Years with starts from which the last tranche, the least of all, is asked for after the last money for it."""
    for code, programme in b.scenario.programmes.items():
        least = b.least_award(code) * programme.tranches[-1].share * money_scale(b.scenario)
        money = plannable(b.scenario, code)
        last = max((year for year, most in money.items() if most >= max(least * (1 - _TOLERANCE), 1)), default=0)
        delay = years_to_last_request(b.scenario, programme)
        late = [year for year, starts in sorted(programme.starts.items()) if starts and year + delay > last]
        if late:
            rule = f"the last tranche must be asked for while there is money, until {last}"
            found = f"starts in {', '.join(map(str, late))}, whose last tranche is {delay} fiscal years later"
            yield Fault(f"scenario.toml, programmes.{code}.starts", rule, found)


def _cap_faults(b: _Bounds) -> Iterator[Fault]:
    """Technologies that the award cap alone rules out, by programme."""
    for code, programme in b.scenario.programmes.items():
        if programme.award_cap is None:
            continue
        ruled_out = [one for one in b.of(code) if not b.awards[one] and b.offers(one)]
        if ruled_out:
            names = f"{', '.join(ruled_out[:8])}{' and others' if len(ruled_out) > 8 else ''}"
            rule = f"an award must not be above {programme.award_cap:.6g} {b.scenario.money_unit}"
            found = f"{len(ruled_out)} technologies ask for more in every mode and cannot be funded: {names}"
            yield Fault(f"scenario.toml, programmes.{code}.award_cap", rule, found)


def _without_partner(b: _Bounds) -> Iterator[Fault]:
    """Technologies that must be done with partners of whom no one may: what a must-fund one lacks is a fault itself."""
    for code, one in b.scenario.technologies.items():
        reasons = required_refusals(b.scenario, code)
        if not reasons or code in b.requirements or one.status == "must-not-fund":
            continue
        wanted = required_partners(b.scenario, code)
        new = not any(set(wanted) <= set(members(b.scenario, partner)) for partner in b.scenario.partners)
        advice = f"Add a partner {'+'.join(wanted)} with members {'|'.join(wanted)} to partners.csv." if new else ""
        rule = "should have a partner with whom it may be done"
        yield Fault(f"technologies.csv, {code}", rule, "; ".join(reasons[:4]), advice)


def _idle_judgements(b: _Bounds) -> Iterator[Fault]:
    """Judged figures that the model does not come to use: of steps not taken, of markets beside a listed value."""
    technologies = b.scenario.technologies
    for name, said, trl in dict.fromkeys((one.technology, one.input, one.trl) for one in b.scenario.judgements):
        first, goal = technologies[name].trl, target(b.scenario, name)
        where = f"judgements.csv, {said} of {name}"
        if trl is not None and not first <= trl < goal:
            yield Fault(where, f"should be of a step that it takes, from TRL {first} to {goal - 1}", f"TRL {trl}")
        if said in ("market_size", "market_share") and technologies[name].value is not None:
            rule = "changes sales and no value: technologies.csv gives the value itself"
            yield Fault(where, rule, f"{technologies[name].value:g}", "Judge the value, or leave it empty there.")


def _shares(b: _Bounds) -> Iterator[Fault]:
    """Floors above what the candidates could use, ceilings below what must be funded; shares of all money."""
    total = math.fsum(b.money.values())
    limits: tuple[tuple[str, Mapping[str, Limit]], ...] = (
        ("fields", b.scenario.limits.fields),
        ("partners", b.scenario.limits.partners),
    )
    for key, entries in limits:
        for name, limit in entries.items():
            most = math.fsum(_dearest(b, code, key, name) for code in b.scenario.technologies)
            if limit.floor * total > most + _TOLERANCE:
                yield _share_fault(b, (key, name, "floor"), limit.floor * total, f"all candidates could use {most:.6g}")
            least = b.cheapest(
                c for c in b.requirements if key == "fields" and b.scenario.technologies[c].field == name
            )
            if least > limit.ceiling * total + _TOLERANCE:
                yield _share_fault(b, (key, name, "ceiling"), limit.ceiling * total, f"must-funds need {least:.6g}")


def _share_fault(b: _Bounds, path: tuple[str, str, str], money: float, found: str) -> Fault:
    rule = f"the {path[2]}, {money:.6g} {b.scenario.money_unit} of all announced money, must be within reach"
    return Fault(f"scenario.toml, limits.{'.'.join(path)}", rule, found)


def _dearest(b: _Bounds, code: str, key: str, name: str) -> float:
    """The most that a technology can add to a limit: its dearest award in the field, or with the country."""
    if key == "fields":
        return max(b.awards[code].values(), default=0.0) if b.scenario.technologies[code].field == name else 0.0
    with_country = (money for (partner, _), money in b.awards[code].items() if name in members(b.scenario, partner))
    return max(with_country, default=0.0)


def _outside_bounds(bounds: _Bounds) -> Iterator[Fault]:
    for finding in bound_remarks(bounds.scenario):
        yield Fault(dotted_path(finding.paths[0]), finding.rule, finding.found, finding.suggestion)
