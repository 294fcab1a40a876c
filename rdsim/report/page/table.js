"use strict";

// The table of technologies: sorted by its headings, searched and filtered by the controls above it.
(function () {
  const table = document.getElementById("technologies");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const search = document.getElementById("search");
  const filters = Array.from(document.querySelectorAll("select[data-filter]"));
  const count = document.getElementById("count");

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

  function sort(heading) {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const column = heading.cellIndex;
    rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column), up ? 1 : -1));
    body.append(...rows);
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits =
        words.every((word) => text.includes(word)) &&
        filters.every((filter) => filter.value === "" || row.dataset[filter.dataset.filter] === filter.value);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = shown + " of " + rows.length + " shown";
  }

  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector("button").addEventListener("click", () => sort(heading));
  }
  search.addEventListener("input", show);
  for (const filter of filters) filter.addEventListener("change", show);
  document.getElementById("controls").hidden = false;
  show();
})();
