"""The nouns of a scenario and of a portfolio: frozen values, and what they answer by themselves.

A field, its limits and its documentation are one statement; `rdsim.scenario` turns these
statements into validation messages and into the JSON schema. Money is in the scenario's
``money_unit`` (billion KRW), durations in the unit that the field's name ends with. What needs
files, frames or the rules between fields is answered by upper rooms, which put themselves into
`ROOMS` when they are imported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, Protocol

from pydantic import ConfigDict, Field

from rdsim.brief import count, html_table, listing
from rdsim.frozen import Frozen

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "END_STATES",
    "FIGURE_NAMES",
    "ROOMS",
    "TAG",
    "Assumption",
    "AssumptionSettings",
    "Calibration",
    "Choice",
    "Confidence",
    "Deliverable",
    "Facility",
    "FacilityNeed",
    "FigureColumn",
    "FormationStage",
    "Gate",
    "Input",
    "Institute",
    "International",
    "Judgement",
    "JudgementRules",
    "Limit",
    "Limits",
    "Link",
    "Market",
    "MarketFactorRisk",
    "Mode",
    "Network",
    "OptimiserSettings",
    "Panel",
    "Partner",
    "PartnerEffect",
    "Portfolio",
    "Programme",
    "QueueSettings",
    "Queues",
    "ReferenceRow",
    "RiskSettings",
    "Risks",
    "Scenario",
    "Screening",
    "ScreeningLayer",
    "SearchSettings",
    "SimulationSettings",
    "Steps",
    "Tag",
    "TechField",
    "Technology",
    "TechnologyStep",
    "Tranche",
    "UncertaintyClass",
    "Unit",
    "ValueRules",
    "WhatIfSettings",
]


@dataclass(frozen=True)
class Unit:
    """Marks a number's unit: the door accepts quantities written with it and refuses others.

    `most` is the largest amount of money, in billions of the currency: the limit is on the money, not on the unit that
    a folder counts it in.
    """

    name: Literal["money", "months", "years", "per year", "as its input"]
    most: float | None = None


@dataclass(frozen=True)
class ColumnTable:
    """Marks a table of a record whose entries are columns of their own, each named `prefix` and its key."""

    prefix: str


TAG = "tag."
"""Begins the columns that hold a technology's tags, wherever they are shown."""


@dataclass(frozen=True)
class Joined:
    """Marks names that one cell holds, or a text in its place, with | between: ``US|TW``.

    In a table each name has its number behind a colon, ``chip:0.6|bio:0.4``; where names stand alone, each has `alone`,
    and if that is None they must not.
    """

    alone: float | None = None


@dataclass(frozen=True)
class AlsoNumber:
    """Marks text that may be given as a number or a flag, as a cell of a table holds it: true is 1."""


FIGURE_NAMES = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
"""Pattern of what figures and tags may be called: columns of tables, and words of a metric."""

