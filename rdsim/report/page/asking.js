"use strict";

// Commands: a page that was opened from its file knows the folder of its run, and puts it where RUN stands.
(function () {
  const page = window.location;
  if (page.protocol !== "file:") return;
  const path = decodeURIComponent(page.pathname).replace(/\/[^/]*$/, "").replace(/^\/(?=[A-Za-z]:)/, "");
  const quoted = /^[\w@%+=:,./-]+$/.test(path) ? path : "'" + path.replaceAll("'", "'\"'\"'") + "'";
  for (const place of document.querySelectorAll(".run")) place.textContent = quoted;
})();
