"""Excel workbooks, for planners who go on working there: a run's, with what it found, and a scenario's, to fill in.

Of a run: `sheets` (what a sheet is), `contents` (which sheets a run has: from its tables and its manifest, nothing
estimated anew) and `excel` (the file); of a study `tables`. Of a scenario: `forms` (which sheets it has), `checks`
(what it counts by itself), `excel_forms` (the file) and `exchange` (where it goes). `rdsim.scenario` reads it.
"""

from __future__ import annotations

from rdsim.workbook.contents import Contents, sheets_of
from rdsim.workbook.excel import workbook_bytes
from rdsim.workbook.exchange import claim_file, export
from rdsim.workbook.tables import table_sheets

__all__ = ["Contents", "claim_file", "export", "sheets_of", "table_sheets", "workbook_bytes"]
