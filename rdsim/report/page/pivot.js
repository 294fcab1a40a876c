"use strict";

// Money by year: rows by programme, field, partner, mode, or two of them; narrowed by the others.
const pivot = (function () {
  // Ways to make rows: each alone, then pairs, then each technology.
  function ways(block) {
    const names = Object.keys(block.ways);
    const pairs = names.flatMap((one, place) => names.slice(place + 1).map((other) => [one, other]));
    return [...names.map((one) => [one]), ...pairs, ["technology"]];
  }

  const plus = (sum, row) => sum.map((one, place) => one + row[place]);

  // The rows of a table: keys (one or two names), values by year; the network's cost (null where it is not told for
  // what is asked), and the sum of all. `kind` "all" is what home and partners pay.
  function table(block, by, kind, filters) {
    const at = Object.fromEntries(block.who.map((name, place) => [name, place]));
    const zero = block.years.map(() => 0);
    const kinds = kind === "all" ? ["home", "foreign"] : [kind];
    const groups = new Map();
    block.rows.forEach((who, place) => {
      if (Object.entries(filters).some(([name, value]) => value !== "" && who[at[name]] !== value)) return;
      const keys = by.map((name) => who[at[name]]);
      const id = JSON.stringify(keys);
      const before = groups.get(id) ?? { keys, values: zero };
      groups.set(id, { keys, values: kinds.reduce((sum, one) => plus(sum, block.money[one][place]), before.values) });
    });
    const rows = Array.from(groups.values()).sort((a, b) => total(b.values) - total(a.values));
    const network = upkeep(block, kinds, filters, zero);
    const sum = rows.reduce((all, row) => plus(all, row.values), network ?? zero);
    return { rows, network, sum };
  }

  function upkeep(block, kinds, filters, zero) {
    const isNarrowed = Object.entries(filters).some(([name, value]) => name !== "programme" && value !== "");
    if (!kinds.includes("home") || isNarrowed || !Object.keys(block.network).length) return null;
    const lines = Object.entries(block.network).filter(([name]) => !filters.programme || name === filters.programme);
    return lines.reduce((sum, [, row]) => plus(sum, row), zero);
  }

  const total = (values) => values.reduce((sum, one) => sum + one, 0);

  // No more digits than anybody reads.
  const compact = (value) => Number(value.toPrecision(9));

  // The table as rows of cells: headings, rows, network, sum.
  function cells(block, by, found, titles) {
    const blanks = by.slice(1).map(() => "");
    const lines = [[...by.map((name) => titles[name]), ...block.years.map(String), say("All years")]];
    const add = (names, values) => lines.push([...names, ...[...values, total(values)].map(compact)]);
    for (const row of found.rows) add(row.keys, row.values);
    if (found.network) add([block.upkeep, ...blanks], found.network);
    add([say("In all"), ...blanks], found.sum);
    return lines;
  }

  return { cells, table, ways };
})();

(function () {
  const block = sharing.read("ledger");
  const place = document.getElementById("pivot-table");
  if (!block || !place) return;
  const titles = { ...block.ways, technology: say("Technology") };
  const kinds = { ...block.kinds, ...(block.kinds.foreign ? { all: say("home and partners") } : {}) };
  const controls = document.getElementById("pivot-controls");
  const money = controls.querySelector("[data-pivot=money]");
  const rows = controls.querySelector("[data-pivot=rows]");
  const note = document.getElementById("pivot-note");
  const filters = {};
  let lines = [];

  const nameOf = (way) => way.map((one) => titles[one].toLowerCase()).reduce((one, other) => say("{one} and {other}", { one, other }));

  function fill(select, options) {
    for (const [value, text] of options) select.append(new Option(text, value));
  }

  function filter(name) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    const column = block.who.indexOf(name);
    const values = Array.from(new Set(block.rows.map((row) => row[column]))).sort((a, b) => a.localeCompare(b));
    fill(select, [["", say("all")], ...values.map((value) => [value, value])]);
    label.append(titles[name] + " ", select);
    controls.insertBefore(label, controls.querySelector(".exits"));
    filters[name] = select;
  }

  function asked() {
    return Object.fromEntries(Object.entries(filters).map(([name, select]) => [name, select.value]));
  }

  function cell(row, tag, text, isNumber) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (isNumber) made.className = "number";
    if (tag === "th") made.scope = row.parentNode?.tagName === "THEAD" ? "col" : "row";
    row.append(made);
  }

  function draw() {
    const by = rows.value.split(" ");
    const found = pivot.table(block, by, money.value, asked());
    lines = pivot.cells(block, by, found, titles);
    const table = document.createElement("table");
    table.className = "years";
    const head = table.createTHead().insertRow();
    lines[0].forEach((text, column) => cell(head, "th", text, column >= by.length));
    const body = table.createTBody();
    for (const line of lines.slice(1)) {
      const row = body.insertRow();
      if (line === lines.at(-1)) row.className = "sum";
      line.forEach((one, column) =>
        cell(row, column < by.length ? "th" : "td", column < by.length ? one : sharing.amount(one), column >= by.length)
      );
    }
    place.replaceChildren(table);
    const isLeftOut = ["home", "all"].includes(money.value) && Object.keys(block.network).length > 0 && !found.network;
    note.textContent = isLeftOut
      ? say("{what} is told by programme alone, and left out here.", { what: block.upkeep })
      : say("{number} rows.", { number: lines.length - 2 });
  }

  function state() {
    return { money: money.value, rows: rows.value, ...asked() };
  }

  function apply(given) {
    const first = { money: money.options[0].value, rows: rows.options[0].value };
    const asked = { ...first, ...given };
    const selects = Object.entries({ money, rows, ...filters });
    const unknown = selects.filter(([name, select]) => !sharing.choose(select, asked[name]));
    sharing.regret("money-by-year", unknown.map(([name]) => asked[name]));
    draw();
  }

  fill(money, Object.entries(kinds));
  fill(rows, pivot.ways(block).map((way) => [way.join(" "), nameOf(way)]));
  Object.keys(block.ways).forEach(filter);
  controls.addEventListener("change", () => {
    draw();
    sharing.remember("pivot", state());
  });
  sharing.offer("money-by-year", () => lines, () => {
    apply({});
    sharing.remember("pivot", {});
  });
  controls.hidden = place.hidden = false;
  draw();
  sharing.recall("pivot", apply);
})();
