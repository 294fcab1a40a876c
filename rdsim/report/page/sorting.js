"use strict";

// Tables that are sorted by their headings.
const sorting = (function () {
  function valueOf(row, column) {
    const cell = row.cells[column];
    const number = cell.dataset.value;
    if (number === undefined) return (cell.dataset.text ?? cell.textContent).trim().toLowerCase();
    return number === "" ? null : Number(number);
  }

  // What is missing comes last, whichever way the rest is sorted.
  function compare(a, b, way) {
    if (a === null || b === null || a === "" || b === "") {
      return (a === null || a === "" ? 1 : 0) - (b === null || b === "" ? 1 : 0);
    }
    const order = typeof a === "number" ? a - b : a.localeCompare(b);
    return way * order;
  }

  // Put the rows of the heading's table in the order of its column, and say so.
  function sort(heading, up) {
    const table = heading.closest("table"), column = heading.cellIndex;
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = Array.from(table.tBodies[0].rows);
    rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column), up ? 1 : -1));
    table.tBodies[0].append(...rows);
  }

  return { sort };
})();
