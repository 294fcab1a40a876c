"""Small stories whose every date and sum is worked out by hand, each about one rule of model section 3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rdsim.case import (
    DAYS_PER_YEAR,
    DROPPED,
    EXHAUSTED,
    FAILED,
    RUNNING,
    STOPPED,
    TARGET,
    UNFUNDED,
    Case,
    Outcomes,
    SamplePaths,
)
from rdsim.domain import (
    Choice,
    Deliverable,
    FormationStage,
    Gate,
    Link,
    Mode,
    Network,
    Panel,
    Partner,
    Programme,
    Scenario,
    Technology,
    Tranche,
)
from rdsim.engines import compiled, process
from tests.simple import each_step, lived, plain

BILLION = 10**9
YEARLY = (Tranche(12.0, 0.5), Tranche(12.0, 0.5))


def technology(name: str, trl: int = 4, target: int = 6, cost: float = 10.0, line: str = "line") -> Technology:
    return Technology(name, name, line, "f", trl=trl, cost=cost, value=100.0, trl_target=target)


def line(**changes: object) -> Programme:
    """Two yearly tranches; 100 bn a year."""
    return replace(plain().programmes["line"], **changes)  # type: ignore[arg-type]


def joint(programme: Programme | None = None, partners: tuple[Partner, ...] = (), **changes: object) -> Scenario:
    """Talks of 90 days that succeed; home pays all and sends half of it abroad; no partner effect on steps."""
    mode = Mode("Joint", home_cost_share=1.0, abroad_share=0.5, agreement_months=3.0)
    known = partners or (Partner("P", "P", modes=("joint",), places=1),)
    names = "ABC"
    return plain(
        {name: technology(name, 4, 9) for name in names},
        programme,
        modes={"domestic": Mode("Domestic"), "joint": mode},
        partners={one.code: one for one in known},
        levels={one.code: {"f": 10.0} for one in known if not one.members},
        **changes,
    )


def told(case: Case, luck: SamplePaths, **changes: object) -> Outcomes:
    """What both engines make of luck that the test has written."""
    written = luck._replace(**changes)
    out, slow = compiled.run(case, written), process.run(case, written)
    for name, column in out._asdict().items():
        assert (column == getattr(slow, name)).all(), name
    return out


def breaks(luck: SamplePaths, *days: int, partner: int = 0) -> np.ndarray:
    """Break days of one partner; the others have none."""
    table = np.full_like(luck.break_day, -1)
    for day in days:
        table[:, partner, day // DAYS_PER_YEAR] = day
    return table


# --- money ----------------------------------------------------------------------------------------


def test_a_refund_is_there_for_a_request_of_the_same_day() -> None:
    """A asks 8 of 10 bn on day 0 and reaches its target on day 180: half of 8 bn back. B, behind it, asks 6 bn."""
    techs = {"A": technology("A", 4, 5, 8.0), "B": technology("B", 4, 5, 6.0)}
    one = (Tranche(12.0, 1.0),)
    _, _, out = lived(
        plain(techs, line(tranches=one, budget={2024: 10.0})),
        Choice("A", start_year=2024),
        Choice("B", start_year=2024),
    )
    assert out.end_state[0].tolist() == [TARGET, UNFUNDED]  # no money is announced: B does not wait for refunds
    _, _, out = lived(
        plain(techs, line(tranches=one, budget={2024: 10.0, 2025: 6.0})),
        Choice("A", start_year=2024),
        Choice("B", start_year=2024),
    )
    assert out.refund[0, 0] == 4 * BILLION
    assert out.tranche_day[0, :, 0].tolist() == [0, 180]
    assert out.wait_money[0].tolist() == [0, 180]


def test_a_strict_purse_keeps_those_behind_waiting_and_first_fit_does_not() -> None:
    """3 bn in 2024 and 10 in 2025: A asks 5, B asks 2."""
    techs = {"A": technology("A", 4, 5, 5.0), "B": technology("B", 4, 5, 2.0)}
    days = {}
    for rule in ("strict", "first-fit"):
        programme = line(tranches=(Tranche(12.0, 1.0),), budget={2024: 3.0, 2025: 10.0}, purse_rule=rule)
        _, _, out = lived(plain(techs, programme), Choice("A", start_year=2024), Choice("B", start_year=2024))
        days[rule] = out.tranche_day[0, :, 0].tolist()
        assert out.short[0, 0, 0] == (7 if rule == "strict" else 5) * BILLION
    assert days == {"strict": [360, 360], "first-fit": [360, 0]}


def test_more_money_can_pay_someone_later_if_it_keeps_a_request_from_being_hopeless() -> None:
    """5 bn in all: A's 6 bn are hopeless, and B is paid at once. 6 bn in all: A is waited for, and B gets nothing."""
    techs = {"A": technology("A", 4, 5, 6.0), "B": technology("B", 4, 5, 1.0)}
    programme = line(tranches=(Tranche(12.0, 1.0),), budget={2024: 3.0, 2025: 2.0}, carry_over=1.0)
    two = Choice("A", start_year=2024), Choice("B", start_year=2024)
    _, _, out = lived(plain(techs, programme), *two)
    assert out.end_state[0].tolist() == [UNFUNDED, TARGET]
    assert out.tranche_day[0, 1, 0] == 0
    _, _, out = lived(plain(techs, replace(programme, budget={2024: 3.0, 2025: 3.0})), *two)
    assert out.tranche_day[0, 0, 0] == 360
    assert out.end_day[0, 1] == 360
    assert out.end_state[0].tolist() == [TARGET, UNFUNDED]


