"""One project's life read a third time: straight from the model, section 3, with no agenda or queue, no engine's rule.

Alone in an endless world a project waits for nothing but a year with money, a partner that is open and the next
round. So its life is one walk through time, in which only breaks in relations come from outside. Engines that
agree with each other may share a misreading; they do not share it with this page.
"""

from __future__ import annotations

import math
from fractions import Fraction

from rdsim.case import DROPPED, EXHAUSTED, FAILED, RUNNING, STOPPED, TARGET, UNFUNDED, Case, SamplePaths
from rdsim.gates import GATE_POLICIES

__all__ = ["COLUMNS", "Life"]

YEAR, ROUND = 360, 180
ALWAYS_PASS, DROP_WORST = (GATE_POLICIES.number(name) for name in ("always-pass", "drop-worst"))

# The order of a day: what happens in technical work, then breaks, then gates, agreements and grants.
WORK, BREAK, PANEL, AGREEMENT, GRANT = 2, 3, 4, 5, 8

COLUMNS = (
    *("end_state", "trl", "joint_at_end", "setbacks", "extensions", "reviews", "lost_partner", "fell_back"),
    *("start_day", "place_day", "agreement_day", "freed_day", "end_day", "market_day", "refund_day"),
    *("funded_days", "worked_days", "delivered", "delivered_day", "refund", "formed_day", "trl_day", "tranche_day"),
    *("paid", "paid_abroad", "paid_foreign", "paid_joint"),
    *("wait_prerequisite", "wait_start", "wait_place", "wait_money", "wait_panel", "wait_facility"),
)


class _Over(Exception):  # noqa: N818 - the end of a story
    def __init__(self, state: int, day: int = -1) -> None:
        super().__init__(state, day)
        self.state, self.day = state, day


class _TalksBroken(Exception):  # noqa: N818
    def __init__(self, day: int) -> None:
        super().__init__(day)
        self.day = day


