"""Figures that follow from a scenario and are not stored in it: costs to scale, targets, levels, awards, eligibility.

Money is in the scenario's ``money_unit``. A technology may be given by its id or as the `Technology` itself. What
experts have judged stands in place of what the tables say: see `rdsim.scenario.judgement`.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
from statistics import fmean, pstdev

from rdsim.domain import Calibration, Input, Programme, Scenario, Technology, TechnologyStep
from rdsim.errors import Fault, ScenarioError
from rdsim.partnership import absorption, cost_factor
from rdsim.scenario.judgement import figure
from rdsim.scenario.partners import members, partner_benefit, partner_refusal, required_partners, technology_of
from rdsim.scenario.screening import Screened, layers_in_use, screen
from rdsim.scenario.units import money_unit

__all__ = [
    "award",
    "calibration",
    "call_months",
    "cost",
    "cost_scale",
    "eligible",
    "essentials",
    "market_probability",
    "market_share",
    "market_size",
    "market_value",
    "merits",
    "money_scale",
    "offer_refusal",
    "own_steps",
    "partner_gain",
    "required_refusals",
    "screening_fees",
    "screenings",
    "step_distribution",
    "target",
]

_TOLERANCE = 1e-9


def money_scale(scenario: Scenario) -> int:
    """Units of the currency (won) in one ``money_unit``: 1 000 000 000 for billion KRW.

    Raises ScenarioError for a money unit that no loaded scenario can have.

    Model: D2.
    """
    unit = money_unit(scenario.money_unit)
    if unit is None:
        rule = "must be '<scale> <currency>', as 'billion KRW'"
        raise ScenarioError((Fault("money_unit", rule, repr(scenario.money_unit)),))
    return unit.scale


def calibration(scenario: Scenario) -> Calibration:
    """The calibration in use."""
    return scenario.calibrations[scenario.calibration]


def step_distribution(scenario: Scenario) -> tuple[str, Mapping[str, float]]:
    """Name and parameters of the distribution of step times: the calibration's, or that of `steps`."""
    own, steps = calibration(scenario), scenario.steps
    shared = steps.distribution_parameters if own.distribution in (None, steps.distribution) else {}
    return own.distribution or steps.distribution, {**shared, **own.distribution_parameters}


def own_steps(scenario: Scenario) -> dict[tuple[str, int], TechnologyStep]:
    """The steps that have figures of their own, by technology and the TRL that they start from."""
    return {(step.technology, step.trl): step for step in scenario.technology_steps}


def cost_scale(scenario: Scenario) -> float:
    """Factor on every technology's cost that makes them add up to ``requests_total``; 1 where that is absent.

    Model: D3.
    """
    if scenario.requests_total is None:
        return 1.0
    return scenario.requests_total / math.fsum(_request(scenario, one) for one in scenario.technologies.values())


def cost(scenario: Scenario, technology: Technology | str) -> float:
    """Cost to the target TRL, in money, after scaling to ``requests_total``.

    Model: D3.
    """
    return _request(scenario, technology_of(scenario, technology)) * cost_scale(scenario)


def _request(scenario: Scenario, technology: Technology) -> float:
    """Cost as listed or judged, before scaling."""
    return _judged_value(scenario, technology, "cost", technology.cost)


def target(scenario: Scenario, technology: Technology | str) -> int:
    """Target TRL: the technology's, or its programme's.

    Model: D6.
    """
    one = technology_of(scenario, technology)
    return one.trl_target or scenario.programmes[one.programme].trl_target


def market_value(scenario: Scenario, technology: Technology | str) -> float:
    """Value on reaching the market: as given, or market size x share x margin (the form of S004), in money.

    Model: D5.
    """
    one = technology_of(scenario, technology)
    if one.value is None:
        listed = market_size(scenario, one) * market_share(scenario, one) * scenario.value.margin
    else:
        listed = one.value
    return _judged_value(scenario, one, "value", listed)


def market_size(scenario: Scenario, technology: Technology | str) -> float:
    """World market that it addresses, a year, in money."""
    one = technology_of(scenario, technology)
    return _judged_value(scenario, one, "market_size", one.market_size)


