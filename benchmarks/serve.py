"""Subject `serve`: how long a question takes that a run is asked in the browser, with all that an answer tells."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import subject
from benchmarks._korea import SCENARIO, SMALL
from rdsim.errors import InfeasibleError
from rdsim.findings import of_plan
from rdsim.plans import plan
from rdsim.results import Run, write
from rdsim.scenario import load
from rdsim.serve import Levers, Workplace, open_workplace


@dataclass(frozen=True)
class Size:
    """Which run, asked how often."""

    scenario: Path = SCENARIO
    run: Path | None = Path("results/korea-2024")
    """Where it is; made first where it is not."""
    settings: tuple[str, ...] = ()
    replications: int = 500
    repeats: int = 5


TOKEN = Size(SMALL, None, ("optimiser.samples=30", "optimiser.gap=0.2"), 20, 1)


@subject("serve", full=Size(), token=TOKEN)
def measure_serve(size: Size) -> None:
    """What a run is asked in the browser: seconds from the levers to the whole answer."""
    with tempfile.TemporaryDirectory() as folder:
        place = _workplace(size, Path(folder))
        begun = time.perf_counter()
        place.prepare(place.levers)
        print(f"{'samples at hand, seconds':<44}{time.perf_counter() - begun:8.2f}")
        place.run_figures()
        place.decide(_less(place, 0.99))  # what is compiled and made once
        print(f"{'question, of ' + str(size.replications) + ' replications':<44}{'median':>8}{'slowest':>9}{'CPU':>7}")
        for name, levers in _questions(place).items():
            try:
                walls, cpu = _times(place, levers, size.repeats)
            except InfeasibleError:
                print(f"{name:<44}no portfolio keeps every rule")
                continue
            print(f"{name:<44}{sorted(walls)[len(walls) // 2]:8.2f}{max(walls):9.2f}{cpu:7.2f}", flush=True)
        print(f"load of the machine in the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _workplace(size: Size, folder: Path) -> Workplace:
    run = size.run or folder / "run"
    if not (run / "manifest.json").is_file():
        world = load(size.scenario, size.settings)
        found = plan(world, one_shot=size.run is None, replications=None if size.run else size.replications)
        write(of_plan(found), Run(run, size.settings, scenario=size.scenario.as_posix()))
    return open_workplace(run, replications=size.replications)[0]


def _times(place: Workplace, levers: Callable[[float], Levers], repeats: int) -> tuple[list[float], float]:
    """Seconds of each of some questions of a kind, no two alike, and CPU seconds of one of them."""
    walls, begun = [], time.process_time()
    for number in range(repeats):
        start = time.perf_counter()
        place.decide(levers(1.0 - 0.01 * number))
        walls.append(time.perf_counter() - start)
    return walls, (time.process_time() - begun) / repeats


def _less(place: Workplace, part: float, year: int = 2) -> Levers:
    budgets = {
        name: {one: money * (part if k == year else 1.0) for k, (one, money) in enumerate(sorted(line.items()))}
        for name, line in place.levers.budgets.items()
    }
    return replace(place.levers, budgets=budgets)


def _questions(place: Workplace) -> Mapping[str, Callable[[float], Levers]]:
    """Kinds of questions, each by a number that makes one differ from the next."""
    partners = sorted({one.partner for one in place.portfolio.choices if one.partner in place.scenario.partners})
    out = [code for code in place.scenario.technologies if code not in place.portfolio]
    funded = [one.technology for one in place.portfolio.choices]
    most = {name: ratio * 0.9 for name, ratio in place.levers.payment_ratios.items()}
    return {
        "10% less money in the third year": lambda part: _less(place, 0.9 * part),
        "20% more money in the second year": lambda part: _less(place, 1.2 * part, 1),
        "payment ratios a tenth lower": lambda part: replace(_less(place, part), payment_ratios=most),
        "without a partner": lambda part: replace(_less(place, part), barred=tuple(partners[:1])),
        "two more technologies must be funded": lambda part: replace(
            _less(place, part), must_fund=(*place.levers.must_fund, *out[:2])
        ),
        "two funded ones must not be": lambda part: replace(
            _less(place, part),
            must_fund=tuple(code for code in place.levers.must_fund if code not in funded[:2]),
            must_not_fund=tuple({*place.levers.must_not_fund, *funded[:2]}),
        ),
        "a weight of 0.3 on risk": lambda part: replace(_less(place, part), risk_weight=0.3),
    }