END_STATES = ("running", "target", "stopped", "failed", "exhausted", "dropped", "unfunded", "blocked")
"""Names of the states in which projects end; `exhausted` is out of tranches, `dropped` is without an agreement."""

Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+\-]*$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False), Unit("money", most=1e6)]
Months = Annotated[float, Field(ge=0, le=1200, allow_inf_nan=False), Unit("months")]
Years = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False), Unit("years")]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
# Far enough from 1 that shared among many comparisons, and halved, it is still told from 1.
Confidence = Annotated[float, Field(gt=0.5, le=0.999_999, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=20, allow_inf_nan=False), Unit("per year")]
Spread = Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)]
Year = Annotated[int, Field(ge=1900, le=2200)]
Trl = Annotated[int, Field(ge=1, le=9)]
LogOdds = Annotated[float, Field(ge=-5, le=5, allow_inf_nan=False)]
Grade = Literal["published", "derived", "assumed"]
Weight = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False), Unit("money", most=1e6)]
Level = Annotated[float, Field(ge=0, le=200, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
FigureName = Annotated[str, Field(pattern=FIGURE_NAMES)]

FieldWeight = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


TagValue = Annotated[str, Field(max_length=200), AlsoNumber()]
Own = dict[Identifier, Finite]
"""Values of an extension's own parameters, by name; those that are absent have the defaults that it declares."""

_strict = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Tranche:
    """One instalment of an award."""

    __pydantic_config__ = _strict
    months: Annotated[
        float, Field(gt=0, le=120, allow_inf_nan=False, description="Months that the tranche funds."), Unit("months")
    ]
    share: Annotated[
        float, Field(gt=0, le=1, allow_inf_nan=False, description="Share of the award; the shares of a plan sum to 1.")
    ]


@dataclass(frozen=True)
class Gate(Frozen):
    """How a programme reviews a project between two tranches."""

    __pydantic_config__ = _strict
    policy: Annotated[
        str, Field(description="Gate policy: threshold, drop-worst, always-pass, or one that a plug-in registered.")
    ] = "threshold"
    alpha: Annotated[Probability, Field(description="Probability that a project on plan is judged behind.")] = 0.0
    beta: Annotated[Probability, Field(description="Probability that a project behind is judged on plan.")] = 0.0
    tolerance: Annotated[Count, Field(description="TRL steps behind plan that still count as on plan.")] = 0
    extensions: Annotated[Count, Field(description="Extensions a project may be given in its life.")] = 0
    extension_months: Annotated[Months, Field(description="Months of one extension; they bring no money.")] = 6.0
    drop_share: Annotated[Share, Field(description="drop-worst: share of a round's reviews that is dropped.")] = 0.1
    review_error: Annotated[
        float,
        Field(ge=0, le=9, allow_inf_nan=False, description="drop-worst: standard deviation of the review, TRL steps."),
    ] = 0.0
    panel: Annotated[str, Field(description="Panel that reviews; empty: a review takes no seat and no time.")] = ""
    parameters: Annotated[Own, Field(description="Parameters of the gate policy's own.")] = field(default_factory=dict)


@dataclass(frozen=True)
class Deliverable:
    """Something a project must hand in; if due at a gate, a condition of passing it."""

    __pydantic_config__ = _strict
    count: Annotated[int, Field(ge=1, le=100, description="How many are required.")] = 1
    due_tranche: Annotated[
        Count, Field(description="Condition at the gates from the end of this tranche on; 0: at no gate.")
    ] = 0
    after_trl: Annotated[Trl, Field(description="Work on it starts when this TRL is reached.")] = 1
    mean_months: Annotated[
        Months, Field(description="Mean months of technical work for each; 0: done on reaching after_trl.")
    ] = 6.0
    optional: Annotated[bool, Field(description="Counted, but never a condition.")] = False


@dataclass(frozen=True)
class ScreeningLayer:
    """One round of anonymous expert evaluation: each expert scores every candidate that is still in."""

    __pydantic_config__ = _strict
    experts: Annotated[int, Field(ge=1, le=1000, description="Experts who score each candidate.")]
    error: Annotated[
        Finite, Field(ge=0, le=100, description="Standard deviation of an expert's score; 1: as widely as merit.")
    ]
    months: Annotated[Months, Field(description="Months that the layer takes; the calls come so much later.")] = 0.0
    fee: Annotated[Money, Field(description="Cost of one expert's score of one candidate.")] = 0.0


@dataclass(frozen=True)
class Screening(Frozen):
    """How a programme narrows its candidates before any is funded; see `rdsim.scenario.screening`."""

    __pydantic_config__ = _strict
    keep: Annotated[int | None, Field(ge=1, description="Candidates kept; absent: all, nothing is screened.")] = None
    layers: Annotated[tuple[ScreeningLayer, ...], Field(max_length=20, description="Rounds, in their order.")] = ()
    depth: Annotated[
        int | None, Field(ge=0, le=20, description="Layers in use, from the first; absent: all; 0: those kept by lot.")
    ] = None
    shared_error: Annotated[
        Finite, Field(ge=0, le=100, description="Standard deviation of an error that all experts of a candidate share.")
    ] = 0.0
    luck: Annotated[Count, Field(description="Number of the experts' luck: each is another panel of experts.")] = 1
    essentiality: Annotated[
        Share, Field(description="Weight of how essential a partner is in what experts look at; the rest is merit.")
    ] = 0.0


@dataclass(frozen=True)
class Programme(Frozen):
    """A funding line: its money and starts by fiscal year, and its rules."""

    __pydantic_config__ = _strict
    name: Annotated[str, Field(description="Name shown in reports.")]
    budget: Annotated[dict[Year, Money], Field(description="Announced money by fiscal year.")]
    starts: Annotated[dict[Year, Count], Field(description="Projects that may start, by fiscal year.")]
    tranches: Annotated[tuple[Tranche, ...], Field(min_length=1, max_length=20, description="The tranche plan.")]
    deadline_years: Annotated[Years, Field(description="Years from the planned start to the market.")]
    trl_entry_min: Annotated[Trl, Field(description="Lowest TRL on entry.")] = 1
    trl_entry_max: Annotated[Trl, Field(description="Highest TRL on entry.")] = 8
    trl_target: Annotated[Trl, Field(description="Target TRL where a technology names none.")] = 9
    carry_over: Annotated[Share, Field(description="Share of unspent money that moves to the next year.")] = 0.0
    purse_rule: Annotated[
        Identifier,
        Field(
            description="strict: the first request that does not fit blocks those behind it; first-fit: it does not."
        ),
    ] = "strict"
    call_month: Annotated[int, Field(ge=1, le=12, description="Calendar month in which projects start.")] = 1
    foreign_partner_required: Annotated[bool, Field(description="Domestic projects are not eligible.")] = False
    fallback: Annotated[
        Literal["domestic", "drop"],
        Field(description="What a project does when its agreement fails or ends by a break."),
    ] = "domestic"
    preferred_networks: Annotated[tuple[str, ...], Field(description="Partner networks that are preferred.")] = ()
    preference_points: Annotated[
        float, Field(ge=0, le=100, allow_inf_nan=False, description="Score points for a partner in such a network.")
    ] = 0.0
    award_cap: Annotated[Money | None, Field(description="Largest award per project; absent: no limit.")] = None
    gate: Gate = Gate()
    screening: Screening = Screening()
    deliverables: Annotated[
        dict[Identifier, Deliverable], Field(max_length=30, description="Deliverables by name.")
    ] = field(default_factory=dict)
    purse_parameters: Annotated[Own, Field(description="Parameters of the purse rule's own.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class Illustrative:
    """Which draw the figures are that no document says; see `rdsim.scenario.illustrative`."""

    __pydantic_config__ = _strict
    program: Annotated[
        str,
        Field(
            pattern=r"^([A-Za-z0-9_-]+\.py)?$",
            description="Program in the folder that draws the illustrative figures; absent: none.",
        ),
    ] = ""
    draw: Annotated[
        int, Field(ge=1, le=1_000_000, description="Which draw these figures are; another one runs the program.")
    ] = 1
    digest: Annotated[
        str, Field(pattern=r"^([0-9a-f]{64})?$", description="SHA-256 of the program; the reader fills it in.")
    ] = ""


@dataclass(frozen=True)
class QueueSettings(Frozen):
    """In which order those who wait are looked at."""

    __pydantic_config__ = _strict
    rule: Annotated[
        Identifier, Field(description="Queue rule: rank, first-come, or one that a plug-in registered.")
    ] = "rank"
    parameters: Annotated[Own, Field(description="Parameters of the queue rule's own.")] = field(default_factory=dict)


@dataclass(frozen=True)
class Queues:
    """Queues for what several projects may take at once; a panel has its own, in its settings."""

    __pydantic_config__ = _strict
    facilities: Annotated[QueueSettings, Field(description="For facilities and teams, all that a step needs.")] = (
        QueueSettings()
    )
    places: Annotated[QueueSettings, Field(description="For places at partners.")] = QueueSettings()
    starts: Annotated[QueueSettings, Field(description="For the starts of a programme's year.")] = QueueSettings()


@dataclass(frozen=True)
class Panel:
    """An evaluation panel: a renewable resource that reviews occupy."""

    __pydantic_config__ = _strict
    seats: Annotated[int, Field(ge=1, le=1_000_000, description="Reviews at once.")]
    review_months: Annotated[
        float, Field(gt=0, le=120, allow_inf_nan=False, description="Months one review takes."), Unit("months")
    ]
    queue: Annotated[QueueSettings, Field(description="Who of those that wait is reviewed first.")] = QueueSettings()


@dataclass(frozen=True)
class TechField(Frozen):
    """A field of technology, with its own common factor, and how its steps differ from those of others."""

    __pydantic_config__ = _strict
    name: Annotated[str, Field(description="Name shown in reports.")]
    success_shift: Annotated[
        LogOdds, Field(description="Added to the log-odds of its steps' eventual success; 0: as listed.")
    ] = 0.0
    median_years: Annotated[
        tuple[Years, ...] | None,
        Field(min_length=8, max_length=8, description="Median time of each of its steps; absent: as of all fields."),
    ] = None


@dataclass(frozen=True)
class Institute:
    """An institute that proposes technologies and does the work on them."""

    __pydantic_config__ = _strict
    name: Annotated[str, Field(description="Name shown in reports.")]
    teams: Annotated[
        int | None,
        Field(
            ge=1,
            le=1_000_000,
            description="Projects that it can work on at once: a step waits for a team; absent: no limit.",
        ),
    ] = None
    source: Annotated[str, Field(description="Where it comes from.")] = ""


@dataclass(frozen=True)
class Technology(Frozen):
    """A candidate technology, one row of technologies.csv."""

    __pydantic_config__ = _strict
    id: Annotated[Identifier, Field(description="Unique id.")]
    name: Annotated[str, Field(min_length=1, description="Name shown in reports.")]
    programme: Annotated[str, Field(description="Programme that may fund it.")]
    field: Annotated[str, Field(description="Field of technology.")]
    trl: Annotated[Trl, Field(description="Technology readiness level today.")]
    cost: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="Cost to the target TRL."), Unit("money", most=1e5)
    ]
    value: Annotated[
        Money | None, Field(description="Value if it reaches the market; empty: market size x share x margin.")
    ] = None
    trl_target: Annotated[Trl | None, Field(description="Target TRL; empty: the programme's.")] = None
    uncertainty: Annotated[str, Field(description="Uncertainty class.")] = "medium"
    home_level: Annotated[Level, Field(description="Home capability level, best in the world about 100.")] = 80.0
    score: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, description="Evaluation score, 0 to 100.")] = 50.0
    market_size: Annotated[Money, Field(description="World market it addresses, a year.")] = 0.0
    market_share: Annotated[Share, Field(description="Share of that market won on success.")] = 0.0
    market_probability: Annotated[
        Probability | None, Field(description="Probability of commercialisation; empty: the calibration's.")
    ] = None
    status: Annotated[
        Literal["free", "must-fund", "must-not-fund"], Field(description="What the planner has fixed.")
    ] = "free"
    waives: Annotated[
        tuple[str, ...],
        Field(description="Deliverables of its programme that are not asked of it, separated by |."),
    ] = ()
    source: Annotated[str, Field(description="Where the row comes from: seed S003, press or illustrative.")] = ""
    note: Annotated[str, Field(description="Free text.")] = ""
    institute: Annotated[str, Field(description="Institute that proposes it and does the work; empty: not told.")] = ""
    figures: Annotated[
        dict[FigureName, Finite],
        Field(description="Figures of one's own, by name: columns figure.NAME; empty: 0."),
        ColumnTable("figure."),
    ] = dataclasses.field(default_factory=dict)
    tags: Annotated[
        dict[FigureName, TagValue],
        Field(description="Tags of one's own, by name: columns tag.NAME; empty or 0: not tagged."),
        ColumnTable(TAG),
    ] = dataclasses.field(default_factory=dict)
    needs_fields: Annotated[
        dict[str, FieldWeight],
        Field(description="Fields that it needs of a partner, with weights: semiconductor:0.6|materials:0.4; its own."),
        Joined(alone=1.0),
    ] = dataclasses.field(default_factory=dict)
    home_levels: Annotated[
        dict[str, Level],
        Field(description="Home capability level by field that it needs: materials:76; absent: home_level."),
        Joined(),
    ] = dataclasses.field(default_factory=dict)
    partners_required: Annotated[
        tuple[str, ...],
        Field(description="Partners that must all take part, US+TW or US|TW; domestic projects are not eligible."),
        Joined(),
    ] = ()
    partners_barred: Annotated[
        tuple[str, ...],
        Field(description="Partners that must not take part, alone or in a consortium, separated by |."),
        Joined(),
    ] = ()