def market_share(scenario: Scenario, technology: Technology | str) -> float:
    """Share of that market won on success."""
    one = technology_of(scenario, technology)
    return _judged_value(scenario, one, "market_share", one.market_share)


def market_probability(scenario: Scenario, technology: Technology | str) -> float:
    """Probability of commercialisation at the target TRL: the technology's, or the calibration's.

    Model: D5.
    """
    one = technology_of(scenario, technology)
    given = one.market_probability
    listed = calibration(scenario).market_probability if given is None else given
    return _judged_value(scenario, one, "market_probability", listed)


def _judged_value(scenario: Scenario, technology: Technology, name: Input, listed: float) -> float:
    """What the experts who are heard make of a figure, or what is listed."""
    said = figure(scenario, technology.id, name)
    return listed if said is None else said


def award(scenario: Scenario, technology: Technology | str, partner: str, mode: str) -> float:
    """Home money promised: cost to target x partner cost factor x home share (model, section 3), in money.

    Model: D10.
    """
    share = scenario.modes[mode].home_cost_share
    if not partner:
        return cost(scenario, technology) * share
    institutions = len(members(scenario, partner))
    return cost(scenario, technology) * cost_factor(scenario.partner_effect, institutions) * share


def eligible(scenario: Scenario, technology: Technology | str, partner: str, mode: str) -> str:
    """'' if the technology may be funded with this partner ('' for none) in this mode, or the reason why not.

    Model: D19.
    """
    unfit = offer_refusal(scenario, technology, partner, mode)
    return unfit or _over_cap(scenario, technology_of(scenario, technology), partner, mode)


def offer_refusal(scenario: Scenario, technology: Technology | str, partner: str, mode: str) -> str:
    """Like `eligible`, but whatever the award: '' or a reason that has nothing to do with money.

    Model: D19.
    """
    if isinstance(technology, str) and technology not in scenario.technologies:
        return f"there is no technology '{technology}'"
    one = technology_of(scenario, technology)
    if one.status == "must-not-fund":
        return "the planner has ruled it out (must-not-fund)"
    unfit = _unfit_pair(scenario, partner, mode) or partner_refusal(scenario, one, partner)
    return unfit or _screening_reason(scenario, one)


def required_refusals(scenario: Scenario, technology: Technology | str) -> tuple[str, ...]:
    """Why a technology may be done with nobody who takes in all the partners that it requires; () if it may.

    () also where it requires none.
    """
    wanted = required_partners(scenario, technology)
    pairs = [(code, mode) for code, one in scenario.partners.items() for mode in one.modes]
    joined = [pair for pair in pairs if set(wanted) <= set(members(scenario, pair[0]))]
    reasons = [eligible(scenario, technology, *pair) for pair in joined]
    if not wanted or not all(reasons):
        return ()
    return tuple(dict.fromkeys(reasons)) or (f"it must be done with {' and '.join(wanted)}, and nobody has them all",)


def call_months(scenario: Scenario, programme: Programme) -> float:
    """Months from the beginning of the fiscal year until projects start: to the call, and through its screening.

    A screening delays the call of every year, for what a call brings is evaluated before it is funded.

    Model: D17.
    """
    to_call = (programme.call_month - scenario.fiscal_year_start_month) % 12
    return to_call + math.fsum(layer.months for layer in layers_in_use(programme.screening))


def merits(scenario: Scenario, programme: str) -> dict[str, float]:
    """Merit of each of a programme's candidates, what experts try to see, in standard deviations from the mean.

    It is the logarithm of expected value per cost (market value x probability of commercialisation / cost), less its
    mean, over its standard deviation among them; 0 where all are alike. Ruled-out technologies are no candidates.

    Model: D18.
    """
    rows = [one for one in scenario.technologies.values() if one.programme == programme]
    listed = [one for one in rows if one.status != "must-not-fund"]
    return _in_deviations({one.id: _log_worth(scenario, one) - math.log(cost(scenario, one)) for one in listed})


