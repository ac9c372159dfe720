// A request whose button stands in [data-answer]: that place says that it waits ([data-waiting]),
// or why nothing came. What did come is shown by htmx, or by the stream.
function place({ target }) {
  const asker = target.closest?.("[data-answer]");
  return asker && { asker, where: asker.dataset.answer, answer: document.querySelector(asker.dataset.answer) };
}

// To the stream of answers (streams.js): one of this number is due, or none is.
function tell(asker, what, number) {
  asker.closest(".lab")?.querySelector("[data-answers]")?.dispatchEvent(new CustomEvent(what, { detail: number }));
}

function say(answer, text, wrong) {
  const line = Object.assign(document.createElement("p"), { className: wrong ? "error" : "placeholder", textContent: text });
  line.setAttribute("role", wrong ? "alert" : "status");
  answer.replaceChildren(line);
}

// The site's own sentence, where there is one: errors of a limit and of the params come as JSON.
function told({ status, raw }, text) {
  try {
    const { message, errors } = JSON.parse(text);
    return message ?? Object.values(errors)[0];
  } catch {
    if (status === 503) return "The site is busy. Try again in a few seconds.";
    return raw.redirected ? "You are not signed in any more. Reload the page to sign in." : "That did not work. Reload the page and try again.";
  }
}

// A stream that opens brings earlier answers first. They must not stand for the one that is waited
// for: what comes before that one's number is known is held, and shown where it is new enough.
const asked = new Map();

document.addEventListener("htmx:sse:before:message", (event) => {
  const { id, data } = event.detail.message;
  for (const [where, wait] of asked) {
    if (!data.includes(`hx-target="${where}"`) || parseInt(id, 10) >= wait.number) continue;
    event.preventDefault();
    wait.held = { number: parseInt(id, 10), text: data, sourceElement: event.target, target: event.target, swap: "none" };
  }
});

document.addEventListener("htmx:before:request", (event) => {
  const found = place(event);
  if (!found?.asker.dataset.waiting) return;
  asked.set(found.where, { number: Infinity });
  tell(found.asker, "promise", Infinity);
  say(found.answer, found.asker.dataset.waiting, false);
});

document.addEventListener("htmx:after:request", (event) => {
  const { response, text } = event.detail.ctx;
  const found = place(event);
  if (!found) return;
  const wait = asked.get(found.where);
  if (response.status >= 400 || response.raw.redirected) {
    if (wait) tell(found.asker, "void");
    say(found.answer, told(response, text), true);
    return;
  }
  if (!wait) return;
  wait.number = Number(response.headers.get("Draft-Number"));
  tell(found.asker, "promise", wait.number);
  if (wait.held?.number >= wait.number) htmx.swap(wait.held);
});

document.addEventListener("htmx:error", (event) => {
  const found = place(event);
  if (found && asked.has(found.where)) tell(found.asker, "void");
  if (found) say(found.answer, "The site does not answer. Try again in a few seconds.", true);
});