class Life:
    """Project `p` of an unconstrained case in replication `r`; its attributes are the columns of outcomes."""

    def __init__(self, case: Case, luck: SamplePaths, r: int, p: int) -> None:
        self.case, self.luck, self.r, self.p = case, luck, r, p
        self.g, self.t = int(case.programme[p]), int(case.technology[p])
        self.joint, self.trl = bool(case.joint[p]), int(case.trl[p])
        for name in COLUMNS:
            setattr(self, name, self.trl if name == "trl" else -1 if name.endswith("_day") else 0)
        tranches = case.home.shape[1]
        self.trl_day, self.tranche_day = [-1] * 9, [-1] * tranches
        self.stints: list[tuple[int, int]] = []  # first day of each stretch of work, and the first after it
        self.formed_day = [-1] * luck.agreed.shape[2]
        self.paid, self.paid_abroad, self.paid_foreign, self.paid_joint = ([0] * tranches for _ in range(4))
        members = [n for n in case.member[p].tolist() if n >= 0]
        days = sorted(day for n in members for day in luck.break_day[r, n].tolist() if day >= 0)
        self.breaks = [day for day in days if day < case.horizon]
        self.closed_until, self.holding, self.talking, self.extended = 0, False, False, False
        self.funded_end, self.attempt, self.left = -1, 0, 0
        self.busy: tuple[str, int] | None = None  # the column in which passing days count, and since when
        self.live()

    def live(self) -> None:
        try:
            self.whole_life()
        except _Over as over:
            self.stop_counting(self.case.horizon if over.state == RUNNING else over.day)
            self.end_state, self.end_day = over.state, over.day
            if over.state != RUNNING:
                self.give_back(over.day)
        self.joint_at_end = int(self.joint)
        self.delivered_day = [self.handed_in(d) for d in range(self.case.asked.shape[1])]
        self.delivered = sum(1 << d for d, day in enumerate(self.delivered_day) if day >= 0)
        self.go_to_market()

    # time

    def pass_to(self, day: int, phase: int) -> int:
        """Let time pass until a moment: breaks that come before it have their say, and the horizon ends the story."""
        while self.breaks and (self.breaks[0], BREAK) < (day, phase):
            self.break_off(self.breaks.pop(0))
        if day >= self.case.horizon:
            raise _Over(RUNNING)
        return day

    def break_off(self, day: int) -> None:
        self.closed_until = max(self.closed_until, day + self.case.closed_days)
        if not self.holding:
            return
        self.lost_partner = 1
        if self.talking:
            raise _TalksBroken(day)
        if self.case.drop_fallback[self.p]:
            raise _Over(DROPPED, day)
        self.go_home(day)

    def go_home(self, day: int) -> None:
        self.joint, self.fell_back = False, 1
        self.leave_place(day)

    def leave_place(self, day: int) -> None:
        if self.holding:
            self.holding, self.freed_day = False, day

    def start_counting(self, column: str, day: int) -> None:
        self.busy = column, day

    def stop_counting(self, day: int) -> None:
        if self.busy is not None:
            column, since = self.busy
            setattr(self, column, getattr(self, column) + day - since)
        self.busy = None

    # the story

    def whole_life(self) -> None:
        day = self.pass_to(int(self.case.start_year[self.p]) * YEAR + int(self.case.call_day[self.g]), GRANT)
        self.start_day = self.trl_day[self.trl - 1] = day
        if self.joint:
            day = self.find_partner(day)
        for tranche in range(int(self.case.tranches[self.g])):
            self.tranche = tranche
            day = self.be_paid(day)
            self.extended = False
            day = self.work(day, int(self.case.tranche_days[self.g, tranche]))
            if tranche + 1 < self.case.tranches[self.g]:
                day = self.pass_gate(day)
        raise _Over(EXHAUSTED, day)

    def find_partner(self, day: int) -> int:
        self.start_counting("wait_place", day)
        while self.pass_to(day, GRANT) < self.closed_until:
            day = self.closed_until
        self.stop_counting(day)
        self.place_day, self.holding = day, True
        agreed = self.talking = True
        try:
            for stage in range(int(self.case.stages[self.p])):
                day = self.pass_to(day + int(self.luck.agreement_days[self.r, self.p, stage]), AGREEMENT)
                agreed = bool(self.luck.agreed[self.r, self.p, stage])
                if not agreed:
                    break
                self.formed_day[stage] = day
        except _TalksBroken as broken:
            day, agreed = broken.day, False
        self.talking = False
        if agreed:
            self.agreement_day = day
        elif self.case.drop_fallback[self.p]:
            raise _Over(DROPPED, day)
        else:
            self.go_home(day)
        return day

    def be_paid(self, day: int) -> int:
        """On the first day of a year with money; unfunded if no such year is announced."""
        self.start_counting("wait_money", day)
        while not self.luck.budget[self.r, self.g, self.pass_to(day, GRANT) // YEAR]:
            if not self.case.budget[self.g, day // YEAR + 1 :].any():
                raise _Over(UNFUNDED, day)
            day = (day // YEAR + 1) * YEAR
        self.stop_counting(day)
        self.write_down_payment(day)
        return day

    def write_down_payment(self, day: int) -> None:
        case, p, k = self.case, self.p, self.tranche
        self.tranche_day[k] = day
        if not self.joint:
            self.paid[k] = int(case.domestic[p, k])
            return
        rate = Fraction(int(self.luck.exchange_ppm[self.r, case.currency[p], day // YEAR]), 1_000_000)
        self.paid_abroad[k] = math.floor(int(case.abroad[p, k]) * rate)
        self.paid[k] = int(case.home[p, k]) - int(case.abroad[p, k]) + self.paid_abroad[k]
        self.paid_foreign[k], self.paid_joint[k] = int(case.foreign[p, k]), 1

    def work(self, day: int, length: int) -> int:
        """Steps one after another until the funded days end; what is unfinished goes on later."""
        self.funded_end, self.funded_days = day + length, self.funded_days + length
        while True:
            if not self.left:
                self.begin_attempt()
            self.start_counting("worked_days", day)
            end = min(day + self.left, self.funded_end)
            self.stints.append((day, end))
            self.pass_to(end, WORK)
            self.stop_counting(end)
            self.left, day = self.left - (end - day), end
            if not self.left:
                self.end_attempt(day)
            if day == self.funded_end:
                return day

    def begin_attempt(self) -> None:
        """A partner's factor and success hold for an attempt that begins with the partner."""
        case, step = self.case, self.trl - 1
        factor = float(case.factor[self.p, step]) if self.joint else 1.0
        table = case.success if self.joint else case.alone_success
        self.chance = float(table[self.p, step])
        self.left = max(1, math.ceil(float(self.luck.step_days[self.r, self.t, step, self.attempt]) * factor))

    def end_attempt(self, day: int) -> None:
        luck = float(self.luck.step[self.r, self.t, self.trl - 1, self.attempt])
        if luck < self.chance:
            self.trl, self.attempt = self.trl + 1, 0
            self.trl_day[self.trl - 1] = day
            if self.trl == self.case.target[self.p]:
                raise _Over(TARGET, day)
            return
        self.attempt += 1
        if luck >= self.chance + (1.0 - self.chance) * self.case.setback or self.attempt == self.case.attempts:
            raise _Over(FAILED, day)
        self.setbacks += 1

    def pass_gate(self, day: int) -> int:
        """The day of the decision to go on; extensions until there are none left."""
        while True:
            day = self.be_reviewed(day)
            passed = self.on_plan()
            self.reviews += 1
            if passed:
                return day
            if self.extensions == self.case.extensions[self.g]:
                raise _Over(STOPPED, day)
            self.extensions, self.extended = self.extensions + 1, True
            day = self.work(day, int(self.case.extension_days[self.g]))

    def be_reviewed(self, day: int) -> int:
        case, g = self.case, self.g
        if self.compares():
            self.start_counting("wait_panel", day)
            day = self.pass_to(math.ceil(Fraction(day, ROUND)) * ROUND, PANEL)
            self.stop_counting(day)
            return day
        if case.panel[g] < 0:
            return self.pass_to(day, PANEL)
        self.pass_to(day, GRANT)
        return self.pass_to(day + int(case.review_days[case.panel[g]]), PANEL)

    def compares(self) -> bool:
        return bool(self.case.policy[self.g] == DROP_WORST)  # alone, none is the worst

    def on_plan(self) -> bool:
        """Judged with both kinds of error; where projects are compared, only missing deliverables count against one."""
        case, g = self.case, self.g
        if case.policy[g] == ALWAYS_PASS:
            return True
        asked = [d for d, needed in enumerate(case.asked[self.p].tolist()) if needed]
        due = [d for d in asked if 0 < case.due_tranche[g, d] <= self.tranche + 1]
        missing = any(self.handed_in(d) < 0 for d in due)
        luck = self.luck.gate[self.r, self.t, self.reviews]
        if missing or (self.planned() - self.trl > case.tolerance[g] and not self.compares()):
            return bool(luck < case.beta[g])
        return self.compares() or bool(luck >= case.alpha[g])

    def planned(self) -> int:
        """TRL if each step had taken its median since the first payment."""
        entry, target = int(self.case.trl[self.p]), int(self.case.target[self.p])
        medians = self.case.median_days[self.p, : target - entry].tolist()
        return entry + sum(day <= self.funded_days for day in medians)

    def handed_in(self, d: int) -> int:
        """The day by which enough work had been done after the TRL at which work on it begins, or -1."""
        case = self.case
        if not case.asked[self.p, d]:
            return -1
        begun = self.trl_day[max(int(case.after_trl[self.g, d]), int(case.trl[self.p])) - 1]
        left, last = int(self.luck.deliverable_days[self.r, self.t, d]), self.end_day
        if begun < 0 or left == 0:
            return begun
        for first, end in self.stints:
            worked = min(end, case.horizon if last < 0 else last) - max(first, begun)
            if worked >= left:
                day = max(first, begun) + left
                return day if day < case.horizon else -1
            left -= max(worked, 0)
        return -1

    def give_back(self, day: int) -> None:
        """The place, and the unused days' money; what went abroad stays there after a break."""
        self.leave_place(day)
        unused = self.funded_end - day
        if unused <= 0 or self.extended:
            return
        stays = self.paid_abroad[self.tranche] if self.lost_partner else 0
        length = int(self.case.tranche_days[self.g, self.tranche])
        self.refund = math.floor(Fraction((self.paid[self.tranche] - stays) * unused, length))
        self.refund_day = day

    def go_to_market(self) -> None:
        if self.end_state == TARGET and self.luck.commercial[self.r, self.t]:
            day = self.end_day + int(self.luck.market_days[self.r, self.t])
            self.market_day = day if day < self.case.horizon else -1
