// A request whose button stands in [data-answer]: that place says that it waits ([data-waiting]),
// or why nothing came. What did come is shown by htmx, or by the stream.
function place({ target }) {
  const asker = target.closest?.("[data-answer]");
  return asker && { asker, answer: document.querySelector(asker.dataset.answer) };
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

document.addEventListener("htmx:before:request", (event) => {
  const asked = place(event);
  if (asked?.asker.dataset.waiting) say(asked.answer, asked.asker.dataset.waiting, false);
});

document.addEventListener("htmx:after:request", (event) => {
  const { response, text } = event.detail.ctx;
  const asked = (response.status >= 400 || response.raw.redirected) && place(event);
  if (asked) say(asked.answer, told(response, text), true);
});

document.addEventListener("htmx:error", (event) => {
  const asked = place(event);
  if (asked) say(asked.answer, "The site does not answer. Try again in a few seconds.", true);
});
