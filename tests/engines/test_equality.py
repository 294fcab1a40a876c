"""The two engines give equal outcomes, every column of every project; and the suite has teeth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from rdsim import gates, portfolio
from rdsim.case import END_STATES, TARGET, Case, Outcomes, build
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.draws import Draws
from rdsim.engines import compiled, process, rules
from rdsim.engines.process.agenda import Entry
from rdsim.engines.process.project import Project
from rdsim.engines.process.world import World as ProcessWorld
from rdsim.luck import chance, lay_out, lay_out_rest
from rdsim.options import candidates
from rdsim.scenario import load
from tests.sizes import size
from tests.worlds import World, draw_world, run_both, worlds

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
REPLICATIONS = 4


def differing(first: Outcomes, second: Outcomes) -> list[str]:
    """Columns that are not equal."""
    return [name for name in first._fields if not np.array_equal(getattr(first, name), getattr(second, name))]


# --- equality -------------------------------------------------------------------------------------


def drawn(world: World, first: int, count: int) -> Outcomes:
    """Outcomes of the compiled engine when it draws the luck itself."""
    case, numbers = world.case(), range(first, first + count)
    source = chance(world.scenario, case, world.choices, world.seed)
    rest = lay_out_rest(world.scenario, case, world.choices, Draws(world.seed, numbers))
    return compiled.Runner(case, source)(numbers, rest)


@settings(max_examples=size(80, 600))
@given(worlds(), st.integers(0, 2**31))
def test_luck_that_is_drawn_when_needed_is_the_luck_that_is_laid_out(world: World, first: int) -> None:
    case = world.case()
    luck = lay_out(world.scenario, case, world.choices, Draws(world.seed, range(first, first + REPLICATIONS)))
    assert differing(compiled.run(case, luck), drawn(world, first, REPLICATIONS)) == []


def test_a_runner_leaves_nothing_of_one_batch_to_the_next() -> None:
    for seed in range(20):
        world = draw_world(seed)
        case = world.case()
        runner = compiled.Runner(case, chance(world.scenario, case, world.choices, world.seed))
        for first, count in ((5, 3), (0, 3), (100, 1), (5, 3)):
            rest = lay_out_rest(world.scenario, case, world.choices, Draws(world.seed, range(first, first + count)))
            found = runner(range(first, first + count), rest)
            assert differing(found, drawn(world, first, count)) == []


@settings(max_examples=size(80, 600))
@given(worlds())
def test_the_engines_agree_on_generated_worlds(world: World) -> None:
    _, _, slow, fast = run_both(world, REPLICATIONS)
    assert differing(slow, fast) == []


def _random_portfolio(scenario: Scenario, seed: int) -> Portfolio:
    """One eligible option of most technologies, whatever the budget: everything becomes scarce."""
    rng = np.random.default_rng(seed)
    by_technology: dict[str, list[Choice]] = {}
    for choice in candidates(scenario):
        by_technology.setdefault(choice.technology, []).append(choice)
    picked = [some[int(rng.integers(len(some)))] for some in by_technology.values() if rng.random() < 0.9]
    excluded = {link.other for link in scenario.links if link.kind == "exclusion"}
    kept = tuple(choice for choice in picked if choice.technology not in excluded)
    return portfolio.with_ranks(Portfolio(kept), scenario)


@pytest.mark.parametrize(
    ("name", "parts"),
    [("korea-2024", ""), ("medical-ai-2024", ""), ("medical-ai-2024", "link"), ("gri-network", "")],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_engines_agree_on_shipped_scenarios(name: str, parts: str, seed: int) -> None:
    scenario = load(SCENARIOS / name, {"parts": parts})
    chosen = _random_portfolio(scenario, seed)
    choices = tuple(sorted(chosen.choices, key=lambda choice: choice.rank))
    case = build(scenario, chosen)
    luck = lay_out(scenario, case, choices, Draws(seed, range(size(100, 200))))
    fast = compiled.run(case, luck)
    assert differing(process.run(case, luck), fast) == []
    assert differing(drawn(World(scenario, chosen, seed), 0, size(100, 200)), fast) == []


def test_the_engines_agree_on_the_tiny_scenario(tiny: Path) -> None:
    scenario = load(tiny)
    for seed in range(size(6, 20)):
        chosen = _random_portfolio(scenario, seed)
        choices = tuple(sorted(chosen.choices, key=lambda choice: choice.rank))
        case = build(scenario, chosen)
        luck = lay_out(scenario, case, choices, Draws(seed, range(200)))
        assert differing(process.run(case, luck), compiled.run(case, luck)) == []


# --- the generator is counted ---------------------------------------------------------------------

WAITS = ("wait_prerequisite", "wait_start", "wait_place", "wait_money", "wait_panel", "wait_facility")
HAPPENINGS = (
    "setbacks",
    "extensions",
    "lost_partner",
    "fell_back",
    "spillovers",
    "refund",
    "lapsed",
    "short",
    "carried_in",
)


def _ties(case: Case, out: Outcomes) -> set[str]:
    """Kinds of simultaneous events of different projects that compete for the same thing."""
    found = set()
    for r in range(len(out.trl)):
        for g in range(len(case.tranches)):
            mine = case.programme == g
            for kind, days in (("tie of tranches", out.tranche_day[r, mine]), ("tie of ends", out.end_day[r, mine])):
                shown = days[days >= 0]
                if len(np.unique(shown)) < len(shown):
                    found.add(kind)
        held = out.place_day[r][out.place_day[r] >= 0]
        if len(np.unique(held)) < len(held):
            found.add("tie of places")
        if np.isin(out.freed_day[r][out.freed_day[r] >= 0], held).any():
            found.add("tie of release and place")
        if (out.tranche_day[r] % 360 == 0).any():
            found.add("tie with the year end")
    return found


def _handed_in(case: Case, out: Outcomes) -> set[str]:
    """Whether a deliverable was handed in, and whether one that is due was not asked of somebody who worked."""
    due = case.due_tranche[case.programme] > 0
    waived = (due & ~case.asked).any(axis=1) & (out.reviews > 0)
    seen = {"handed in": (out.delivered_day >= 0).any(), "waived": waived.any()}
    return {name for name, happened in seen.items() if happened}


def _formation(case: Case, out: Outcomes) -> dict[str, bool]:
    """What may happen on the way to agreements."""
    passed, begun = (out.formed_day >= 0).sum(axis=2), out.place_day >= 0
    return {
        "a stage passed and the next one not": bool((begun & (passed > 0) & (passed < case.stages)).any()),
        "several stages passed": bool((passed > 1).any()),
        "talks that know of an agreement": bool(_learned(case, out).any()),
        "two agreements with a partner that learns": bool((_learned(case, out) & (out.agreement_day >= 0)).any()),
    }


def _learned(case: Case, out: Outcomes) -> np.ndarray:
    """Projects whose talks began after another's agreement with a partner of theirs, where that makes them faster."""
    found = np.zeros_like(out.place_day, dtype=bool)
    if len(case.learning_ppm) == 1:
        return found
    for p, q in np.argwhere(np.ones((len(case.programme),) * 2)).tolist():
        shared = set(case.member[p][case.member[p] >= 0]) & set(case.member[q])
        if p != q and shared:
            found[:, p] |= (out.agreement_day[:, q] >= 0) & (out.agreement_day[:, q] <= out.place_day[:, p])
    return found