@dataclass(frozen=True)
class Partner(Frozen):
    """A partner country, organisation, centre or consortium, one row of partners.csv."""

    __pydantic_config__ = _strict
    code: Annotated[Identifier, Field(description="Unique code; a consortium joins its members with +, as US+TW.")]
    name: Annotated[str, Field(min_length=1, description="Name shown in reports.")]
    region: Annotated[str, Field(description="Region, for grouping.")] = ""
    networks: Annotated[tuple[str, ...], Field(description="Networks it belongs to, separated by |.")] = ()
    members: Annotated[tuple[str, ...], Field(description="Codes of a consortium's members, separated by |.")] = ()
    modes: Annotated[tuple[str, ...], Field(description="Funding modes it offers, separated by |.")] = ()
    setup_cost: Annotated[Money, Field(description="One-off cost of opening it.")] = 0.0
    setup_months: Annotated[Months, Field(description="Months from opening to the first agreement talks.")] = 0.0
    running_cost: Annotated[Money, Field(description="Cost of each fiscal year it stays open.")] = 0.0
    places: Annotated[
        Count, Field(description="Joint projects it can hold at once; a consortium has its members'.")
    ] = 0
    agreement: Annotated[Probability, Field(description="Probability that its agency agrees to matching funds.")] = 1.0
    break_rate: Annotated[Rate, Field(description="Hazard of a break in relations, per year.")] = 0.0
    currency: Annotated[
        str, Field(description="Currency of money paid there; the home currency has no exchange rate.")
    ] = "USD"
    bloc: Annotated[
        str, Field(description="Bloc whose relations break together (`risks.breaks.bloc_share`); empty: its own.")
    ] = ""
    source: Annotated[str, Field(description="Where the row comes from.")] = ""


@dataclass(frozen=True)
class FormationStage:
    """One stage on the way to an agreement: discovery, matching, memorandum and workshop, ..."""

    __pydantic_config__ = _strict
    name: Annotated[Identifier, Field(description="Name of the stage.")]
    months: Annotated[Months, Field(description="Median months that it takes.")]
    sigma: Annotated[Spread, Field(description="Log standard deviation of that time.")] = 0.0
    success: Annotated[Probability, Field(description="Probability that it is passed.")] = 1.0


