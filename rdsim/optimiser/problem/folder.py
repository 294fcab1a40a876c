"""A portfolio problem as a folder of small tables, to be written by hand, by a spreadsheet or by a script.

Two files state a knapsack; a column of ``options.csv`` that bears the name of a row is what each option uses of it::

    options.csv              rows.csv
    option,value,weight      row,cap
    tent,6,1                 weight,5
    stove,10,2
    boat,12,3

========================  ==================================================================================
``options.csv``           **option**, **value**, group, partners (``US|TW``: several), stage, load, fixed (in or
                          out), and a column for each row that is used here. Without a group an option is a group
                          of its own, of which at most one option is chosen.
``rows.csv``              **row**, **cap**, sense (at most, at least, exactly, or ``<=``, ``>=``, ``==``), family,
                          shortfall_price (empty: a hard row), carry_to and carry_rate (the share, 1 if empty, of what
                          is unspent in this row that is added to the cap of another).
``uses.csv``              **row**, **amount**, and either option, or partner and stage: the same as the columns above,
                          one number a line.
``groups.csv``            **group**, choice (at most one, exactly one), fixed (in or out): lists every group.
``partners.csv``          **partner**, value, capacity, and a column for each row that opening the partner uses,
                          whenever it opens: lists every partner. A capacity is the most that the ``load`` (1 where
                          empty) of the chosen options of that partner may add up to.
``openings.csv``          **partner**, **stage**, value and rows as in ``partners.csv``, for opening at that stage.
``links.csv``             **group**, **link**, **with**, value. Links: *needs* (with is funded too, and starts no
                          later), *excludes* (never both), *at most one* (of group and all in with), *synergy*
                          (value if both are funded). ``with`` may name several, ``T2|T3``.
``samples.csv``           a column for each option, a line for each sample of its value, perhaps a first column
                          ``sample``; takes the place of the values in ``options.csv``.
``problem.toml``          name, sense (maximise or minimise), unit (of the objective), choice (for every group that
                          does not say otherwise), stages (their names in order of time; numbers sort themselves).
========================  ==================================================================================

Only ``options.csv`` and the columns in bold are required; empty cells of amounts are 0.

**Minimisation.** With ``sense = "minimise"`` every column ``value`` is called ``cost``, is what is made small, and
objective and bound are printed as costs. Inside rdsim value is cost with its sign changed. A price of a shortfall is
0 or more under either sense, and always makes the objective worse.

**Opening.** A partner opens at the smallest stage of the chosen options that use it, so what opening it is worth is
normally a negative value, or a cost. That makes a partner a facility: customers are groups of which exactly one
option, customer at facility, is chosen, and a capacity counts only where the facility is open.

Tables are read as everywhere in rdsim: UTF-8 with or without a byte-order mark, commas, semicolons or tabs, any line
ending, units in brackets, ``cost [billion KRW]``. Every fault is reported at once. What is written reads as an equal
problem: arrays, names and their order.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from rdsim.errors import Fault, InputError, ProblemError
from rdsim.folders import is_file, is_folder, new_folder
from rdsim.numerals import number, number_advice, numeral
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import FloatArray, PortfolioProblem, Rows, state_problem, state_rows
from rdsim.optimiser.problem.solution import Solution, Termination
from rdsim.tables import Row, Table, copies, did_you_mean, headed, neutral, read_table, shown
from rdsim.texts import invisible, read_toml, tidy

__all__ = ["Posed", "chosen_table", "describe", "digest", "pose", "read", "record", "write"]

SETTINGS = "problem.toml"
CHOICES = {"at most one": False, "exactly one": True}
SENSES = {
    **dict.fromkeys(("<=", "=<", "≤", "at most", ""), "<="),
    **dict.fromkeys((">=", "=>", "≥", "at least"), ">="),
    **dict.fromkeys(("==", "=", "exactly"), "=="),
}
WORDS = {"<=": "at most", ">=": "at least", "==": "exactly"}
AIMS = {"maximise": False, "maximize": False, "max": False, "minimise": True, "minimize": True, "min": True}
LINKS = ("needs", "excludes", "at most one", "synergy")
FIXED = ("in", "out")
DENSE = 0.2
"""From this share of filled cells on, uses are written as columns of options.csv."""

_COLUMNS = {
    "options": ("option", "value", "group", "partners", "stage", "load", "fixed"),
    "rows": ("row", "cap", "sense", "family", "shortfall_price", "carry_to", "carry_rate"),
    "uses": ("row", "option", "partner", "stage", "amount"),
    "groups": ("group", "choice", "fixed"),
    "partners": ("partner", "value", "capacity"),
    "openings": ("partner", "stage", "value"),
    "links": ("group", "link", "with", "value"),
    "samples": ("sample",),
}
_REQUIRED = {
    "options": ("option",),
    "rows": ("row", "cap"),
    "uses": ("row", "amount"),
    "groups": ("group",),
    "partners": ("partner",),
    "openings": ("partner", "stage"),
    "links": ("group", "link", "with"),
    "samples": (),
}
_WIDE = ("options", "partners", "openings")
"""Tables in which a column may bear the name of a row."""
_TYPES: dict[str, type] = {"name": str, "unit": str, "sense": str, "choice": str, "stages": list}

Index = dict[str, int]
Cells = dict[tuple[int, int], float]


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem with what its folder says about it beyond the arrays."""

    problem: PortfolioProblem
    name: str = ""
    minimise: bool = False
    unit: str = ""

    @property
    def sign(self) -> float:
        """Turns rdsim's objective, which is maximised, into the user's."""
        return -1.0 if self.minimise else 1.0


def read(folder: str | Path) -> PortfolioProblem:
    """The problem that a folder states; see the module for the form.

    Raises: ProblemError with every fault: file, row, column, rule, what was found, and a way out.
    """
    return pose(folder).problem


def pose(folder: str | Path) -> Posed:
    """As `read`, with the problem's name, sense and unit."""
    path = Path(folder)
    if not is_folder(path):
        found = "a file" if is_file(path) else "nothing"
        raise ProblemError((Fault(str(path), "must be a folder with options.csv", found),))
    return _Reader(path).posed()


