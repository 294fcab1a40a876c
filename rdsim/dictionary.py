"""The data dictionary: every table that a run holds, and of each column its name, type, unit and meaning.

What Parquet files say of themselves and `docs/data.md` follow from here. A name in capitals stands for many: ``YEAR`` a
fiscal year, ``N`` a number, ``RULE`` a rule beside the plan, ``NAME`` a name of the scenario's. Columns of figures are
as `rdsim.figures` has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rdsim.figures import FIGURES, Figure, FigureFamily

__all__ = ["TABLES", "UNITS", "DataColumn", "TableEntry", "column_of", "markdown_lines", "table_entry"]

Type = Literal["whole", "number", "text", "truth"]

UNITS: Mapping[str, str] = {
    "": "",
    "count": "a count",
    "day": "whole days from the first day of the first fiscal year on, which is 0; a year has 360, a month 30",
    "days": "days, of 360 in a year",
    "months": "months",
    "money": "the scenario's unit of money (`money_unit` in the manifest and in the file)",
    "money a year": "the scenario's unit of money, a year",
    "seconds": "seconds of a clock",
    "share": "a share, 0.1 is 10%",
    "its own": "the unit that the row names, or that of the figure it is of",
    "time": "decimal calendar years: 2024.25 is the first of April 2024; empty for what never happened",
    "TRL": "a technology readiness level, 1 to 9",
    "year": "a fiscal year",
    "years": "years",
    "replication": "the number of a replication, from 0",
}
"""Units by their names, in words."""


@dataclass(frozen=True)
class DataColumn:
    """A column, or with capitals in its name many alike."""

    name: str
    type: Type
    unit: str
    meaning: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        text = re.escape(self.name)
        for capitals, pattern in (("YEAR", r"\d{4}"), ("RULE", r".+"), ("NAME", r".+")):
            text = text.replace(capitals, pattern)
        return re.compile(re.sub(r"(?<=_)N(?=_|$)", r"\\d+", text))

    def is_called(self, name: str) -> bool:
        """Whether a column of a table is this one."""
        return self._pattern.fullmatch(name) is not None


@dataclass(frozen=True)
class TableEntry:
    """A table: in which file of the runs of which commands, what its rows are, and its columns."""

    file: str
    commands: tuple[str, ...]
    row: str
    columns: tuple[DataColumn, ...]
    figures: Literal["", "replications", "expected"] = ""
    """Whether columns of figures stand among them, and of which kind."""

    @property
    def name(self) -> str:
        """The table's name."""
        return self.file.rpartition("/")[2].partition(".")[0]


_EVERY = "every run"
_OF_PROBLEM = " of a problem"
"""Behind the name of a question that is asked of a problem stated by tables."""

_TYPES: Mapping[str, Type] = {"w": "whole", "n": "number", "t": "text", "b": "truth"}


def _columns(text: str) -> tuple[DataColumn, ...]:
    """Columns as lines of name, type (its first letter; b for truth), unit and meaning, with ``|`` between."""
    rows = ([part.strip() for part in line.split("|")] for line in text.splitlines() if line.strip())
    return tuple(DataColumn(name, _TYPES[kind], unit, meaning) for name, kind, unit, meaning in rows)


def _table(
    file: str, commands: str, row: str, text: str, figures: Literal["", "replications", "expected"] = ""
) -> TableEntry:
    return TableEntry(file, tuple(commands.split(", ")), row, _columns(text), figures)


_INTERVAL = """
low | n | its own | lower end of its interval
high | n | its own | upper end of its interval
n | w | count | how many it is of
"""
_CHOICE = """
technology | t | | id of the technology, which is the project's
partner | t | | code of the foreign partner; empty for domestic projects
mode | t | | mode of funding
start_year | w | year | year in which it starts
"""
_BESIDE = """
funded | w | count | technologies funded
partners | w | count | partners opened
enters | t | | what it funds and the first does not
leaves | t | | what it does not fund and the first does
npv | n | money | simulated net present value, mean
npv_low | n | money | lower end of its interval
npv_high | n | money | upper end of its interval
in_time | n | count | technologies commercialised in time, mean
commercialised | n | count | technologies commercialised, mean
n | w | count | replications
"""
_WORLDS = """
NAME | n | | value of the assumption of this name
"""

