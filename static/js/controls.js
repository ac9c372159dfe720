// What all controls share: slider and number in step, Reset, and copying a link.

// A log slider moves in equal factors; the number beside it holds the value that is sent.
const STEPS = 200;

function position(range, value) {
  const [low, high] = [Math.log(range.dataset.low), Math.log(range.dataset.high)];
  return Math.round(((Math.log(value) - low) / (high - low)) * STEPS);
}

function valueAt(range) {
  if (!("log" in range.dataset)) return range.value;
  const [low, high] = [Number(range.dataset.low), Number(range.dataset.high)];
  const value = low * (high / low) ** (range.value / STEPS);
  return String(Math.min(high, Math.max(low, Number(value.toPrecision(2)))));
}

function show(range, value) {
  tell(range, value);
  if (!("log" in range.dataset)) range.value = value;
  else if (Number(value) > 0) range.value = position(range, Number(value));
}

// A log slider's own position is no number that means anything: it says the value, with its unit.
function tell(range, value) { range.setAttribute("aria-valuetext", `${value} ${range.dataset.unit}`.trim()); }

function prepare(root) {
  for (const range of root.querySelectorAll("input[data-twin]")) {
    if ("log" in range.dataset && !range.dataset.low) {
      Object.assign(range.dataset, { low: range.min, high: range.max });
      Object.assign(range, { min: 0, max: STEPS, step: 1 });
    }
    show(range, document.getElementById(range.dataset.twin).value);
  }
}

document.addEventListener("input", ({ target }) => {
  if (target.dataset?.twin) {
    const field = document.getElementById(target.dataset.twin);
    field.value = valueAt(target);
    tell(target, field.value);
  } else if (target.id) {
    const range = document.querySelector(`input[data-twin="${CSS.escape(target.id)}"]`);
    if (range) show(range, target.value);
  }
});

function reset(form) {
  for (const field of form.querySelectorAll("[data-default]")) {
    if (field.type === "radio") field.checked = true;
    else if (field.type === "checkbox") field.checked = field.dataset.default === "true";
    else field.value = field.dataset.default;
    field.dispatchEvent(new Event("carrier-set"));
  }
  for (const error of form.querySelectorAll("[data-error-for]")) error.hidden = true;
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  prepare(form);
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-reset], [data-copy]");
  if (!button) return;
  if ("reset" in button.dataset) { reset(button.form); return; }
  const { href } = new URL(button.dataset.copy, location.href);
  try {
    await navigator.clipboard.writeText(href);
    button.textContent = "Copied";
  } catch {
    offer(button, href);
  }
});

// Where the browser does not let a page copy (plain http), the address is there to be copied by hand.
function offer(button, href) {
  const there = button.parentElement.querySelector("input[readonly]");
  if (there) { there.select(); return; }
  const field = Object.assign(document.createElement("input"), { className: "address", readOnly: true, value: href });
  field.setAttribute("aria-label", "The address");
  button.replaceWith(field);
  field.select();
}

// A first Enter in a number field must not submit a half-typed form of a live lab.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-live]")) event.preventDefault();
}, true);

document.addEventListener("htmx:after:process", ({ target }) => { if (target.querySelectorAll) prepare(target); });

// The lab's address holds the settings of the run that has started, so that Back finds them again.
document.addEventListener("htmx:after:request", ({ detail }) => {
  const address = detail.ctx.response.headers.get("Lab-Address");
  if (address && new URL(address, location).pathname === location.pathname) history.replaceState(history.state, "", address);
});

// A run that starts is looked at: where its panel lies out of sight, below long controls.
document.addEventListener("htmx:after:settle", ({ target }) => {
  const slots = target.classList?.contains("panel") && document.querySelector(`#${CSS.escape(target.id)}[data-state=queued] .slots`);
  if (!slots) return;
  const { top } = slots.getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.7) slots.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
});
prepare(document);