# ---------------------------------------------------------------- reading


@dataclass
class _Reader:
    """What was read so far. An index of names is None where its table is broken: what refers to it is not blamed."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    options: Index | None = None
    rows: Index | None = None
    groups: Index | None = None
    partners: Index | None = None
    stages: Index | None = None

    def posed(self) -> Posed:
        """Everything read, or every fault raised."""
        self.read_settings()
        self.read_tables()
        self.name_everything()
        problem = self.parts()
        if self.faults:
            raise ProblemError(tuple(self.faults))
        name = self.settings.get("name", self.folder.resolve().name)
        return Posed(state_problem(**problem), name, self.minimise, self.settings.get("unit", ""))

    @property
    def minimise(self) -> bool:
        """True if costs are made small."""
        return AIMS.get(self.settings.get("sense", "max"), False)

    @property
    def worth(self) -> str:
        """The column of the objective."""
        return "cost" if self.minimise else "value"

    # --- faults

    def blame(self, place: tuple[str, int, str], rule: str, found: str = "", advice: str = "") -> None:
        """One more fault of a cell: (table, row, column); no row, no column where they are 0 or empty."""
        table, row, column = place
        where = [f"{table}.csv", *([f"row {row}"] if row else []), *([f"column {column}"] if column else [])]
        self.faults.append(Fault(", ".join(where), rule, found, advice))

    # --- files

    def read_settings(self) -> None:
        """problem.toml, if there is one."""
        if not (self.folder / SETTINGS).exists():
            return
        try:
            found = read_toml(self.folder / SETTINGS)
        except InputError as error:
            self.faults += error.faults
            return
        for key, value in found.items():
            self.keep_setting(key, value)

    def keep_setting(self, key: str, value: Any) -> None:
        """A setting that has a meaning, and a value of its kind."""
        fits = isinstance(value, _TYPES.get(key, object))
        words: dict[str, Iterable[str]] = {"sense": AIMS, "choice": CHOICES}
        where = f"{SETTINGS}, {key}"
        if key not in _TYPES:
            self.faults.append(Fault(where, "unknown setting", "", did_you_mean(key, _TYPES)))
        elif not fits:
            kind = "a list of names" if key == "stages" else "text in quotes"
            self.faults.append(Fault(where, f"must be {kind}", shown(value)))
        elif key in words and str(value) not in words[key]:
            rule = "must be maximise or minimise" if key == "sense" else f"must be one of {', '.join(words[key])}"
            self.faults.append(Fault(where, rule, shown(value)))
        elif key == "stages":
            self.settings[key] = [str(stage) for stage in value]
            self.check_stages(where, self.settings[key])
        else:
            self.settings[key] = value

    def check_stages(self, where: str, names: Sequence[str]) -> None:
        """Stages of problem.toml: proper names, each once, at least one."""
        if not names:
            self.faults.append(Fault(where, "must name a stage at least", "an empty list"))
        for name, times in Counter(names).items():
            rule = _name_rule(name) or ("must name each stage once" if times > 1 else "")
            if rule:
                self.faults.append(Fault(where, rule, shown(name)))

    def read_tables(self) -> None:
        """Every table that is there; options.csv must be, and a file that is nearly named as one is refused."""
        for name in _COLUMNS:
            path = self.folder / f"{name}.csv"
            if path.exists():
                self.tables[name] = read_table(path)
                self.faults += self.tables[name].faults
                for copy in copies(self.folder, path.name):
                    self.faults.append(
                        Fault(copy, f"must not stand beside {path.name}", "", f"Keep one of the two, as {path.name}.")
                    )
                continue
            meant = _misnamed(self.folder, path.name)
            if meant:
                self.blame(
                    (name, 0, ""), "a table is read only under its own name", meant, f"Rename it to {path.name}."
                )
            elif name == "options":
                self.blame((name, 0, ""), "the file is required", f"no such file in {self.folder}")

    def entries(self, name: str) -> Iterator[tuple[Row, tuple[str, int]]]:
        """The rows of a table with their place, none if it is not there."""
        table = self.tables.get(name)
        for row in table.rows if table else ():
            yield row, (name, row.number)

    def has(self, table: str, column: str) -> bool:
        """True if the table has that column."""
        return table in self.tables and column in self.tables[table].columns

    # --- columns

    def check_columns(self, name: str) -> None:
        """Unknown columns, and required ones that are missing."""
        table = self.tables.get(name)
        if table is None or not table.columns:
            return
        known = [self.worth if column == "value" else column for column in _COLUMNS[name]]
        names = self.options if name == "samples" else self.rows
        more = tuple(names or ()) if name in _WIDE or name == "samples" else ()
        open_ended = names is None and (name in _WIDE or name == "samples")
        for column in table.columns:
            if column and column not in known and column not in more and not open_ended:
                self.blame((name, 1, column), "unknown column", "", self.advise(column, (*known, *more)))
        for column in _REQUIRED[name]:
            if column not in table.columns:
                self.blame((name, 1, column), "the column is required", "no such column")

    def advise(self, column: str, known: Iterable[str]) -> str:
        """What an unknown column may have meant."""
        if column in {"value", "cost"}:
            sense, other = ("minimise", "cost") if self.minimise else ("maximise", "value")
            return f"With sense {sense} the column is called {other}, and has the other sign."
        return did_you_mean(column, known)

    def row_columns(self, name: str) -> list[str]:
        """The columns of a wide table that bear the name of a row."""
        own = {self.worth if column == "value" else column for column in _COLUMNS[name]}
        columns = self.tables[name].columns if name in self.tables else ()
        return [column for column in columns if column in (self.rows or {}) and column not in own]

    # --- names

    def name_everything(self) -> None:
        """Indices of everything that has a name, then the columns, which may bear some of them."""
        self.head("rows", ())
        self.rows = self.index_of("rows", "row") if "rows" in self.tables else {}
        for name in _COLUMNS:
            if name != "samples":
                self.head(name, self.rows or () if name in _WIDE else ())
        self.options = self.index_of("options", "option")
        self.partners = self.partner_index()
        self.groups = self.group_index()
        self.stages = self.stage_index()
        for name in _COLUMNS:
            self.check_columns(name)
        self.check_row_names()

    def head(self, name: str, own: Collection[str]) -> None:
        """A table's headings as they are known; those that bear the name of a row mean that row."""
        if name in self.tables:
            known = [self.worth if column == "value" else column for column in _COLUMNS[name]]
            self.tables[name] = headed(self.tables[name], known, own)

    def index_of(self, name: str, column: str) -> Index | None:
        """Places by name, from a column in which each name occurs once; None if there is no such column."""
        if not self.has(name, column):
            return None
        found: Index = {}
        first: dict[str, int] = {}
        for row, place in self.entries(name):
            text = row.cells.get(column, "")
            rule = _name_rule(text)
            if rule:
                self.blame((*place, column), rule, shown(text) if text else "an empty cell")
            elif text in found:
                self.blame((*place, column), "must be unique", f"{shown(text)}, as in row {first[text]}")
            else:
                found[text], first[text] = len(found), row.number
        return found

    def partner_index(self) -> Index | None:
        """partners.csv if it is there, else partners as options name them."""
        if "partners" not in self.tables:
            named = (one for row, _ in self.entries("options") for one in _several(row.cells.get("partners", "")))
            return _in_order(named)
        listed = self.index_of("partners", "partner")
        for row, place in self.entries("partners"):
            if "|" in row.cells.get("partner", ""):
                self.blame((*place, "partner"), "the name of a partner must not hold |", shown(row.cells["partner"]))
        return listed

    def group_index(self) -> Index | None:
        """groups.csv first if it is there, then groups as options name them, themselves included."""
        listed = self.index_of("groups", "group") if "groups" in self.tables else {}
        if listed is None or self.options is None:
            return None
        own = {row.cells.get("option", "") for row, _ in self.entries("options") if "group" not in row.cells}
        for row, place in self.entries("options"):
            text = row.cells.get("group", "")
            if text and listed and text not in listed:
                advice = did_you_mean(text, listed)
                self.blame((*place, "group"), "must be a group that groups.csv lists", shown(text), advice)
            if text in own:
                rule = "must not be the name of an option without a group, which is a group of its own"
                self.blame((*place, "group"), rule, shown(text))
        named = (row.cells.get("group", row.cells.get("option", "")) for row, _ in self.entries("options"))
        return _in_order(itertools.chain(listed, (name for name in named if name)))

    def stage_index(self) -> Index | None:
        """Stages in order of time: as problem.toml lists them, or by number."""
        if "stages" in self.settings:
            return _in_order(self.settings["stages"])
        tables = ("options", "openings", "uses")
        cells = (row.cells for table in tables for row, _ in self.entries(table))
        named = [one["stage"] for one in cells if "stage" in one]
        order = {name: number(name) for name in named}
        if len(order) > 1 and None in order.values():
            words = ", ".join(list(order)[:5])
            advice = 'Write e.g. stages = ["early", "late"] in problem.toml.'
            self.faults.append(Fault(SETTINGS, "must list stages that are not numbers in order of time", words, advice))
            return None
        return _in_order(sorted(order, key=lambda name: (order[name] or 0, name)))

    def check_row_names(self) -> None:
        """A row that is called as a column of options.csv cannot have its use there."""
        stated = {row.cells.get("row", "") for row, _ in self.entries("uses")}
        own = {self.worth if column == "value" else column for column in _COLUMNS["options"]}
        for row, place in self.entries("rows"):
            text = row.cells.get("row", "")
            if text in own and text not in stated and self.has("options", text):
                rule = "is the name of a column with another meaning in options.csv"
                self.blame((*place, "row"), rule, shown(text), "Rename the row, or state its use in uses.csv.")

    # --- cells

    def find(self, names: Index | None, place: tuple[str, int, str], text: str, what: str) -> int | None:
        """The index of a name; None, and a fault, if there is none."""
        if names is None:
            return None
        if text in names:
            return names[text]
        self.blame(place, f"must name {what}", shown(text) if text else "an empty cell", did_you_mean(text, names))
        return None

    def number_in(self, row: Row, place: tuple[str, int], column: str, default: float | None = None) -> float:
        """A finite number; the default where the cell is empty, a fault if there is none."""
        text = row.cells.get(column, "")
        if not text:
            if default is None and self.has(place[0], column):
                self.blame((*place, column), "must be a number", "an empty cell")
            return math.nan if default is None else default
        style = self.tables[place[0]].style
        value = number(text, style)
        if value is None or not math.isfinite(value):
            self.blame((*place, column), "must be a finite number", shown(text), number_advice(text, style))
            return math.nan
        return float(value)

    def word_in(self, row: Row, place: tuple[str, int], column: str, words: Iterable[str]) -> str:
        """One of a few words, or nothing."""
        text = row.cells.get(column, "").casefold()
        if not text or text in words:
            return text
        known = ", ".join(word for word in words if word)
        self.blame((*place, column), f"must be one of {known}", shown(row.cells[column]), did_you_mean(text, words))
        return ""

    def signed(self, row: Row, place: tuple[str, int], default: float | None = 0.0) -> float:
        """What a row is worth, in rdsim's sign."""
        value = self.number_in(row, place, self.worth, default)
        return (-value if self.minimise else value) + 0.0

    def stage_of(self, row: Row, place: tuple[str, int]) -> int:
        """The stage of a row; where there is but one, it need not be named."""
        text = row.cells.get("stage", "")
        if self.stages is None or (not text and len(self.stages) <= 1):
            return 0
        return self.find(self.stages, (*place, "stage"), text, "a stage") or 0

    # --- the parts of a problem

    def parts(self) -> dict[str, Any]:
        """The arguments of `state_problem`."""
        return {
            "values": self.values(),
            "option_names": list(self.options or {}),
            "group": self.group_of_options(),
            "group_names": list(self.groups or {}),
            "partners": self.membership(),
            "partner_names": list(self.partners or {}),
            "stage": [self.stage_of(row, place) for row, place in self.entries("options")],
            "stage_names": list(self.stages) if self.stages else None,
            **self.choices(),
            **self.openings_and_rows(),
            **self.links(),
            **self.fixed("options", "option", self.options),
        }

    def values(self) -> Any:
        """Values (O,), or samples (N, O)."""
        listed = self.has("options", self.worth)
        if "samples" in self.tables:
            if listed:
                self.blame(("options", 1, self.worth), "must be left out where there is a samples.csv")
            return self.samples()
        if not listed and "options" in self.tables and self.tables["options"].columns:
            self.blame(("options", 1, self.worth), "the column is required where there is no samples.csv")
        return [self.signed(row, place, None) for row, place in self.entries("options")]

    def samples(self) -> FloatArray:
        """Samples (N, O), in the order of the options."""
        table, names = self.tables["samples"], list(self.options or {})
        if "sample" in names:
            self.blame(("samples", 0, ""), "no option may be called sample where there is a samples.csv")
        for name in names:
            if table.columns and name not in table.columns:
                self.blame(("samples", 1, name), "every option must have a column", "no such column")
        if table.columns and not table.rows:
            self.blame(("samples", 0, ""), "must hold a sample at least")
        cells = [[self.number_in(row, place, name) for name in names] for row, place in self.entries("samples")]
        values = np.array(cells, dtype=np.float64).reshape(len(cells), len(names))
        return (-values if self.minimise else values) + 0.0

    def group_of_options(self) -> list[int]:
        """The group of each option."""
        groups = self.groups or {}
        names = (row.cells.get("group", row.cells.get("option", "")) for row, _ in self.entries("options"))
        return [groups.get(name, 0) for name in names]

    def membership(self) -> csr_array:
        """Options x partners."""
        cells = []
        for option, (row, place) in enumerate(self.entries("options")):
            for one in _several(row.cells.get("partners", "")):
                partner = self.find(self.partners, (*place, "partners"), one, "a partner that partners.csv lists")
                cells += [] if partner is None else [(option, partner)]
        shape = (len(self.options or ()), len(self.partners or ()))
        return _matrix(dict.fromkeys(cells, 1.0), shape) if not self.faults else csr_array(shape)

    def choices(self) -> dict[str, Any]:
        """How many options of each group, and groups fixed in or out."""
        exactly = np.full(len(self.groups or ()), CHOICES[self.settings.get("choice", "at most one")])
        for row, place in self.entries("groups"):
            word = self.word_in(row, place, "choice", CHOICES)
            group = (self.groups or {}).get(row.cells.get("group", ""))
            if word and group is not None:
                exactly[group] = CHOICES[word]
        return {"exactly_one": exactly, **self.fixed("groups", "group", self.groups)}

    def fixed(self, table: str, column: str, names: Index | None) -> dict[str, Any]:
        """What is fixed in and out of a table's rows."""
        found: dict[str, list[int]] = {word: [] for word in FIXED}
        for row, place in self.entries(table):
            word = self.word_in(row, place, "fixed", FIXED)
            index = (names or {}).get(row.cells.get(column, ""))
            if word and index is not None:
                found[word].append(index)
        return {f"fixed_{word}_{table}": indices for word, indices in found.items()}

    # --- rows and openings

    def openings_and_rows(self) -> dict[str, Any]:
        """Values of opening, and the rows with their uses by options and openings."""
        shape = (len(self.partners or ()), max(1, len(self.stages or ())))
        uses = _Uses(self)
        uses.read_columns()
        uses.read_lines(shape)
        worth = self.read_openings(uses, shape)
        stated = [self.row_parts(row, place) for row, place in self.entries("rows")]
        self.check_chains()
        extra = self.capacities(uses, len(stated))
        names = [*(self.rows or ()), *(part["name"] for part in extra)]
        if self.faults:
            return {}
        both = [*stated, *extra]
        return {
            "opening_value": worth,
            "rows": state_rows(
                _matrix(uses.by_option, (len(names), len(self.options or ()))),
                [part["cap"] for part in both],
                sense=[part["sense"] for part in both],
                names=names,
                family=[part["family"] for part in both],
                opening_use=_matrix(uses.by_opening, (len(names), shape[0] * shape[1])),
                shortfall_price=[part["price"] for part in both],
                carry=self.carries(),
            ),
        }

    def row_parts(self, row: Row, place: tuple[str, int]) -> dict[str, Any]:
        """Cap, sense, family and price of a row; what it may carry on is checked here as well."""
        price = self.number_in(row, place, "shortfall_price", math.inf)
        if price < 0:
            self.blame((*place, "shortfall_price"), "must be 0 or more, or empty for a hard row", shown(price))
        sense = SENSES[self.word_in(row, place, "sense", SENSES)]
        carries = row.cells.get("carry_to", "")
        if row.cells.get("carry_rate") and not carries:
            self.blame((*place, "carry_rate"), "needs a carry_to")
        self.check_carry(row, place)
        return {
            "cap": self.number_in(row, place, "cap"),
            "sense": sense,
            "family": row.cells.get("family", "row"),
            "price": math.nan if math.isinf(price) else price,
        }

    def check_carry(self, row: Row, place: tuple[str, int]) -> None:
        """Only hard ceilings pass on, to a hard ceiling, at a rate of 0 or more."""
        target = row.cells.get("carry_to", "")
        if not target:
            return
        found = self.find(self.rows, (*place, "carry_to"), target, "a row")
        if self.number_in(row, place, "carry_rate", 1.0) < 0:
            self.blame((*place, "carry_rate"), "must be 0 or more", row.cells["carry_rate"])
        others = [one for one, _ in self.entries("rows") if found is not None and one.cells.get("row") == target]
        for one in [row, *others[:1]]:
            soft = "shortfall_price" in one.cells
            if soft or SENSES.get(one.cells.get("sense", "").casefold(), "<=") != "<=":
                kind = "one with a shortfall_price" if soft else one.cells["sense"]
                rule = (
                    f"only 'at most' rows without a shortfall_price carry over: {one.cells.get('row', '')} is not one"
                )
                self.blame((*place, "carry_to"), rule, kind)

    def check_chains(self) -> None:
        """No row is carried to twice, and nothing is carried in a circle."""
        follows = {
            row.cells.get("row", ""): row.cells["carry_to"]
            for row, _ in self.entries("rows")
            if "carry_to" in row.cells
        }
        times = Counter(follows.values())
        for row, place in self.entries("rows"):
            target = row.cells.get("carry_to", "")
            if times[target] > 1:
                self.blame((*place, "carry_to"), "a row may be carried to from one row", shown(target))
            if target and _comes_back(follows, row.cells.get("row", "")):
                self.blame((*place, "carry_to"), "money must not be carried in a circle", shown(target))

    def carries(self) -> list[tuple[int, int, float]]:
        """(from, to, rate) of every row that carries over."""
        rows = self.rows or {}
        return [
            (rows[row.cells["row"]], rows[row.cells["carry_to"]], self.number_in(row, place, "carry_rate", 1.0))
            for row, place in self.entries("rows")
            if "carry_to" in row.cells
        ]

    def capacities(self, uses: _Uses, first: int) -> list[dict[str, Any]]:
        """A row for every partner that has a capacity: the load of its options is at most that."""
        found: list[dict[str, Any]] = []
        for row, place in self.entries("partners"):
            name = f"capacity {row.cells.get('partner', '')}"
            if "capacity" not in row.cells:
                continue
            if name in (self.rows or {}):
                self.blame((*place, "capacity"), "its row must not be in rows.csv as well", shown(name))
            cap = self.number_in(row, place, "capacity")
            if cap < 0:
                self.blame((*place, "capacity"), "must be at least 0", f"{cap:g}")
            uses.read_loads(row.cells.get("partner", ""), first + len(found))
            found.append({"name": name, "cap": cap, "sense": "<=", "family": "capacity", "price": math.nan})
        if self.has("options", "load") and not found:
            self.blame(("options", 1, "load"), "needs a capacity in partners.csv")
        return found

    def read_openings(self, uses: _Uses, shape: tuple[int, int]) -> FloatArray:
        """What opening each partner at each stage is worth (P, S); uses of rows go into `uses`."""
        worth = np.zeros(shape)
        seen: set[tuple[int, int]] = set()
        for name in ("partners", "openings"):
            filled = {self.worth, *self.row_columns(name)}
            for row, place in self.entries(name):
                partner = self.find(self.partners, (*place, "partner"), row.cells.get("partner", ""), "a partner")
                if partner is None or not filled & row.cells.keys():
                    continue
                stages = range(shape[1]) if name == "partners" else [self.stage_of(row, place)]
                for stage in stages:
                    if (partner, stage) in seen:
                        self.blame((*place, "partner"), "what opening it is worth and uses must be stated once")
                        break
                    seen.add((partner, stage))
                    worth[partner, stage] = self.signed(row, place)
                    uses.read_opening(row, place, partner * shape[1] + stage)
        return worth

    # --- links

    def links(self) -> dict[str, Any]:
        """Prerequisites, exclusions and synergies."""
        needs: list[tuple[int, int]] = []
        exclusions: list[tuple[int, ...]] = []
        synergies: list[tuple[int, int, float]] = []
        for row, place in self.entries("links"):
            group, others, word = self.link(row, place)
            if group is None:
                continue
            if word == "needs":
                needs += [(group, other) for other in others]
            elif word == "excludes":
                exclusions += [(group, other) for other in others]
            elif word == "at most one":
                exclusions.append((group, *others))
            else:
                if not self.has("links", self.worth):
                    self.blame((*place, self.worth), "a synergy must have one", "no such column")
                worth = self.signed(row, place, None)
                synergies += [(group, other, worth) for other in others]
        return {"prerequisites": needs, "exclusions": exclusions, "synergies": synergies}

    def link(self, row: Row, place: tuple[str, int]) -> tuple[int | None, list[int], str]:
        """(group, the groups it is linked with, link) of a row; group None where something is wrong."""
        before = len(self.faults)
        word = self.word_in(row, place, "link", LINKS)
        if "link" not in row.cells:
            self.blame((*place, "link"), f"must be one of {', '.join(LINKS)}", "an empty cell")
        group = self.find(self.groups, (*place, "group"), row.cells.get("group", ""), "a group")
        others = self.linked(row, place, may_be_empty=word == "at most one")
        if group in others or len(set(others)) < len(others):
            self.blame((*place, "with"), "must name other groups, each once", shown(row.cells["with"]))
        if word and word != "synergy" and self.worth in row.cells:
            self.blame((*place, self.worth), "only a synergy has one", shown(row.cells[self.worth]))
        return (None if len(self.faults) > before else group), others, word

    def linked(self, row: Row, place: tuple[str, int], *, may_be_empty: bool) -> list[int]:
        """The groups in `with`: one name, or several with | between them."""
        text = row.cells.get("with", "")
        names = [text] if text in (self.groups or ()) or not text else _several(text)
        if not text and may_be_empty:
            return []
        found = [self.find(self.groups, (*place, "with"), name, "a group") for name in names]
        return [one for one in found if one is not None]