_MAIN_TABLES = (
    _table(
        "portfolio.csv",
        _EVERY,
        "a row for each choice",
        _CHOICE
        + """
rank | w | | place in the order in which purses pay; empty where none is given
""",
    ),
    _table(
        "outcomes.parquet",
        "plan, simulate",
        "a row for each replication and project, in order of rank",
        """
replication | w | replication | which replication
technology | t | | id of the technology, which is the project's
programme | t | | code of its programme
field | t | | its field
partner | t | | code of the foreign partner; empty for domestic projects
mode | t | | mode of funding
start_year | w | year | year in which it may start
rank | w | | place in the order in which purses pay
end_state | t | | how it stood at the horizon: running, target, stopped, failed, exhausted, dropped, unfunded or blocked
trl | w | TRL | level reached
start_time | n | time | when it was scheduled
place_time | n | time | when it took a place with its partner, and talks began
agreement_time | n | time | when the agreement was reached
freed_time | n | time | when its place was free again
end_time | n | time | when it ended
market_time | n | time | when it came to the market
refund_time | n | time | when money was given back
tranche_N_time | n | time | when its tranche of this number was paid
trl_N_time | n | time | when it reached this level
wait_prerequisite | w | days | waited for a technology that it needs
wait_start | w | days | waited for a start
wait_place | w | days | waited for a place with its partner
wait_money | w | days | waited for money
wait_panel | w | days | waited for a panel
wait_facility | w | days | waited for a facility
funded_days | w | days | paid time
worked_days | w | days | time at work
setbacks | w | count | steps done again
extensions | w | count | extensions at gates
reviews | w | count | reviews at gates
spillovers | w | count | spillovers received
lost_partner | w | count | whether its partner was lost: 1 or 0
fell_back | w | count | whether it went on without its partner: 1 or 0
joint_at_end | b | | whether it was with its partner at the end
in_time | b | | whether it came to the market by its programme's deadline
value | n | money | value kept at home, not discounted
value_pv | n | money | its present value
cost_pv | n | money | present cost, net of refunds
npv | n | money | present value less present cost
refund | n | money | given back
home_YEAR | n | money | paid by home in the year, less what came back
foreign_YEAR | n | money | paid by the partner country in the year
abroad_YEAR | n | money | of home's payments in the year, to institutions abroad; what comes back is not taken off
delivered | t | | names of what was handed in, with a bar between them
""",
    ),
    _table(
        "payments.parquet",
        "plan, simulate",
        "a row for each replication, project and year with money: long",
        """
replication | w | replication | which replication
technology | t | | id of the technology, which is the project's
year | w | year | fiscal year
home | n | money | paid by home in the year, less what came back
foreign | n | money | paid by the partner country in the year
abroad | n | money | of home's payments in the year, to institutions abroad; what comes back is not taken off
""",
    ),
    _table(
        "milestones.parquet",
        "plan, simulate",
        "a row for each replication, project and milestone that came: long",
        """
replication | w | replication | which replication
technology | t | | id of the technology, which is the project's
milestone | t | | start, place, agreement, tranche, trl, freed, end, market or refund, as in the columns of outcomes
number | w | | number of the tranche, or the level; 0 for others
day | w | day | when
time | n | time | when
""",
    ),
    _table(
        "replications.parquet",
        "plan, simulate",
        "a row for each replication",
        """
replication | w | replication | which replication
""",
        "replications",
    ),
    _table(
        "policies.parquet",
        "plan",
        "a row for each replication of the plan and of each portfolio beside it",
        """
replication | w | replication | which replication
policy | t | | whose portfolio: optimised is the plan
""",
        "replications",
    ),
    _table(
        "expected.parquet",
        "plan, simulate",
        "a row for each replication (of a plan: and portfolio): figures with the luck of the market in expectation",
        """
replication | w | replication | which replication
policy | t | | whose portfolio: optimised is the plan
""",
        "expected",
    ),
    _table(
        "purses.parquet",
        "plan, simulate",
        "a row for each replication, programme and fiscal year",
        """
replication | w | replication | which replication
programme | t | | code of the programme
year | w | year | fiscal year
new_money | n | money | that came into the purse
carried_in | n | money | left of the year before
spent | n | money | paid to projects
spent_network | n | money | paid for partners
refunded | n | money | that came back
lapsed | n | money | lost at the end of the year
short | n | money | asked for and not there
""",
    ),
    _table(
        "decisions.parquet",
        "plan",
        "a row for each decision that the plan takes or might",
        """
kind | t | | technology, partner, mode, start year or country
technology | t | | id of the technology; empty for countries
what | t | | what is decided of it
name | t | | its name
chosen | b | | whether the plan takes it
share | n | share | share of re-decisions that take it
low | n | share | lower end of its interval
high | n | share | upper end of its interval
n | w | count | re-decisions
checks_for | w | count | decisions from nothing, on fresh samples, that take it
checks | w | count | such decisions
verdict | t | | firm, rejected, leaning or open
difference | n | money | the plan's choice less the other, simulated, where one was compared
difference_low | n | money | lower end of its interval
difference_high | n | money | upper end of its interval
margin | n | money | how far behind the best other way is, options alone
comparison | t | | what was compared, in words
""",
    ),
    _table(
        "lead.csv",
        "plan",
        "a row for each rule and part of the plan's lead over it",
        """
comparator | t | | the rule
part | t | | what the part comes from; lead is the whole
mean | n | money | how much
low | n | money | lower end of its interval
high | n | money | upper end of its interval
n | w | count | replications
""",
    ),
    _table(
        "promises.csv",
        "plan",
        "a row for each programme and year",
        """
programme | t | | code of the programme
name | t | | its name
year | w | year | fiscal year
announced | n | money | announced
payments | n | money | expected payments
payment_ratio | n | share | expected payments by announced money
awards | n | money | full awards
award_ratio | n | share | full awards by announced money
above | n | money | full awards above the announced money
""",
    ),
    _table(
        "worlds.csv",
        "plan, assumptions",
        "a row for each world drawn within the bounds of assumptions",
        """
npv | n | money | mean net present value there
commercialised_by_deadline | n | count | technologies commercialised in time there, mean
international_share_YEAR | n | share | international share of the R&D budget there, mean
lead over RULE | n | money | mean lead over the rule there
"""
        + _WORLDS,
    ),
    _table(
        "lapse.csv",
        "plan",
        "a row for each cause and lever, programme and year",
        """
otherwise | t | | what would be otherwise
kind | t | | cause or lever
programme | t | | code of the programme
year | w | year | fiscal year
money | n | money | money that lapses, or how much less would
""",
    ),
    _table(
        "unused.csv",
        "plan",
        "a row for each part of what lapses, and for what lapses, by year",
        """
part | t | | key of the part; lapsed: all of it
label | t | | what it is
year | w | year | fiscal year
money | n | money | mean over replications; below nothing: it takes from what lapses
""",
    ),
    _table(
        "unfunded.csv",
        "plan",
        "a row for each technology that is not funded",
        """
technology | t | | id of the technology
name | t | | its name
alone | n | money | worth of its best option alone
at_least | n | money | what funding it would cost at least
at_most | n | money | ... and at most
solved | b | | whether that was solved with the option fixed
left | t | | what would make room
joined | t | | what would come with it
excluded_by | t | | funded technologies with which it may not be funded together
shared | n | share | re-decisions that fund it; empty without any
shared_low | n | share | lower end of its interval
shared_high | n | share | upper end of its interval
fall | n | money | what the plan is worth less with it, both simulated; empty where it was not
fall_low | n | money | lower end of its interval
fall_high | n | money | upper end of its interval
money | n | money | more announced money, over all years, with which it would fit beside the plan
cut | n | share | by how much its cost would have to fall
words | t | | all of it in words
""",
    ),
    _table(
        "trace.csv",
        "simulate",
        "a row for each thing that happened in the first replication",
        """
time | n | time | when
day | w | day | when
subject | t | | project or partner
id | t | | of which technology or partner
event | t | | what happened
detail | t | | how
""",
    ),
)

