"use strict";

// What the tables of the page have in common: numbers as the page writes them, what they show taken out as text, and
// their state in the address, so that a link shows the same.
const sharing = (function () {
  const signs = read("signs");
  const PLAIN = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;

  function read(name) {
    const place = document.getElementById("data-" + name);
    return place ? JSON.parse(place.textContent) : null;
  }

  // Texts in the page's language; English stands in the scripts, by which other languages are found.
  const texts = read("texts") ?? {};

  function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  function say(text, values = {}) {
    return filled(texts[text]?.[0] ?? text, values);
  }

  // Of so many: languages with one form say it of any number.
  function sayMany(one, many, number, values = {}) {
    const forms = texts[one] ?? [one, many];
    return filled(forms[number === 1 ? 0 : forms.length - 1], { number, ...values });
  }

  // A whole number with marks of thousands.
  const whole = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

  // As many decimals as the size of a number deserves.
  function amount(value) {
    const size = Math.abs(value);
    const decimals = size >= 200 ? 0 : size >= 10 ? 1 : 2;
    const text = size.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return value < 0 && /[1-9]/.test(text) ? "\u2212" + text : text;
  }

  // What a spreadsheet would take for a formula stands behind an apostrophe; numbers stay numbers.
  function neutral(cell) {
    if (cell === null || cell === undefined) return "";
    if (typeof cell === "number") return String(cell);
    const first = cell.replace(/^'+/, "")[0];
    const isMarked = cell[0] === "'" && signs.includes(first);
    const isFormula = signs.includes(cell[0]) && !PLAIN.test(cell);
    return isMarked || isFormula ? "'" + cell : cell;
  }

  function quoted(text) {
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  function asCsv(rows) {
    return rows.map((row) => row.map((cell) => quoted(neutral(cell))).join(",") + "\r\n").join("");
  }

  function asCells(rows) {
    return rows.map((row) => row.map((cell) => neutral(cell).replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
  }

  function save(name, text) {
    const link = document.createElement("a");
    // The mark lets spreadsheets read names in any script.
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
    link.download = "rdsim-" + name + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  // Browsers that keep the clipboard from pages in files still copy what is selected.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (refused) {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const isDone = document.execCommand("copy");
      area.remove();
      return isDone;
    }
  }

  // The buttons of a table: `rows` gives what it shows, headings first, `reset` shows all again.
  function offer(name, rows, reset) {
    const exits = document.querySelector('.exits[data-of="' + name + '"]');
    const note = exits.querySelector("[role=status]");
    const acts = {
      copy: async () => {
        if (!(await copy(asCells(rows())))) return say("The browser does not copy.");
        return say("{number} rows copied", { number: rows().length - 1 });
      },
      csv: async () => {
        save(name, asCsv(rows()));
        return "";
      },
      all: async () => {
        reset();
        return "";
      },
    };
    exits.addEventListener("click", async (event) => {
      const act = acts[event.target.dataset.exit];
      if (act) note.textContent = await act();
    });
  }

  // The state of a part of the page in its address: #table?field=Batteries&sort=-cost
  function remember(part, state) {
    const given = Object.entries(state).filter(([, value]) => value !== "");
    const text = new URLSearchParams(given).toString();
    history.replaceState(null, "", "#" + part + (text ? "?" + text : ""));
  }

  // Calls back with the state that the address gives a part, now and whenever another link is followed.
  function recall(part, apply) {
    function look() {
      const [name, text] = location.hash.slice(1).split(/\?(.*)/s);
      if (name !== part || text === undefined) return;
      apply(Object.fromEntries(new URLSearchParams(text)));
      document.getElementById(part).scrollIntoView();
    }
    window.addEventListener("hashchange", look);
    window.addEventListener("load", look);
  }

  // Sets a choice to a value, or to its first if it has no such value; says whether it has.
  function choose(select, value) {
    select.value = value ?? "";
    const isKnown = select.selectedIndex >= 0;
    if (!isKnown) select.selectedIndex = 0;
    return isKnown;
  }

  // Says at a table's buttons what of an address this page does not have.
  function regret(name, unknown) {
    const asked = unknown.map((value) => "\u201c" + value + "\u201d").join(", ");
    const note = document.querySelector('.exits[data-of="' + name + '"] [role=status]');
    note.textContent = asked
      ? say("The address asks for {values}, which this plan does not have.", { values: asked })
      : "";
  }

  document.documentElement.classList.add("scripted");
  return { amount, choose, neutral, offer, read, recall, regret, remember, say, sayMany, whole, asCsv, asCells };
})();
const { say, sayMany } = sharing;
