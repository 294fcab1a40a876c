"""A fit as a calibration for scenarios: a TOML table ready to be put into scenario.toml."""

from __future__ import annotations

from rdsim.calibration.run import Fitted

__all__ = ["fragment"]

_DEVELOPMENT, _MARKET = 0.872, 0.228  # MOTIE's three agencies, 2014-15 (parameters.md)


def fragment(found: Fitted) -> str:
    """The table `[calibrations.NAME]`, with what is fitted and what is only assumed said in comments.

    The share of commercialisation is that of `strict`, and that of development too unless success by step is fitted:
    then the steps stand as listed, and nothing shifts them.
    """
    identified = found.best.identified
    lines = [
        f"# Fitted by: rdsim calibrate {found.records.name}{_flags(found)}",
        f"# {found.records.count} projects; records' SHA-256 {found.records.sha256[:16]}.",
        *_caveats(found),
        f"[calibrations.{found.name}]",
        *_success_lines(found),
        f"market_probability = {_MARKET}  # assumed: the records say nothing of markets",
        f"median_years = {list(found.median_years)}  # {_grades(identified.times)}",
        f'distribution = "{found.best.law.kind}"  # derived',
        f"duration_sigma = {found.best.law.sigma:.3f}  # derived",
        f'source = "{_source(found)}"',
    ]
    return "\n".join(lines) + "\n"


def _success_lines(found: Fitted) -> list[str]:
    if not found.success:
        return [
            f"development_success = {_DEVELOPMENT}  # assumed: the records cannot tell slow from failed",
            "reference = [{ trl = 4, target = 8 }]  # assumed: the projects that this share was measured on",
        ]
    grades = ", ".join(f'"{"derived" if k in found.success else "assumed"}"' for k in range(1, 9))
    return [
        f"success = {list(found.step_success)}  # {_grades(tuple(found.success))}",
        f"success_grade = [{grades}]",
    ]


def _flags(found: Fitted) -> str:
    asked = found.asked
    told = [
        f" --bootstrap {asked.bootstrap} --seed {asked.seed}",
        f" --distribution {asked.distribution}" if asked.distribution != "best" else "",
        f" --months {asked.months:g}" if asked.months != type(asked)().months else "",
        " --stops-at-plan" if asked.stops_at_plan else "",
        " --planned-ends" if asked.planned_ends else "",
        f" --as-of {asked.as_of}" if asked.as_of else "",
        f" --step-success {asked.success:g}" if asked.success != type(asked)().success else "",
    ]
    return "".join(told)


def _caveats(found: Fitted) -> list[str]:
    months = f"{found.asked.months:g}"
    said = [f"# Medians are of projects of {months} months with two partners; step times grow with a project's length."]
    view = "stopped where they were planned to" if found.asked.stops_at_plan else "worked until their end"
    said.append(f"# Projects are taken to have {view}.")
    return said


def _grades(identified: tuple[int, ...]) -> str:
    told = ", ".join(str(k) for k in identified)
    rest = ", ".join(str(k) for k in range(1, 9) if k not in identified)
    return f"derived: steps from TRL {told}" + (f"; assumed: from TRL {rest}" if rest else "")


def _source(found: Fitted) -> str:
    rest = [str(k) for k in range(1, 9) if k not in found.best.identified.times]
    shaky = [str(k) for k in range(1, 9) if k not in found.success]
    assumed = [f"steps from TRL {', '.join(rest)}"] if rest else []
    if found.success:
        assumed += [f"success from TRL {', '.join(shaky)}"] if shaky else []
        assumed.append("the probability of the market")
    else:
        assumed.append("both probabilities")
    told = f"; assumed: {', and '.join(assumed)}"
    return f"derived: maximum likelihood, {found.records.count} projects of {found.records.name}{told}"