@dataclass
class _Uses:
    """What options and openings use of the rows, each cell stated once."""

    reader: _Reader
    by_option: Cells = field(default_factory=dict)
    by_opening: Cells = field(default_factory=dict)

    def put(self, cells: Cells, key: tuple[int, int], amount: float, place: tuple[str, int, str]) -> None:
        """One cell; a second statement of it is a fault."""
        if key in cells:
            self.reader.blame(place, "a use must be stated once", "a second statement of it")
        cells[key] = amount

    def read_columns(self) -> None:
        """The columns of options.csv that bear the name of a row."""
        reader = self.reader
        columns = [(column, (reader.rows or {})[column]) for column in reader.row_columns("options")]
        for option, (row, place) in enumerate(reader.entries("options")):
            for column, index in columns:
                if column in row.cells:
                    self.put(self.by_option, (index, option), reader.number_in(row, place, column), (*place, column))

    def read_lines(self, shape: tuple[int, int]) -> None:
        """uses.csv: a use by an option, or by opening a partner, at one stage or at any."""
        reader = self.reader
        for row, place in reader.entries("uses"):
            index = reader.find(reader.rows, (*place, "row"), row.cells.get("row", ""), "a row")
            amount = reader.number_in(row, place, "amount")
            if ("option" in row.cells) == ("partner" in row.cells):
                reader.blame((*place, "option"), "must name either an option or a partner")
            elif "option" in row.cells:
                option = reader.find(reader.options, (*place, "option"), row.cells["option"], "an option")
                if index is not None and option is not None:
                    self.put(self.by_option, (index, option), amount, (*place, "option"))
            else:
                self.read_opening_line(row, place, (index, amount), shape)

    def read_opening_line(
        self, row: Row, place: tuple[str, int], stated: tuple[int | None, float], shape: tuple[int, int]
    ) -> None:
        """A line of uses.csv about a partner; without a stage it holds for every stage."""
        reader, (index, amount) = self.reader, stated
        partner = reader.find(reader.partners, (*place, "partner"), row.cells["partner"], "a partner")
        if index is None or partner is None:
            return
        for stage in [reader.stage_of(row, place)] if "stage" in row.cells else range(shape[1]):
            self.put(self.by_opening, (index, partner * shape[1] + stage), amount, (*place, "partner"))

    def read_opening(self, row: Row, place: tuple[str, int], opening: int) -> None:
        """The columns of partners.csv or openings.csv that bear the name of a row."""
        reader = self.reader
        for column in reader.row_columns(place[0]):
            if column in row.cells:
                key = ((reader.rows or {})[column], opening)
                self.put(self.by_opening, key, reader.number_in(row, place, column), (*place, column))

    def read_loads(self, partner: str, index: int) -> None:
        """The loads of a partner's options on the row of its capacity."""
        for option, (row, place) in enumerate(self.reader.entries("options")):
            if partner in _several(row.cells.get("partners", "")):
                self.by_option[index, option] = self.reader.number_in(row, place, "load", 1.0)


