// The page where a lecture is written. Saving does not leave it, so that a text that could not be
// saved (no connection, signed out, too large) is still in the editor, and the page says why.
const form = document.getElementById("desk-form");
const editor = form.querySelector("markdown-editor");
const source = form.elements.source;
const said = document.getElementById("desk-said");
const proof = document.getElementById("desk-proof");
const proofSaid = document.getElementById("desk-proof-said");

const SIGNED_OUT = "You are not signed in any more. Sign in on another tab, then press the button again: your text is still here.";
const TOO_LARGE = "Nothing was saved: the site cannot take so much text at once (1 MB is the most). Your text is still here; take a part of it out, then save again.";
const NOT_ALLOWED = "Nothing was saved: this account may not change lectures. Your text is still here; copy it before you leave.";
const SILENT = "Nothing was saved: the site does not answer. Your text is still here. Try again in a few seconds.";
const NO_PROOF = "The preview is older than the text: the site did not answer. It is made again as you write on.";

// The keyboard reaches the text without this; axe knows it only by the attribute.
customElements.whenDefined("markdown-editor").then(() => { editor.view.contentDOM.tabIndex = 0; });

// --- saving

let sent = "";
const isOurs = (event) => event.target === form;
const isProof = (event) => event.target === source;

document.addEventListener("htmx:before:request", (event) => {
  if (isOurs(event)) { sent = source.value; said.textContent = ""; }
  if (isProof(event)) proofSaid.textContent = "The preview is being made…";
});

// A page to sign in on comes as an answer like any other: it must not stand in the middle of this one.
document.addEventListener("htmx:before:response", (event) => {
  if (!event.detail.ctx.response.raw.redirected) return;
  event.preventDefault();
  proofSaid.textContent = "";
  said.textContent = SIGNED_OUT;
});

document.addEventListener("htmx:response:error", (event) => {
  const { status } = event.detail.ctx.response;
  if (isProof(event)) proofSaid.textContent = status === 400 || status === 413 ? TOO_LARGE : NO_PROOF;
  if (!isOurs(event) || status === 409 || status === 422) return;
  said.textContent = status === 403 ? NOT_ALLOWED : status === 400 || status === 413 ? TOO_LARGE : SILENT;
});

document.addEventListener("htmx:error", (event) => {
  if (isOurs(event)) said.textContent = SILENT;
  if (isProof(event)) proofSaid.textContent = NO_PROOF;
});

document.addEventListener("htmx:after:swap", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (sourceElement === source) proofSaid.textContent = "";
  if (sourceElement === form) answered(response.status === 200);
});

// The text as the site keeps it may differ from what was sent, by its line status: for one.
function answered(isSaved) {
  const kept = form.querySelector("[data-replaces]");
  if (isSaved) {
    source.defaultValue = sent;
    delete editor.dataset.unsaved;
  }
  if (kept && source.value === sent) {
    if (isSaved) source.defaultValue = kept.value;
    replace(kept.value);
  }
  kept?.remove();
  const panel = form.querySelector("section.desk-panel");
  panel?.scrollIntoView({ block: "nearest" });
  panel?.focus({ preventScroll: true });
}

// Only where the texts differ, so that the cursor stays.
function replace(text) {
  const old = source.value;
  if (!editor.view) { source.value = text; return; }
  let [from, end] = [0, 0];
  while (from < Math.min(old.length, text.length) && old[from] === text[from]) from += 1;
  while (end < Math.min(old.length, text.length) - from && old.at(-1 - end) === text.at(-1 - end)) end += 1;
  editor.view.dispatch({ changes: { from, to: old.length - end, insert: text.slice(from, text.length - end) } });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  document.getElementById("desk-save")?.click();
});

// --- the preview: what was unfolded stays so, and no link leads away from the text

let unfolded = new Set();
document.addEventListener("htmx:before:swap", (event) => {
  if (event.detail.ctx.sourceElement !== source) return;
  unfolded = new Set([...proof.querySelectorAll("details[open]")].map(({ dataset }) => dataset.keep));
});
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.sourceElement !== source) return;
  for (const part of proof.querySelectorAll("details")) if (unfolded.has(part.dataset.keep)) part.open = true;
});
proof.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (link && !link.getAttribute("href").startsWith("#")) link.target = "_blank";
});
