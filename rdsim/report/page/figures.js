"use strict";

// Figures: drawn from the specifications inside the page; expressions are interpreted, so that the page's security
// policy need not allow code made from text.
(function () {
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const options = {
    ast: true,
    renderer: "svg",
    mode: "vega-lite",
    actions: { export: true, source: false, compiled: false, editor: false },
    downloadFileName: "rdsim",
  };

  // On a narrow screen labels and legends give way to the figure: ids instead of names, one entry to a line.
  function narrow(part) {
    for (const [name, value] of Object.entries(part)) {
      if (name === "datasets" || value === null || typeof value !== "object") continue;
      if (name === "legend" && value.columns) value.columns = 1;
      if (name === "axis" && value.labelLimit > 0) value.labelLimit = 135;
      if (name === "axis" && value.labelLimit === 0) value.labelExpr = "split(datum.label, ' ')[0]";
      narrow(value);
    }
  }

  // A figure is told by its place's words, which Vega puts its own over; the menu beside it is no part of a picture.
  function describe(place, words) {
    const drawing = place.querySelector(".chart-wrapper") ?? place;
    if (drawing !== place) {
      for (const name of ["role", "aria-label"]) place.removeAttribute(name);
    }
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", words);
    drawing.removeAttribute("aria-roledescription");
    place.querySelector("summary")?.setAttribute("aria-label", say("Save this figure"));
  }

  // On paper a figure is drawn as wide as its place on A4, so that its letters keep their size; it is lower for that.
  const column = { width: 330, height: 0.55 };
  const sheet = { width: 688, height: 0.42 };
  const views = [];

  function resize(view, width, height) {
    view.width(width).height(height).run();
  }

  function toPaper() {
    for (const one of views) {
      one.width = one.place.querySelector("svg.marks").width.baseVal.value; // its view's is that of the axes alone
      one.height = one.view.height();
      const paper = one.place.closest(".wide") ? sheet : column;
      resize(one.view, paper.width, Math.round(one.height * paper.height));
    }
  }

  function toScreen() {
    for (const one of views) resize(one.view, one.width, one.height);
  }

  window.addEventListener("beforeprint", toPaper);
  window.addEventListener("afterprint", toScreen);

  for (const [key, spec] of Object.entries(specs)) {
    const place = document.getElementById("figure-" + key);
    if (!place) continue;
    const words = place.getAttribute("aria-label");
    const small = place.clientWidth < 480;
    if (small) narrow(spec);
    const actions = small ? false : options.actions;
    const drawn = vegaEmbed(place, spec, { ...options, actions, downloadFileName: "rdsim-" + key });
    drawn.then((result) => {
      describe(place, words);
      views.push({ place, view: result.view });
    }).catch((error) => {
      place.textContent = say("This figure could not be drawn: {reason}", { reason: error.message });
    });
  }
})();