_PAGE_TABLES = (
    _table(
        "page/technologies.parquet",
        "plan",
        "a row for each technology",
        """
technology | t | | id of the technology
name | t | | its name
programme_id | t | | code of its programme
programme | t | | name of its programme
field_id | t | | code of its field
field | t | | name of its field
trl | w | TRL | level at entry
trl_target | w | TRL | level aimed at
cost | n | money | full cost
score | n | | score of the evaluation
source | t | | where its figures come from
institute | t | | institute that works on it
funded | b | | whether the plan funds it
partner | t | | code of the partner
partner_name | t | | name of the partner
mode_id | t | | code of the mode
mode | t | | name of the mode
start_year | w | year | year in which it starts
rank | w | | place in the order in which purses pay
expected_value | n | money | expected value of the chosen option, or of the best one
tag.NAME | t | | the scenario's own column of this name
note | t | | what is noted of it
verdict | t | | how firm the decision is
share | n | share | share of re-decisions that take it
p_target | n | share | chance to reach the level aimed at
p_market | n | share | chance to come to the market
""",
    ),
    _table(
        "page/plan.parquet",
        "plan",
        "a row for each programme and year",
        """
programme | t | | code of the programme
year | w | year | fiscal year
announced | n | money | announced
planned | n | money | expected payments
promised | n | money | full awards
""",
    ),
    _table(
        "page/international.parquet",
        "plan",
        "a row for each replication and year with an R&D budget",
        """
replication | w | replication | which replication
year | w | year | fiscal year
share | n | share | international share of the R&D budget
""",
    ),
    _table(
        "page/targets.parquet",
        "plan",
        "a row for each year with a floor",
        """
year | w | year | fiscal year
floor | n | share | least international share
""",
    ),
    _table(
        "page/sources.parquet",
        "plan",
        "a row for each assumption that names its source",
        """
table | t | | where it stands
item | t | | what it is of
source | t | | where it comes from
grade | t | | published, derived, assumed or illustrative
""",
    ),
    _table(
        "page/facts.parquet",
        "plan",
        "a row for each thing assumed of a technology or partner",
        """
subject | t | | technology or partner
id | t | | of which
part | t | | what it belongs to
item | t | | what it is
value | t | | as it is told
grade | t | | published, derived, assumed or illustrative
source | t | | where it comes from
""",
    ),
    _table(
        "page/tried.parquet",
        "plan",
        "a row for each option that was looked at closely",
        _CHOICE
        + """
expected_value | n | money | expected value
chosen | b | | whether the plan takes it
""",
    ),
    _table(
        "page/partners.parquet",
        "plan",
        "a row for each partner that holds places",
        """
partner | t | | code of the partner
name | t | | its name
opened | n | share | share of replications in which it was opened
opened_time | n | time | when, mean
network | n | money | paid for it, mean
peak_places | n | count | places held at most, mean
""",
    ),
)