@dataclass(frozen=True)
class Mode(Frozen):
    """A funding mode of joint projects (S002), or `domestic`."""

    __pydantic_config__ = _strict
    name: Annotated[str, Field(description="Name shown in reports.")]
    home_cost_share: Annotated[
        Share, Field(description="Share of the project's cost borne by the home government.")
    ] = 1.0
    abroad_share: Annotated[
        Share, Field(description="Share of home money that is paid to the foreign institution.")
    ] = 0.0
    value_share: Annotated[
        Share, Field(description="Share of the value (rights) kept at home, once a step was worked together.")
    ] = 1.0
    implementation: Annotated[
        Share, Field(description="Part of the value kept that home can realise; 1 with the right to use joint results.")
    ] = 1.0
    needs_counterpart: Annotated[
        bool, Field(description="The counterpart agency must agree: the partner's agreement probability applies.")
    ] = False
    agreement_probability: Annotated[Probability, Field(description="Probability that talks reach an agreement.")] = 1.0
    agreement_months: Annotated[Months, Field(description="Median months to an agreement.")] = 0.0
    agreement_sigma: Annotated[Spread, Field(description="Log standard deviation of that time.")] = 0.0
    formation: Annotated[
        tuple[FormationStage, ...],
        Field(
            max_length=20,
            description="Stages that lead to an agreement, in order, in place of the three agreement settings; "
            "a counterpart agency has its say in the last one.",
        ),
    ] = ()
    distribution: Annotated[
        Identifier,
        Field(description="Distribution of times of talks, whole or in stages: lognormal, gamma, normal, a plug-in's."),
    ] = "lognormal"
    distribution_parameters: Annotated[Own, Field(description="Parameters of that distribution's own.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class PartnerEffect:
    """How a partner changes a project: an inverted U in the gap times absorptive capacity."""

    __pydantic_config__ = _strict
    gap_best: Annotated[
        Finite, Field(ge=-200, le=200, description="Gap in level (partner - home) of most benefit.")
    ] = 12.0
    gap_width: Annotated[
        Finite, Field(gt=0, le=400, description="Distance from gap_best at which the benefit is nil.")
    ] = 20.0
    trl_low: Annotated[Finite, Field(ge=0, le=9, description="Home TRL at and below which nothing is absorbed.")] = 2.0
    trl_high: Annotated[Finite, Field(ge=0, le=10, description="Home TRL from which all is absorbed.")] = 5.0
    duration_gain: Annotated[
        Finite, Field(ge=-1, le=1, description="Step time saved at full benefit, as a share; below 0: harm.")
    ] = 0.2
    success_shift: Annotated[
        float,
        Field(
            ge=-3,
            le=3,
            allow_inf_nan=False,
            description="Added to the log-odds of a step's eventual success at full benefit; below 0: harm.",
        ),
    ] = 0.55
    cost_overhead: Annotated[Share, Field(description="Cost added by working with a partner.")] = 0.08
    coordination_duration: Annotated[
        Finite, Field(ge=1, le=5, description="Factor on step time for each further partner.")
    ] = 1.1
    coordination_cost: Annotated[Finite, Field(ge=1, le=5, description="Factor on cost for each further partner.")] = (
        1.05
    )


@dataclass(frozen=True)
class ReferenceRow:
    """A kind of project in a calibration's reference mix: those that its development success was measured on."""

    __pydantic_config__ = _strict
    trl: Annotated[int, Field(ge=1, le=8, description="TRL at their start.")]
    target: Annotated[int, Field(ge=2, le=9, description="TRL that they aim at.")]
    field: Annotated[str, Field(description="Their field; empty: no field's shift.")] = ""
    uncertainty: Annotated[str, Field(description="Their uncertainty class; empty: no class's shift.")] = ""
    weight: Annotated[
        float, Field(gt=0, le=1e6, allow_inf_nan=False, description="Their part of the mix, relative to other rows'.")
    ] = 1.0


@dataclass(frozen=True)
class Calibration(Frozen):
    """A named set of success rates; development success is that of a mix of projects, from start to target."""

    __pydantic_config__ = _strict
    development_success: Annotated[
        float | None,
        Field(
            gt=0,
            le=1,
            allow_inf_nan=False,
            description="Share of the reference mix's projects that reach their target TRL; absent: steps as listed.",
        ),
    ] = field(default=None, kw_only=True)
    reference: Annotated[
        tuple[ReferenceRow, ...],
        Field(
            min_length=1,
            max_length=1000,
            description="The mix of projects that development_success was measured on; absent: TRL 4 to 8 alone.",
        ),
    ] = field(default=(ReferenceRow(4, 8),), kw_only=True)
    market_probability: Annotated[Probability, Field(description="Probability of commercialisation once there.")]
    median_years: Annotated[
        tuple[Years, ...] | None,
        Field(min_length=8, max_length=8, description="Median time of each step; absent: that of `steps`."),
    ] = None
    distribution: Annotated[
        Identifier | None, Field(description="Distribution of step times; absent: that of `steps`.")
    ] = None
    duration_sigma: Annotated[
        Spread | None,
        Field(description="Log standard deviation of step times; absent: that of each uncertainty class."),
    ] = None
    source: Annotated[str, Field(description="Where the figures come from.")] = ""
    distribution_parameters: Annotated[
        Own, Field(description="Parameters of the distribution's own; absent ones are those of `steps`, if it is its.")
    ] = field(default_factory=dict)
    success: Annotated[
        tuple[Probability, ...] | None,
        Field(min_length=8, max_length=8, description="Eventual success of each step; absent: that of `steps`."),
    ] = field(default=None, kw_only=True)
    success_grade: Annotated[
        tuple[Grade, ...],
        Field(min_length=1, max_length=8, description="Of each of its steps' success, or one for all."),
    ] = field(default=("assumed",), kw_only=True)


@dataclass(frozen=True)
class Steps(Frozen):
    """Time, success and luck of TRL steps; entry k of a list is the step from TRL k+1 to k+2."""

    __pydantic_config__ = _strict
    median_years: Annotated[
        tuple[Years, ...], Field(min_length=8, max_length=8, description="Median time of each step.")
    ] = (0.7, 0.8, 0.8, 0.9, 1.0, 1.2, 1.3, 1.0)
    distribution: Annotated[
        Identifier,
        Field(description="Distribution of step times: lognormal, gamma, normal, or one that a plug-in registered."),
    ] = "lognormal"
    setback_probability: Annotated[
        Probability, Field(description="Probability that an unsuccessful attempt is a setback and not a failure.")
    ] = 0.5
    attempts: Annotated[int, Field(ge=1, le=10, description="Most attempts at one step.")] = 3
    distribution_parameters: Annotated[Own, Field(description="Parameters of the distribution's own.")] = field(
        default_factory=dict
    )
    success: Annotated[
        tuple[Probability, ...],
        Field(min_length=8, max_length=8, description="Eventual success of each step, all its attempts together."),
    ] = (0.98, 0.975, 0.97, 0.96, 0.95, 0.955, 0.975, 0.985)
    success_grade: Annotated[
        tuple[Grade, ...],
        Field(
            min_length=1,
            max_length=8,
            description="Of each step's success, or one for all: published, derived, or assumed and so calibrated.",
        ),
    ] = ("assumed",)


@dataclass(frozen=True)
class UncertaintyClass:
    """How widely time and value of a technology spread, and how its steps' success differs."""

    __pydantic_config__ = _strict
    duration_sigma: Annotated[Spread, Field(description="Log standard deviation of step times.")] = 0.55
    value_sigma: Annotated[Spread, Field(description="Log standard deviation of the market value (mean kept).")] = 0.5
    success_shift: Annotated[
        LogOdds, Field(description="Added to the log-odds of its steps' eventual success; 0: as listed.")
    ] = 0.0


@dataclass(frozen=True)
class ValueRules(Frozen):
    """What the market gives and when."""

    __pydantic_config__ = _strict
    market_months: Annotated[Months, Field(description="Median months from the target TRL to the market.")] = 12.0
    market_sigma: Annotated[Spread, Field(description="Log standard deviation of that time.")] = 0.5
    loss_per_year: Annotated[Share, Field(description="Share of the value lost for each year after the deadline.")] = (
        0.15
    )
    margin: Annotated[
        Finite,
        Field(ge=0, le=100, description="Value of a unit of yearly sales, where value comes from a market share."),
    ] = 1.0
    distribution: Annotated[
        Identifier,
        Field(description="Distribution of a market value's luck, mean 1: lognormal, gamma, normal, or a plug-in's."),
    ] = "lognormal"
    distribution_parameters: Annotated[Own, Field(description="Parameters of that distribution's own.")] = field(
        default_factory=dict
    )
    model: Annotated[
        Identifier,
        Field(description="Market value model: listed (value x luck x rights x timeliness), or a plug-in's."),
    ] = "listed"
    model_parameters: Annotated[Own, Field(description="Parameters of that model's own.")] = field(default_factory=dict)
    market_distribution: Annotated[
        Identifier,
        Field(description="Distribution of the time to the market: lognormal, gamma, normal, or a plug-in's."),
    ] = "lognormal"
    market_distribution_parameters: Annotated[Own, Field(description="Parameters of that distribution's own.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class FieldFactorRisk:
    """Loadings on the common factor of a field; both zero states independence."""

    __pydantic_config__ = _strict
    success_loading: Annotated[Share, Field(description="Correlation of a step's luck with its field.")] = 0.0
    duration_loading: Annotated[Share, Field(description="Correlation of a step's time with its field.")] = 0.0


@dataclass(frozen=True)
class MarketFactorRisk:
    """Shares of variance that markets have in common; all 0 states that markets are independent.

    Two luck numbers of each technology take part, each with factors of its own: whether it comes to the market, and
    its value there. Neither its chance nor its mean value depends on the shares. Each pair must sum to less than 1.
    """

    __pydantic_config__ = _strict
    chance_common: Annotated[
        Share, Field(description="Of coming to the market: share of the score's variance common to all.")
    ] = 0.1
    chance_field: Annotated[Share, Field(description="The same, common to a field.")] = 0.2
    value_common: Annotated[
        Share, Field(description="Of the value there: share of the score's variance common to all.")
    ] = 0.1
    value_field: Annotated[Share, Field(description="The same, common to a field.")] = 0.2


@dataclass(frozen=True)
class BreakRisk:
    """What a break in relations does; its hazard is the partner's."""

    __pydantic_config__ = _strict
    closed_months: Annotated[Months, Field(description="Months for which a break closes the partner.")] = 12.0
    bloc_share: Annotated[
        Share,
        Field(description="Share of variance that a year's breaks of partners of one bloc have in common; 0: none."),
    ] = 0.3


@dataclass(frozen=True)
class BudgetRisk(Frozen):
    """Cuts and rises of announced budgets: each year's money is multiplied by 1 + sd z, within limits.

    A distribution that is not normal has the same mean and standard deviation before it is cut off at the limits.
    """

    __pydantic_config__ = _strict
    sd: Annotated[Share, Field(description="Standard deviation of a year's budget, as a share.")] = 0.0
    lowest: Annotated[Share, Field(description="Lowest factor.")] = 0.5
    highest: Annotated[Finite, Field(ge=1, le=5, description="Highest factor.")] = 1.5
    certain_until: Annotated[Year, Field(description="Last fiscal year whose budget is certain.")] = 1900
    common: Annotated[
        Share, Field(description="Share of variance that programmes' budgets of a year have in common; 0: none.")
    ] = 0.5
    distribution: Annotated[
        Identifier, Field(description="Distribution of the factor: normal, lognormal, gamma, or a plug-in's.")
    ] = "normal"
    distribution_parameters: Annotated[Own, Field(description="Parameters of that distribution's own.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class ExchangeRisk(Frozen):
    """Exchange rate of money paid abroad: a geometric random walk per currency from 1 in the first year."""

    __pydantic_config__ = _strict
    volatility: Annotated[Share, Field(description="Yearly log standard deviation.")] = 0.0
    distribution: Annotated[
        Identifier,
        Field(description="Distribution of a year's growth, of mean 1: lognormal, gamma, normal, or a plug-in's."),
    ] = "lognormal"
    distribution_parameters: Annotated[Own, Field(description="Parameters of that distribution's own.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class Risks:
    """Risks that technologies share."""

    __pydantic_config__ = _strict
    field_factor: FieldFactorRisk = FieldFactorRisk()
    breaks: BreakRisk = BreakRisk()
    budget: BudgetRisk = BudgetRisk()
    exchange: ExchangeRisk = ExchangeRisk()
    market_factor: MarketFactorRisk = MarketFactorRisk()


@dataclass(frozen=True)
class Facility:
    """A named renewable capacity: test bed, clean room, trial site."""

    __pydantic_config__ = _strict
    name: Annotated[str, Field(description="Name shown in reports.")]
    capacity: Annotated[int, Field(ge=1, le=1_000_000, description="Units available at once.")]


@dataclass(frozen=True)
class FacilityNeed:
    """A step that needs units of a facility for as long as it runs, one row of facility_needs.csv."""

    __pydantic_config__ = _strict
    technology: Annotated[str, Field(description="Technology id.")]
    trl: Annotated[int, Field(ge=1, le=8, description="TRL that the step starts from.")]
    facility: Annotated[str, Field(description="Facility id.")]
    units: Annotated[int, Field(ge=1, le=1_000_000, description="Units needed.")] = 1


@dataclass(frozen=True)
class TechnologyStep:
    """A step of one technology that is unlike the others', one row of technology_steps.csv."""

    __pydantic_config__ = _strict
    technology: Annotated[str, Field(description="Technology id.")]
    trl: Annotated[int, Field(ge=1, le=8, description="TRL that the step starts from.")]
    median_months: Annotated[
        float | None,
        Field(gt=0, le=1200, allow_inf_nan=False, description="Median time of the step; empty: as in `steps`."),
        Unit("months"),
    ] = None
    success: Annotated[
        Probability | None,
        Field(description="Eventual success, all attempts together, not shifted; empty: as of `steps`, calibrated."),
    ] = None
    source: Annotated[str, Field(description="Where the row comes from.")] = ""


Input = Literal["value", "cost", "market_probability", "home_level", "market_size", "market_share", "months", "success"]
"""What experts may be asked of a technology: columns of technologies.csv, or the time and success of a step."""

Elicited = Annotated[Finite, Unit("as its input")]


@dataclass(frozen=True)
class Judgement:
    """What one expert says of one uncertain figure, one row of judgements.csv."""

    __pydantic_config__ = _strict
    technology: Annotated[str, Field(description="Technology id.")]
    input: Annotated[Input, Field(description="The figure: a column of technologies.csv, or months or success.")]
    expert: Annotated[str, Field(min_length=1, description="Who says so.")]
    p10: Annotated[Elicited, Field(description="Below it with probability 10%.")]
    p50: Annotated[Elicited, Field(description="Below it with probability 50%.")]
    p90: Annotated[Elicited, Field(description="Below it with probability 90%.")]
    trl: Annotated[
        int | None, Field(ge=1, le=8, description="TRL that the step starts from: for months and success alone.")
    ] = None
    source: Annotated[str, Field(description="Where the row comes from.")] = ""


@dataclass(frozen=True)
class JudgementRules(Frozen):
    """Whose judgements count, and how those of several experts are pooled."""

    __pydantic_config__ = _strict
    expert: Annotated[str, Field(description="The only expert who is heard; empty: all of them, pooled.")] = ""
    pooling: Annotated[
        Literal["linear", "quantile"],
        Field(description="linear: a mixture of the experts' distributions; quantile: the average of their quantiles."),
    ] = "linear"
    weights: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]],
        Field(description="Weight of an expert in the pool; absent: 1, and 0 leaves an expert out."),
    ] = field(default_factory=dict)
    at: Annotated[
        dict[Input, Literal["mean", "p10", "p50", "p90"]],
        Field(description="An input is taken to be this figure of its distribution, for certain; absent: uncertain."),
    ] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """A relation between two technologies, one row of links.csv."""

    __pydantic_config__ = _strict
    kind: Annotated[
        Literal["prerequisite", "exclusion", "synergy", "spillover"],
        Field(description="prerequisite: technology needs other; spillover: other's success helps technology."),
    ]
    technology: Annotated[str, Field(description="Technology id.")]
    other: Annotated[str, Field(description="The other technology's id.")]
    amount: Annotated[
        Finite,
        Field(
            ge=-1e6, le=1e6, description="synergy: money if both reach the market; spillover: points of step success."
        ),
    ] = 0.0
    source: Annotated[str, Field(description="Where the row comes from.")] = ""


@dataclass(frozen=True)
class Network:
    """Which funding line pays for opening and running partners, and how a network learns.

    Talks that begin after k agreements with the partner take learning^k of their time, or `learning_floor` of it if
    that is more; with a consortium, k is that of the member with the fewest. A break does not undo what was learned.
    """

    __pydantic_config__ = _strict
    programme: Annotated[
        str, Field(description="Programme that pays; empty: partners' costs are nobody's, and must be 0.")
    ] = ""
    learning: Annotated[
        float,
        Field(gt=0, le=1, allow_inf_nan=False, description="Factor on talks for each earlier agreement; 1: none."),
    ] = 1.0
    learning_floor: Annotated[Share, Field(description="Share of their time that talks take at least.")] = 0.5


@dataclass(frozen=True)
class International(Frozen):
    """The target path of the international share of the R&D budget, and the cap on money going abroad."""

    __pydantic_config__ = _strict
    rd_budget: Annotated[dict[Year, Money], Field(description="R&D budget of the year, the share's denominator.")] = (
        field(default_factory=dict)
    )
    outside_spending: Annotated[
        dict[Year, Money], Field(description="International spending outside this scenario, by year.")
    ] = field(default_factory=dict)
    share_floor: Annotated[dict[Year, Share], Field(description="Target share by year (soft).")] = field(
        default_factory=dict
    )
    shortfall_price: Annotated[
        Finite, Field(ge=0, le=1000, description="Value given up for a unit of money of shortfall, in the optimiser.")
    ] = 0.0
    abroad_cap: Annotated[dict[Year, Money], Field(description="Cap on home money paid abroad, by year.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class Market(Frozen):
    """Home's share of a world market, to which every technology on the market adds size x share (the form of S004)."""

    __pydantic_config__ = _strict
    share: Annotated[
        Share, Field(description="Home's share of the world market today, kept whatever becomes of the technologies.")
    ] = 0.0
    world: Annotated[
        dict[Year, Money],
        Field(description="World market by year; technologies' market_size is that of the last year given."),
    ] = field(default_factory=dict)
    target: Annotated[dict[Year, Share], Field(description="Share aimed at, by year.")] = field(default_factory=dict)


@dataclass(frozen=True)
class Limit:
    """Floor and ceiling on a share of the whole announced budget."""

    __pydantic_config__ = _strict
    floor: Annotated[Share, Field(description="At least this share of the whole announced budget.")] = 0.0
    ceiling: Annotated[Share, Field(description="At most this share of the whole announced budget.")] = 1.0


@dataclass(frozen=True)
class Limits(Frozen):
    """Shares by field and by partner country."""

    __pydantic_config__ = _strict
    fields: Annotated[dict[str, Limit], Field(description="By field.")] = field(default_factory=dict)
    partners: Annotated[
        dict[str, Limit], Field(description="By partner country (a consortium counts for each member).")
    ] = field(default_factory=dict)


@dataclass(frozen=True)
class FigureColumn:
    """What a column figure.NAME of technologies.csv is, and what counts it."""

    __pydantic_config__ = _strict
    label: Annotated[str, Field(description="What it is called in words; empty: its name.")] = ""
    unit: Annotated[
        str, Field(max_length=64, description="Its unit, as kt; money: the scenario's; count; share; empty: none.")
    ] = ""
    sense: Annotated[
        Literal["more", "less", "neither"], Field(description="Whether more of it is better, less, or neither.")
    ] = "more"
    counted: Annotated[
        Literal["commercialised", "in_time", "target", "funded"],
        Field(description="Technologies over which it is added up: those that come to the market, there in time, ..."),
    ] = "commercialised"


@dataclass(frozen=True)
class Tag(Frozen):
    """What a column tag.NAME of technologies.csv is, and what follows for the technologies that have the tag."""

    __pydantic_config__ = _strict
    label: Annotated[str, Field(description="What it is called in words; empty: its name.")] = ""
    partners_barred: Annotated[
        tuple[str, ...],
        Field(description="Partners that must not take part in what is tagged, alone or in a consortium."),
        Joined(),
    ] = ()
    networks_barred: Annotated[
        tuple[str, ...], Field(description="Networks whose partners must not take part in it."), Joined()
    ] = ()
    values: Annotated[
        tuple[str, ...],
        Field(description="Values for which partners are barred; none named: all but an empty one and 0."),
        Joined(),
    ] = ()
    source: Annotated[str, Field(description="Where it comes from.")] = ""


@dataclass(frozen=True)
class SimulationSettings:
    """Defaults of a simulation run."""

    __pydantic_config__ = _strict
    replications: Annotated[int, Field(ge=2, le=10_000_000, description="Replications of the evaluation.")] = 200
    seed: Annotated[int, Field(ge=0, lt=2**63, description="Seed of the evaluation's draws.")] = 1
    confidence: Annotated[Confidence, Field(description="Confidence of reported intervals.")] = 0.95


@dataclass(frozen=True)
class RiskSettings:
    """What the optimiser asks of a portfolio's value and money sample by sample; by default nothing but their means."""

    __pydantic_config__ = _strict
    level: Annotated[
        float, Field(gt=0, lt=1, allow_inf_nan=False, description="Level of CVaR: 0.95 looks at the worst twentieth.")
    ] = 0.95
    weight: Annotated[Share, Field(description="Weight of CVaR in the aim; the expected value has the rest.")] = 0.0
    floor: Annotated[Finite | None, Field(description="CVaR must be at least this.")] = None
    target: Annotated[Finite | None, Field(description="Value to be reached with `probability`.")] = None
    probability: Annotated[
        float | None, Field(gt=0, le=1, allow_inf_nan=False, description="Share of samples that reach `target`.")
    ] = None
    money: Annotated[
        Literal["expected", "quantile", "always"],
        Field(description="Budgets hold in expectation, in a share `money_level` of the samples, or in every sample."),
    ] = "expected"
    money_level: Annotated[
        float, Field(gt=0, lt=1, allow_inf_nan=False, description="For `quantile`: share of samples that suffice.")
    ] = 0.9

    @property
    def needs_samples(self) -> bool:
        """Whether anything but means is asked."""
        return bool(self.weight or self.floor is not None or self.probability or self.money != "expected")


@dataclass(frozen=True)
class SearchSettings:
    """How the loop of optimiser and simulator searches."""

    __pydantic_config__ = _strict
    rounds: Annotated[int, Field(ge=0, le=20, description="Rounds of proposals at most.")] = 2
    replications: Annotated[
        int, Field(ge=20, le=100_000, description="Replications on which each proposal is judged in the loop.")
    ] = 400
    most_replications: Annotated[
        int, Field(ge=100, le=1_000_000, description="Replications of each finalist at most.")
    ] = 5000
    indifference: Annotated[
        float,
        Field(gt=0, lt=1, allow_inf_nan=False, description="Difference worth finding, relative to the value."),
    ] = 0.005
    probability: Annotated[
        float, Field(gt=0.5, lt=1, allow_inf_nan=False, description="Probability of selecting the best finalist.")
    ] = 0.95


@dataclass(frozen=True)
class AssumptionSettings:
    """How a plan looks at worlds in which assumptions are otherwise."""

    __pydantic_config__ = _strict
    points: Annotated[
        int, Field(ge=0, le=4096, description="Worlds drawn within the bounds, beside the plan; 0: none.")
    ] = 24
    replications: Annotated[int, Field(ge=20, le=100_000, description="Replications in each of these worlds.")] = 100
    repeats: Annotated[
        int,
        Field(ge=0, le=64, description="Times that a break-even is sought, each deciding on other samples; 0: never."),
    ] = 6
    samples: Annotated[int, Field(ge=10, le=100_000, description="Samples of each option of those decisions.")] = 100
    pairs: Annotated[
        int,
        Field(ge=0, le=1000, description="Break-evens that a plan seeks at most, the most doubtful signs first."),
    ] = 1


@dataclass(frozen=True)
class WhatIfSettings:
    """How a plan is asked what would change it: other money, other partners, no cause of lapsing money."""

    __pydantic_config__ = _strict
    repeats: Annotated[
        int, Field(ge=0, le=64, description="Times that each change is decided, on other samples; 0: nothing is asked.")
    ] = 6
    replications: Annotated[
        int, Field(ge=20, le=100_000, description="Replications on which each of these decisions is judged.")
    ] = 100


@dataclass(frozen=True)
class OptimiserSettings(Frozen):
    """Defaults of the optimiser."""

    __pydantic_config__ = _strict
    samples: Annotated[int, Field(ge=2, le=1_000_000, description="Replications behind each option's figures.")] = 200
    gap: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False, description="Relative gap to prove.")] = 0.01
    payment_ratio: Annotated[
        dict[str, Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]],
        Field(description="By programme: expected payments may reach this multiple of the budget; absent: 1."),
    ] = field(default_factory=dict)
    award_ratio: Annotated[
        dict[str, Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]],
        Field(
            description="By programme: full awards, by the year in which their tranches fall due if no project ever "
            "stops, may reach this multiple of the budget; absent: no limit."
        ),
    ] = field(default_factory=dict)
    effort: Annotated[
        Literal["quick", "normal", "long"],
        Field(description="How long large problems are searched where the gap is not proven."),
    ] = "normal"
    risk: Annotated[RiskSettings, Field(description="What is asked sample by sample.")] = field(
        default_factory=RiskSettings
    )
    search: Annotated[SearchSettings, Field(description="The loop of optimiser and simulator.")] = field(
        default_factory=SearchSettings
    )
    redecisions: Annotated[
        int, Field(ge=0, le=10_000, description="How often a plan is decided again, to tell what of it is firm.")
    ] = 64
    interchangeable: Annotated[
        float,
        Field(ge=0, lt=1, allow_inf_nan=False, description="Share of an award within which two choices are the same."),
    ] = 0.005
    assumptions: Annotated[
        AssumptionSettings, Field(description="How a plan looks at worlds in which assumptions are otherwise.")
    ] = field(default_factory=AssumptionSettings)
    what_if: Annotated[WhatIfSettings, Field(description="How a plan is asked what would change it.")] = field(
        default_factory=WhatIfSettings
    )


@dataclass(frozen=True)
class Assumption(Frozen):
    """A number that nobody has measured: the settings that it stands in, and the bounds that it is believed to have.

    It moves no outcome by itself. Questions about what is not known draw it from within its bounds, each value of them
    as likely as another and independent of other assumptions (see `rdsim.assumptions`).
    """

    __pydantic_config__ = _strict
    paths: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="Settings that it moves together, by dotted path; * for any one entry."),
    ]
    low: Annotated[Finite, Field(description="Lower bound: of the value, of the factor, or of what is added.")]
    high: Annotated[Finite, Field(description="Upper bound.")]
    why: Annotated[str, Field(min_length=1, description="What the bounds rest on.")]
    change: Annotated[
        Literal["set", "multiply", "add"],
        Field(description="Whether the settings are set, or the scenario's own are multiplied or added to."),
    ] = "set"
    grade: Annotated[Grade, Field(description="Of the bounds: published, derived or assumed.")] = "assumed"
    label: Annotated[str, Field(description="Name shown in reports; absent: its id.")] = ""


@dataclass(frozen=True)
class Scenario(Frozen):
    """The world: programmes, technologies, partners, rules and risks.

    It does not change: `with_` makes another one. However it was made - read, made of frames, put together by hand,
    changed by `dataclasses.replace` - it is checked as files are before anything is done with it.
    """

    __pydantic_config__ = _strict
    name: Annotated[Identifier, Field(description="Name of the scenario.")]
    title: Annotated[str, Field(description="One line for the report's head.")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO code of the home currency.")]
    money_unit: Annotated[str, Field(description="Unit of money, as 'billion KRW'.")]
    start_year: Annotated[Year, Field(description="First fiscal year simulated; money is discounted to its first day.")]
    horizon_year: Annotated[Year, Field(description="Last fiscal year simulated.")]
    calibration: Annotated[str, Field(description="Calibration in use.")]
    programmes: Annotated[dict[Identifier, Programme], Field(min_length=1, description="Funding lines by id.")]
    fields: Annotated[dict[Identifier, TechField], Field(min_length=1, description="Fields of technology by id.")]
    modes: Annotated[dict[Identifier, Mode], Field(min_length=1, description="Funding modes by id; `domestic` is one.")]
    calibrations: Annotated[dict[Identifier, Calibration], Field(min_length=1, description="Success rates by name.")]
    technologies: Annotated[dict[Identifier, Technology], Field(min_length=1, description="Candidates by id.")]
    partners: Annotated[dict[Identifier, Partner], Field(description="Partners by code.")] = field(default_factory=dict)
    levels: Annotated[
        dict[str, dict[str, Level]],
        Field(description="Technology level by partner code, then field; absent or 0: none."),
    ] = field(default_factory=dict)
    links: Annotated[tuple[Link, ...], Field(description="Relations between technologies.")] = ()
    facility_needs: Annotated[tuple[FacilityNeed, ...], Field(description="Steps that need a facility.")] = ()
    technology_steps: Annotated[
        tuple[TechnologyStep, ...], Field(description="Steps of single technologies with their own time or success.")
    ] = ()
    judgements: Annotated[tuple[Judgement, ...], Field(description="Experts' judgements of uncertain figures.")] = ()
    parts: Annotated[tuple[str, ...], Field(description="Optional parts in use, folders under parts/.")] = field(
        default=(), compare=False
    )
    illustrative: Annotated[Illustrative, Field(description="Where illustrative figures come from.")] = field(
        default=Illustrative(), compare=False
    )
    description: Annotated[str, Field(description="A paragraph for the report.")] = ""
    domestic: Annotated[
        Literal["by-programme", "allowed"],
        Field(description="allowed: domestic projects also where a programme requires a foreign partner."),
    ] = "by-programme"
    fiscal_year_start_month: Annotated[
        int, Field(ge=1, le=12, description="Calendar month a fiscal year starts in.")
    ] = 1
    discount_rate: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="Yearly discount rate, real."), Unit("per year")
    ] = 0.045
    requests_total: Annotated[
        Money | None, Field(description="Scale all technologies' costs to add up to this; absent: as listed.")
    ] = None
    panels: Annotated[dict[Identifier, Panel], Field(description="Evaluation panels by id.")] = field(
        default_factory=dict
    )
    facilities: Annotated[dict[Identifier, Facility], Field(description="Facilities by id.")] = field(
        default_factory=dict
    )
    institutes: Annotated[dict[Identifier, Institute], Field(description="Institutes by id.")] = field(
        default_factory=dict
    )
    uncertainty: Annotated[dict[Identifier, UncertaintyClass], Field(description="Uncertainty classes by name.")] = (
        field(
            default_factory=lambda: {
                "low": UncertaintyClass(0.4, 0.3),
                "medium": UncertaintyClass(0.55, 0.5),
                "high": UncertaintyClass(0.7, 0.8),
            }
        )
    )
    families: Annotated[
        dict[str, dict[str, Any]],
        Field(description="Constraint families that plug-ins register and that hold here, each with its parameters."),
    ] = field(default_factory=dict)
    rules: Annotated[
        dict[str, dict[str, Any]],
        Field(description="Rules for choosing that plug-ins register and that plans are compared with; parameters."),
    ] = field(default_factory=dict)
    steps: Steps = Steps()
    judgement: JudgementRules = JudgementRules()
    partner_effect: PartnerEffect = PartnerEffect()
    value: ValueRules = ValueRules()
    risks: Risks = Risks()
    network: Network = Network()
    international: International = International()
    market: Market = Market()
    limits: Limits = Limits()
    figures: Annotated[
        dict[str, FigureColumn], Field(description="What columns figure.NAME of technologies.csv are, by NAME.")
    ] = field(default_factory=dict)
    tags: Annotated[dict[str, Tag], Field(description="What columns tag.NAME of technologies.csv are, by NAME.")] = (
        field(default_factory=dict)
    )
    aim: Annotated[
        dict[str, Weight], Field(description="Weights on figures: what one more is worth; absent: 1 on npv alone.")
    ] = field(default_factory=dict)
    simulation: SimulationSettings = SimulationSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    queues: Queues = Queues()
    documents: Annotated[
        dict[Identifier, str], Field(description="Titles of documents, by the codes under which sources name them.")
    ] = field(default_factory=dict)
    assumptions: Annotated[
        dict[Identifier, Assumption], Field(description="What nobody has measured, and its bounds, by name.")
    ] = field(default_factory=dict)

    @classmethod
    def from_frames(
        cls,
        frames: Mapping[str, object],
    ) -> Scenario:
        """The scenario of what scenario.toml would hold, under ``settings``, and of frames with the columns of the
        tables beside it: ``technologies``, and if there are any ``partners``, ``levels``, ``links``,
        ``facility_needs``, ``technology_steps`` and ``judgements``.

        Frames are read as CSV files are: headings may carry units, missing values of any kind are empty cells, a
        cell may be a quantity (``"9 months"``), and a list is a list or a text with ``|`` between. What an index has a
        name for is a column.

        Raises:
            ScenarioError: with every fault of the settings, of the frames, by row (counted from 0) and column, and of
                what they say together.
        """
        return ROOMS.scenario.from_frames(frames)

    def to_frames(self) -> dict[str, Any]:
        """What `from_frames` takes: ``Scenario.from_frames(scenario.to_frames()) == scenario``.

        The settings are plain data, under ``settings``; of tables without rows there is none but `technologies`.
        """
        return ROOMS.scenario.to_frames(self)

    def with_(self, settings: Mapping[str, object] | Sequence[str]) -> Scenario:
        """Another scenario, in which the settings at some dotted paths are others.

        Paths, rules and messages are those of ``--set``: ``*`` stands for every entry of a table, None unsets, and a
        value may be a number, a text, a quantity with its unit, a list or a table.

        Raises:
            ScenarioError: with every fault of the paths and of what the scenario would then be.

        >>> import rdsim
        >>> scenario = rdsim.examples.medical_ai()
        >>> scenario.with_({"programmes.rnd.budget.2026": 90}).programmes["rnd"].budget[2026]
        90.0
        """
        return ROOMS.scenario.with_(self, settings)

    def write(self, folder: str | Path) -> None:
        """Write a folder that loads to an equal scenario. Raises OutputError if it is not new or empty, or not
        writable."""
        ROOMS.scenario.dump(self, folder)

    def __repr__(self) -> str:
        things = [
            count(_size(self.programmes), "programme"),
            count(_size(self.technologies), "technology"),
            count(_size(self.partners), "partner"),
        ]
        return f"Scenario {self.name}: {self.title}; {', '.join(things)}; {self.start_year} to {self.horizon_year}"

    def _repr_html_(self) -> str:
        """The scenario in a notebook."""
        tables: dict[str, Any] = {name: getattr(self, name) for name in ("programmes", "technologies", "partners")}
        rows = [
            *((name, _size(table), listing(table if _size(table) else ())) for name, table in tables.items()),
            ("years", "", f"{self.start_year} to {self.horizon_year}"),
            ("money", "", f"{self.money_unit}"),
        ]
        return html_table(f"Scenario {self.name}: {self.title}", (), rows)


