"""Generated worlds: small scenarios and portfolios in which everything scarce is scarce and dates coincide.

Budgets are tight and round, tranches equally long, step times often certain, panels have one seat and partners
one or two places: so simultaneous events, full purses, full partners and full panels are the normal case. The
suites count that they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from rdsim import portfolio
from rdsim.case import Case, Outcomes, SamplePaths, build
from rdsim.domain import (
    BreakRisk,
    BudgetRisk,
    Calibration,
    Choice,
    Deliverable,
    ExchangeRisk,
    Facility,
    FacilityNeed,
    FieldFactorRisk,
    FormationStage,
    Gate,
    Input,
    Judgement,
    JudgementRules,
    Link,
    MarketFactorRisk,
    Mode,
    Network,
    Panel,
    Partner,
    PartnerEffect,
    Portfolio,
    Programme,
    ReferenceRow,
    Risks,
    Scenario,
    Steps,
    Tag,
    TechField,
    Technology,
    TechnologyStep,
    Tranche,
    UncertaintyClass,
    ValueRules,
)
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.luck import lay_out
from rdsim.scenario import eligible, members
from rdsim.scenario.loader import canonical

__all__ = ["World", "draw_world", "run_both", "worlds"]

T = TypeVar("T")

START, HORIZON = 2024, 2033


@dataclass(frozen=True)
class World:
    """A scenario, a ranked portfolio, and the seed of its draws."""

    scenario: Scenario
    portfolio: Portfolio
    seed: int
    stops: dict[str, int] = field(default_factory=dict)
    kept: dict[tuple[str, int], bool] = field(default_factory=dict)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Choices in order of rank, which is the order of an engine's projects."""
        return tuple(sorted(self.portfolio.choices, key=lambda choice: choice.rank))

    def case(self) -> Case:
        """The arrays of the world."""
        return build(self.scenario, self.portfolio, stops=self.stops, kept=self.kept)

    def luck(self, case: Case, replications: int) -> SamplePaths:
        """The luck of its first replications; in every other world breaks come on the days on which all else comes."""
        luck = lay_out(self.scenario, case, self.choices, Draws(self.seed, range(replications)))
        if self.seed % 2:
            return luck
        return luck._replace(break_day=np.where(luck.break_day < 0, -1, luck.break_day // 90 * 90))


def run_both(world: World, replications: int) -> tuple[Case, SamplePaths, Outcomes, Outcomes]:
    """The world's arrays, and the outcomes of the SimPy and the compiled engine."""
    case = world.case()
    luck = world.luck(case, replications)
    return case, luck, process.run(case, luck), compiled.run(case, luck)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds for hypothesis; shrinks towards seed 0."""
    return draw_world(draw(st.integers(0, 2**32 - 1)))


def draw_world(seed: int) -> World:
    """One world; the same for the same seed."""
    return _Maker(np.random.default_rng(seed), seed).make()


_OPPOSITE = {"P0": {"f0": 95.0, "f1": 50.0}, "P1": {"f0": 50.0, "f1": 90.0}}


class _Maker:
    """Draws the parts of a world one after another."""

    def __init__(self, rng: np.random.Generator, seed: int) -> None:
        self.rng, self.seed = rng, seed

    def one_of(self, *values: T) -> T:
        return values[int(self.rng.integers(len(values)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def make(self) -> World:
        self.lines = [f"line{k}" for k in range(self.one_of(1, 1, 2, 3))]
        self.count = self.one_of(2, 4, 5, 6, 7, 8)
        self.paying = self.one_of("", *self.lines, *self.lines)
        self.fiscal_month = self.one_of(1, 1, 3)
        # Now and then it all ends while much is under way.
        self.horizon = self.one_of(HORIZON, HORIZON, HORIZON, START + 2)
        self.codes = [f"P{k}" for k in range(int(self.rng.integers(0, 5)))]
        technologies = {f"T{k}": self.technology(k) for k in range(self.count)}
        facilities = {"bed": Facility("Test bed", 1), "room": Facility("Clean room", 2)} if self.chance(0.6) else {}
        scenario = Scenario(
            name="generated",
            title="A generated world",
            currency="KRW",
            money_unit="billion KRW",
            start_year=START,
            horizon_year=self.horizon,
            calibration="only",
            programmes={name: self.programme() for name in self.lines},
            fields={"f0": TechField("Field 0"), "f1": TechField("Field 1")},
            modes=self.modes(),
            calibrations={"only": self.calibration()},
            technologies=technologies,
            partners=self.partners(),
            levels={code: {"f0": 95.0, "f1": 80.0} for code in self.codes},
            links=self.links(technologies),
            facility_needs=self.needs(technologies) if facilities else (),
            fiscal_year_start_month=self.fiscal_month,
            panels={"p0": Panel(1, self.one_of(1.0, 2.0, 3.0)), "p1": Panel(2, 1.0)},
            facilities=facilities,
            uncertainty={"medium": UncertaintyClass(self.one_of(0.0, 0.0, 0.5), 0.5)},
            steps=Steps(
                median_years=self.medians(),
                distribution=self.one_of("lognormal", "lognormal", "gamma"),
                setback_probability=self.one_of(0.0, 0.6, 0.9),
                attempts=self.one_of(1, 2, 3),
            ),
            partner_effect=PartnerEffect(
                duration_gain=self.one_of(0.0, 0.25), coordination_duration=self.one_of(1.0, 1.2)
            ),
            risks=Risks(
                FieldFactorRisk(self.one_of(0.0, 0.4), self.one_of(0.0, 0.4)),
                BreakRisk(self.one_of(3.0, 12.0)),
                BudgetRisk(sd=self.one_of(0.0, 0.0, 0.3), certain_until=START),
                ExchangeRisk(self.one_of(0.0, 0.1)),
            ),
            network=Network(self.paying),
            value=ValueRules(market_months=self.one_of(3.0, 12.0), market_sigma=self.one_of(0.0, 0.5)),
        )
        chosen = self.portfolio(scenario := canonical(scenario))
        decisions = self.decisions(chosen)
        # Drawn last, so that all else of a world is as it was before there were these.
        scenario = canonical(replace(scenario, technology_steps=self.own_steps(technologies)))
        scenario = replace(scenario, technologies=self.waivers(scenario))
        scenario = replace(scenario, **self.judged(scenario.technologies))
        network, modes = self.learning(scenario.network), self.formation(scenario.modes)
        scenario = replace(scenario, network=network, modes=modes)
        scenario = canonical(replace(scenario, partners=self.at_home(scenario.partners)))
        scenario = self.distributions(scenario)
        scenario = canonical(replace(scenario, **self.technical(scenario)))
        scenario = canonical(self.demanding(scenario, chosen))
        scenario = canonical(replace(scenario, **self.shared(scenario)))
        scenario, chosen = self.alone(scenario, chosen)
        return World(scenario, chosen, self.seed, *decisions)

    def alone(self, scenario: Scenario, chosen: Portfolio) -> tuple[Scenario, Portfolio]:
        """Domestic projects in lines that require a foreign partner, where the scenario allows them all the same."""
        lines = {name for name, line in scenario.programmes.items() if line.foreign_partner_required}
        if not lines or self.chance(0.3):
            return scenario, chosen
        rows = scenario.technologies
        free = {name for name, one in rows.items() if one.programme in lines and not one.partners_required}
        choices = tuple(
            replace(one, partner="", mode="domestic") if one.technology in free and self.chance(0.6) else one
            for one in chosen.choices
        )
        return replace(scenario, domestic="allowed"), replace(chosen, choices=choices)

    def demanding(self, scenario: Scenario, chosen: Portfolio) -> Scenario:
        """Fields that are needed, partners that must or must not take part, and tags, as the portfolio lets them be."""
        if self.chance(0.5):
            return scenario
        partner = {choice.technology: choice.partner for choice in chosen.choices}
        tag = Tag(partners_barred=tuple(code for code in self.codes if self.chance(0.3)))
        found = {}
        for name, one in scenario.technologies.items():
            mine = members(scenario, partner.get(name, ""))
            others = [code for code in self.codes if code not in mine]
            barred = tuple(code for code in others if self.chance(0.2))
            needs = {"f0": self.one_of(1.0, 2.0), "f1": 1.0} if self.chance(0.8) or len(mine) > 1 else {}
            found[name] = replace(
                one,
                needs_fields=needs,
                home_levels={"f1": self.one_of(60.0, 75.0)} if needs else {},
                partners_required=mine[:1] if mine and self.chance(0.4) else (),
                partners_barred=barred,
                tags={"watched": "1" if not set(mine) & set(tag.partners_barred) and self.chance(0.5) else ""},
            )
        levels = {code: {field: self.one_of(70.0, 95.0, 110.0) for field in ("f0", "f1")} for code in self.codes}
        # Each of the consortium's members is good at what the other is not.
        levels |= {code: one for code, one in _OPPOSITE.items() if code in levels and len(levels) > 1}
        return replace(scenario, technologies=found, tags={"watched": tag}, levels=levels)

    def calibration(self) -> Calibration:
        developed, sold = self.one_of(0.5, 0.9, 1.0), self.one_of(0.3, 1.0)
        return Calibration(sold, development_success=developed)

    def technical(self, scenario: Scenario) -> dict[str, Any]:
        """Success by step, field and class, and a mix of its own, in half of the worlds; partners may do harm.

        Steps that are sure to be in the mix can be shifted, and published ones leave room for its figure.
        """
        if self.chance(0.5):
            return {}
        rates, steps = scenario.calibrations["only"], [self.one_of(0.7, 0.9, 0.99, 1.0) for _ in range(8)]
        steps[4] = 0.8
        published = (0.99, 1.0) if rates.development_success != 1.0 and self.chance(0.5) else (1.0,)
        row = ReferenceRow(self.one_of(4, 5), self.one_of(6, 7, 8), self.one_of("", "f0"), self.one_of("", "medium"))
        rates = replace(rates, reference=(row, ReferenceRow(5, 7, "f1", weight=self.one_of(0.5, 2.0))))
        fields = {
            name: replace(
                one, success_shift=self.one_of(-1.0, 0.0, 1.0), median_years=self.one_of(None, None, (0.25,) * 8)
            )
            for name, one in scenario.fields.items()
        }
        listed: dict[str, Any] = {
            "success": tuple(steps),
            "success_grade": tuple("published" if one in published else "assumed" for one in steps),
        }
        used = self.one_of(rates, rates, replace(rates, development_success=None))
        if self.seed % 4 == 0:  # the calibration has a success of its own, and that of the steps counts for nothing
            grades = tuple("derived" if one == "published" else one for one in listed["success_grade"])
            used = replace(used, success=listed["success"], success_grade=grades)
            listed = {"success": (0.5,) * 8}
        return {
            "steps": replace(scenario.steps, **listed),
            "calibrations": {"only": used},
            "fields": fields,
            "uncertainty": {
                name: replace(one, success_shift=self.one_of(-0.5, 0.0, 0.5))
                for name, one in scenario.uncertainty.items()
            },
            "partner_effect": replace(scenario.partner_effect, success_shift=self.one_of(-1.0, 0.0, 0.55, 3.0)),
        }

    def shared(self, scenario: Scenario) -> dict[str, Any]:
        """Factors that markets, budgets and the breaks of a bloc share: none in a third of the worlds, else some."""
        some = (0.0, 0.0, 0.0) if self.chance(1 / 3) else (0.1, 0.4, 0.9)
        blocs = {code: self.one_of("", "north", "south") for code, one in scenario.partners.items() if not one.members}
        risks = replace(
            scenario.risks,
            market_factor=MarketFactorRisk(*(self.one_of(0.0, some[0], some[1]) for _ in range(4))),
            budget=replace(scenario.risks.budget, common=self.one_of(0.0, some[1], some[2])),
            breaks=replace(scenario.risks.breaks, bloc_share=self.one_of(0.0, some[1], some[2])),
        )
        partners = {code: replace(one, bloc=blocs.get(code, "")) for code, one in scenario.partners.items()}
        return {"risks": risks, "partners": partners}

    def distributions(self, scenario: Scenario) -> Scenario:
        """Other distributions of budgets, exchange rates, talks and times to the market, in half of the worlds."""
        if self.chance(0.5):
            return scenario
        budget, exchange = scenario.risks.budget, scenario.risks.exchange
        risks = replace(
            scenario.risks,
            budget=replace(budget, distribution=self.one_of("normal", "gamma", "lognormal")),
            exchange=replace(exchange, distribution=self.one_of("gamma", "lognormal")),
        )
        talks = {
            code: mode if code == "domestic" else replace(mode, distribution=self.one_of("gamma", "lognormal"))
            for code, mode in scenario.modes.items()
        }
        value = replace(scenario.value, market_distribution=self.one_of("gamma", "lognormal"))
        return replace(scenario, risks=risks, modes=talks, value=value)

    def learning(self, network: Network) -> Network:
        """Talks are faster after agreements, in half of the worlds."""
        if self.chance(0.5):
            return network
        return replace(network, learning=self.one_of(0.3, 0.7, 0.9), learning_floor=self.one_of(0.0, 0.6))

    def formation(self, modes: dict[str, Mode]) -> dict[str, Mode]:
        """Agreements in stages, in half of the worlds; the modes need not have as many."""
        if self.chance(0.5):
            return modes
        return {code: replace(mode, **self.stages()) if code != "domestic" else mode for code, mode in modes.items()}

    def at_home(self, partners: dict[str, Partner]) -> dict[str, Partner]:
        """The partners; in a quarter of the worlds those that are paid in yen are paid in home currency instead."""
        if self.chance(0.75):
            return partners
        return {code: replace(one, currency="KRW") if one.currency == "JPY" else one for code, one in partners.items()}

    def stages(self) -> dict[str, Any]:
        stages = tuple(
            FormationStage(f"s{h}", self.one_of(0.0, 1.0, 3.0), self.one_of(0.0, 0.0, 0.4), self.one_of(0.8, 1.0))
            for h in range(self.one_of(1, 2, 3))
        )
        return {"formation": stages, "agreement_probability": 1.0, "agreement_months": 0.0, "agreement_sigma": 0.0}

    def own_steps(self, technologies: dict[str, Technology]) -> tuple[TechnologyStep, ...]:
        """Steps with their own time or success, in a quarter of the worlds."""
        if self.chance(0.75):
            return ()
        places = [(name, trl) for name, one in technologies.items() for trl in range(one.trl, 8) if self.chance(0.4)]
        months, success = (3.0, 6.0, 9.0, None), (0.3, 0.9, None)
        return tuple(TechnologyStep(*place, self.one_of(*months), self.one_of(*success)) for place in places)

    def judged(self, technologies: dict[str, Technology]) -> dict[str, Any]:
        """Times and success of steps, and costs, as one or two experts have them, in a quarter of the worlds."""
        if self.chance(0.75):
            return {}
        said = []
        for name, one in technologies.items():
            places: list[tuple[Input, int | None]] = [("cost", None), *(("months", k) for k in range(one.trl, 8))]
            for what, trl in [*places, ("success", one.trl)]:
                for expert in [who for who in "AB" if self.chance(0.4)]:
                    quantiles = (0.4, 0.7, 0.9) if what == "success" else (self.one_of(3.0, 4.0), 4.0, 9.0)
                    said.append(Judgement(name, what, expert, *quantiles, trl))
        rules = JudgementRules(self.one_of("", "", "A"), self.one_of("linear", "quantile"), {"B": 2.0})
        return {"judgements": tuple(said), "judgement": rules}

    def waivers(self, scenario: Scenario) -> dict[str, Technology]:
        """The technologies; some are spared a deliverable of their programme."""
        spared = {}
        for name, one in scenario.technologies.items():
            asked = [item for item in scenario.programmes[one.programme].deliverables if self.chance(0.3)]
            spared[name] = replace(one, waives=tuple(asked))
        return spared

    def decisions(self, chosen: Portfolio) -> tuple[dict[str, int], dict[tuple[str, int], bool]]:
        """Projects stopped at the beginning of a year, and partners kept running or not; in a quarter of the worlds."""
        if self.chance(0.75):
            return {}, {}
        years = range(START + 1, self.horizon + 1)
        stops = {one.technology: self.one_of(*years) for one in chosen.choices if self.chance(0.5)}
        return stops, {(code, year): self.chance(0.5) for code in self.codes for year in years if self.chance(0.3)}

    def medians(self) -> tuple[float, ...]:
        """Often the same for all steps: then one technology's target and another's step end on the same day."""
        if self.chance(0.5):
            return (self.one_of(0.25, 0.5),) * 8
        return tuple(self.one_of(0.25, 0.5, 0.5, 1.0) for _ in range(8))

    def programme(self) -> Programme:
        tranches = self.one_of(1, 2, 3, 4)
        required = bool(self.codes) and self.chance(0.2)
        years = range(START, min(START + self.one_of(2, 4, 6, 6), self.horizon + 1))
        money = self.one_of(2.0, 4.0, 8.0, 12.0, 20.0)
        return Programme(
            name="Line",
            budget={year: money for year in years if self.chance(0.9)} | {START: money},
            starts={year: self.one_of(1, 2, 4) for year in range(START, START + 3)},
            tranches=(Tranche(self.one_of(6.0, 6.0, 12.0), 1.0 / tranches),) * tranches,
            deadline_years=self.one_of(3.0, 6.0),
            trl_entry_min=1,
            trl_entry_max=6,
            trl_target=7,
            carry_over=self.one_of(0.0, 0.3, 1.0),
            purse_rule=self.one_of("strict", "strict", "first-fit"),
            call_month=self.one_of(1, self.fiscal_month, 7),
            foreign_partner_required=required,
            fallback="drop" if required else self.one_of("domestic", "domestic", "drop"),
            gate=self.gate(),
            deliverables=self.deliverables(tranches),
        )

    def gate(self) -> Gate:
        return Gate(
            policy=self.one_of("threshold", "threshold", "drop-worst", "drop-worst", "drop-worst", "always-pass"),
            alpha=self.one_of(0.0, 0.2),
            beta=self.one_of(0.0, 0.5),
            tolerance=self.one_of(0, 0, 1),
            extensions=self.one_of(0, 1, 2),
            extension_months=self.one_of(3.0, 6.0),
            drop_share=self.one_of(0.1, 0.5),
            review_error=self.one_of(0.0, 0.7),
            panel=self.one_of("", "p0", "p0", "p0", "p0", "p1"),
        )

    def deliverables(self, tranches: int) -> dict[str, Deliverable]:
        if self.chance(0.5):
            return {}
        due = int(self.rng.integers(1, tranches + 1))
        after, months = self.one_of(2, 4, 5), self.one_of(0.0, 2.0, 6.0)
        paper = Deliverable(count=2, due_tranche=due, after_trl=after, mean_months=months)
        return {"paper": paper, "export": Deliverable(optional=True)}

    def modes(self) -> dict[str, Mode]:
        talks = {"agreement_months": self.one_of(0.0, 3.0, 6.0), "agreement_sigma": self.one_of(0.0, 0.0, 0.4)}
        if not self.codes:
            return {"domestic": Mode("Domestic")}
        return {
            "domestic": Mode("Domestic"),
            "matching": Mode("Matching", 0.6, 0.0, 0.7, needs_counterpart=True, agreement_probability=0.9, **talks),
            "direct": Mode("Direct", 1.0, 0.35, 0.9, agreement_probability=self.one_of(0.6, 1.0), **talks),
        }

    def technology(self, k: int) -> Technology:
        trl = int(self.rng.integers(2, 6))
        return Technology(
            id=f"T{k}",
            name=f"Technology {k}",
            programme=self.one_of(*self.lines),
            field=self.one_of("f0", "f1"),
            trl=trl,
            cost=self.one_of(2.0, 4.0, 6.0, 9.0),
            value=50.0,
            trl_target=min(9, trl + self.one_of(1, 2, 3, 4)),
            score=self.one_of(50.0, 60.0, 70.0),
        )

    def partners(self) -> dict[str, Partner]:
        cost = 0.5 if self.paying else 0.0
        singles = {
            code: Partner(
                code,
                f"Partner {code}",
                modes=("matching", "direct"),
                setup_cost=self.one_of(0.0, cost, 4 * cost, 12 * cost),
                setup_months=self.one_of(0.0, 3.0),
                running_cost=self.one_of(0.0, cost),
                places=self.one_of(1, 1, 2),
                agreement=self.one_of(0.5, 1.0),
                break_rate=self.one_of(0.0, 0.3, 0.8),
                currency=self.one_of("USD", "JPY"),
            )
            for code in self.codes
        }
        if len(self.codes) >= 2:
            pair = "+".join(self.codes[:2])
            singles[pair] = Partner(pair, "A consortium", members=tuple(self.codes[:2]), modes=("direct",))
        return singles

    def links(self, technologies: dict[str, Technology]) -> tuple[Link, ...]:
        """To earlier technologies: prerequisites and synergies here and there, spillovers almost everywhere."""
        names, links = list(technologies), []
        for k, name in enumerate(names[1:], start=1):
            other = names[int(self.rng.integers(k))]
            if self.chance(0.3):
                kind = self.one_of("prerequisite", "synergy")
                links.append(Link(kind, name, other, 0.0 if kind == "prerequisite" else 10.0))
            spills = [one for one in names[:k] if self.chance(0.5)]
            links += [Link("spillover", name, one, self.one_of(0.2, 0.4)) for one in spills]
        return tuple(links)

    def needs(self, technologies: dict[str, Technology]) -> tuple[FacilityNeed, ...]:
        found = []
        for name, technology in technologies.items():
            for trl in range(technology.trl, 8):
                if self.chance(0.5):
                    found.append(FacilityNeed(name, trl, "bed"))
                if self.chance(0.25):
                    found.append(FacilityNeed(name, trl, "room", self.one_of(1, 2)))
        return tuple(found)

    def portfolio(self, scenario: Scenario) -> Portfolio:
        choices = []
        for name, technology in scenario.technologies.items():
            if self.chance(0.1):
                continue
            years = sorted(scenario.programmes[technology.programme].starts)
            pairs = [("", "domestic"), *((code, mode) for code, p in scenario.partners.items() for mode in p.modes)]
            open_pairs = [pair for pair in pairs if not eligible(scenario, name, *pair)]
            joint = [pair for pair in open_pairs if pair[0]]
            partner, mode = self.one_of(*(joint if joint and self.chance(0.6) else open_pairs))
            # Most projects start at once, so that they meet everywhere.
            year = self.one_of(years[0], years[0], years[0], *years)
            choices.append(Choice(name, mode, partner, year))
        if not choices:
            choices.append(Choice(next(iter(scenario.technologies)), start_year=START))
        return portfolio.with_ranks(Portfolio(tuple(choices), "generated"), scenario)
