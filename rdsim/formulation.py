"""The portfolio problem that sampled options make (model, section 5): rows of every constraint family."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from rdsim.aim import aim_of
from rdsim.arrays import Floats
from rdsim.case import DAYS_PER_YEAR, hosts
from rdsim.domain import Choice, Scenario
from rdsim.errors import ExtensionError, Fault
from rdsim.families import Openings, Past, Row, RowKey, families_of, rows_of
from rdsim.figures import Figure, answer
from rdsim.luck import both_chance
from rdsim.metrics import discount
from rdsim.optimiser import Groups, Labels, PartnerNetwork, PortfolioProblem, Rows, Rules, state_problem, state_rows
from rdsim.optimiser.problem.problem import round_off
from rdsim.options import Options, contribution
from rdsim.scenario import market_probability, members, plannable

__all__ = [
    "budget_rows",
    "figure_values",
    "opening",
    "openings_of",
    "option_name",
    "row_index",
    "state",
    "synergies_of",
    "values",
]


def state(
    scenario: Scenario,
    options: Options,
    payment_ratio: Mapping[str, float] | None = None,
    past: Past | None = None,
    *,
    worths: Floats | None = None,
) -> PortfolioProblem:
    """The portfolio problem of model section 5: expected values, and the rows of every constraint family.

    Options are worth what the scenario's aim says (`values`), or `worths`, (O,) or (N, O), if given.
    `payment_ratio` (by programme; the scenario's by default) multiplies the caps of the budget rows. A synergy is
    worth its amount x the chance that both come to the market x the expected discount factor at the later market date,
    over the samples in which both technologies' best options reach their targets. An opened partner is charged its
    running cost until the median end of its longest option, or until the money of the line that pays ends, carried
    money included. `past` is what was done before, if a plan is decided again.

    Raises: ExtensionError for a family of somebody else's that makes no rows of this problem.
    """
    ratios = scenario.optimiser.payment_ratio if payment_ratio is None else payment_ratio
    stages = sorted({choice.start_year for choice in options.choices})
    openings = openings_of(scenario, options, stages, past)
    made = {name: rows_of(name, scenario, options, openings, ratios, past) for name in families_of(scenario)}
    groups = {name: g for g, name in enumerate(scenario.technologies)}
    kinds, aim = _linked_groups(scenario, groups), aim_of(scenario)
    opened = [weight * opening(figure, scenario, openings) for figure, weight in aim.weights]
    return state_problem(
        values(scenario, options) if worths is None else worths,
        rows=_rows({name: rows for name, rows in made.items() if rows}, openings),
        option_names=[option_name(choice) for choice in options.choices],
        groups=Groups(of=[groups[choice.technology] for choice in options.choices], names=list(groups)),
        network=PartnerNetwork(
            partners=csr_array(openings.joined),
            partner_names=openings.partners,
            stage=[stages.index(choice.start_year) for choice in options.choices],
            stage_names=[str(year) for year in stages],
            opening_value=sum(opened, start=np.zeros(openings.value.shape)),
        ),
        rules=Rules(
            prerequisites=kinds["prerequisite"],
            exclusions=[tuple(pair) for pair in kinds["exclusion"]],
            synergies=synergies_of(scenario, options, groups, aim.synergies),
            fixed_in_groups=[g for name, g in groups.items() if scenario.technologies[name].status == "must-fund"],
        ),
    )


def values(scenario: Scenario, options: Options) -> Floats:
    """What each option is worth in each sample, shape (N, O), by the scenario's aim.

    Net present value, and its parts, as they came in the sample; of any other figure what is expected.

    Model: R1, F15.
    """
    worth = np.zeros(options.npv.shape)
    for figure, weight in aim_of(scenario).weights:
        worth = worth + weight * figure_values(figure, scenario, options)
    return worth


def figure_values(figure: Figure, scenario: Scenario, options: Options) -> Floats:
    """What each option adds to a figure: in each sample, (N, O), if samples tell it; else what is expected, (O,)."""
    if figure.name not in _SAMPLED:
        return contribution(figure, scenario, options)
    matched, cost = _sample_values(options), _sample_costs(options)
    return {"npv": matched, "cost_pv": cost, "value_pv": matched + cost}[figure.name]


_SAMPLED = ("npv", "value_pv", "cost_pv")


def _sample_values(options: Options) -> Floats:
    """Net present value in each sample, (N, O), of which the mean is the one that is known.

    Gains are scaled, option by option, so that their mean is the one that is known without the luck of the market
    (moment matching: Barraquand 1995, Management Science 41): the best of thousands of options is then less often
    merely the luckiest. Samples without any gain are shifted instead.

    Model: F15.
    """
    short = options.mean - options.npv.mean(axis=0)
    gained = options.gain.mean(axis=0)
    scaled = np.where(gained > 0, short / np.where(gained > 0, gained, 1.0), 0.0) * options.gain
    return np.asarray(options.npv + scaled + np.where(gained > 0, 0.0, short))


def _sample_costs(options: Options) -> Floats:
    """Present cost in each sample, (N, O), scaled so that its mean is the one known without the luck of talks."""
    cost = options.gain - options.npv
    mean = cost.mean(axis=0)
    return np.asarray(cost * np.where(mean > 0, options.cost / np.where(mean > 0, mean, 1.0), 1.0))


def opening(figure: Figure, scenario: Scenario, openings: Openings) -> Floats:
    """What opening each partner at each stage adds to a figure, shape (H, S).

    Model: R1.
    """
    if figure.opening is None:
        return np.zeros(openings.value.shape)
    present_cost = -openings.value
    told = {"scenario": scenario, "hosts": openings.partners, "present_cost": present_cost, "money": openings.money}
    found = answer(figure, figure.asks["opening"], told)
    return np.array(np.broadcast_to(found, present_cost.shape), np.float64)


def option_name(choice: Choice) -> str:
    """A name that tells an option from all others."""
    return "/".join([choice.technology, choice.partner or "-", choice.mode, str(choice.start_year)])


def openings_of(scenario: Scenario, options: Options, stages: list[int], past: Past | None = None) -> Openings:
    """What opening each partner costs at each of the stages, which are start years.

    Model: F17.
    """
    codes, years = hosts(scenario), options.payments.shape[1]
    joined = _place_mask(scenario, options, codes)
    money = np.zeros((len(codes), len(stages), years))
    for p, code in enumerate(codes):
        ends = options.end_year[joined[:, p]]
        last = min(int(ends.max(initial=0)), _last_paying_year(scenario))
        for s, stage in enumerate(stages):
            first = stage - scenario.start_year
            money[p, s, first : max(last, first) + 1] = scenario.partners[code].running_cost
            money[p, s, first] += scenario.partners[code].setup_cost
    factors = discount(scenario, np.arange(years, dtype=np.int64) * DAYS_PER_YEAR)
    new = np.array([past is None or code not in past.opened for code in codes], np.bool_)
    return Openings(tuple(codes), tuple(stages), -round_off(money @ factors), round_off(money), joined, new)


def _last_paying_year(scenario: Scenario) -> int:
    """The last fiscal year, counted from 0, in which a plan may count on money of the line that pays for partners."""
    if not scenario.network.programme:
        return scenario.horizon_year - scenario.start_year
    money = plannable(scenario, scenario.network.programme)
    return max((year - scenario.start_year for year, most in money.items() if most), default=0)


def _place_mask(scenario: Scenario, options: Options, codes: list[str]) -> npt.NDArray[np.bool_]:
    """Options x hosts: in which partners an option takes a place."""
    place, joined = {code: p for p, code in enumerate(codes)}, np.zeros((len(options.choices), len(codes)), np.bool_)
    for o, choice in enumerate(options.choices):
        joined[o, [place[code] for code in members(scenario, choice.partner)]] = True
    return joined


def _linked_groups(scenario: Scenario, groups: Mapping[str, int]) -> dict[str, list[tuple[int, int]]]:
    kinds: dict[str, list[tuple[int, int]]] = {"prerequisite": [], "exclusion": [], "synergy": [], "spillover": []}
    for link in scenario.links:
        kinds[link.kind].append((groups[link.technology], groups[link.other]))
    return kinds


def synergies_of(
    scenario: Scenario, options: Options, groups: Mapping[str, int], weight: float
) -> list[tuple[int, int, float]]:
    """Pairs of groups, and what both together are worth where a synergy's value has a weight.

    Model: F18.
    """
    best: dict[str, int] = {}
    for o in np.argsort(options.expected_value, kind="stable").tolist():
        best[options.choices[o].technology] = o
    found = []
    for link in scenario.links:
        if link.kind == "synergy" and link.technology in best and link.other in best:
            reached = options.sold[:, [best[link.technology], best[link.other]]].min(axis=1)
            ends = [(name, market_probability(scenario, name)) for name in (link.technology, link.other)]
            worth = weight * float(round_off(link.amount * both_chance(scenario, *ends) * reached.mean()))
            found.append((groups[link.technology], groups[link.other], worth))
    return found


# --- rows -----------------------------------------------------------------------------------------


def row_index(problem: PortfolioProblem, family: str) -> dict[RowKey, int]:
    """Where the rows of a family stand, by key, in their order."""
    keys = enumerate(problem.rows.keys)
    return {key: row for row, key in keys if isinstance(key, RowKey) and key.family == family}


def budget_rows(scenario: Scenario, problem: PortfolioProblem) -> dict[str, list[int]]:
    """The budget rows of every programme, in order of years."""
    index = row_index(problem, "budget")
    return {name: [row for key, row in index.items() if key.what == name] for name in scenario.programmes}


def _rows(made: Mapping[str, list[Row]], openings: Openings) -> Rows:
    """Rows of all families, those of one side of a family after those of another."""
    keys = [RowKey(name, row.what, row.year, row.side) for name, rows in made.items() for row in rows]
    _refuse_twins(keys)
    listed = [row for rows in made.values() for row in rows]
    nothing, unused = np.zeros(openings.value.size), np.zeros(len(openings.joined))
    return state_rows(
        vstack(
            [csr_array(round_off([unused if row.use is None else row.use for row in rows])) for rows in made.values()]
        ),
        np.concatenate([round_off([row.cap for row in rows]) for rows in made.values()]),
        sense=[row.sense for row in listed],
        labels=Labels(names=[str(key) for key in keys], keys=keys, family=[key.label for key in keys]),
        opening_use=csr_array([nothing if row.openings is None else np.ravel(row.openings) for row in listed]),
        shortfall_price=[row.price for row in listed],
        carry=_carries(keys, listed),
    )


def _refuse_twins(keys: list[RowKey]) -> None:
    """Names must tell all rows apart. Raises ExtensionError."""
    seen: dict[str, RowKey] = {}
    for key in keys:
        if str(key) in seen:
            label = f"constraint family {key.family!r}, rows"
            raise ExtensionError((Fault(label, "must make one row of a name", f"{str(key)!r} twice"),))
        seen[str(key)] = key


def _carries(keys: list[RowKey], rows: list[Row]) -> list[tuple[int, int, float]]:
    """What is unspent of a row moves to that of the next year, if there is one."""
    index = {key: r for r, key in enumerate(keys)}
    following = (index.get(key._replace(year=key.year + 1)) for key in keys)
    return [(r, after, rows[r].carry) for r, after in enumerate(following) if after is not None and rows[r].carry > 0]