_STUDY_TABLES = (
    _table(
        "frontier.csv",
        "frontier",
        "a row for each portfolio on the front",
        """
portfolio | t | | its name
first | n | its own | first figure
second | n | its own | second figure
bound | n | its own | no portfolio with that much of the second has more of the first
gap | n | share | how far the bound is away
proven | b | | whether the gap that was asked for is proven
joint | w | count | with a partner
first_simulated | n | its own | first figure, simulated
first_simulated_low | n | its own | lower end of its interval
first_simulated_high | n | its own | upper end of its interval
second_simulated | n | its own | second figure, simulated
second_simulated_low | n | its own | lower end of its interval
second_simulated_high | n | its own | upper end of its interval
order | w | | place along the front
"""
        + _BESIDE,
    ),
    _table(
        "alternatives.csv",
        "alternatives",
        "a row for each portfolio",
        """
portfolio | t | | its name
value | n | money | options alone, added up
loss | n | share | how much less than the first
swaps | w | count | decisions that differ
"""
        + _BESIDE,
    ),
    _table(
        "selection.csv",
        "alternatives",
        "a row for each technology",
        """
technology | t | | id of the technology
name | t | | its name
near | n | share | share of portfolios nearly as good that fund it
class | t | | how firmly it is chosen
resampled | n | share | share of portfolios on values drawn again that fund it
low | n | share | lower end of its interval
high | n | share | upper end of its interval
n | w | count | times drawn again
""",
    ),
    _table(
        "commitment.csv",
        "commitment",
        "a row for each payment ratio",
        """
programme | t | | code of the programme, or all
ratio | n | share | expected payments by announced money, at most
funded | w | count | technologies funded
value | n | money | simulated worth, mean
value_low | n | money | lower end of its interval
value_high | n | money | upper end of its interval
gain | n | money | more than at the announced money
gain_low | n | money | lower end of its interval
gain_high | n | money | upper end of its interval
unspent | n | money | not spent, mean
unspent_low | n | money | lower end of its interval
unspent_high | n | money | upper end of its interval
waiting | n | days | waited for money per project, mean
waiting_low | n | days | lower end of its interval
waiting_high | n | days | upper end of its interval
n | w | count | replications
same_as | n | share | a smaller ratio with the same portfolio
recommended | b | | whether it is recommended
as_good | b | | whether it is as good as the best
""",
    ),
    _table(
        "policies.csv",
        "rolling",
        "a row for each way of deciding",
        """
policy | t | | its name
worth | n | money | simulated worth, mean
worth_low | n | money | lower end of its interval
worth_high | n | money | upper end of its interval
n | w | count | replications
gain | n | money | more than the plan
gain_low | n | money | lower end of its interval
gain_high | n | money | upper end of its interval
allowed | b | | whether one who does not know the future could decide so
""",
    ),
    _table(
        "decisions.csv",
        "rolling",
        "a row for each decision that was taken otherwise in a replication",
        """
replication | w | replication | which replication
year | w | year | when it was decided
technology | t | | id of the technology
decision | t | | what was decided
""",
    ),
    _table(
        "payoff.csv",
        "payoff",
        "a row for each kind of effort",
        """
step | t | | what more effort is put into
added_to | t | | on top of what
adds | n | money | what it adds, mean
low | n | money | lower end of its interval
high | n | money | upper end of its interval
n | w | count | repeats
verdict | t | | whether it pays, in words
repeats_needed | w | count | repeats that would tell
""",
    ),
    _table(
        "repeats.csv",
        "payoff",
        "a row for each repeat",
        """
repeat | w | | its number
NAME | n | money | what the effort of this name adds in it
""",
    ),
    _table(
        "ladder.csv",
        "ladder",
        "a row for each share of the budgets",
        """
share | n | share | of every yearly budget
plain_value | n | money | the best portfolio, options alone
plain_bound | n | money | no portfolio has more
plain_gap | n | share | how far the bound is away
plain_funded | w | count | technologies funded
plain_drops | t | | what it does not fund and the rung below does
nested_value | n | money | the best portfolio that takes no decision back
nested_funded | w | count | technologies that it funds
nested_adds | t | | what it adds to the rung below
price | n | money | what taking no decision back costs
price_low | n | money | at least
price_high | n | money | at most
status | t | | what the solver said
""",
    ),
    _table(
        "certificate.csv",
        "certify",
        "a row for each part of the gap",
        """
part | t | | which part
amount | n | its own | how much
low | n | its own | lower end of its interval
high | n | its own | upper end of its interval
n | w | count | how many it is of
share | n | share | of the portfolio's value
""",
    ),
    _table(
        "batches.csv",
        "certify",
        "a row for each problem solved anew on fresh samples",
        """
batch | w | | its number
bound | n | its own | proven bound of it
incumbent | n | its own | best portfolio found for it
portfolio | n | its own | the certified portfolio in it
""",
    ),
    _table(
        "assumptions.csv",
        "assumptions",
        "a row for each assumption",
        """
assumption | t | | its name
label | t | | in words
grade | t | | published, derived, assumed or illustrative
low | n | its own | lower bound
high | n | its own | upper bound
own | n | its own | the scenario's value
value_at_low | n | money | worth at the lower bound
value_at_high | n | money | worth at the upper bound
swing | n | money | difference of the two
swing_low | n | money | lower end of its interval
swing_high | n | money | upper end of its interval
change | n | money | what deciding anew at its bounds would gain
change_low | n | money | lower end of its interval
change_high | n | money | upper end of its interval
information | n | money | what knowing it before the decision is worth
information_low | n | money | lower end of its interval
information_high | n | money | upper end of its interval
why | t | | why it is uncertain
""",
    ),
    _table(
        "decided.csv",
        "assumptions",
        "a row for each decision",
        """
kind | t | | technology or partner
name | t | | of which
in_plan | b | | whether the plan takes it
share | n | share | share of worlds in which it is taken
share_low | n | share | lower end of its interval
n | w | count | worlds
""",
    ),
    _table(
        "widths.csv",
        "assumptions",
        "a row for each headline",
        """
headline | t | | its name
label | t | | in words
unit | t | | its unit
mean | n | its own | as the scenario assumes
worlds_low | n | its own | lower end with assumptions otherwise too
worlds_high | n | its own | upper end with assumptions otherwise too
worlds | w | count | worlds
"""
        + _INTERVAL,
    ),
    _table(
        "break_evens.csv",
        "assumptions",
        "a row for each headline that an assumption may turn",
        """
headline | t | | its name
assumption | t | | which assumption
value | n | its own | value at which it is nothing
low | n | its own | lower end of its interval
high | n | its own | upper end of its interval
above_nothing | t | | from the value on, or up to it
at_low | n | its own | headline at the lower bound
at_high | n | its own | headline at the upper bound
repeats | w | count | times that it was decided anew
""",
    ),
    _table(
        "unfunded.csv",
        "explain",
        "a row for each technology that is not funded",
        """
technology | t | | id of the technology
name | t | | its name
programme | t | | its programme
alone | n | money | worth of its best option alone
loss_low | n | money | what funding it would cost at least
loss_high | n | money | ... and at most
why | t | | why it is not funded
""",
    ),
    _table(
        "prices.csv",
        "explain",
        "a row for each cap that binds",
        """
cap | t | | its name
words | t | | in words
unit | t | | its unit
at | n | its own | where it is
price | n | money | worth of one more unit
""",
    ),
    _table(
        "exact.csv",
        "explain",
        "a row for each technology that was asked about",
        """
technology | t | | id of the technology
funded | b | | whether it is funded
reason | t | | why
found | n | money | cost of the other way, as found
low | n | money | proven: at least
high | n | money | proven: at most
verified | b | | whether a portfolio was found that shows it
cut | n | share | by how much its cost would have to fall
caps | t | | caps that stand in its way
""",
    ),
    _table(
        "caps.csv",
        "explain",
        "a row for each step of a cap that was asked about",
        """
cap | t | | its name
words | t | | in words
unit | t | | its unit
moved | n | its own | by how much it is moved
to | n | its own | where it is then
found | n | money | what that is worth, as found
low | n | money | proven: at least
high | n | money | proven: at most
per_unit | n | money | by unit
hint | n | money | by its price
""",
    ),
)