def _several(text: str) -> list[str]:
    return [one.strip() for one in text.split("|")] if text else []


def _in_order(names: Iterable[str]) -> Index:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _comes_back(follows: Mapping[str, str], first: str) -> bool:
    """True if following the carries from a row leads to it again."""
    row = first
    for _ in follows:
        row = follows.get(row, "")
        if row == first:
            return True
    return False


def _matrix(cells: Cells, shape: tuple[int, int]) -> csr_array:
    keys = np.array(list(cells), dtype=np.int64).reshape(-1, 2)
    return csr_array(
        coo_array((np.array(list(cells.values()), dtype=np.float64), (keys[:, 0], keys[:, 1])), shape=shape)
    )


def _misnamed(folder: Path, file: str) -> str:
    """A CSV of the folder whose name is nearly `file`, for a table silently left out would change the problem."""
    known = {f"{name}.csv" for name in _COLUMNS}
    others = sorted(path.name for path in folder.glob("*.csv") if path.name not in known)
    return next((other for other in others if did_you_mean(other, [file]).startswith("Did")), "")


def _name_rule(name: str) -> str:
    """The rule that a name breaks, if any: it must come back from a cell as it went in."""
    if not name:
        return "must have a name"
    if name != name.strip() or any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in name):
        return "a name must not begin or end with a space, nor hold line breaks or control characters"
    if invisible(name):
        return "a name must hold nothing that cannot be seen"
    return "" if name == tidy(name) else "a name must be written with composed letters (NFC) and plain spaces"


