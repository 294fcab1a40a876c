"""What options and openings use of the rows, in columns or in lines of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

from rdsim.optimiser.problem.folder.cells import several
from rdsim.optimiser.problem.folder.reader import Cells, Reader
from rdsim.tables import TableRow

__all__ = ["Uses"]


@dataclass
class Uses:
    """What options and openings use of the rows, each cell stated once."""

    reader: Reader
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
        self, row: TableRow, place: tuple[str, int], stated: tuple[int | None, float], shape: tuple[int, int]
    ) -> None:
        """A line of uses.csv about a partner; without a stage it holds for every stage."""
        reader, (index, amount) = self.reader, stated
        partner = reader.find(reader.partners, (*place, "partner"), row.cells["partner"], "a partner")
        if index is None or partner is None:
            return
        for stage in [reader.stage_of(row, place)] if "stage" in row.cells else range(shape[1]):
            self.put(self.by_opening, (index, partner * shape[1] + stage), amount, (*place, "partner"))

    def read_opening(self, row: TableRow, place: tuple[str, int], opening: int) -> None:
        """The columns of partners.csv or openings.csv that bear the name of a row."""
        reader = self.reader
        for column in reader.row_columns(place[0]):
            if column in row.cells:
                key = ((reader.rows or {})[column], opening)
                self.put(self.by_opening, key, reader.number_in(row, place, column), (*place, column))

    def read_loads(self, partner: str, index: int) -> None:
        """The loads of a partner's options on the row of its capacity."""
        for option, (row, place) in enumerate(self.reader.entries("options")):
            if partner in several(row.cells.get("partners", "")):
                self.by_option[index, option] = self.reader.number_in(row, place, "load", 1.0)
