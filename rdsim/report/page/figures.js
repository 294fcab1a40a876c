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
    place.querySelector("summary")?.setAttribute("aria-label", "Save this figure");
  }

  for (const [key, spec] of Object.entries(specs)) {
    const place = document.getElementById("figure-" + key);
    if (!place) continue;
    const words = place.getAttribute("aria-label");
    const small = place.clientWidth < 480;
    if (small) narrow(spec);
    const actions = small ? false : options.actions;
    const drawn = vegaEmbed(place, spec, { ...options, actions, downloadFileName: "rdsim-" + key });
    drawn.then(() => describe(place, words)).catch((error) => {
      place.textContent = "This figure could not be drawn: " + error.message;
    });
  }
})();
