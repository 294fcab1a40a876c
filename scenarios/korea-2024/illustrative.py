"""Draws the figures of this scenario that no document says: costs, values, markets, scores and levels.

    python scenarios/korea-2024/illustrative.py --draw 1

writes technologies.csv and partner_levels.csv beside it; `rdsim ... --set illustrative.draw=2` has the tables of
another draw without any file being written. Names, funding lines, fields, TRLs, classes of uncertainty and links stay
in every draw, and so does everything with a source: the technologies that a document names stand at the centre of the
laws below, with no luck.

Laws, all assumed. Cost: lognormal about a centre by funding line, field and TRL. Value:

    log value = LEVEL + ELASTICITY log cost + by TRL + by class + by field + own luck

The score that experts gave sees little of that luck. Every number is found by address (draw, row, column) in SHA-256:
adding a technology moves no other one's figures, and no library's generator matters.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any

FOLDER = Path(__file__).resolve().parent
TECHNOLOGIES, LEVELS = "technologies.csv", "partner_levels.csv"
Row = dict[str, str]

# --- the laws, all assumed ------------------------------------------------------------------------

COST_CENTRE = {"leapfrog": 32.3, "foundational": 11.5}  # billion KRW, at TRL 5 and 3
COST_FIELD = {
    "semiconductor": 0.30, "display": 0.05, "battery": 0.05, "mobility": 0.10, "materials": -0.25, "robots": -0.35,
    "manufacturing": -0.25, "aerospace": 0.40, "nuclear": 0.40, "bio": -0.10, "energy": 0.05,
}  # fmt: skip
COST_BY_TRL = {2: -0.30, 3: 0.0, 4: 0.15, 5: 0.0, 6: -0.40, 7: -0.60}
COST_SPREAD = 0.66

LEVEL = 2.9
ELASTICITY = 0.85
VALUE_BY_TRL = {2: 0.60, 3: 0.35, 4: 0.15, 5: 0.0, 6: -0.10, 7: -0.20}  # what is far off is worth more if it comes
VALUE_BY_CLASS = {"low": -0.15, "medium": 0.0, "high": 0.25}
VALUE_BY_FIELD = {
    "semiconductor": 0.15, "display": -0.05, "battery": 0.40, "mobility": 0.05, "materials": 0.0, "robots": -0.05,
    "manufacturing": -0.10, "aerospace": -0.10, "nuclear": -0.05, "bio": 0.05, "energy": 0.10,
}  # fmt: skip
DRUG_VALUE = 0.5  # what is approved has no rival for years
VALUE_SPREAD = 0.35

SCORE_CENTRE, SCORE_SPREAD, SCORE_SEES = 68.0, 9.0, 0.35  # the last: correlation with the value's luck

DRAWN = ("cost", "value", "share", "score", "home")  # columns of luck
SHARES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10, 0.12, 0.15, 0.20)

HOME = {
    "semiconductor": 89, "display": 92, "battery": 93, "mobility": 81, "materials": 76, "robots": 78,
    "manufacturing": 77, "aerospace": 70, "nuclear": 83, "bio": 75, "energy": 77,
}  # fmt: skip
HOME_SPREAD = 3.5

FIELDS = tuple(HOME)
PROFILES: dict[str, tuple[int | None, ...]] = {  # in the order of FIELDS; None: nothing to offer there
    "US": (110, 95, 84, 104, 96, 106, 82, 118, 100, 108, 97),
    "JP": (86, 96, 92, 90, 99, 96, 94, 66, 68, 74, 76),
    "DE": (86, None, 80, 101, 97, 95, 92, 92, None, 90, 98),
    "FR": (84, None, None, 90, 86, None, None, 103, 98, 93, 92),
    "GB": (86, None, None, None, 91, 88, None, 94, 86, 99, 90),
    "IT": (None, None, None, 86, None, 90, 92, 84, None, 83, None),
    "ES": (None, None, None, 82, None, None, 84, 82, None, 82, 90),
    "DK": (None, None, None, None, None, 88, 78, None, None, 92, 94),
    "HU": (None, None, None, 80, None, None, 78, None, None, 82, None),
    "BY": (None, None, None, None, 64, None, 60, None, None, None, None),
    "RU": (None, None, None, None, 70, None, None, 84, 94, None, 64),
    "IN": (None, None, None, 66, None, None, None, 78, 70, 76, 70),
    "TW": (101, 90, 76, None, 76, None, 80, None, None, None, None),
    "VN": (None, None, None, None, None, None, 57, None, None, None, 53),
    "CA": (None, None, 84, None, 86, 88, None, 88, 92, 90, 88),
    "PE": (None, None, None, None, 50, None, None, None, None, None, 46),
    "BR": (None, None, None, 60, None, None, None, 72, None, 68, 72),
    "AE": (None, None, None, None, None, None, None, 62, 62, None, 68),
    "AU": (None, None, 79, None, 86, None, None, None, None, 87, 88),
    "NZ": (None, None, None, None, None, None, None, None, None, 78, 76),
    "UNIDO": (None, None, None, None, 60, None, 64, None, None, None, 62),
}
ANCHORED = ("US", "JP", "DE", "FR", "IT", "ES", "DK", "HU")  # their means are published or follow from such
LEVEL_SPREAD = 1.5

# --- luck by address --------------------------------------------------------------------------------


def normal(draw: int, row: str, column: str) -> float:
    """The standard normal number at an address."""
    word = hashlib.sha256(f"korea-2024|{draw}|{row}|{column}".encode()).digest()
    return NormalDist().inv_cdf((int.from_bytes(word[:6], "big") + 0.5) / 2**48)


# --- technologies -----------------------------------------------------------------------------------


def technology(row: Row, draw: int, margin: float) -> Row:
    """A row with its figures drawn; what a document says stays. Value is market size x share x margin."""
    if row["source"] == "seed S004":  # listed in another scenario too: the same figures
        return row
    drawn = row["source"] == "illustrative"
    luck = {name: normal(draw, row["id"], name) if drawn else 0.0 for name in DRAWN}
    cost = float(row["cost"]) if row["id"] == "T001" else _rounded(_cost(row, luck["cost"]))
    value = _two_digits(_value(row, cost, luck["value"]))
    share = SHARES[min(len(SHARES) - 1, int(NormalDist().cdf(luck["share"]) * len(SHARES)))]
    sight = SCORE_SEES * luck["value"] + math.sqrt(1 - SCORE_SEES**2) * luck["score"]
    score = min(100.0, SCORE_CENTRE + SCORE_SPREAD * sight)
    return row | {
        "cost": f"{cost:g}",
        "value": f"{value:g}",
        "home_level": str(min(100, round(HOME[row["field"]] + HOME_SPREAD * luck["home"]))),
        "score": f"{round(2 * score) / 2:g}",
        "market_size": f"{_two_digits(value / (share * margin)):g}",
        "market_share": f"{share:g}",
    }


def _cost(row: Row, luck: float) -> float:
    centre = COST_CENTRE[row["programme"]]
    return centre * math.exp(COST_FIELD[row["field"]] + COST_BY_TRL[int(row["trl"])] + COST_SPREAD * luck)


def _value(row: Row, cost: float, luck: float) -> float:
    centre = LEVEL + ELASTICITY * math.log(cost) + VALUE_BY_TRL[int(row["trl"])] + VALUE_BY_CLASS[row["uncertainty"]]
    drug = DRUG_VALUE if row["market_probability"] else 0.0
    return math.exp(centre + VALUE_BY_FIELD[row["field"]] + drug + VALUE_SPREAD * luck)


def _rounded(cost: float) -> float:
    return round(2 * cost) / 2 if cost >= 10 else round(cost, 1)


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


# --- levels -----------------------------------------------------------------------------------------


def levels(partner: str, draw: int) -> Row:
    """A partner's levels by field; the mean of one whose mean is published stays."""
    known = {field: one for field, one in zip(FIELDS, PROFILES[partner], strict=True) if one is not None}
    luck = {field: LEVEL_SPREAD * normal(draw, partner, field) for field in known}
    found = {field: round(one + luck[field]) for field, one in known.items()}
    if partner in ANCHORED:
        _keep_sum(found, sum(known.values()))
    return {"partner": partner, **{field: str(found.get(field, "")) for field in FIELDS}}


