"""The portfolio problem that sampled options make (model, section 5): one family of rows for each kind of limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from rdsim.case import DAYS_PER_YEAR, hosts, members
from rdsim.domain import Choice, Scenario
from rdsim.metrics import discount
from rdsim.optimiser import PortfolioProblem, Rows, state_problem, state_rows
from rdsim.optimiser.problem.problem import rounded
from rdsim.options import Options
from rdsim.scenario import plannable

__all__ = ["ShareKey", "option_name", "share_keys", "state", "values"]

Floats = npt.NDArray[np.float64]


class ShareKey(NamedTuple):
    """Whose share of the money a row limits: a field and a partner of one name are two."""

    family: str  # field or partner
    what: str


class _Block(NamedTuple):
    """Rows of one family: named, with a use of options and of openings."""

    family: str
    names: list[str]
    use: csr_array
    opening_use: csr_array
    sense: str
    cap: Floats
    price: float = float("nan")


def state(scenario: Scenario, options: Options, payment_ratio: Mapping[str, float] | None = None) -> PortfolioProblem:
    """The portfolio problem of model section 5: expected values, and one family of rows for each kind of limit.

    `payment_ratio` (by programme; the scenario's by default) multiplies the caps of the budget rows. A synergy is
    worth its amount x the expected discount factor at the later market date, over the samples in which both
    technologies' best options reach the market. An opened partner is charged its running cost until the median end
    of its longest option, or until the money of the line that pays ends, carried money included.
    """
    ratios = scenario.optimiser.payment_ratio if payment_ratio is None else payment_ratio
    stages = sorted({choice.start_year for choice in options.choices})
    openings = _openings(scenario, options, stages)
    blocks = [
        _budget_rows(scenario, options, openings, ratios),
        _start_rows(scenario, options),
        _place_rows(scenario, options),
        _institute_rows(scenario, options),
        _abroad_rows(scenario, options),
        *_field_rows(scenario, options),
        *_partner_rows(scenario, options),
        _international_rows(scenario, options),
    ]
    groups = {name: g for g, name in enumerate(scenario.technologies)}
    kinds = _linked_groups(scenario, groups)
    return state_problem(
        values(scenario, options),
        rows=_rows(scenario, [block for block in blocks if block.names]),
        option_names=[option_name(choice) for choice in options.choices],
        group=[groups[choice.technology] for choice in options.choices],
        group_names=list(groups),
        partners=_membership(scenario, options),
        partner_names=hosts(scenario),
        stage=[stages.index(choice.start_year) for choice in options.choices],
        stage_names=[str(year) for year in stages],
        opening_value=openings.value,
        prerequisites=kinds["prerequisite"],
        exclusions=[tuple(pair) for pair in kinds["exclusion"]],
        synergies=_synergies(scenario, options, groups),
        fixed_in_groups=[g for name, g in groups.items() if scenario.technologies[name].status == "must-fund"],
    )


def values(scenario: Scenario, options: Options) -> Floats:
    """What each option is worth in each sample, shape (N, O): present value less cost, and the bonus it may expect.

    Gains are scaled, option by option, so that their mean is the one that is known without the luck of the market
    (moment matching: Barraquand 1995, Management Science 41): the best of thousands of options is then less often
    merely the luckiest. Samples without any gain are shifted instead. What an option costs stays as it is.
    """
    short = options.mean - options.npv.mean(axis=0)
    gained = options.gain.mean(axis=0)
    scaled = np.where(gained > 0, short / np.where(gained > 0, gained, 1.0), 0.0) * options.gain
    matched = options.npv + scaled + np.where(gained > 0, 0.0, short)
    return np.asarray(matched + scenario.optimiser.commercialisation_value * options.p_in_time)


def option_name(choice: Choice) -> str:
    """A name that tells an option from all others."""
    return "/".join([choice.technology, choice.partner or "-", choice.mode, str(choice.start_year)])


class _Openings(NamedTuple):
    """What opening a partner at a stage costs: present value, and money by fiscal year."""

    value: Floats  # (P, S), not above 0
    money: Floats  # (P, S, Y)


def _openings(scenario: Scenario, options: Options, stages: list[int]) -> _Openings:
    codes, years = hosts(scenario), options.payments.shape[1]
    joined = _membership(scenario, options).toarray()
    money = np.zeros((len(codes), len(stages), years))
    for p, code in enumerate(codes):
        ends = options.end_year[joined[:, p]]
        last = min(int(ends.max(initial=0)), _last_paying_year(scenario))
        for s, stage in enumerate(stages):
            first = stage - scenario.start_year
            money[p, s, first : max(last, first) + 1] = scenario.partners[code].running_cost
            money[p, s, first] += scenario.partners[code].setup_cost
    factors = discount(scenario, np.arange(years, dtype=np.int64) * DAYS_PER_YEAR)
    return _Openings(-rounded(money @ factors), rounded(money))


def _last_paying_year(scenario: Scenario) -> int:
    """The last fiscal year, counted from 0, in which a plan may count on money of the line that pays for partners."""
    if not scenario.network.programme:
        return scenario.horizon_year - scenario.start_year
    money = plannable(scenario, scenario.network.programme)
    return max((year - scenario.start_year for year, most in money.items() if most), default=0)


def _membership(scenario: Scenario, options: Options) -> csr_array:
    """Options x hosts: in which partners an option takes a place."""
    index = {code: p for p, code in enumerate(hosts(scenario))}
    pairs = [(o, index[code]) for o, choice in enumerate(options.choices) for code in members(scenario, choice.partner)]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    return csr_array((np.ones(len(pairs), np.bool_), (rows, columns)), shape=(len(options.choices), len(index)))


def _linked_groups(scenario: Scenario, groups: Mapping[str, int]) -> dict[str, list[tuple[int, int]]]:
    kinds: dict[str, list[tuple[int, int]]] = {"prerequisite": [], "exclusion": [], "synergy": [], "spillover": []}
    for link in scenario.links:
        kinds[link.kind].append((groups[link.technology], groups[link.other]))
    return kinds


def _synergies(scenario: Scenario, options: Options, groups: Mapping[str, int]) -> list[tuple[int, int, float]]:
    best: dict[str, int] = {}
    for o in np.argsort(options.expected, kind="stable").tolist():
        best[options.choices[o].technology] = o
    found = []
    for link in scenario.links:
        if link.kind == "synergy" and link.technology in best and link.other in best:
            both = options.sold[:, [best[link.technology], best[link.other]]].min(axis=1)
            worth = float(rounded(link.amount * both.mean()))
            found.append((groups[link.technology], groups[link.other], worth))
    return found


def _per_line(scenario: Scenario, options: Options, use: Floats, years: list[int]) -> Iterator[tuple[str, int, Floats]]:
    """(programme, year, use of each option) for the columns of `use` in those years."""
    lines = np.array([scenario.technologies[choice.technology].programme for choice in options.choices])
    for name in scenario.programmes:
        mine = lines == name
        for year in years:
            yield name, year, np.where(mine, use[:, year - scenario.start_year], 0.0)


def _block(
    family: str,
    rows: list[tuple[str, Floats, float]],
    options: Options,
    openings: list[Floats] | None = None,
    sense: str = "<=",
    price: float = float("nan"),
) -> _Block:
    use = csr_array(rounded([use for _, use, _ in rows]).reshape(len(rows), len(options.choices)))
    opening = csr_array(np.array(openings)) if openings else csr_array((len(rows), 0))
    return _Block(family, [name for name, _, _ in rows], use, opening, sense, rounded([cap for *_, cap in rows]), price)


def _years(scenario: Scenario) -> list[int]:
    return list(range(scenario.start_year, scenario.horizon_year + 1))


def _budget_rows(scenario: Scenario, options: Options, openings: _Openings, ratios: Mapping[str, float]) -> _Block:
    """Expected payments net of refunds, and partners' costs, within the announced money x payment ratio."""
    rows, opening = [], []
    for name, year, use in _per_line(scenario, options, options.payments, _years(scenario)):
        cap = scenario.programmes[name].budget.get(year, 0.0) * ratios.get(name, 1.0)
        rows.append((f"budget {name} {year}", use, cap))
        pays = name == scenario.network.programme
        opening.append(openings.money[:, :, year - scenario.start_year].ravel() * pays)
    return _block("budget", rows, options, opening)


def _start_rows(scenario: Scenario, options: Options) -> _Block:
    first = np.zeros_like(options.payments)
    years = np.array([choice.start_year - scenario.start_year for choice in options.choices], np.int64)
    first[np.arange(len(years)), years] = 1.0
    rows = [
        (f"starts {name} {year}", use, float(scenario.programmes[name].starts.get(year, 0)))
        for name, year, use in _per_line(scenario, options, first, sorted({c.start_year for c in options.choices}))
    ]
    return _block("starts", rows, options)


def _place_rows(scenario: Scenario, options: Options) -> _Block:
    """Places held on average over a year, within the partner's places."""
    joined, rows = _membership(scenario, options).toarray(), []
    for p, code in enumerate(hosts(scenario)):
        for year in _years(scenario):
            use = options.occupancy[:, year - scenario.start_year] * joined[:, p]
            if use.any():
                rows.append((f"places {code} {year}", use, float(scenario.partners[code].places)))
    return _block("places", rows, options)


def _institute_rows(scenario: Scenario, options: Options) -> _Block:
    """Joint projects under way on average over a year, from the beginning of talks, within the institute's teams."""
    home = np.array([scenario.technologies[choice.technology].institute for choice in options.choices])
    rows = []
    for code, institute in scenario.institutes.items():
        for year in _years(scenario) if institute.teams is not None else ():
            use = np.where(home == code, options.occupancy[:, year - scenario.start_year], 0.0)
            if use.any():
                rows.append((f"institutes {code} {year}", use, float(institute.teams or 0)))
    return _block("institutes", rows, options)


def _abroad_rows(scenario: Scenario, options: Options) -> _Block:
    rows = [
        (f"abroad {year}", options.abroad[:, year - scenario.start_year], cap)
        for year, cap in sorted(scenario.international.abroad_cap.items())
        if scenario.start_year <= year <= scenario.horizon_year
    ]
    return _block("abroad", rows, options)


def share_keys(scenario: Scenario, problem: PortfolioProblem) -> dict[int, ShareKey]:
    """The rows of a stated problem that limit shares of the money, by index, each with whose share it is."""
    known = {
        f"{family} {side} {what}": ShareKey(family, what)
        for family, limits in (("field", scenario.limits.fields), ("partner", scenario.limits.partners))
        for what in limits
        for side in ("floor", "ceiling")
    }
    return {row: known[name] for row, name in enumerate(problem.rows.names) if name in known}


def _total_budget(scenario: Scenario) -> float:
    return sum(sum(line.budget.values()) for line in scenario.programmes.values())


def _share_rows(
    scenario: Scenario,
    options: Options,
    family: str,
    uses: Mapping[str, Floats],
    limits: Mapping[str, tuple[float, float]],
) -> list[_Block]:
    """Floors and ceilings on expected payments as shares of the whole announced budget."""
    total = _total_budget(scenario)
    floors = [(f"{family} floor {name}", uses[name], low * total) for name, (low, _) in limits.items() if low > 0]
    ceilings = [
        (f"{family} ceiling {name}", uses[name], high * total) for name, (_, high) in limits.items() if high < 1
    ]
    return [_block(f"{family} floor", floors, options, sense=">="), _block(f"{family} ceiling", ceilings, options)]


def _field_rows(scenario: Scenario, options: Options) -> list[_Block]:
    fields = np.array([scenario.technologies[choice.technology].field for choice in options.choices])
    total = options.payments.sum(axis=1)
    limits = {name: (limit.floor, limit.ceiling) for name, limit in scenario.limits.fields.items()}
    return _share_rows(
        scenario, options, "field", {name: np.where(fields == name, total, 0.0) for name in limits}, limits
    )


def _partner_rows(scenario: Scenario, options: Options) -> list[_Block]:
    joined, codes = _membership(scenario, options).toarray(), hosts(scenario)
    total = options.joint.sum(axis=1)
    limits = {name: (limit.floor, limit.ceiling) for name, limit in scenario.limits.partners.items()}
    uses = {name: total * joined[:, codes.index(name)] for name in limits}
    return _share_rows(scenario, options, "partner", uses, limits)


def _international_rows(scenario: Scenario, options: Options) -> _Block:
    """Soft floors: outside spending and home money of joint projects reach the year's share of the R&D budget."""
    rules, rows = scenario.international, []
    for year, floor in sorted(rules.share_floor.items()):
        if scenario.start_year <= year <= scenario.horizon_year and rules.rd_budget.get(year, 0.0) > 0:
            needed = floor * rules.rd_budget[year] - rules.outside_spending.get(year, 0.0)
            rows.append((f"international {year}", options.joint[:, year - scenario.start_year], needed))
    return _block("international", rows, options, sense=">=", price=rules.shortfall_price)


def _rows(scenario: Scenario, blocks: list[_Block]) -> Rows:
    openings = max((block.opening_use.shape[1] for block in blocks), default=0)
    opening = [
        block.opening_use if block.opening_use.shape[1] else csr_array((len(block.names), openings)) for block in blocks
    ]
    names = [name for block in blocks for name in block.names]
    return state_rows(
        vstack([block.use for block in blocks]),
        np.concatenate([block.cap for block in blocks]),
        sense=[block.sense for block in blocks for _ in block.names],
        names=names,
        family=[block.family for block in blocks for _ in block.names],
        opening_use=vstack(opening),
        shortfall_price=np.concatenate([np.full(len(block.names), block.price) for block in blocks]),
        carry=_carries(scenario, names),
    )


def _carries(scenario: Scenario, names: list[str]) -> list[tuple[int, int, float]]:
    """Unspent money of a budget row moves to the next year's."""
    index = {name: r for r, name in enumerate(names)}
    return [
        (index[f"budget {name} {year}"], index[f"budget {name} {year + 1}"], line.carry_over)
        for name, line in scenario.programmes.items()
        for year in range(scenario.start_year, scenario.horizon_year)
        if line.carry_over > 0
    ]
