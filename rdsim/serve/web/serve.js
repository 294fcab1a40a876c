// Everything works without this: it shows that work is under way, and puts in place what has become known.
"use strict";

const later = (job) => window.setTimeout(job, 1000);

const ask = async (address) => {
  const found = await fetch(address, { headers: { accept: "application/json" } });
  if (!found.ok) throw new Error(String(found.status));
  return found.json();
};

const levers = document.getElementById("levers");
levers.addEventListener("submit", () => {
  document.getElementById("busy").textContent = "Deciding ...";
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
      line.textContent = `How firm this is could not be worked out. ${found.why}`;
    } else {
      line.textContent = found.total
        ? `How firm this is is being worked out: decided again ${found.done} of ${found.total} times.`
        : "How firm this is will be worked out after other work.";
      later(firmness);
    }
  } catch {
    document.getElementById("firm-state").textContent = "The server does not answer; reload this page once it does.";
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
      line.textContent = found.total ? `${found.done} of ${found.total} portions` : "waiting";
      later(follow);
    } else {
      window.location.replace(found.state === "done" ? `/answers/${found.result}` : `/jobs/${job.dataset.job}`);
    }
  } catch {
    line.textContent = "The server does not answer.";
  }
};
if (job && ["waiting", "running"].includes(job.dataset.state)) later(follow);