def _keep_sum(found: dict[str, int], total: int) -> None:
    """Take what is too much, or give what is missing, point by point in the order of fields."""
    names = list(found)
    for step in range(abs(sum(found.values()) - total)):
        found[names[step % len(names)]] += 1 if sum(found.values()) < total else -1


# --- tables and files -------------------------------------------------------------------------------


def tables(draw: int, settings: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Rows of the tables of a draw, by file; of the settings the margin on sales counts."""
    with (FOLDER / TECHNOLOGIES).open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    return {
        TECHNOLOGIES: [technology(row, draw, settings["value"]["margin"]) for row in listed],
        LEVELS: [levels(partner, draw) for partner in PROFILES],
    }


def texts(draw: int) -> Iterator[tuple[str, str]]:
    """The files of a draw."""
    settings = tomllib.loads((FOLDER / "scenario.toml").read_text(encoding="utf-8"))
    for name, rows in tables(draw, settings).items():
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        yield name, text.getvalue()


def main() -> None:
    """Write the files of a draw."""
    parser = argparse.ArgumentParser(description="Draw this scenario's illustrative figures.")
    parser.add_argument("--draw", type=int, default=1, help="which draw; scenario.toml must state it too")
    for name, text in list(texts(parser.parse_args().draw)):
        (FOLDER / name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
