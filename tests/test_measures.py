"""Figures by name: each is what counting the chosen options one by one comes to."""

from __future__ import annotations

import numpy as np
import pytest

from rdsim.errors import ProblemError, RenamedWarning
from rdsim.figures import figures_of
from rdsim.measures import measure_of, tradable_figures
from rdsim.optimiser import Evaluation, Solving, evaluate
from rdsim.optimiser.models.variations import Measure
from rdsim.optimiser.questions.fronts import VALUE, CVaR
from rdsim.scenario import load
from rdsim.search import Instance, build_instance, choose
from rdsim.stats import cvar
from tests.tiny import tiny_folder


@pytest.fixture(scope="module")
def posed(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    return build_instance(load(tiny_folder(tmp_path_factory.mktemp("measures") / "tiny")), samples=30)


@pytest.fixture(scope="module")
def known(posed: Instance) -> dict[str, Measure]:
    figures = [one for one in figures_of(posed.scenario).values() if one.alone or one.opening]
    return {one.name: measure_of(one, posed.scenario, posed.options) for one in figures}


@pytest.fixture(scope="module")
def joint(posed: Instance) -> Evaluation:
    """One technology alone, the others with a partner, whether or not there is money for them."""
    alone, *others = (np.flatnonzero(posed.problem.group == one) for one in np.unique(posed.problem.group))
    return evaluate(posed.problem, [int(alone[0]), *(int(options[-1]) for options in others)])


def sums(posed: Instance, chosen: Evaluation) -> dict[str, float]:
    """The figures that are sums over the options, one option at a time."""
    scenario, options = posed.scenario, posed.options
    picked = [(o, options.choices[o]) for o in chosen.chosen]
    programme = {o: scenario.technologies[choice.technology].programme for o, choice in picked}
    field = {o: scenario.technologies[choice.technology].field for o, choice in picked}
    return {
        "commercialised_by_deadline": sum(float(options.p_in_time[o]) for o in programme),
        "commercialised": sum(float(options.p_market[o]) for o in programme),
        "target": sum(float(options.p_target[o]) for o in programme),
        "funded": len(picked),
        "joint": sum(choice.partner != "" for _, choice in picked),
        "paid_abroad": sum(float(options.abroad[o].sum()) for o in programme),
        "international": sum(float(options.joint[o].sum()) for o in programme),
        **{f"funded_{name}": sum(one == name for one in field.values()) for name in scenario.fields},
    }


def of(posed: Instance, figure: Measure | CVaR, chosen: Evaluation) -> float:
    return figure.of(posed.problem, chosen)


def test_sums_over_options_are_those_of_one_by_one(
    posed: Instance, known: dict[str, Measure], joint: Evaluation
) -> None:
    best = evaluate(posed.problem, choose(posed, solving=Solving(gap=0.0)).solution.chosen)
    for chosen in (best, joint):
        for name, figure in sums(posed, chosen).items():
            assert of(posed, known[name], chosen) == pytest.approx(figure, abs=1e-9), name
    assert len({of(posed, known[name], joint) for name in ("funded", "joint", "target")}) == 3


def test_partners_are_those_opened(posed: Instance, known: dict[str, Measure], joint: Evaluation) -> None:
    codes = {code for o in joint.chosen for code in _members(posed, posed.options.choices[o].partner)}
    assert len(joint.opened) == len(codes) >= 2
    assert of(posed, known["partners_opened"], joint) == len(codes)
    assert of(posed, known["partners_opened"], evaluate(posed.problem, [])) == 0


def _members(posed: Instance, partner: str) -> tuple[str, ...]:
    if not partner:
        return ()
    return posed.scenario.partners[partner].members or (partner,)


def test_payments_are_those_of_the_budget_rows(posed: Instance, known: dict[str, Measure], joint: Evaluation) -> None:
    rows = posed.problem.rows.names
    lines = {
        name: sum(float(joint.activity[row]) for row, one in enumerate(rows) if one.startswith(f"budget {name} "))
        for name in posed.scenario.programmes
    }
    for name, paid in lines.items():
        assert of(posed, known[f"payments_{name}"], joint) == pytest.approx(paid)
    assert of(posed, known["payments"], joint) == pytest.approx(sum(lines.values()))
    own = float(posed.options.payments[list(joint.chosen)].sum())
    assert sum(lines.values()) > own > 0  # partners' opening and running cost on top


def test_cvar_of_the_value(posed: Instance, joint: Evaluation) -> None:
    tail = CVaR(posed.scenario.optimiser.risk.level)
    same = joint.objective - joint.expected
    worth = posed.problem.values[:, list(joint.chosen)].sum(axis=1) + same
    assert of(posed, tail, joint) == pytest.approx(cvar(worth, tail.level))
    assert of(posed, tail, joint) < joint.objective


def test_whole_figures_say_so(known: dict[str, Measure]) -> None:
    whole = {"funded", "joint", "partners_opened", "funded_bio", "funded_chip"}
    assert {name for name, measure in known.items() if measure.integer} == whole
    assert not any(measure.use.flags.writeable for measure in known.values())


def test_a_wrong_name_is_refused_with_the_nearest(posed: Instance) -> None:
    assert tradable_figures(posed.scenario, [VALUE, "funded"]) == [
        VALUE,
        tradable_figures(posed.scenario, ["funded"])[0],
    ]
    with pytest.raises(ProblemError, match="Did you mean 'partners_opened'") as caught:
        tradable_figures(posed.scenario, ["partners_opend"])
    assert "value" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("commercialised-in-time", "commercialised_by_deadline"),
        ("on-target", "target"),
        ("partners", "partners_opened"),
        ("abroad", "paid_abroad"),
        ("funded-bio", "funded_bio"),
        ("payments-leap", "payments_leap"),
    ],
)
def test_an_old_name_says_what_to_write(posed: Instance, old: str, new: str) -> None:
    with pytest.warns(RenamedWarning, match=f"{old} is now called {new}"):
        (found,) = tradable_figures(posed.scenario, [old])
    assert not isinstance(found, str)
    assert found.name == new
