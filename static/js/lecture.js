// A lecture's page: a copy button on each piece of code, the lab's scripts when its lab comes, the
// contents that follow the reader.
for (const block of document.querySelectorAll(".lecture-text .code")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet copy", textContent: "Copy" });
  button.setAttribute("aria-label", "Copy this code");
  button.addEventListener("click", () => copy(block, button));
  block.append(button);
}

async function copy(block, button) {
  const code = block.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch { // plain http: what is selected can be copied by hand
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

// What a lab needs comes when the lab does, not with the page.
document.addEventListener("htmx:before:request", ({ target }) => {
  const needed = target.matches?.(".lab-place") && document.getElementById("lab-scripts");
  if (!needed) return;
  for (const { localName, attributes } of needed.content.querySelectorAll("link, script")) {
    const element = document.createElement(localName);
    for (const { name, value } of attributes) element.setAttribute(name, value);
    element.async = false; // in their order
    const known = document.querySelector(`head [src="${element.getAttribute("src")}"]`);
    if (!known) document.head.append(element);
  }
  needed.remove();
});

const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) mark(links.get(target.id));
}, { rootMargin: "-10% 0px -70% 0px" });

function mark(link) {
  for (const other of links.values()) other.removeAttribute("aria-current");
  link?.setAttribute("aria-current", "true");
}

for (const id of links.keys()) {
  const heading = document.getElementById(id);
  if (heading) watcher.observe(heading);
}
const narrow = matchMedia("(max-width: 1099px)");
const contents = document.querySelector(".contents details");
if (narrow.matches) contents.open = false;
