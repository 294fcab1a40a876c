"""Subject `solvers`: every installed solver and every way of solving, to gaps of 5% to 0.1%, on problems of all kinds.

The Korean scenario's problem and copies of it, synthetic ones of 45 to 1,000 technologies (see `instances`), and the
published ones of benchmarks/data, where more files of OR-Library's layout may be put. `rdsim bench --solver` does the
same on a user's own scenario.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import subject
from benchmarks._korea import MEDICAL, SCENARIO, instances
from benchmarks.instances import Shape, draw_problem
from rdsim.bench import GAPS, Racing
from rdsim.bench.instances import NamedProblem, published_problems
from rdsim.bench.races import geometric_means, profiles, race, require_solvers

__all__ = ["solvers"]

DATA = Path(__file__).parent / "data"
_FACTORS = (1.0, 2.0, 10.0, 100.0)


@dataclass(frozen=True)
class Size:
    """Which problems, gaps and seconds; where the rows go."""

    scenario: Path = SCENARIO
    copies: int = 5
    samples: int | None = None
    technologies: tuple[int, ...] = (45, 90, 180, 500, 1000)
    partners: int = 17
    gaps: tuple[float, ...] = GAPS
    limit: float = 60.0
    published: Path = DATA
    """Folder of published problems."""
    kept: Path | None = Path("results") / "solver_runs.parquet"

    def problems(self) -> Iterator[NamedProblem]:
        """All of them, in groups."""
        for name, problem in instances(self.scenario, self.copies, self.samples).items():
            yield NamedProblem(name, self.scenario.name, problem)
        for count in self.technologies:
            shape = Shape(technologies=count, partners=self.partners, fields=max(3, count * 11 // 180))
            yield NamedProblem(f"synthetic, {count} technologies", "synthetic", draw_problem(0, shape)[0])
        yield from published_problems(self.published)


TOKEN = Size(MEDICAL, 0, 20, (10,), 3, (0.2,), 2.0, kept=None)


@subject("solvers", full=Size(), token=TOKEN)
def solvers(size: Size) -> None:
    """Seconds to proven gaps of 5% to 0.1% by every solver and way of solving, in means and performance profiles."""
    racing = Racing(require_solvers(("all",)), size.gaps, size.limit)
    runs = race(list(size.problems()), racing)
    print(f"  {size.limit:g} s at most; seconds in the shifted geometric mean, proven of all")
    for row in geometric_means(runs, size.limit).itertuples():
        print(f"  {row.group:<14}{row.asked:>7.1%}  {row.way:<42}{row.seconds:>8.2f}  {row.proven} of {row.of}")
    print(f"  share of problems solved within so many times the quickest: {', '.join(f'{one:g}' for one in _FACTORS)}")
    table = profiles(runs)
    for (asked, way), rows in table[table["factor"].isin(_FACTORS)].groupby(["asked", "way"], sort=False):
        print(f"  {asked:>7.1%}  {way:<42}{'  '.join(f'{share:4.0%}' for share in rows['share'])}")
    if size.kept is not None:
        size.kept.parent.mkdir(parents=True, exist_ok=True)
        runs.to_parquet(size.kept, index=False)
        print(f"  every row: {size.kept}")