def _in_deviations(found: Mapping[str, float]) -> dict[str, float]:
    """Figures in standard deviations from their mean; 0 where all are alike."""
    mean, spread = (fmean(found.values()), pstdev(found.values())) if found else (0.0, 0.0)
    return {name: (value - mean) / spread if spread > _TOLERANCE else 0.0 for name, value in found.items()}


def partner_gain(scenario: Scenario, technology: Technology | str) -> float:
    """What the best partner brings over none, from 0 to 1: its benefit times what home absorbs, mean over the steps.

    A partner's effects on time and on the log-odds of success are in proportion to it. 0 where nobody may take part.

    Model: D18.
    """
    one = technology_of(scenario, technology)
    absorbed = [absorption(scenario.partner_effect, trl) for trl in range(one.trl, target(scenario, one))]
    joint = [code for code in scenario.partners if not partner_refusal(scenario, one, code)]
    best = max((partner_benefit(scenario, one, code) for code in joint), default=0.0)
    return best * fmean(absorbed) if absorbed else 0.0


def essentials(scenario: Scenario, programme: str) -> dict[str, float]:
    """How essential cooperation is to each of a programme's candidates: `partner_gain` in standard deviations."""
    return _in_deviations({name: partner_gain(scenario, name) for name in merits(scenario, programme)})


def _log_worth(scenario: Scenario, technology: Technology) -> float:
    worth = market_value(scenario, technology) * market_probability(scenario, technology)
    return math.log(max(worth, _TOLERANCE))


_screened: dict[int, tuple[weakref.ref[Scenario], dict[str, Screened]]] = {}
"""What came of the screenings of scenarios that are in use; a scenario holds tables, so it cannot be a key itself."""


def screenings(scenario: Scenario) -> dict[str, Screened]:
    """What came of every screening, by programme; worked out once for each scenario."""
    place = id(scenario)
    known = _screened.get(place)
    if known is None or known[0]() is not scenario:
        lines = [name for name, line in scenario.programmes.items() if line.screening.keep is not None]
        found = {name: _shortlist(scenario, name) for name in lines}
        known = _screened[place] = (weakref.ref(scenario, lambda _: _screened.pop(place, None)), found)
    return known[1]


def _shortlist(scenario: Scenario, programme: str) -> Screened:
    """Model: D18."""
    settings, merit = scenario.programmes[programme].screening, merits(scenario, programme)
    fixed = [one for one in merit if scenario.technologies[one].status == "must-fund"]
    weight = settings.essentiality
    if weight:
        essential = essentials(scenario, programme)
        merit = _in_deviations({name: (1 - weight) * one + weight * essential[name] for name, one in merit.items()})
    return screen(settings, merit, fixed)


def screening_fees(scenario: Scenario) -> float:
    """Fees of all experts, in money; the office that runs a programme pays them, not the programme's budget.

    They are in every simulated worth. What the optimiser expects leaves them out: no choice of its changes them.
    """
    return math.fsum(one.paid for one in screenings(scenario).values())


def _screening_reason(scenario: Scenario, technology: Technology) -> str:
    found = screenings(scenario).get(technology.programme)
    return found.reason(technology.id) if found else ""


def _unfit_pair(scenario: Scenario, partner: str, mode: str) -> str:
    """Whether the mode exists, and goes with the partner or with having none."""
    if mode not in scenario.modes:
        return f"there is no mode '{mode}'"
    if not partner:
        return "" if mode == "domestic" else f"mode '{mode}' needs a partner"
    if mode == "domestic":
        return "mode 'domestic' takes no partner"
    if partner not in scenario.partners:
        return f"there is no partner '{partner}'"
    return "" if mode in scenario.partners[partner].modes else f"{partner} does not offer mode '{mode}'"


def _over_cap(scenario: Scenario, technology: Technology, partner: str, mode: str) -> str:
    """Model: D19."""
    programme: Programme = scenario.programmes[technology.programme]
    if programme.award_cap is None:
        return ""
    asked = award(scenario, technology, partner, mode)
    if asked <= programme.award_cap + _TOLERANCE:
        return ""
    unit = scenario.money_unit
    return f"its award of {asked:.6g} {unit} is above the programme's largest, {programme.award_cap:.6g} {unit}"
