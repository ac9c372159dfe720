// A classic script in the head: the page must not flash in the wrong colours before it is painted.
(() => {
  const root = document.documentElement;
  root.classList.remove("no-js");
  let chosen = "system";
  try { chosen = localStorage.getItem("theme") || "system"; } catch { /* storage is blocked */ }

  function show(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.dispatchEvent(new Event("themechange"));
  }
  show(chosen);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("themechange")));

  document.addEventListener("DOMContentLoaded", () => {
    const switcher = document.querySelector(".theme");
    if (!switcher) return;
    switcher.hidden = false;
    for (const radio of switcher.querySelectorAll("input")) radio.checked = radio.value === chosen;
    switcher.addEventListener("change", (event) => {
      show(event.target.value);
      try { localStorage.setItem("theme", event.target.value); } catch { /* it lasts for this page */ }
    });
  });
})();
