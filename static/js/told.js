// What the site refused, or did not answer, is told in this one line; the page stays as it was, and
// what was typed is still there. Not told here: what is swapped in where it was asked for (an
// hx-status of its own), and what has a line of its own ([data-answer], [data-own-words], streams).
const line = Object.assign(document.createElement("p"), { id: "toast" });
line.setAttribute("role", "status");
document.body.append(line);

const SILENT = "The site does not answer. What you typed is kept; try again in a few seconds.";
const SIGNED_OUT = "You are not signed in any more, so nothing was changed. Sign in on another tab, then try again: what you typed is kept.";
const OURS = "That did not work; the fault is ours. Reload the page and try again.";
const WORDS = {
  403: "The site refused that, so nothing was changed. Reload the page and try again.",
  404: "That is not there any more. Reload the page.",
  413: "That is too large to be taken. Send less, then try again.",
  429: "That was a lot in a short time, so it was not taken. Wait a moment and try again.",
  502: "The site is being restarted. Try again in half a minute.",
  503: "The site is busy or being restarted. Try again in half a minute.",
  504: "The site is busy or being restarted. Try again in half a minute.",
};

// A limit says itself what it is, and that signing in lifts it (_fragments/refused.html).
function reasonIn(text) { return new DOMParser().parseFromString(text, "text/html").querySelector(".status-failed .reason")?.firstChild.textContent.trim(); }

let asker = null; // whose request the line is about

function hasOwnWords(element) {
  return element.closest?.("[data-answer], [data-own-words]") || element.hasAttribute?.("hx-sse:connect");
}

function tell(element, text) {
  if (hasOwnWords(element)) return;
  asker = element;
  line.textContent = text;
}

// Another press takes the line away; so does the success of what it is about.
document.addEventListener("htmx:before:request", ({ detail }) => {
  if (detail.ctx.sourceEvent?.isTrusted) line.textContent = "";
});

document.addEventListener("htmx:before:swap", (event) => {
  const { sourceElement, response, swap, text } = event.detail.ctx;
  if (!response?.raw) return; // of a script
  // A page to sign in on comes as an answer like any other: it must not stand in the middle of this one.
  if (response.raw.redirected) { event.preventDefault(); tell(sourceElement, SIGNED_OUT); return; }
  if (response.status >= 400) { if (swap === "none") tell(sourceElement, reasonIn(text) ?? WORDS[response.status] ?? OURS); }
  else if (sourceElement === asker || !asker?.isConnected) line.textContent = "";
});

document.addEventListener("htmx:error", ({ target, detail }) => { if (detail.ctx) tell(target, SILENT); });