_COMPARISON_TABLES = (
    _table(
        "inputs.csv",
        "compare",
        "a row for each input that differs",
        """
run | t | | the other run
kind | t | | setting, file, version and the like
path | t | | which
first | t | | in the first run
second | t | | in the other
""",
    ),
    _table(
        "choices.csv",
        "compare",
        "a row for each choice that differs",
        """
run | t | | the other run
change | t | | what differs
technology | t | | id of the technology
name | t | | its name
first | t | | in the first run
second | t | | in the other
firm_first | t | | how firm it is there
firm_second | t | | how firm it is there
""",
    ),
    _table(
        "money.csv",
        "compare",
        "a row for each programme, partner or year, and kind of money",
        """
run | t | | the other run
by | t | | by what money is told
key | t | | of which
name | t | | its name
what | t | | which money
first | n | money | in the first run, mean
second | n | money | in the other, mean
difference | n | money | the other less the first
low | n | money | lower end of its interval
high | n | money | upper end of its interval
n | w | count | replications
interval | t | | how it was made
""",
    ),
    _table(
        "results.csv",
        "compare",
        "a row for each figure",
        """
run | t | | the other run
figure | t | | its name
label | t | | in words
luck | t | | whether the luck of the market is in expectation
first | n | its own | in the first run, mean
second | n | its own | in the other, mean
difference | n | its own | the other less the first
low | n | its own | lower end of its interval
high | n | its own | upper end of its interval
n | w | count | replications
interval | t | | how it was made
better | n | share | share of replications in which the other is better
better_low | n | share | lower end of its interval
better_high | n | share | upper end of its interval
same | n | share | share of replications in which they are the same
""",
    ),
)

_CALIBRATION_TABLES = (
    _table(
        "steps.csv",
        "calibrate",
        "a row for each step",
        """
trl | w | TRL | level from which it is
at_risk | w | count | projects that took it
completed | w | count | ... and did it
median_months | n | months | fitted median
low | n | months | lower end of its interval
high | n | months | upper end of its interval
identified | b | | whether records tell it
median_years | n | years | used
""",
    ),
    _table(
        "success.csv",
        "calibrate",
        "a row for each step",
        """
trl | w | TRL | level from which it is
completed | w | count | projects that did it
failed | w | count | projects that failed in it
unexplained | w | count | projects that ended in it for no reason told
least | n | share | that can have done it in the end, at least
most | n | share | ... and at most
success | n | share | fitted success
low | n | share | lower end of its interval
high | n | share | upper end of its interval
identified | b | | whether records tell it
used | n | share | used
""",
    ),
    _table(
        "models.csv",
        "calibrate",
        "a row for each model of step times",
        """
name | t | | its name
parameters | w | count | parameters
log_likelihood | n | | logarithm of the likelihood
aic | n | | Akaike's information criterion
""",
    ),
    _table(
        "gains.csv",
        "calibrate",
        "a row for each set of records and gain of levels",
        """
records | t | | which records
gain | w | count | levels gained
observed | n | count | projects
expected | n | count | projects, by the fit
low | n | count | lower end of its interval
high | n | count | upper end of its interval
""",
    ),
)

