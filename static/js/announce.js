// One line for screen readers: what is new in words, of a live panel, of a drawing's reading and of
// a cell's answer, at most once a second. The pictures change more often than anybody can listen.
const EVERY = 1000;
const PLACES = [".lab-live .slots :is(.sentence, .note > p)", ".follow-up .slot:first-child .sentence", ".answer .sentence"];

const line = Object.assign(document.createElement("p"), { className: "hidden", id: "announced" });
line.setAttribute("role", "status");
document.body.append(line);

let known = new Set();
let waiting = 0;

function announce() {
  waiting = 0;
  const places = PLACES.map((place) => [...document.querySelectorAll(place)].map(({ textContent }) => textContent.trim()));
  const fresh = places.map((sentences) => sentences.find((sentence) => !known.has(sentence)));
  known = new Set(places.flat());
  if (fresh.some(Boolean)) line.textContent = fresh.filter(Boolean).join(" ");
}

document.addEventListener("htmx:after:swap", () => { waiting ||= setTimeout(announce, EVERY); });