def test_money_abroad_costs_the_rate_of_its_year() -> None:
    """Half of 5.4 bn goes abroad, at 1.2 in the first year and 0.9 in the second."""
    case, luck, _ = lived(joint(), Choice("A", "joint", "P", 2024))
    rates = luck.exchange_ppm.copy()
    rates[:, :, 0], rates[:, :, 1] = 1_200_000, 900_000
    out = told(case, luck, exchange_ppm=rates)
    at_home, abroad = 27 * BILLION // 10, 27 * BILLION // 10
    assert out.paid_abroad[0, 0].tolist() == [abroad * 12 // 10, abroad * 9 // 10]
    assert out.paid[0, 0].tolist() == [at_home + abroad * 12 // 10, at_home + abroad * 9 // 10]


def test_a_cut_budget_makes_a_request_wait_for_the_next_year() -> None:
    case, luck, _ = lived(plain(), Choice("T", start_year=2024))
    cut = luck.budget.copy()
    cut[:, :, 0] = 4 * BILLION
    out = told(case, luck, budget=cut)
    assert out.tranche_day[0, 0, 0] == 360
    assert (out.new_money[0, 0, 0], out.short[0, 0, 0]) == (4 * BILLION, 5 * BILLION)


# --- partners -------------------------------------------------------------------------------------


def test_after_a_break_money_abroad_stays_abroad_even_if_the_project_goes_on() -> None:
    """Paid on day 90; break on day 100; target on day 270, with 180 of 360 days unused: half of the home half."""
    scenario = joint()
    scenario = replace(scenario, technologies={"A": technology("A", 4, 5)})
    case, luck, whole = lived(scenario, Choice("A", "joint", "P", 2024))
    half = 27 * BILLION // 10
    assert (whole.end_day[0, 0], whole.refund[0, 0]) == (270, half)  # 180 of 360 days of 5.4 bn
    out = told(case, luck, break_day=breaks(luck, 100))
    assert (out.end_state[0, 0], out.end_day[0, 0]) == (TARGET, 270)
    assert (out.lost_partner[0, 0], out.fell_back[0, 0], out.joint_at_end[0, 0]) == (1, 1, 0)
    assert out.freed_day[0, 0] == 100
    assert out.refund[0, 0] == half // 2


def test_a_break_during_talks_sends_the_project_home_and_closes_the_partner() -> None:
    """One place: A talks until a break on day 30 and goes on as domestic; B enters when the partner opens again."""
    case, luck, _ = lived(joint(), Choice("A", "joint", "P", 2024), Choice("B", "joint", "P", 2024))
    out = told(case, luck, break_day=breaks(luck, 30))
    assert out.place_day[0].tolist() == [0, 30 + case.closed_days]
    assert out.agreement_day[0].tolist() == [-1, 30 + case.closed_days + 90]
    assert out.tranche_day[0, 0, 0] == 30
    assert out.paid[0, 0, 0] == case.domestic[0, 0]
    assert out.wait_place[0].tolist() == [0, 30 + case.closed_days]


def test_a_break_during_talks_drops_the_project_where_the_programme_says_so() -> None:
    case, luck, _ = lived(joint(line(fallback="drop")), Choice("A", "joint", "P", 2024))
    out = told(case, luck, break_day=breaks(luck, 30))
    assert (out.end_state[0, 0], out.end_day[0, 0], out.paid.sum()) == (DROPPED, 30, 0)


@pytest.mark.parametrize("fallback", ["domestic", "drop"])
def test_on_one_day_a_break_comes_before_an_agreement(fallback: str) -> None:
    """Talks would succeed on day 90, on which relations break: there is no agreement, and the talks are lost."""
    case, luck, _ = lived(joint(line(fallback=fallback)), Choice("A", "joint", "P", 2024))
    out = told(case, luck, break_day=breaks(luck, 90))
    assert (out.agreement_day[0, 0], out.freed_day[0, 0], out.lost_partner[0, 0]) == (-1, 90, 1)
    assert out.tranche_day[0, 0, 0] == (90 if fallback == "domestic" else -1)
    assert (out.end_state[0, 0] == DROPPED) == (fallback == "drop")


def test_on_one_day_work_comes_before_a_break() -> None:
    """The target is reached on day 270, on which relations break: nothing is lost, and all unused money returns."""
    scenario = replace(joint(line(fallback="drop")), technologies={"A": technology("A", 4, 5)})
    case, luck, _ = lived(scenario, Choice("A", "joint", "P", 2024))
    out = told(case, luck, break_day=breaks(luck, 270))
    assert (out.end_state[0, 0], out.end_day[0, 0], out.lost_partner[0, 0]) == (TARGET, 270, 0)
    assert out.joint_at_end[0, 0] == 1
    assert out.refund[0, 0] == 27 * BILLION // 10


@pytest.mark.parametrize(("day", "reviews", "paid"), [(449, 0, 1), (450, 0, 1), (480, 0, 1), (481, 1, 2)])
def test_on_one_day_a_break_comes_before_a_decision(day: int, reviews: int, paid: int) -> None:
    """Reviewed from day 450 to 480: who loses its partner on day 480 is dropped before the decision and the money."""
    programme = line(fallback="drop", gate=Gate("always-pass", panel="p"))
    case, luck, _ = lived(joint(programme, panels={"p": Panel(1, 1.0)}), Choice("A", "joint", "P", 2024))
    out = told(case, luck, break_day=breaks(luck, day))
    assert (out.end_state[0, 0], out.end_day[0, 0], out.reviews[0, 0]) == (DROPPED, day, reviews)
    assert (out.tranche_day[0, 0] >= 0).sum() == paid


def test_a_seat_of_a_project_that_is_dropped_serves_the_next_at_once() -> None:
    """A sits from day 450; B has waited since. Relations with A's partner break on day 460: B sits from then on."""
    partners = (Partner("P", "P", modes=("joint",), places=1), Partner("Q", "Q", modes=("joint",), places=1))
    programme = line(fallback="drop", gate=Gate("always-pass", panel="p"))
    scenario = joint(programme, partners, panels={"p": Panel(1, 1.0)})
    case, luck, _ = lived(scenario, Choice("A", "joint", "P", 2024), Choice("B", "joint", "Q", 2024))
    out = told(case, luck, break_day=breaks(luck, 460))
    assert out.wait_panel[0].tolist() == [0, 10]
    assert out.tranche_day[0, 1, 1] == 490


def test_running_cost_that_can_never_be_paid_is_written_down_and_closes_nobody() -> None:
    """The line that pays for partners has 1 bn in its only year: the second year's 0.5 bn comes too late."""
    partner = Partner("P", "P", modes=("joint",), places=1, setup_cost=0.5, running_cost=0.5)
    scenario = joint(None, (partner,), network=Network("other"))
    lines = {"line": scenario.programmes["line"], "other": line(budget={2024: 1.0})}
    scenario = replace(scenario, programmes=lines, technologies={"A": technology("A", 4, 6)})
    _, _, out = lived(scenario, Choice("A", "joint", "P", 2024))
    assert out.network_paid[0, 0, :3].tolist() == [BILLION, 0, 0]
    assert out.network_short[0, 0] == BILLION // 2
    assert (out.end_state[0, 0], out.end_day[0, 0], out.joint_at_end[0, 0]) == (TARGET, 450, 1)


def test_the_next_in_line_takes_a_place_on_the_day_it_is_freed() -> None:
    """A's target comes 90 + 360 days after its call; B, which waits for the same place, enters on that day."""
    scenario = joint()
    scenario = replace(scenario, technologies={name: technology(name, 4, 6) for name in "AB"})
    _, _, out = lived(scenario, Choice("A", "joint", "P", 2024), Choice("B", "joint", "P", 2024))
    assert out.freed_day[0, 0] == out.end_day[0, 0] == 450
    assert out.place_day[0, 1] == 450
    assert out.peak_places[0, 0] == 1


def test_a_consortium_takes_both_places_at_once_and_keeps_them_from_those_behind() -> None:
    """A holds P's place until day 450. The consortium waits for P and so keeps Q's from C, which has a lower rank."""
    partners = (
        Partner("P", "P", modes=("joint",), places=1),
        Partner("P+Q", "P and Q", members=("P", "Q"), modes=("joint",)),
        Partner("Q", "Q", modes=("joint",), places=1),
    )
    scenario = joint(partners=partners)
    scenario = replace(scenario, technologies={name: technology(name, 4, 6) for name in "ABC"})
    choices = (Choice("A", "joint", "P", 2024), Choice("B", "joint", "P+Q", 2024), Choice("C", "joint", "Q", 2024))
    _, _, out = lived(scenario, *choices)
    assert out.place_day[0, :2].tolist() == [0, 450]
    assert out.place_day[0, 2] == out.freed_day[0, 1] > 450


def test_a_partner_whose_opening_is_never_paid_is_never_waited_for() -> None:
    """Opening costs 3 bn, the line has 2: the project goes on as domestic on the same day."""
    expensive = Partner("P", "P", modes=("joint",), places=1, setup_cost=3.0)
    poor = replace(line(), budget={2024: 2.0})
    rich = replace(line(), name="Rich")
    scenario = joint(rich, (expensive,), network=Network("poor"))
    scenario = replace(scenario, programmes={"line": rich, "poor": poor})
    _, _, out = lived(scenario, Choice("A", "joint", "P", 2024))
    assert (out.opened_day[0, 0], out.place_day[0, 0], out.fell_back[0, 0]) == (-1, -1, 1)
    assert out.tranche_day[0, 0, 0] == 0
    assert out.paid[0, 0, 0] == 5 * BILLION


def test_running_cost_is_paid_each_year_until_the_last_project_ends() -> None:
    """Opened on day 0 for 1 + 0.5 bn; A lives until day 450, so 0.5 bn more in the second year and none after."""
    partner = Partner("P", "P", modes=("joint",), places=1, setup_cost=1.0, running_cost=0.5)
    scenario = joint(None, (partner,), network=Network("line"))
    scenario = replace(scenario, technologies={"A": technology("A", 4, 6)})
    _, _, out = lived(scenario, Choice("A", "joint", "P", 2024))
    assert out.network_paid[0, 0, :3].tolist() == [15 * BILLION // 10, 5 * BILLION // 10, 0]


# --- agreements: stages and learning --------------------------------------------------------------


def network(learning: float = 0.8, floor: float = 0.5, **changes: object) -> Scenario:
    """Talks of 90 days with P or Q, or with both, who have places for all; agreements make the next talks faster."""
    partners = tuple(Partner(code, code, modes=("joint",), places=9) for code in "PQ")
    both = Partner("P+Q", "P and Q", modes=("joint",), members=("P", "Q"))
    return joint(partners=(*partners, both), network=Network(learning=learning, learning_floor=floor), **changes)


def test_talks_are_faster_after_agreements_with_the_same_partner() -> None:
    """Two agreements with P on day 90. From day 360 talks take 90 x 0.8 x 0.8 = 57.6 days, whole ones 58."""
    pair = (Choice("A", "joint", "P", 2024), Choice("B", "joint", "P", 2024))
    for floor, days in ((0.5, 58), (0.7, 63), (1.0, 90)):
        _, _, out = lived(network(floor=floor), *pair, Choice("C", "joint", "P", 2025))
        assert out.agreement_day[0].tolist() == [90, 90, 360 + days]
    _, _, out = lived(network(), *pair, Choice("C", "joint", "Q", 2025))
    assert out.agreement_day[0].tolist() == [90, 90, 360 + 90]
    _, _, out = lived(network(1.0), *pair, Choice("C", "joint", "P", 2025))
    assert out.agreement_day[0].tolist() == [90, 90, 360 + 90]


def test_a_consortium_talks_as_fast_as_its_newest_member_and_teaches_both() -> None:
    """A agrees with P alone, so that P+Q begins anew; what P+Q agrees on counts with Q."""
    chosen = Choice("A", "joint", "P", 2024), Choice("B", "joint", "P+Q", 2025), Choice("C", "joint", "Q", 2026)
    _, _, out = lived(network(), *chosen)
    assert out.agreement_day[0].tolist() == [90, 360 + 90, 720 + 72]


def test_an_agreement_counts_for_talks_that_begin_on_its_day() -> None:
    """Talks of 360 days from day 0 end on the day on which the next ones begin, in half of that."""
    slow = {"domestic": Mode("Domestic"), "joint": Mode("Joint", agreement_months=12.0)}
    _, _, out = lived(
        replace(network(0.5), modes=slow), Choice("A", "joint", "P", 2024), Choice("B", "joint", "P", 2025)
    )
    assert out.agreement_day[0].tolist() == [360, 360 + 180]


def test_what_was_learned_is_kept_through_a_break_and_failed_talks_teach_nothing() -> None:
    """A agrees on day 90; relations break on day 100 for a year. B's talks of day 460 know of A, and fail: 72 days."""
    chosen = [Choice(name, "joint", "P", 2024 + k) for k, name in enumerate("ABC")]
    case, luck, _ = lived(network(), *chosen)
    agreed = luck.agreed.copy()
    agreed[0, 1] = False
    out = told(case, luck, break_day=breaks(luck, 100), agreed=agreed)
    assert out.place_day[0].tolist() == [0, 460, 720]
    assert out.agreement_day[0].tolist() == [90, -1, 720 + 72]
    assert out.freed_day[0, :2].tolist() == [100, 460 + 72]


def test_an_agreement_is_formed_stage_by_stage() -> None:
    """Matching of 30 days and a memorandum of 60; the first may fail, then the second, then relations break."""
    stages = (FormationStage("match", 1.0), FormationStage("memorandum", 2.0))
    modes = {"domestic": Mode("Domestic"), "joint": Mode("Joint", formation=stages)}
    scenario = replace(joint(), modes=modes)
    case, luck, out = lived(scenario, Choice("A", "joint", "P", 2024))
    assert out.formed_day[0, 0].tolist() == [30, 90]
    assert (out.agreement_day[0, 0], out.fell_back[0, 0]) == (90, 0)
    for stage, formed, day in ((0, [-1, -1], 30), (1, [30, -1], 90)):
        agreed = luck.agreed.copy()
        agreed[0, 0, stage] = False
        out = told(case, luck, agreed=agreed)
        assert out.formed_day[0, 0].tolist() == formed
        assert (out.agreement_day[0, 0], out.fell_back[0, 0], out.tranche_day[0, 0, 0]) == (-1, 1, day)
    out = told(case, luck, break_day=breaks(luck, 60))
    assert out.formed_day[0, 0].tolist() == [30, -1]
    assert (out.lost_partner[0, 0], out.tranche_day[0, 0, 0]) == (1, 60)


def test_stages_are_learned_each() -> None:
    """After two agreements at 0.8 each a stage of 30 days takes 19.2, whole ones 20, and one of 60 takes 39."""
    stages = (FormationStage("match", 1.0), FormationStage("memorandum", 2.0))
    modes = {"domestic": Mode("Domestic"), "joint": Mode("Joint", formation=stages)}
    chosen = [Choice(name, "joint", "P", year) for name, year in (("A", 2024), ("B", 2024), ("C", 2025))]
    _, _, out = lived(replace(network(), modes=modes), *chosen)
    assert out.formed_day[0].tolist() == [[30, 90], [30, 90], [380, 419]]


# --- work and gates -------------------------------------------------------------------------------


def test_a_setback_repeats_the_step_and_the_last_attempt_fails() -> None:
    """Attempts of 180 days: a setback, then success; then three setbacks in a row, which are a failure."""
    steps = each_step(0.9, setback_probability=0.5, attempts=3)
    scenario = plain({"T": technology("T", 4, 6)}, line(tranches=(Tranche(60.0, 1.0),)), steps=steps)
    case, luck, _ = lived(scenario, Choice("T", start_year=2024))
    chance = case.alone_success[0, 3]
    tables = np.full_like(luck.step, chance / 2)
    setback = chance + (1 - chance) * 0.25
    tables[0, 0, 3, 0] = setback
    out = told(case, luck, step=tables)
    assert (out.end_state[0, 0], out.setbacks[0, 0]) == (TARGET, 1)
    assert out.trl_day[0, 0, 4:6].tolist() == [360, 540]
    tables[0, 0, 4, :] = setback
    out = told(case, luck, step=tables)
    assert (out.end_state[0, 0], out.trl[0, 0], out.end_day[0, 0]) == (FAILED, 5, 360 + 3 * 180)
    assert out.setbacks[0, 0] == 3  # the last attempt ends the project
    assert out.refund[0, 0] == 10 * BILLION * (1800 - 900) // 1800


def test_a_spillover_helps_a_step_that_ends_later_but_not_on_the_same_day() -> None:
    """A reaches its target on day 180. B's first step ends that day too, unhelped; its second ends later."""
    techs = {"A": technology("A", 4, 5), "B": technology("B", 4, 6)}
    scenario = plain(techs, steps=each_step(0.9), links=(Link("spillover", "B", "A", 0.3),))
    case, luck, _ = lived(scenario, Choice("A", start_year=2024), Choice("B", start_year=2024))
    chance = case.alone_success[1, 3]
    tables = np.full_like(luck.step, 0.5)
    tables[0, 1, 4, 0] = chance + 0.05
    out = told(case, luck, step=tables)
    assert out.end_state[0].tolist() == [TARGET, TARGET]
    assert out.spillovers[0].tolist() == [0, 1]
    tables[0, 1, 3, 0] = chance + 0.05
    out = told(case, luck, step=tables)
    assert out.end_state[0].tolist() == [TARGET, FAILED]
    assert out.spillovers[0].tolist() == [0, 0]


@pytest.mark.parametrize(("months", "state"), [(12.0, TARGET), (12.1, STOPPED)])
def test_a_deliverable_that_is_due_decides_at_the_gate(months: float, state: int) -> None:
    """A paper takes work of 12 months, done on the very day of the gate, or a few days more."""
    paper = {"paper": Deliverable(count=1, due_tranche=1, mean_months=6.0)}
    programme = line(gate=Gate("threshold"), deliverables=paper)
    case, luck, _ = lived(plain({"T": technology("T", 4, 7)}, programme), Choice("T", start_year=2024))
    needed = np.full_like(luck.deliverable_days, round(months * 30))
    out = told(case, luck, deliverable_days=needed)
    assert out.end_state[0, 0] == state
    assert out.delivered[0, 0] == (state == TARGET)


def test_deliverables_carry_the_day_on_which_work_enough_was_done() -> None:
    """Steps of 180 days, paid for 360 and again for 360; a review takes the 30 days from day 360 on.

    Work on the paper begins with TRL 5, on day 180: 250 days of work are done on day 180 + 180 + 30 + 70 = 460. The
    patent needs no work beyond TRL 6, reached on day 360; the prototype (70 days from the start) is no condition; the
    book would take 800 days.
    """
    items = {
        "paper": Deliverable(after_trl=5, mean_months=1.0),
        "patent": Deliverable(after_trl=6, mean_months=0.0),
        "prototype": Deliverable(due_tranche=1, mean_months=1.0, optional=True),
        "book": Deliverable(mean_months=1.0),
    }
    programme = line(gate=Gate("threshold", panel="p"), deliverables=items)
    scenario = plain({"T": technology("T", 4, 8)}, programme, panels={"p": Panel(1, 1.0)})
    case, luck, _ = lived(scenario, Choice("T", start_year=2024))
    needed = luck.deliverable_days.copy()
    needed[0, 0] = [250, 0, 70, 800]
    out = told(case, luck, deliverable_days=needed)
    assert out.delivered_day[0, 0].tolist() == [460, 360, 70, -1]
    assert out.delivered[0, 0] == 0b0111
    assert out.end_state[0, 0] == TARGET


@pytest.mark.parametrize(
    ("waives", "extensions", "state", "day"),
    [((), 0, STOPPED, -1), ((), 1, TARGET, 400), (("paper",), 0, TARGET, -1), (("paper",), 1, TARGET, -1)],
)
def test_what_a_technology_waives_is_not_asked_of_it(
    waives: tuple[str, ...], extensions: int, state: int, day: int
) -> None:
    """A paper is due on day 360 and takes 400 days: stopped, or extended by 60 days; or it is waived."""
    paper = {"paper": Deliverable(due_tranche=1, mean_months=6.0)}
    gate = Gate("threshold", extensions=extensions, extension_months=2.0)
    one = replace(technology("T", 4, 7), waives=waives)
    case, luck, _ = lived(plain({"T": one}, line(gate=gate, deliverables=paper)), Choice("T", start_year=2024))
    out = told(case, luck, deliverable_days=np.full_like(luck.deliverable_days, 400))
    assert out.end_state[0, 0] == state
    assert out.delivered_day[0, 0, 0] == day
    assert out.extensions[0, 0] == (extensions if not waives else 0)


@pytest.mark.parametrize(("luck", "state"), [(0.25, TARGET), (0.35, STOPPED)])
def test_where_projects_are_compared_a_missing_deliverable_counts_as_well(luck: float, state: int) -> None:
    """Nobody is dropped by comparison; a paper is due on day 360 and takes longer; it is overlooked below beta."""
    paper = {"paper": Deliverable(count=1, due_tranche=1, mean_months=6.0)}
    gate = Gate("drop-worst", drop_share=0.0, alpha=0.9, beta=0.3)
    scenario = plain({"T": technology("T", 4, 7)}, line(gate=gate, deliverables=paper))
    case, chance, _ = lived(scenario, Choice("T", start_year=2024))
    late = {"deliverable_days": np.full_like(chance.deliverable_days, 361), "gate": np.full_like(chance.gate, luck)}
    assert told(case, chance, **late).end_state[0, 0] == state
    late["deliverable_days"] -= 1
    assert told(case, chance, **late).end_state[0, 0] == TARGET  # in time: alpha is no error of this policy


def test_the_worst_of_a_round_is_the_one_farthest_behind_with_its_review_error() -> None:
    """Leads are equal; errors of -0.2, -0.3 and +0.1 steps order them, and half of three (one) is dropped."""
    gate = Gate("drop-worst", drop_share=0.5, review_error=1.0)
    techs = {name: technology(name, 4, 9) for name in "ABC"}
    case, luck, _ = lived(plain(techs, line(gate=gate)), *(Choice(name, start_year=2024) for name in techs))
    error = np.array([-0.2, -0.3, 0.1])[None, :, None] * np.ones_like(luck.review_error)
    assert told(case, luck, review_error=error).end_state[0].tolist() == [EXHAUSTED, STOPPED, EXHAUSTED]


def test_judgement_errs_with_alpha_and_beta() -> None:
    """On plan, luck below alpha stops; behind, luck below beta passes."""
    programme = line(gate=Gate("threshold", alpha=0.2, beta=0.3))
    case, luck, _ = lived(plain({"T": technology("T", 4, 8)}, programme), Choice("T", start_year=2024))
    ends = {}
    for pace in (1, 2):
        for draw in (0.1, 0.25, 0.35):
            out = told(case, luck, step_days=luck.step_days * pace, gate=np.full_like(luck.gate, draw))
            ends[pace, draw] = out.end_state[0, 0] != STOPPED
    assert ends == {
        (1, 0.1): False,
        (1, 0.25): True,
        (1, 0.35): True,
        (2, 0.1): True,
        (2, 0.25): True,
        (2, 0.35): False,
    }


@pytest.mark.parametrize("review", [1, 2, 3])
def test_one_seat_serves_spaced_arrivals_as_lindley_says(review: int) -> None:
    """Arrivals a month apart, reviews of 1 to 3 months: W(k + 1) = max(0, W(k) + review - gap)."""
    names = [f"L{k}" for k in range(6)]
    programmes = {
        name: line(tranches=(Tranche(12.0 + k, 0.5), Tranche(12.0, 0.5)), gate=Gate("always-pass", panel="p"))
        for k, name in enumerate(names)
    }
    techs = {name: technology(name, 4, 9, line=name) for name in names}
    scenario = replace(plain(techs, panels={"p": Panel(1, float(review))}), programmes=programmes)
    _, _, out = lived(scenario, *(Choice(name, start_year=2024) for name in names))
    waits, wait = [], 0
    for _ in names:
        waits.append(wait)
        wait = max(0, wait + 30 * review - 30)
    assert out.wait_panel[0].tolist() == waits


# --- calendar -------------------------------------------------------------------------------------


def test_a_july_call_in_a_fiscal_year_from_march_is_on_day_120() -> None:
    scenario = plain(None, line(call_month=7), fiscal_year_start_month=3)
    _, _, out = lived(scenario, Choice("T", start_year=2025))
    assert out.start_day[0, 0] == 360 + 120


def test_a_prerequisite_met_on_the_day_of_the_call_lets_the_project_start_on_it() -> None:
    scenario = plain({name: technology(name) for name in "AB"}, links=(Link("prerequisite", "B", "A"),))
    _, _, out = lived(scenario, Choice("A", start_year=2024), Choice("B", start_year=2025))
    assert (out.end_day[0, 0], out.start_day[0, 1], out.wait_prerequisite[0, 1]) == (360, 360, 0)


def test_at_the_horizon_a_project_is_running_and_its_market_may_be_out_of_sight() -> None:
    """Target on day 360 of 720: the market of day 720 is not simulated. At a horizon of one year it still runs."""
    _, _, out = lived(plain(horizon_year=2025), Choice("T", start_year=2024))
    assert (out.end_state[0, 0], out.end_day[0, 0], out.market_day[0, 0]) == (TARGET, 360, -1)
    one = line(budget={2024: 100.0}, starts={2024: 9})
    _, _, out = lived(plain(None, one, horizon_year=2024), Choice("T", start_year=2024))
    assert (out.end_state[0, 0], out.end_day[0, 0], out.trl[0, 0]) == (RUNNING, -1, 5)
    assert out.worked_days[0, 0] == 360


def test_a_market_on_the_first_day_after_the_horizon_is_not_seen() -> None:
    """The horizon is the first day that is not simulated: a market on it never comes, one on the day before does."""
    case, luck, out = lived(plain(), Choice("T", start_year=2024))
    left = case.horizon - int(out.end_day[0, 0])
    assert told(case, luck, market_days=np.full_like(luck.market_days, left)).market_day[0, 0] == -1
    assert told(case, luck, market_days=np.full_like(luck.market_days, left - 1)).market_day[0, 0] == case.horizon - 1
