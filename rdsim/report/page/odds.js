"use strict";

// The chance of at least so many technologies on the market by the end of a year.
const odds = (function () {
  const percent = (share) => {
    const text = (share * 100).toFixed(share > 0.01 && share < 0.99 ? 0 : 1);
    return text.replace(/\.0$/, "") + "%";
  };

  // More than was ever reached has the chance of the last entry.
  function answer(block, number, year) {
    const tail = block.tails[year];
    const [share, low, high] = tail[Math.min(number, tail.length - 1)];
    const replications = sayMany("{count} replication", "{count} replications", block.replications, {
      count: sharing.whole(block.replications),
    });
    return sayMany(
      "At least {number} technology is on the market by the end of {year} in {share} of {replications} ({confidence} interval {low} to {high}).",
      "At least {number} technologies are on the market by the end of {year} in {share} of {replications} ({confidence} interval {low} to {high}).",
      number,
      { year, share: percent(share), replications, confidence: percent(block.confidence), low: percent(low), high: percent(high) }
    );
  }

  // The number that half of the replications reach in a year, at least 1.
  function even(block, year) {
    return Math.max(1, block.tails[year].findIndex(([share]) => share < 0.5) - 1);
  }

  return { answer, even };
})();

(function () {
  const block = sharing.read("odds");
  const controls = document.getElementById("odds-controls");
  if (!block || !controls || !Object.keys(block.tails).length) return;
  const number = document.getElementById("odds-number");
  const year = document.getElementById("odds-year");
  const place = document.getElementById("odds-answer");

  function show() {
    const asked = Number(number.value);
    const isNumber = number.value !== "" && Number.isInteger(asked) && asked >= 0;
    place.textContent = isNumber ? odds.answer(block, asked, year.value) : say("Give a whole number, 0 or more.");
  }

  function apply(given) {
    sharing.choose(year, given.year ?? Object.keys(block.tails).at(-1));
    number.value = given.number ?? odds.even(block, year.value);
    show();
  }

  for (const one of Object.keys(block.tails)) year.append(new Option(one, one));
  controls.addEventListener("input", () => {
    show();
    sharing.remember("odds", { number: number.value, year: year.value });
  });
  controls.hidden = false;
  apply({});
  sharing.recall("odds", apply);
})();
