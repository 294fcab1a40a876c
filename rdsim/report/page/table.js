"use strict";

// The table of technologies: sorted by its headings, searched and narrowed by the controls above it; what it shows is
// summed up, copied and saved.
(function () {
  const { keys, heads, rows: values } = sharing.read("technologies");
  const table = document.getElementById("technologies");
  const body = table.tBodies[0];
  const records = Array.from(body.rows, (row, place) => ({
    row,
    values: values[place],
    text: (values[place].join(" ") + " " + row.textContent).toLowerCase(),
  }));
  const headings = Array.from(table.tHead.rows[0].cells);
  const search = document.getElementById("search");
  const filters = Array.from(document.querySelectorAll("#controls select[data-filter]"));
  const count = document.getElementById("count");
  const SUMMED = ["cost", "home", "foreign", "p_market"];

  const valueOf = (record, key) => record.values[keys.indexOf(key)];
  const shown = () => Array.from(body.rows).filter((row) => !row.hidden).map((row) => records.find((one) => one.row === row));

  function unsort() {
    for (const heading of headings) heading.removeAttribute("aria-sort");
    body.append(...records.map((one) => one.row));
  }

  // A dash asks for rows that have no value there.
  function fits(record, filter) {
    const value = String(valueOf(record, filter.dataset.filter) ?? "");
    return filter.value === "" || value === (filter.value === "-" ? "" : filter.value);
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const record of records) {
      record.row.hidden = !(
        words.every((word) => record.text.includes(word)) && filters.every((filter) => fits(record, filter))
      );
    }
    tell(records.filter((one) => !one.row.hidden));
  }

  function tell(chosen) {
    const sums = Object.fromEntries(
      SUMMED.map((key) => [key, chosen.reduce((sum, one) => sum + (valueOf(one, key) ?? 0), 0)])
    );
    table.querySelector("[data-sum=count]").textContent = chosen.length;
    for (const key of SUMMED) table.querySelector("[data-sum=" + key + "]").textContent = sharing.amount(sums[key]);
    const funded = chosen.filter((one) => valueOf(one, "decision") === "funded");
    const counts = { shown: chosen.length, all: records.length, funded: funded.length };
    const amounts = Object.fromEntries(SUMMED.map((key) => [key, sharing.amount(sums[key])]));
    const told = say("{shown} of {all} shown, {funded} of them funded: requested {cost}, home pays {home}, partners pay {foreign}; {p_market} are expected to reach the market.", { ...counts, ...amounts });
    count.textContent = told + " " + countries(funded);
  }

  // With how many projects each country takes part, the most first.
  function countries(funded) {
    const counts = new Map();
    for (const one of funded) {
      const name = valueOf(one, "partner_name");
      if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const sorted = Array.from(counts).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
    const names = sorted.map(([name, number]) => name + " " + number).join(", ");
    return sorted.length ? say("With {names}.", { names }) : "";
  }

  function state() {
    const sorted = headings.find((heading) => heading.hasAttribute("aria-sort"));
    const way = sorted?.getAttribute("aria-sort") === "descending" ? "-" : "";
    const given = filters.map((filter) => [filter.dataset.filter, filter.value]);
    return { find: search.value, ...Object.fromEntries(given), sort: sorted ? way + sorted.textContent.trim() : "" };
  }

  function apply(given) {
    search.value = given.find ?? "";
    const asks = (filter) => given[filter.dataset.filter];
    sharing.regret("technologies", filters.filter((filter) => !sharing.choose(filter, asks(filter))).map(asks));
    const asked = given.sort ?? "";
    const heading = headings.find((one) => one.textContent.trim() === asked.replace(/^-/, ""));
    if (heading) sorting.sort(heading, !asked.startsWith("-"));
    else unsort();
    show();
  }

  function changed() {
    show();
    sharing.remember("table", state());
  }

  for (const heading of headings) {
    heading.querySelector("button").addEventListener("click", () => {
      sorting.sort(heading, heading.getAttribute("aria-sort") !== "ascending");
      sharing.remember("table", state());
    });
  }
  search.addEventListener("input", changed);
  for (const filter of filters) filter.addEventListener("change", changed);
  sharing.offer(
    "technologies",
    () => [heads, ...shown().map((one) => one.values)],
    () => {
      apply({});
      sharing.remember("table", {});
    }
  );
  document.getElementById("controls").hidden = false;
  show();
  sharing.recall("table", apply);
})();