def _shared_luck(scenario: Scenario) -> dict[str, bool]:
    """What luck is shared, by whom there is to share it."""
    risks, market = scenario.risks, scenario.risks.market_factor
    blocs = Counter(one.bloc for one in scenario.partners.values() if one.break_rate > 0 and one.bloc)
    spread = risks.budget.sd > 0 and len(scenario.programmes) > 1
    return {
        "markets share with all": market.chance_common > 0,
        "markets share in a field": market.chance_field > 0,
        "markets are independent": market.chance_common == market.chance_field == 0,
        "values share": market.value_common + market.value_field > 0,
        "budgets share": spread and risks.budget.common > 0,
        "breaks share": risks.breaks.bloc_share > 0 and max(blocs.values(), default=0) > 1,
    }


def test_everything_that_can_happen_does_happen_in_the_generated_worlds() -> None:
    count, seen = size(150, 600), Counter[str]()
    for seed in range(count):
        world = draw_world(seed)
        case = world.case()
        out = compiled.run(case, world.luck(case, REPLICATIONS))
        seen.update(name for name in (*WAITS, *HAPPENINGS) if (getattr(out, name) > 0).any())
        seen.update(END_STATES[state] for state in np.unique(out.end_state).tolist())
        seen.update(_ties(case, out))
        seen.update(_handed_in(case, out))
        seen.update(name for name, found in _formation(case, out).items() if found)
        seen.update(name for name, found in _shared_luck(world.scenario).items() if found)
        seen["alone all the same"] += world.scenario.domestic == "allowed"
    ties = ("tie of tranches", "tie of ends", "tie of places", "tie of release and place", "tie with the year end")
    names = (
        *WAITS,
        *HAPPENINGS,
        *END_STATES,
        *ties,
        "handed in",
        "waived",
        "alone all the same",
        *_formation(case, out),
        *_shared_luck(world.scenario),
    )
    rare = {name: seen[name] for name in names if seen[name] < 0.05 * count}
    assert not rare, f"in {count} worlds these were too rare: {rare}"


