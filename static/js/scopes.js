// Several labs on one page. What the site sends of a lab has the same ids for every lab and reader, and
// is rendered once for all. What comes into a place with [data-scope] (the second lab of a lecture, and
// the next) gets that before its ids and before all that refers to them, and goes to its own places.
const IDS = ["id", "for", "form", "aria-labelledby", "aria-describedby", "aria-controls", "data-for", "data-twin", "data-target"];
const SELECTORS = ["href", "hx-target", "hx-include", "hx-trigger", "data-answer", "data-message", "data-stream"];

function placeOf(element) { return element?.closest?.("[data-scope]"); }

function rename(fragment, scope) {
  for (const element of fragment.querySelectorAll("*")) {
    for (const name of IDS) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.split(" ").map((id) => scope + id).join(" "));
    }
    for (const name of SELECTORS) {
      const value = element.getAttribute(name);
      if (value && (name !== "href" || value.startsWith("#"))) element.setAttribute(name, value.replaceAll("#", `#${scope}`));
    }
    if (element.localName === "template") rename(element.content, scope);
  }
}

document.addEventListener("htmx:before:swap", ({ target, detail: { ctx, tasks } }) => {
  const place = placeOf(ctx.sourceElement ?? target);
  if (!place) return;
  const { scope } = place.dataset;
  for (const task of tasks) {
    rename(task.fragment, scope);
    const id = task.target?.id ?? String(ctx.hx?.retarget ?? "").slice(1);
    if (id && !place.contains(task.target)) task.target = document.getElementById(scope + id);
  }
});

document.addEventListener("htmx:sse:before:message", ({ target, detail: { message } }) => {
  const place = placeOf(target);
  if (place) message.data = message.data.replace('hx-target="#', `hx-target="#${place.dataset.scope}`);
}, true);
