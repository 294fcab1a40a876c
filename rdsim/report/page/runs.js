"use strict";

// The table of runs: sorted by its headings, searched and filtered by the controls above it.
(function () {
  const table = document.getElementById("runs");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const search = document.getElementById("search");
  const filters = Array.from(document.querySelectorAll("select[data-filter]"));
  const count = document.getElementById("count");

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
    count.textContent = say("{shown} of {all} shown", { shown, all: rows.length });
  }

  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector("button").addEventListener("click", () =>
      sorting.sort(heading, heading.getAttribute("aria-sort") !== "ascending")
    );
  }
  search.addEventListener("input", show);
  for (const filter of filters) filter.addEventListener("change", show);
  document.getElementById("controls").hidden = false;
  show();
})();