_STATED_TABLES = (
    _table(
        "chosen.csv",
        "frontier of a problem, alternatives of a problem, ladder of a problem, certify of a problem",
        "a row for each portfolio and option in it",
        """
portfolio | t | | its name
option | t | | name of the option
group | t | | its group
""",
    ),
    _table(
        "frontier.csv",
        "frontier of a problem",
        "a row for each portfolio on the front",
        """
portfolio | t | | its name
first | n | its own | first figure
second | n | its own | second figure
bound | n | its own | no portfolio with that much of the second has more of the first
gap | n | share | how far the bound is away
proven | b | | whether the gap that was asked for is proven
chosen | w | count | options chosen
options | t | | which
""",
    ),
    _table(
        "alternatives.csv",
        "alternatives of a problem",
        "a row for each portfolio",
        """
portfolio | t | | its name
objective | n | its own | what it comes to
loss | n | share | how much worse than the best
swaps | w | count | decisions that differ
nearest | n | count | decisions in which the nearest other portfolio differs
joined | t | | options that the best has not
left | t | | options that the best has and it has not
""",
    ),
    _table(
        "selection.csv",
        "alternatives of a problem",
        "a row for each group",
        """
group | t | | its name
in_alternatives | n | share | share of the portfolios that choose it
in_resamples | n | share | share of the best portfolios on values drawn again that choose it
""",
    ),
    _table(
        "ladder.csv",
        "ladder of a problem",
        "a row for each share of the caps",
        """
share | n | share | of every cap
plain | n | its own | what the best portfolio comes to
plain_bound | n | its own | no portfolio comes to more
plain_gap | n | share | how far the bound is away
plain_chosen | w | count | options chosen
nested | n | its own | what the best portfolio comes to that takes no decision back
nested_chosen | w | count | options that it chooses
nested_adds | t | | what it adds to the rung below
price | n | its own | what taking no decision back costs
price_low | n | its own | at least
price_high | n | its own | at most
status | t | | what the solver said
""",
    ),
    _table(
        "unfunded.csv",
        "explain of a problem",
        "a row for each group that is not chosen",
        """
group | t | | its name
loss_low | n | its own | what choosing it would cost at least
loss_high | n | its own | ... and at most
best_alone | n | its own | worth of its best option alone
reason | t | | why it is not chosen
""",
    ),
    _table(
        "exact.csv",
        "explain of a problem",
        "a row for each group that was asked about",
        """
name | t | | of the group
kind | t | | whether it is chosen or not
cost | n | its own | cost of the other way, as found
cost_low | n | its own | proven: at least
cost_high | n | its own | proven: at most
why | t | | why
""",
    ),
    _table(
        "caps.csv",
        "explain of a problem",
        "a row for each step of a cap that was asked about",
        """
row | t | | its name
amount | n | its own | by how much it is moved
cap | n | its own | where it is then
worth | n | its own | what that is worth, as found
worth_low | n | its own | proven: at least
worth_high | n | its own | proven: at most
""",
    ),
    _table(
        "certificate.csv",
        "certify of a problem",
        "a row for each part of the gap",
        """
part | t | | which part
amount | n | its own | how much
"""
        + _INTERVAL,
    ),
    _table(
        "batches.csv",
        "certify of a problem",
        "a row for each problem solved anew on other samples",
        """
batch | w | | its number
bound | n | its own | proven bound of it
incumbent | n | its own | best portfolio found for it
portfolio | n | its own | the certified portfolio in it
""",
    ),
)

_ENTRANT = """
scenario | t | | name of the scenario
entrant | t | | name of the portfolio, as in `entrants.csv`
"""
_TITLE = """
title | t | | what pages call it
"""
_LIKENESS = """
funded | w | count | technologies that it funds
shared | w | count | of these those that the other funds too
same_partner | w | count | of the shared those with the same partner
same_mode | w | count | ... with the same mode of funding
same_start | w | count | ... with the same start
same_all | w | count | ... with the same partner, mode and start
only_here | w | count | technologies that it alone funds
only_there | w | count | technologies that the other alone funds
"""
_ASKED = """
asked | n | share | the gap that was asked for
way | t | | solver and method
"""