@dataclass(frozen=True)
class Choice:
    """One funded technology: with whom, how, and from which fiscal year.

    >>> import rdsim
    >>> rdsim.Choice("C2", "matching", "US", 2025)
    Choice(technology='C2', mode='matching', partner='US', start_year=2025, rank=0)
    """

    technology: str
    mode: str = "domestic"
    partner: str = ""
    start_year: int = 0
    rank: int = 0


@dataclass(frozen=True)
class Portfolio(Frozen):
    """The choice. Ranks are unique and order every queue; `rdsim.portfolio.with_ranks` gives the default ones.

    It is iterated by choice, counts its choices, and holds those technologies that it funds.

    >>> import rdsim
    >>> choices = rdsim.Choice("C1", start_year=2026, rank=1), rdsim.Choice("C2", start_year=2025, rank=2)
    >>> mine = rdsim.Portfolio(choices)
    >>> len(mine), "C2" in mine, [one.start_year for one in mine]
    (2, True, [2026, 2025])
    """

    choices: tuple[Choice, ...]
    name: str = "portfolio"

    def __iter__(self) -> Iterator[Choice]:
        return iter(self.choices)

    def __len__(self) -> int:
        return len(self.choices)

    def __bool__(self) -> bool:
        """True, also of a portfolio that funds nothing."""
        return True

    def __contains__(self, technology: object) -> bool:
        return any(technology in (one, one.technology) for one in self.choices)

    @classmethod
    def from_frame(cls, table: pd.DataFrame, scenario: Scenario | None = None, name: str = "portfolio") -> Portfolio:
        """The portfolio of a frame with the columns of a portfolio's file; missing partners and ranks mean none.

        Raises PortfolioError with every fault: of the cells, and with a scenario of what does not fit it.
        """
        return ROOMS.portfolio.from_frame(table, scenario, name)

    def frame(self, scenario: Scenario | None = None) -> pd.DataFrame:
        """A row for each choice, in the portfolio's order: the columns of its file, then with a scenario also names,
        cost (money) and score. A choice without a rank has a missing one, of pandas' nullable integers."""
        return ROOMS.portfolio.frame(self, scenario)

    def __repr__(self) -> str:
        funded = listing(str(one.technology) for one in self.choices)
        return f"Portfolio {self.name}: {count(len(self), 'choice')}{f' ({funded})' if funded else ''}"

    def _repr_html_(self) -> str:
        """The portfolio in a notebook."""
        head = ("technology", "partner", "mode", "start_year", "rank")
        rows = [(one.technology, one.partner, one.mode, one.start_year, one.rank or "") for one in self.choices]
        return html_table(f"Portfolio {self.name}: {count(len(self), 'choice')}", head, rows)


