"use strict";

// The command that compares two runs, chosen from those of the table that have a portfolio.
(function () {
  const paths = Array.from(document.querySelectorAll("#runs tr[data-path]"), (row) => row.dataset.path);
  const [first, second] = ["first", "second"].map((name) => document.getElementById(name));
  if (paths.length < 2) return;

  // As a shell takes it: what is more than plain letters stands in quotes.
  function quoted(path) {
    return /^[\w@%+=:,./-]+$/.test(path) ? path : "'" + path.replaceAll("'", "'\"'\"'") + "'";
  }

  function show() {
    const words = ["rdsim", "compare", quoted(first.value), quoted(second.value)];
    document.getElementById("typed").textContent = first.value === second.value ? "" : words.join(" ");
  }

  for (const list of [first, second]) {
    list.append(...paths.map((path) => new Option(path, path)));
    list.addEventListener("change", show);
  }
  second.selectedIndex = 1;
  document.getElementById("pair").hidden = false;
  show();
})();