_BENCH_TABLES = (
    _table(
        "entrants.csv",
        "bench",
        "a row for each portfolio that takes part",
        _ENTRANT
        + _TITLE
        + """
kind | t | | where it comes from: given, rule, optimiser or plan
source | t | | where it comes from, in words
funded | w | count | technologies that it funds
countries | w | count | partner countries that it has projects with, consortia by their members
joint | w | count | projects with a partner
payments | n | money | expected payments in total, net of refunds and with the partners' cost
awards | n | money | full awards in total
payment_ratio | n | share | the largest payment ratio of any programme that its expected payments need
announced_money | b | | whether it breaks no hard row within the announced money
equal_promises | b | | whether it breaks none at the plan's payment ratios; no column where these are no others
broken | w | count | hard rows that it breaks, with the most freedom that is told of
value | n | money | simulated net present value in the scenario as stated, mean
low | n | money | lower end of its interval
high | n | money | upper end of its interval
n | w | count | replications
seconds | n | seconds | that it took to make it; empty of one that was given
""",
    ),
    _table(
        "rows.csv",
        "bench",
        "a row for each portfolio, freedom and row that it breaks there",
        _ENTRANT
        + _TITLE
        + """
freedom | t | | announced money, or equal promises
row | t | | name of the row
words | t | | what is broken, in words
by | t | | by how much, in words
amount | n | its own | by how much
unit | t | | unit of the amount
hard | b | | whether it may not be broken; what a soft one is charged is in the objective
""",
    ),
    _table(
        "worlds.csv",
        "bench",
        "a row for each world in which portfolios were judged",
        """
scenario | t | | name of the scenario
world | t | | name of the world
title | t | | what pages call it
change | t | | what is otherwise in it
""",
    ),
    _table(
        "values.csv",
        "bench",
        "a row for each world and portfolio that was simulated there",
        _ENTRANT
        + _TITLE
        + """
world | t | | name of the world
value | n | money | simulated net present value there, mean
low | n | money | lower end of its own interval
high | n | money | upper end of its own interval
n | w | count | replications
""",
    ),
    _table(
        "ranks.csv",
        "bench",
        "a row for each freedom and portfolio that keeps every row there, the best first",
        _ENTRANT
        + _TITLE
        + """
freedom | t | | announced money, or equal promises
value | n | money | simulated net present value, mean
low | n | money | lower end of its interval
high | n | money | upper end of its interval
rank | w | | rank of the mean
rank_low | w | | best rank that all pairwise differences together allow
rank_high | w | | worst rank that they allow
ahead | n | money | how far it is ahead of the best of the others, mean
ahead_low | n | money | at least, by multiple comparisons with the best
ahead_high | n | money | at most, by multiple comparisons with the best
maybe_best | b | | whether it may be the best
n | w | count | replications
""",
    ),
    _table(
        "regrets.csv",
        "bench",
        "a row for each freedom, world and portfolio",
        _ENTRANT
        + _TITLE
        + """
freedom | t | | announced money, or equal promises
world | t | | name of the world
world_title | t | | what pages call it
best | t | | the best portfolio that is known there, chosen on other replications
best_title | t | | what pages call it
regret | n | money | how much less the portfolio is worth there than the best, mean
low | n | money | lower end of its interval, all of the table together
high | n | money | upper end of its interval
n | w | count | replications
keeps | b | | whether it breaks no hard row at this freedom
""",
    ),
    _table(
        "regrets_in_short.csv",
        "bench",
        "a row for each freedom and portfolio, the least mean regret first",
        _ENTRANT
        + _TITLE
        + """
freedom | t | | announced money, or equal promises
mean | n | money | mean regret over the worlds
mean_low | n | money | lower end of its interval
mean_high | n | money | upper end of its interval
most | n | money | largest regret in any world
most_low | n | money | at least
most_high | n | money | at most
most_in | t | | name of the world in which it is the largest
most_in_title | t | | what pages call it
worlds | w | count | worlds
n | w | count | replications
keeps | b | | whether it breaks no hard row at this freedom
""",
    ),
    _table(
        "tradeoffs.csv",
        "bench",
        "a row for each portfolio",
        _ENTRANT
        + _TITLE
        + """
value | n | money | simulated net present value, mean
cvar | n | money | mean of the worst replications, as many as the scenario's level of risk says
cvar_low | n | money | lower end of its interval
cvar_high | n | money | upper end of its interval
countries | w | count | partner countries that it has projects with
joint | n | share | share of its projects with a partner
international | n | share | international share of the R&D budget in the last year with a target; empty without one
dominated_cvar | t | | portfolios that are shown to be better in value and CVaR, with commas
beyond_countries | t | | portfolios that are shown to be worth more with no fewer countries, with commas
beyond_international | t | | portfolios that are shown to be worth more with no smaller share, with commas
keeps | b | | whether it breaks no hard row, with the most freedom that is told of
""",
    ),
    _table(
        "shared.csv",
        "bench",
        "a row for each freedom and portfolio: what it shares with the best",
        _ENTRANT
        + _TITLE
        + """
freedom | t | | announced money, or equal promises
best | t | | the best portfolio at this freedom, chosen on other replications
"""
        + _LIKENESS,
    ),
    _table(
        "differences.csv",
        "bench",
        "a row for each portfolio and decision in which the best differs",
        _ENTRANT
        + """
best | t | | the best portfolio, with the most freedom that is told of
technology | t | | id of the technology
name | t | | its name
change | t | | only here, only there, partner, mode or start
here | t | | what the portfolio decides
there | t | | what the best decides
""",
    ),
    _table(
        "rivals.csv",
        "bench",
        "a row for each portfolio that was given and competitor that costs no more",
        """
scenario | t | | name of the scenario
proposed | t | | the portfolio that was given
rival | t | | the competitor
title | t | | what pages call the competitor
more | n | money | how much more the competitor brings, paired, mean
low | n | money | lower end of its interval, all of a proposal together
high | n | money | upper end of its interval
n | w | count | replications
payments | n | money | the competitor's expected payments less those of the proposed one
awards | n | money | the same of full awards
by_year | b | | whether no year of any programme is expected to cost more either
shown | b | | whether the competitor is shown to bring more
"""
        + _LIKENESS,
    ),
    _table(
        "doubts.csv",
        "bench",
        "a row for each doubt about what the optimiser chose",
        """
scenario | t | | name of the scenario
doubt | t | | solver gap, sampling gap, optimism or choice noise
amount | n | money | how much
low | n | money | lower end of its interval; empty of what is only bounded
high | n | money | upper end of its interval
n | w | count | how many it is of
words | t | | what it is, in words
""",
    ),
    _table(
        "rolling.csv",
        "bench",
        "a row for each way of deciding again",
        """
scenario | t | | name of the scenario
policy | t | | how is decided
once | t | | the portfolio decided once that it is compared with
value | n | money | simulated net present value, mean
gain | n | money | how much more than decided once, paired, mean
low | n | money | lower end of its interval
high | n | money | upper end of its interval
n | w | count | replications
""",
    ),
    _table(
        "solver_runs.csv",
        "bench",
        "a row for each question to an optimiser",
        """
problem | t | | name of the problem
group | t | | which problems it is one of
options | w | count | options of the problem
"""
        + _ASKED
        + """
repeat | w | | which time it was asked, from 0
seconds | n | seconds | that it took
proven | b | | whether the gap was proven within the limit, by a portfolio that keeps every row
gap | n | share | the gap that was reached
objective | n | its own | what the portfolio comes to
bound | n | its own | no portfolio comes to more
failure | t | | why there is no answer, if there is none
""",
    ),
    _table(
        "solver_means.csv",
        "bench",
        "a row for each group of problems, gap and way",
        """
group | t | | which problems
"""
        + _ASKED
        + """
seconds | n | seconds | shifted geometric mean; what was not proven counts with the limit
times_best | n | | so many times the quickest
proven | w | count | problems of which the gap was proven
of | w | count | problems
""",
    ),
    _table(
        "solver_profiles.csv",
        "bench",
        "a row for each gap, way and factor",
        _ASKED
        + """
factor | n | | so many times the quickest's time
share | n | share | share of problems that are solved within that
of | w | count | problems
""",
    ),
    _table(
        "changes.csv",
        "bench",
        "a row for each value, way of solving and stage that an earlier benchmark has too",
        """
what | t | | value, solving seconds, or seconds of a stage
scenario | t | | name of the scenario; empty of solving
world | t | | name of the world; empty of seconds
subject | t | | name of the portfolio, way and gap, or stage
earlier | n | its own | then: money, or seconds
now | n | its own | now
ratio | n | | now by then
ratio_low | n | | lower end of its interval; empty where the earlier value is not told apart from nothing
ratio_high | n | | upper end of its interval
difference | n | its own | now less then
low | n | its own | lower end of its interval
high | n | its own | upper end of its interval
paired | b | | whether both were measured on the same luck, or on the same problems
n | w | count | replications, or problems that both proved
verdict | t | | more or less, quicker or slower, no change shown, or measured once
""",
    ),
    _table(
        "measurements.parquet",
        "bench",
        "a row for each number that was measured",
        """
scenario | t | | name of the scenario; empty of solving
digest | t | | digest of the scenario
seed | w | | seed
what | t | | value, seconds of a stage, or solving seconds
world | t | | name of the world, or of the problem that was solved
subject | t | | name of the portfolio, stage, or way and gap
number | w | | number of the replication, or of the repeat
amount | n | its own | money, or seconds; infinite where a gap was not proven
""",
    ),
)