# --- the bite: a change of any rule in one engine is noticed ---------------------------------------

Mutation = Callable[[pytest.MonkeyPatch], None]


def _rule(name: str, mutant: Callable[..., object]) -> Mutation:
    return lambda patch: patch.setattr(rules, name, mutant)


def _queue_order(patch: pytest.MonkeyPatch) -> None:
    """Desks serve the lowest rank first."""
    from rdsim.engines.process import queues  # noqa: PLC0415

    def insort_backwards(queue: list[object], project: object, key: Callable[[object], int]) -> None:
        queue.append(project)
        queue.sort(key=key, reverse=True)

    patch.setattr(queues, "insort", insort_backwards)
    patch.setattr(queues, "bisect_left", lambda queue, rank, key: [key(one) for one in queue].index(rank))


def _first_come(patch: pytest.MonkeyPatch) -> None:
    """Desks serve in order of arrival."""
    from rdsim.engines.process import queues  # noqa: PLC0415

    patch.setattr(queues, "insort", lambda queue, project, key: queue.append(project))
    patch.setattr(queues, "bisect_left", lambda queue, rank, key: [key(one) for one in queue].index(rank))


def _phase(name: str, phase: int) -> Mutation:
    """Entries of one kind get another phase: another order of ties."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        from rdsim.engines.process import partners, project, queues, world  # noqa: PLC0415

        for module in (queues, partners, project, world):
            if hasattr(module, name):
                patch.setattr(module, name, phase)

    return mutate


def _reversed_grants(patch: pytest.MonkeyPatch) -> None:
    """Facilities first and starts last."""
    original = Entry.__init__

    def init(entry: Entry, env: simpy.Environment, day: int, phase: int, order: int) -> None:
        original(entry, env, day, phase, 1000 - order if phase == rules.GRANT else order)

    patch.setattr(Entry, "__init__", init)


def _case(change: Callable[[Case], dict[str, object]]) -> Mutation:
    """The SimPy engine is given another case: what a forgotten or misread rule amounts to."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        original = process.run

        def run(case: Case, *rest: object) -> Outcomes:
            return original(case._replace(**change(case)), *rest)  # type: ignore[arg-type]

        patch.setattr(process, "run", run)

    return mutate


def _policy(name: str, **changes: Callable[..., object]) -> Mutation:
    """A gate policy of the SimPy engine judges or drops otherwise."""
    mutant = replace(gates.GATE_POLICIES[name], **changes)  # type: ignore[arg-type]
    return lambda patch: patch.setitem(gates.GATE_POLICIES._known, name, mutant)


def _method(kind: type, name: str, mutant: Callable[..., object]) -> Mutation:
    """A method of the SimPy engine does otherwise."""
    return lambda patch: patch.setattr(kind, name, mutant)


def _refund_all(project: Project) -> None:
    """Money paid abroad is returned, break or no break."""
    lost = project.world.out.lost_partner
    at = (project.world.row, project.rank)
    seen, lost[at] = lost[at], 0
    _GIVE_REFUND(project)
    lost[at] = seen


def _starts_add_up(world: ProcessWorld, programme: int) -> None:
    """Unused starts do not lapse."""
    queue = world.starts[programme]
    queue.left = sum(world.case.starts[programme][: world.year + 1])
    queue.grant_soon()


_GIVE_REFUND = Project.give_refund


