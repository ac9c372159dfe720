// Moments come in UTC, and are shown in the reader's own zone; in the page's language, as the words around them.
const parts = { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };

function local(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const shown = { ...parts, ...("seconds" in time.dataset && { second: "2-digit" }) };
    time.title = time.textContent;
    time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, shown).format(new Date(time.dateTime));
  }
}

document.addEventListener("htmx:after:process", ({ target }) => { if (target.querySelectorAll) local(target); });
local(document);