def _size(table: object) -> int:
    """The entries of a table; none of what is no table and has not been refused yet."""
    return len(table) if isinstance(table, Mapping) else 0


class ScenarioRoom(Protocol):
    """What `rdsim.scenario` answers of scenarios."""

    def from_frames(self, frames: Mapping[str, object]) -> Scenario:
        """See `Scenario.from_frames`."""

    def to_frames(self, scenario: Scenario) -> dict[str, Any]:
        """See `Scenario.to_frames`."""

    def with_(self, scenario: Scenario, settings: Mapping[str, object] | Sequence[str]) -> Scenario:
        """See `Scenario.with_`."""

    def dump(self, scenario: Scenario, folder: str | Path) -> None:
        """See `Scenario.write`."""


class PortfolioRoom(Protocol):
    """What `rdsim.portfolio` answers of portfolios."""

    def from_frame(self, table: pd.DataFrame, scenario: Scenario | None, name: str) -> Portfolio:
        """See `Portfolio.from_frame`."""

    def frame(self, portfolio: Portfolio, scenario: Scenario | None) -> pd.DataFrame:
        """See `Portfolio.frame`."""


class Rooms:
    """The rooms that answer what these values cannot by themselves; each puts itself here when it is imported."""

    scenario: ScenarioRoom
    portfolio: PortfolioRoom

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"import rdsim.{name} first: it answers this")


ROOMS = Rooms()