TABLES = (*_MAIN_TABLES, *_PAGE_TABLES, *_STUDY_TABLES, *_COMPARISON_TABLES, *_CALIBRATION_TABLES, *_STATED_TABLES,
          *_BENCH_TABLES)  # fmt: skip
"""All of them."""


def table_entry(command: str, name: str, *, stated: bool = False) -> TableEntry | None:
    """The table of a run of the command, asked of a scenario or, `stated`, of a problem stated by tables; None of one
    that is of no question of rdsim's own."""
    commands = ([f"{command}{_OF_PROBLEM}"] if stated else []) + [command, _EVERY]
    found = (one for wanted in commands for one in TABLES if one.name == name and wanted in one.commands)
    return next(found, None)


def column_of(table: TableEntry, name: str, figures: Mapping[str, Figure] | None = None) -> DataColumn | None:
    """A column of a table, by its name; `figures` are those of the scenario. None of one that is not known."""
    figure = (figures or {}).get(name) if table.figures else None
    if figure is not None:
        return _of_figure(name, figure.label, figure.unit, whole=table.figures == "replications")
    return next((one for one in table.columns if one.is_called(name)), None)


def _of_figure(name: str, label: str, unit: str, *, whole: bool) -> DataColumn:
    is_count = whole and unit in ("count", "days")
    return DataColumn(name, "whole" if is_count else "number", unit, label)


def markdown_lines() -> Iterator[str]:
    """The dictionary as the lines of a page in Markdown."""
    yield from ("## Units", "", "| unit | what it is |", "| --- | --- |")
    yield from (f"| {name} | {words} |" for name, words in UNITS.items() if name)
    for table in TABLES:
        commands = ", ".join(f"`{one}`" if one != _EVERY else one for one in table.commands)
        yield from ("", f"## `{table.file}` of {commands}", "", f"{table.row[:1].upper()}{table.row[1:]}.", "")
        yield from ("| column | type | unit | meaning |", "| --- | --- | --- | --- |")
        yield from map(_line, table.columns)
        if table.figures:
            yield from map(_line, _figure_columns(whole=table.figures == "replications"))


def _line(one: DataColumn) -> str:
    return f"| `{one.name}` | {one.type} | {one.unit or '-'} | {one.meaning} |"


def _figure_columns(*, whole: bool) -> Iterable[DataColumn]:
    """Figures that are columns, and families of them, as they came with rdsim; expectations are of some of them."""
    for name in (one for one in FIGURES if one in FIGURES.built_in):
        source = FIGURES[name]
        if isinstance(source, Figure) and source.column and (whole or source.market):
            yield _of_figure(name, source.label, source.unit, whole=whole)
        elif isinstance(source, FigureFamily) and whole and name not in _NO_COLUMNS:
            yield DataColumn(name, "number", "its own", source.label)


_NO_COLUMNS = ("funded_FIELD", "payments_PROGRAMME", "COLUMN")
"""Families of figures that can be aimed at and are no columns."""
