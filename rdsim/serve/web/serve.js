// Everything works without this: it shows that work is under way, and puts in place what has become known.
"use strict";

const later = (job) => window.setTimeout(job, 1000);

const ask = async (address) => {
  const found = await fetch(address, { headers: { accept: "application/json" } });
  if (!found.ok) throw new Error(String(found.status));
  return found.json();
};

// Texts in the page's language; English stands here, by which other languages are found.
const texts = JSON.parse(document.getElementById("data-texts")?.textContent ?? "{}");
const say = (text, values = {}) =>
  (texts[text]?.[0] ?? text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));

const levers = document.getElementById("levers");
levers.addEventListener("submit", () => {
  document.getElementById("busy").textContent = say("Deciding ...");
  for (const button of levers.querySelectorAll("button")) button.disabled = true;
});
window.addEventListener("pageshow", () => {
  document.getElementById("busy").textContent = "";
  for (const button of levers.querySelectorAll("button")) button.disabled = false;
});

const filter = document.getElementById("filter");
filter.closest("label").hidden = false;
filter.addEventListener("input", () => {
  const wanted = filter.value.trim().toLowerCase();
  for (const row of document.querySelectorAll(".wishes li")) {
    row.hidden = !row.querySelector("span").textContent.toLowerCase().includes(wanted);
  }
});
filter.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});

const told = document.getElementById("told");
const firmness = async () => {
  try {
    const found = await ask(`/answers/${told.dataset.answer}/state`);
    const line = document.getElementById("firm-state");
    if (found.state === "done") {
      const page = await (await fetch(`/answers/${told.dataset.answer}`)).text();
      const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("changes");
      document.getElementById("changes").replaceWith(fresh);
    } else if (found.state === "failed" || found.state === "stopped") {
      line.textContent = say("How firm this is could not be worked out. {reason}", { reason: found.why });
    } else {
      line.textContent = found.total
        ? say("How firm this is is being worked out: decided again {done} of {total} times.", found)
        : say("How firm this is will be worked out after other work.");
      later(firmness);
    }
  } catch {
    document.getElementById("firm-state").textContent = say("The server does not answer; reload this page once it does.");
  }
};
if (told && told.dataset.firm === "open" && document.getElementById("firm-state")) later(firmness);

const job = document.getElementById("job");
const follow = async () => {
  const line = document.getElementById("job-text");
  try {
    const found = await ask(`/jobs/${job.dataset.job}/state`);
    if (found.state === "waiting" || found.state === "running") {
      const bar = document.getElementById("job-bar");
      bar.max = found.total || 1;
      bar.value = found.done;
      line.textContent = found.total ? say("{done} of {total} portions", found) : say("waiting");
      later(follow);
    } else {
      window.location.replace(found.state === "done" ? `/answers/${found.result}` : `/jobs/${job.dataset.job}`);
    }
  } catch {
    line.textContent = say("The server does not answer.");
  }
};
if (job && ["waiting", "running"].includes(job.dataset.state)) later(follow);