MUTATIONS: dict[str, Mutation] = {
    "money that just fits does not": _rule("fits", lambda amount, purse: amount < purse),
    "carry-over rounds up": _rule("carry_over", lambda unspent, rate: -(-unspent * rate // 1_000_000)),
    "nothing is carried over": _rule("carry_over", lambda unspent, rate: 0),
    "refund rounds up": _rule("refund", lambda paid, unused, days: -(-paid * unused // days)),
    "refund of a day too many": _rule("refund", lambda paid, unused, days: paid * (unused + 1) // days),
    "never hopeless": _rule("hopeless", lambda amount, purse, announced: False),
    "exchange rate rounds up": _rule("at_rate", lambda amount, rate: -(-amount * rate // 1_000_000)),
    "talks round down": _rule("talk_days", lambda base, rate: max(base * rate // 1_000_000, 1)),
    "nothing is learned": _case(lambda case: {"learning_ppm": case.learning_ppm[:1]}),
    "a consortium knows what its best member knows": _method(
        Project,
        "pace",
        lambda project: project.world.case.learning_ppm[
            min(max(one.agreements for one in project.partners), len(project.world.case.learning_ppm) - 1)
        ],
    ),
    "only the first stage counts": _case(lambda case: {"stages": np.ones_like(case.stages)}),
    "steps round down": _rule("work_days", lambda base, factor: max(int(base * factor), 1)),
    "a step planned a day late": _rule(
        "planned_trl",
        lambda medians, trl, target, funded: trl + sum(day < funded for day in medians[: target - trl]),
    ),
    "rounds come a day late": _rule("next_round", lambda day: -(-day // 180) * 180 + 1),
    "queue order": _queue_order,
    "first come, first served": _first_come,
    "panels before work": _phase("PANEL", 1),
    "grants before work": _phase("GRANT", 1),
    "breaks after grants": _phase("BREAK", 9),
    "breaks before work": _phase("BREAK", 1),
    "year ends after all": _phase("YEAR", 9),
    "work after grants": _phase("WORK", 9),
    "panels after grants": _phase("PANEL", 9),
    "agreements before breaks": _phase("AGREEMENT", 2),
    "panels before breaks": _phase("PANEL", 2),
    "agreements after grants": _phase("AGREEMENT", 9),
    "partners open after grants": _phase("RELEASE", 9),
    "calls after grants": _phase("REQUEST", 9),
    "queues grant in reverse order": _reversed_grants,
    "extension count": _case(lambda case: {"extensions": np.maximum(case.extensions - 1, 0)}),
    "gate tolerance": _policy(
        "threshold",
        judge=lambda lead, missing, luck, a, b, by: luck >= a if lead + by > 0 and not missing else luck < b,
    ),
    "missing deliverables are forgiven": _policy(
        "threshold", judge=lambda lead, _, luck, a, b, by: luck >= a if lead + by >= 0 else luck < b
    ),
    "alpha and beta change places": _policy(
        "threshold", judge=lambda lead, missing, luck, a, b, by: gates.threshold(lead, missing, luck, b, a, by)
    ),
    "no fraction is carried to the next round": _policy(
        "drop-worst", drops=lambda reviews, rate, fraction: (reviews * rate // 1_000_000, 0)
    ),
    "one more is dropped": _policy(
        "drop-worst", drops=lambda reviews, rate, fraction: (1 + (reviews * rate + fraction) // 1_000_000, 0)
    ),
    "rounds forgive missing deliverables": _policy("drop-worst", judge=gates.always_pass),
    "rounds judge the lead as well": _policy("drop-worst", judge=gates.threshold),
    "money paid abroad is returned after a break": _method(Project, "give_refund", _refund_all),
    "a spillover helps on its own day": _method(
        Project, "is_at_target_before", lambda project, day: project.end_state == TARGET and project.end_day <= day
    ),
    "unused starts do not lapse": _method(ProcessWorld, "open_call", _starts_add_up),
    "one attempt more": _rule("attempt", lambda luck, success, setback: 0 if luck < success else 1),
    "a closed partner opens a day early": _case(lambda case: {"closed_days": case.closed_days - 1}),
    "first fit for all": _case(lambda case: {"purse_rule": np.ones_like(case.purse_rule)}),
    "strict for all": _case(lambda case: {"purse_rule": np.zeros_like(case.purse_rule)}),
    "extensions last a day less": _case(lambda case: {"extension_days": case.extension_days - 1}),
    "no error in reviews": _case(lambda case: {"alpha": 0 * case.alpha, "beta": 0 * case.beta}),
    "partners run for nothing": _case(lambda case: {"running_cost": 0 * case.running_cost}),
    "facilities have a unit more": _case(lambda case: {"capacity": case.capacity + 1}),
    "panels have a seat more": _case(lambda case: {"seats": case.seats + 1}),
    "what is waived is asked for": _case(
        lambda case: {"asked": np.arange(case.asked.shape[1]) < case.deliverables[case.programme][:, None]}
    ),
    "partners have a place more": _case(lambda case: {"places": case.places + 1}),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_rule_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTATIONS[name](monkeypatch)
    for seed in range(size(250, 1000)):
        world = draw_world(seed)
        case = world.case()
        luck = world.luck(case, REPLICATIONS)
        if differing(process.run(case, luck), compiled.run(case, luck)):
            return
    pytest.fail(f"no generated world notices: {name}")
