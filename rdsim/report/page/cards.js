"use strict";

// Cards of technologies and partners, opened from the table, from the choices of their section, or by an address.
const cards = (function () {
  const PREFIX = "partner/";

  // Facts of a subject in parts: [name of the part, [[item, value, grade, source], ...]]
  function parts(block, subject, id) {
    const found = new Map();
    for (const [part, ...rest] of block.facts[subject]?.[id] ?? []) {
      const name = block.texts[part];
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(rest.map((place) => block.texts[place]));
    }
    return Array.from(found);
  }

  // What an address asks for: ["technology", "T001"], ["partner", "US"], or null.
  function asked(block, hash) {
    let text = "";
    try {
      text = decodeURIComponent(hash.replace(/^#/, ""));
    } catch (broken) {
      return null;
    }
    const isPartner = text.startsWith(PREFIX);
    const [subject, id] = isPartner ? ["partner", text.slice(PREFIX.length)] : ["technology", text];
    return Object.hasOwn(block.facts[subject] ?? {}, id) ? [subject, id] : null;
  }

  // Expected money by year of some rows of the ledger: a line for each kind, its sum last; nothing without rows.
  function byYear(ledger, fits) {
    const places = ledger.rows.map((row, place) => (fits(row) ? place : -1)).filter((place) => place >= 0);
    if (!places.length) return [];
    return Object.entries(ledger.kinds).map(([kind, title]) => {
      const values = ledger.years.map((_, year) => places.reduce((sum, one) => sum + ledger.money[kind][one][year], 0));
      return [title, ...values, values.reduce((sum, one) => sum + one, 0)];
    });
  }

  const addressOf = (subject, id) => "#" + (subject === "partner" ? PREFIX : "") + encodeURIComponent(id);

  return { addressOf, asked, byYear, parts };
})();

(function () {
  const block = sharing.read("cards");
  const controls = document.getElementById("cards-controls");
  if (!block || !controls) return;
  const ledger = sharing.read("ledger");
  const { keys, rows } = sharing.read("technologies");
  const place = document.getElementById("card");
  const known = new Map(rows.map((row) => [row[0], Object.fromEntries(keys.map((key, at) => [key, row[at]]))]));
  const percent = (share) => (share === null || share === undefined ? "" : Math.round(share * 100) + "%");
  const told = (text) => block.notes?.[text] ?? text;
  const amount = (value) => (value === null || value === undefined ? "" : sharing.amount(value));

  function make(tag, text, parent) {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    parent?.append(made);
    return made;
  }

  // What names a technology, as a link to its card; as it is where there is none.
  function linked(named) {
    const id = named.dataset.technology;
    if (!Object.hasOwn(block.facts.technology ?? {}, id)) return;
    const link = document.createElement("a");
    link.href = cards.addressOf("technology", id);
    link.textContent = id;
    named.replaceChildren(link);
  }

  // A table under a heading; cells from column `numbers` on are numbers.
  function table(title, heads, lines, numbers) {
    if (!lines.length) return;
    make("h3", title, place);
    const scroll = make("div", "", place);
    scroll.className = "scroll";
    const made = make("table", "", scroll);
    const head = made.createTHead().insertRow();
    heads.forEach((text, column) => {
      const cell = make("th", text, head);
      cell.scope = "col";
      if (column >= numbers) cell.className = "number";
    });
    const body = made.createTBody();
    for (const line of lines) {
      const row = body.insertRow();
      line.forEach((text, column) => {
        const cell = row.insertCell();
        if (text instanceof Node) cell.append(text);
        else cell.textContent = text;
        if (column >= numbers) cell.className = "number";
      });
    }
  }

  function assumed(subject, id) {
    for (const [name, lines] of cards.parts(block, subject, id)) {
      table(name, [say("What"), say("Assumed"), say("Grade"), say("Source")], lines, 9);
    }
  }

  function money(title, fits) {
    const lines = cards.byYear(ledger, fits).map(([name, ...values]) => [name, ...values.map(sharing.amount)]);
    table(title, ["", ...ledger.years, say("All years")], lines, 1);
  }

  function decision(one) {
    if (one.decision !== "funded") {
      return one.note ? say("Not funded: {reason}.", { reason: told(one.note) }) : say("Not funded.");
    }
    const values = {
      partner: one.partner_name, mode: one.mode, year: one.start_year, target: percent(one.p_target), market: percent(one.p_market),
    };
    return one.partner_name
      ? say("Funded with {partner}, {mode}, from {year}. It reaches its target TRL in {target} of the replications, and the market in {market}.", values)
      : say("Funded without a partner, {mode}, from {year}. It reaches its target TRL in {target} of the replications, and the market in {market}.", values);
  }

  function technology(id) {
    const one = known.get(id) ?? {};
    make("p", one.programme + ", " + one.field, place).className = "reading";
    make("p", decision(one), place);
    if (Object.hasOwn(block.ways ?? {}, id)) {
      make("h3", say("What would bring it in"), place);
      make("p", block.ways[id], place);
    }
    const firm = (Object.hasOwn(block.decisions, id) ? block.decisions[id] : []).map(([kind, what, chosen, share, verdict]) => [
      kind, what, chosen ? say("in the plan") : "", verdict, percent(share),
    ]);
    table(say("How firm it is: share of re-decisions"), [say("Decision"), say("What"), "", say("Verdict"), say("Share")], firm, 4);
    const tried = (Object.hasOwn(block.tried, id) ? block.tried[id] : []).map(([partner, mode, start, value, chosen]) => [
      partner || say("none"), mode, chosen ? say("in the plan") : "", start, amount(value),
    ]);
    table(say("Options tried, each alone: the best, and the plan's"), [say("Partner"), say("Way of funding"), "", say("Start"), say("Expected value")], tried, 3);
    money(say("Expected payments by year"), (row) => row[0] === id);
    assumed("technology", id);
  }

  // A technology by its id, a link, and its name.
  function named(one) {
    const whole = document.createElement("span");
    const id = make("span", one.technology, whole);
    id.dataset.technology = one.technology;
    linked(id);
    whole.append(" " + one.name);
    return whole;
  }

  function partner(code) {
    const [name, opened, when, network, peak] = block.partners[code]?.[0] ?? [code, null, null, null, null];
    const sentence = opened
      ? say("Opened in {share} of the replications, in half of those by {year}; it holds at most {places} projects at once, on average over replications. Opening and running it costs {cost} in all.", {
          share: percent(opened), year: when.toFixed(1), places: amount(peak), cost: amount(network),
        })
      : opened === 0 ? say("The plan does not open it.") : "";
    if (sentence) make("p", sentence, place);
    const mine = rows.filter((row) => known.get(row[0]).partner === code || known.get(row[0]).partner.split("+").includes(code)).map((row) => known.get(row[0]));
    const lines = mine.map((one) => [
      named(one), one.field, one.mode, one.start_year, amount(one.home), amount(one.foreign),
    ]);
    table(say("Projects with it"), [say("Technology"), say("Field"), say("Way of funding"), say("Start"), say("Home pays"), say("It pays")], lines, 3);
    const members = new Set(mine.map((one) => one.technology));
    money(say("Expected payments by year to projects with it"), (row) => members.has(row[0]));
    assumed("partner", code);
  }

  const nameOf = (subject, id) => (subject === "partner" ? block.partners[id]?.[0][0] : known.get(id)?.name) ?? "";

  function open(subject, id) {
    place.replaceChildren();
    const bar = make("p", "", place);
    bar.className = "exits";
    for (const [text, act] of [[say("Close"), () => place.close()], [say("Print"), () => window.print()]]) {
      const button = make("button", text, bar);
      button.type = "button";
      button.addEventListener("click", act);
      bar.append(" ");
    }
    make("h2", id + " " + nameOf(subject, id), place).id = "card-title";
    (subject === "partner" ? partner : technology)(id);
    if (!place.open) place.showModal();
    place.scrollTop = 0;
    document.documentElement.classList.add("has-card");
  }

  function look() {
    const found = cards.asked(block, location.hash);
    if (found) open(...found);
    else if (place.open) place.close();
  }

  place.addEventListener("close", () => {
    document.documentElement.classList.remove("has-card");
    if (cards.asked(block, location.hash)) history.replaceState(null, "", "#cards");
  });

  for (const [subject, ids] of Object.entries(block.facts)) {
    const select = controls.querySelector("[data-card=" + subject + "]");
    for (const id of Object.keys(ids)) select.append(new Option(id + " " + nameOf(subject, id), id));
    select.addEventListener("change", () => {
      if (select.value) location.hash = cards.addressOf(subject, select.value);
      select.value = "";
    });
  }
  document.querySelectorAll("[data-technology]").forEach(linked);
  controls.hidden = false;
  window.addEventListener("hashchange", look);
  window.addEventListener("load", look);
})();