# ---------------------------------------------------------------- writing


def write(problem: PortfolioProblem, folder: str | Path, *, name: str = "", minimise: bool = False) -> None:
    """Write a folder that reads as an equal problem; with `minimise`, values are written as costs.

    Raises: ProblemError if a name would not survive; OutputError if the folder is not new or empty, or not writable.
    """
    texts = _files(Posed(problem, name, minimise))
    with new_folder(folder, "a problem is written to a new or an empty folder") as draft:
        for file, text in texts.items():
            (draft / file).write_text(text, encoding="utf-8", newline="")


def digest(posed: Posed) -> str:
    """SHA-256 of the problem as `write` would write it: blind to its name and to how its folder was written."""
    texts = _files(Posed(posed.problem, minimise=posed.minimise))
    return hashlib.sha256(json.dumps(texts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _files(posed: Posed) -> dict[str, str]:
    """Every file's text; tables that would say nothing are left out."""
    faults = tuple(_unwritable(posed.problem))
    if faults:
        raise ProblemError(faults)
    problem, worth = posed.problem, "cost" if posed.minimise else "value"
    wide = _fits_columns(problem, worth)
    tables = {
        "options": _options(posed, worth, wide),
        "rows": _rows(problem.rows),
        "uses": [] if wide else _uses(problem),
        "groups": _groups(problem) if _needs_groups(problem) else [],
        "partners": _partners(problem) if _needs_partners(problem) else [],
        "openings": _openings(posed, worth),
        "links": _links(posed, worth),
        "samples": _samples(posed),
    }
    opening_uses = list(_opening_uses(problem))
    tables["uses"] = [*(tables["uses"] or [["row", "option", "partner", "stage", "amount"]]), *opening_uses]
    texts = {f"{name}.csv": _csv(lines) for name, lines in tables.items() if len(lines) > 1 or name == "options"}
    return {SETTINGS: _settings(posed), **texts}


def _unwritable(problem: PortfolioProblem) -> Iterator[Fault]:
    """Names that would not come back."""
    named = {
        "option_names": problem.option_names,
        "group_names": problem.group_names,
        "partner_names": problem.partner_names,
        "stage_names": problem.stage_names,
        "rows.names": problem.rows.names,
        "rows.family": problem.rows.family,
    }
    for where, names in named.items():
        for name in dict.fromkeys(names):
            rule = _name_rule(name)
            if rule:
                yield Fault(where, rule, shown(name))
    if not problem.stage_names:
        yield Fault("stage_names", "must name a stage at least", "none")
    barred = [name for name in problem.partner_names if "|" in name]
    several = {group for groups in problem.exclusions if len(groups) > 2 for group in groups}
    barred += [problem.group_names[group] for group in sorted(several) if "|" in problem.group_names[group]]
    if barred:
        yield Fault("names", "partners, and groups of an exclusion of several, must not hold |", shown(barred[0]))
    if problem.values.ndim > 1:
        for name in problem.option_names:
            if name == "sample" or set(name) & set("[]"):
                yield Fault(
                    "option_names", "the name of an option with samples must not be 'sample' nor hold [ or ]", name
                )


def _fits_columns(problem: PortfolioProblem, worth: str) -> bool:
    """True if uses are dense enough to be columns of options.csv, and every row's name may head one."""
    own = {worth, *_COLUMNS["options"]}
    rows = problem.rows
    proper = all(name not in own and not set(name) & set("[]") for name in rows.names)
    return proper and rows.use.nnz >= DENSE * len(rows.names) * len(problem.option_names)


def _settings(posed: Posed) -> str:
    problem = posed.problem
    lines = {"name": posed.name, "unit": posed.unit}
    text = [f"{key} = {_toml(value)}" for key, value in lines.items() if value]
    text.append(f'sense = "{"minimise" if posed.minimise else "maximise"}"')
    if problem.stage_names != ("s0",):
        text.append(f"stages = [{', '.join(_toml(name) for name in problem.stage_names)}]")
    return "\n".join(text) + "\n"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _options(posed: Posed, worth: str, wide: bool) -> list[list[str]]:
    """Names, groups, partners, stages, what is fixed, values unless there are samples, uses if they fit."""
    problem = posed.problem
    start, member = problem.partners.indptr, problem.partners.indices
    sampled = problem.values.ndim > 1
    alone = problem.group_names == problem.option_names and (np.diff(problem.group) == 1).all()
    rows = problem.rows.names if wide else ()
    use = problem.rows.use.toarray() if wide else np.zeros((0, len(problem.option_names)))
    lines = [["option", "group", "partners", "stage", "fixed", *([] if sampled else [worth]), *rows]]
    for option, name in enumerate(problem.option_names):
        partners = "|".join(problem.partner_names[p] for p in member[start[option] : start[option + 1]])
        fixed = _fixed(option, problem.fixed_in_options, problem.fixed_out_options)
        value = [] if sampled else [_text(posed.sign * problem.values[option])]
        stage = problem.stage_names[problem.stage[option]] if problem.stage_names != ("s0",) else ""
        group = problem.group_names[problem.group[option]]
        head = [name, "" if alone else group, partners, stage, fixed]
        lines.append([*head, *value, *(_amount(use[row, option]) for row in range(len(rows)))])
    return _without_empty(lines, {"group", "partners", "stage", "fixed"})


def _fixed(index: int, inside: Sequence[int], outside: Sequence[int]) -> str:
    return "in" if index in inside else "out" if index in outside else ""


def _rows(rows: Rows) -> list[list[str]]:
    carry = {source: (rows.names[target], _text(rate)) for source, target, rate in rows.carry}
    lines = [["row", "family", "sense", "cap", "shortfall_price", "carry_to", "carry_rate"]]
    for row, name in enumerate(rows.names):
        price = "" if math.isnan(rows.shortfall_price[row]) else _text(rows.shortfall_price[row])
        target, rate = carry.get(row, ("", ""))
        lines.append([name, rows.family[row], WORDS[rows.sense[row]], _text(rows.cap[row]), price, target, rate])
    return _without_empty(lines, {"shortfall_price", "carry_to", "carry_rate"})


def _uses(problem: PortfolioProblem) -> list[list[str]]:
    rows, use = problem.rows.names, problem.rows.use.tocoo()
    cells = zip(*use.coords, use.data, strict=True)
    lines = [[rows[row], problem.option_names[option], "", "", _text(amount)] for row, option, amount in cells]
    return [["row", "option", "partner", "stage", "amount"], *lines]


def _opening_uses(problem: PortfolioProblem) -> Iterator[list[str]]:
    use, stages = problem.rows.opening_use.tocoo(), len(problem.stage_names)
    for row, opening, amount in zip(*use.coords, use.data, strict=True):
        stage = _stage_name(problem, opening % stages)
        yield [problem.rows.names[row], "", problem.partner_names[opening // stages], stage, _text(amount)]


def _stage_name(problem: PortfolioProblem, stage: int) -> str:
    return "" if problem.stage_names == ("s0",) else problem.stage_names[stage]


def _needs_groups(problem: PortfolioProblem) -> bool:
    """False if the options alone say which groups there are, in their order."""
    named = tuple(dict.fromkeys(problem.group_names[group] for group in problem.group))
    special = problem.exactly_one.any() or problem.fixed_in_groups or problem.fixed_out_groups
    return bool(special) or named != problem.group_names


def _needs_partners(problem: PortfolioProblem) -> bool:
    """False if the options alone say which partners there are, in their order."""
    return tuple(dict.fromkeys(problem.partner_names[p] for p in problem.partners.indices)) != problem.partner_names


def _groups(problem: PortfolioProblem) -> list[list[str]]:
    choices = {exact: word for word, exact in CHOICES.items()}
    lines = [["group", "choice", "fixed"]]
    for group, name in enumerate(problem.group_names):
        fixed = _fixed(group, problem.fixed_in_groups, problem.fixed_out_groups)
        lines.append([name, choices[bool(problem.exactly_one[group])], fixed])
    return _without_empty(lines, {"fixed"})


def _partners(problem: PortfolioProblem) -> list[list[str]]:
    return [["partner"], *([name] for name in problem.partner_names)]


def _openings(posed: Posed, worth: str) -> list[list[str]]:
    problem = posed.problem
    lines = [["partner", "stage", worth]]
    for partner, stage in np.argwhere(problem.opening_value != 0):
        value = _text(posed.sign * problem.opening_value[partner, stage])
        lines.append([problem.partner_names[partner], _stage_name(problem, stage), value])
    return lines


def _links(posed: Posed, worth: str) -> list[list[str]]:
    problem, names = posed.problem, posed.problem.group_names
    lines = [["group", "link", "with", worth]]
    lines += [[names[group], "needs", names[other], ""] for group, other in problem.prerequisites]
    for groups in problem.exclusions:
        word = "excludes" if len(groups) == 2 else "at most one"
        lines += [[names[groups[0]], word, "|".join(names[group] for group in groups[1:]), ""]] if groups else []
    for first, second, value in problem.synergies:
        lines.append([names[first], "synergy", names[second], _text(posed.sign * value)])
    return _without_empty(lines, {worth})


def _samples(posed: Posed) -> list[list[str]]:
    values = posed.problem.values
    if values.ndim < 2:
        return []
    lines = [[str(sample), *(_text(posed.sign * value) for value in row)] for sample, row in enumerate(values, start=1)]
    return [["sample", *posed.problem.option_names], *lines]


def _without_empty(lines: list[list[str]], optional: set[str]) -> list[list[str]]:
    """The table without those optional columns that hold nothing."""
    head = lines[0]
    kept = [c for c, name in enumerate(head) if name not in optional or any(line[c] for line in lines[1:])]
    return [[line[column] for column in kept] for line in lines]


def _text(value: float) -> str:
    """The shortest text that reads as the same number, whole numbers without a point."""
    plain = float(value) + 0.0
    return str(int(plain)) if plain.is_integer() and abs(plain) < 2**53 else repr(plain)


def _amount(value: float) -> str:
    return _text(value) if value else ""


def _csv(lines: Iterable[Sequence[str]]) -> str:
    """CSV text; the header is quoted where a semicolon in a name could be taken for a separator."""
    head, *body = lines
    return _records([head], every=any(";" in name for name in head)) + _records(body)


def _records(lines: Iterable[Sequence[str]], *, every: bool = False) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL)
    writer.writerows([neutral(cell) for cell in line] for line in lines)
    return text.getvalue()


# ---------------------------------------------------------------- the answer, in the user's words and sign


def describe(posed: Posed, solution: Solution) -> str:
    """A few lines for the terminal: how sure, the objective in the user's sign, what is chosen and opened."""
    problem, unit = posed.problem, f" {posed.unit}" if posed.unit else ""
    gap = f"{solution.gap:.2%}" if math.isfinite(solution.gap) else "unknown"
    at = "at least" if posed.minimise else "at most"
    objective, bound = (numeral(posed.sign * one, ".10g") for one in (solution.objective, solution.bound))
    chosen = [problem.option_names[option] for option in solution.chosen]
    opened = [_opened_text(problem, partner, stage) for partner, stage in solution.opened.items()]
    lines = [
        f"{posed.name}: {_sizes(problem)}",
        f"{solution.solver} {solution.version}: {solution.status} ({solution.termination}), proven gap {gap}, "
        f"{solution.seconds.total:.2f} s",
        f"objective {objective}, {at} {bound}{unit}",
        f"chosen {len(chosen):,}: {_listed(chosen)}",
    ]
    if problem.partner_names:
        lines.append(f"partners opened {len(opened):,}: {_listed(opened)}")
    if solution.termination is Termination.TIME_LIMIT:
        lines.append("the time limit stopped the solver: running again may give another answer")
    return "\n".join(lines)


def _sizes(problem: PortfolioProblem) -> str:
    counts = {
        "option": len(problem.option_names),
        "group": len(problem.group_names),
        "row": len(problem.rows.names),
        "partner": len(problem.partner_names),
    }
    return ", ".join(f"{count:,} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count)


def _opened_text(problem: PortfolioProblem, partner: int, stage: int) -> str:
    name = problem.partner_names[partner]
    return name if len(problem.stage_names) < 2 else f"{name} ({problem.stage_names[stage]})"


def _listed(names: Sequence[str], most: int = 30) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}" if names else "none"


def chosen_table(posed: Posed, solution: Solution) -> str:
    """The text of chosen.csv: a line for each chosen option."""
    problem, worth = posed.problem, "cost" if posed.minimise else "value"
    lines = [["option", "group", "partners", "stage", worth]]
    for option in solution.chosen:
        partners = problem.partners[[option]].indices
        lines.append(
            [
                problem.option_names[option],
                problem.group_names[problem.group[option]],
                "|".join(problem.partner_names[partner] for partner in partners),
                _stage_name(problem, problem.stage[option]),
                _text(posed.sign * problem.expected[option]),
            ]
        )
    return _csv(lines)


def record(posed: Posed, solution: Solution, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says of problem, solver and answer; `asked` are the settings given to the solver."""
    problem, judged = posed.problem, evaluate(posed.problem, solution.chosen)
    opened = {problem.partner_names[p]: _stage_name(problem, stage) for p, stage in solution.opened.items()}
    return {
        "problem": {
            "name": posed.name,
            "digest": digest(posed),
            "sense": "minimise" if posed.minimise else "maximise",
            "unit": posed.unit,
            "options": len(problem.option_names),
            "groups": len(problem.group_names),
            "rows": len(problem.rows.names),
            "partners": len(problem.partner_names),
        },
        "solver": {
            "name": solution.solver,
            "version": solution.version,
            "method": solution.method,
            "asked": dict(asked),
            "status": str(solution.status),
            "termination": str(solution.termination),
            "objective": posed.sign * solution.objective,
            "bound": posed.sign * solution.bound,
            "gap": solution.gap,
            "seconds": solution.seconds.total,
        },
        "answer": {
            "chosen": [problem.option_names[option] for option in solution.chosen],
            "partners_opened": opened,
            "rows": {
                name: {"use": float(use), "room": float(room)}
                for name, use, room in zip(problem.rows.names, judged.activity, judged.room, strict=True)
            },
        },
    }
