"""A run as an Excel workbook, for planners who go on working there: what a run found, in sheets with types and filters.

Three rooms: `sheets` (what a sheet is), `contents` (which sheets a run has: from its tables and its manifest, nothing
estimated anew) and `excel` (the file).
"""

from __future__ import annotations

from rdsim.workbook.contents import Contents, sheets_of
from rdsim.workbook.excel import workbook_bytes

__all__ = ["Contents", "sheets_of", "workbook_bytes"]
