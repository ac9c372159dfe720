// What is wrong in the text, {line, message, hint}: at its line in the editor, and read from the list
// that the server renders beside it.
import { setDiagnostics } from "@codemirror/lint";

// The transaction that shows these problems and no others. A line that is gone is the last one.
export function marked(state, problems) {
  const found = problems.map(({ line: number, message, hint }) => {
    const line = lineOf(state.doc, number);
    const indent = /^\s*/.exec(line.text)[0].length;
    return { from: Math.min(line.from + indent, line.to), to: line.to, severity: "error", message: `${message} ${hint ?? ""}`.trim(), renderMessage: () => said(message, hint) };
  });
  return setDiagnostics(state, found);
}

export function lineOf(doc, number) { return doc.line(Math.min(Math.max(Math.round(number) || 1, 1), doc.lines)); }

function said(message, hint) {
  const text = document.createElement("span");
  text.append(message);
  if (hint) text.append(Object.assign(document.createElement("span"), { className: "hint", textContent: hint }));
  return text;
}

// An entry is an element with data-line; what to do stands in a [data-hint] within it.
export function listed(list) {
  return [...list.querySelectorAll("[data-line]")].map((entry) => {
    const copy = entry.cloneNode(true);
    const hint = copy.querySelector("[data-hint]");
    hint?.remove();
    return { line: Number(entry.dataset.line), message: words(copy), hint: words(hint) };
  });
}

function words(element) { return element?.textContent.trim().replace(/\s+/g, " ") ?? ""; }
