// A form that htmx sends and that fails says so in one line; what was typed is still there. Labs have
// lines of their own: their controls, and whatever stands in [data-answer].
const line = Object.assign(document.createElement("p"), { id: "toast", hidden: true });
line.setAttribute("role", "status");
document.body.append(line);

const WORDS = {
  403: "That was refused: this page may have been open for too long. Reload it and try again.",
  404: "That is not there any more. Reload the page.",
  413: "That is too large to be taken.",
  429: "That was a lot in a short time. Wait a moment and try again.",
  503: "The site is busy or being restarted. Try again in half a minute.",
};

function form(event) {
  const asker = event.target.closest?.("form[hx-post]");
  return asker && asker.id !== "controls" && !asker.closest("[data-answer]") ? asker : null;
}

function say(text) {
  line.textContent = text;
  line.hidden = !text;
}

document.addEventListener("htmx:error", (event) => {
  if (form(event)) say("The site does not answer. What you typed is kept; try again in a few seconds.");
});

document.addEventListener("htmx:after:request", (event) => {
  if (!form(event)) return;
  const { status } = event.detail.ctx.response;
  say(status < 400 || status === 422 ? "" : WORDS[status] ?? "That did not work; the fault is ours. Reload the page and try again.");
});
