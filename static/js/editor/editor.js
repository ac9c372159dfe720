// <markdown-editor>: the textarea within it becomes an editor for lectures. The textarea keeps the
// text and goes with its form; without this script, authors write into it. tools/vendor.mjs bundles it.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { markdownKeymap } from "@codemirror/lang-markdown";
import { bracketMatching } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { dropCursor, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";

import { Pictures } from "./pictures.js";
import { lineOf, listed, marked } from "./problems.js";
import { lecture } from "./syntax.js";
import { theme } from "./theme.js";

// No key is bound to Tab: it leads out of the editor. Ctrl-[ and Ctrl-] move lines in and out.
const COMMON = [
  keymap.of([...markdownKeymap, ...searchKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap]),
  highlightSpecialChars(), history(), search({ top: true }), dropCursor(), bracketMatching(),
  highlightActiveLine(), highlightActiveLineGutter(), lintGutter(), lineNumbers(),
  EditorView.lineWrapping, lecture, theme,
];

class MarkdownEditor extends HTMLElement {
  #problems = [];

  connectedCallback() {
    this.textarea = this.querySelector("textarea");
    this.gone = new AbortController();
    const { signal } = this.gone;
    const template = this.querySelector("template[data-alt-dialog]");
    if (template && this.dataset.uploadUrl) this.pictures = new Pictures(this, template, signal);
    this.mount();
    this.listen(signal);
    for (const part of this.querySelectorAll("[data-scripted]")) part.hidden = false;
    this.problems = this.list ? listed(this.list) : this.#problems;
  }

  disconnectedCallback() {
    this.gone.abort();
    this.view.destroy();
  }

  // The shadow root takes CodeMirror's styles as sheets: our policy admits no style elements.
  mount() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const place = document.createElement("div");
    const above = Object.assign(document.createElement("slot"), { name: "above" });
    root.replaceChildren(above, place, document.createElement("slot"));
    this.textarea.slot = "instead"; // a slot that is not there: it is in the form, and not on the page
    const extensions = [
      COMMON,
      this.pictures?.listeners ?? [],
      EditorState.readOnly.of(this.textarea.readOnly),
      EditorView.updateListener.of(({ docChanged }) => { if (docChanged) this.write(); }),
    ];
    this.view = new EditorView({ root, parent: place, doc: this.textarea.value, extensions: [extensions, this.named()] });
  }

  named() {
    const label = this.textarea.labels[0]?.textContent ?? this.textarea.getAttribute("aria-label") ?? "Text";
    return EditorView.contentAttributes.of({ "aria-label": label.trim().replace(/:$/, ""), spellcheck: "true" });
  }

  listen(signal) {
    for (const label of this.textarea.labels) label.addEventListener("click", () => this.focus(), { signal });
    const input = this.querySelector("input[data-picture]");
    input?.addEventListener("change", (event) => {
      event.stopPropagation();
      this.pictures?.take([...input.files]);
      input.value = "";
    }, { signal });
    // A textarea that is not on the page cannot show what the browser asks for.
    this.textarea.addEventListener("invalid", (event) => {
      event.preventDefault();
      this.say(this.textarea.validationMessage);
      this.focus();
    }, { signal });
    this.textarea.form?.addEventListener("reset", () => setTimeout(() => this.replace(this.textarea.value)), { signal });
    window.addEventListener("submit", (event) => { this.leaving = event.target === this.textarea.form && !event.defaultPrevented; }, { signal });
    window.addEventListener("beforeunload", (event) => { if (this.unsaved) event.preventDefault(); }, { signal });
    document.addEventListener("htmx:after:swap", () => this.read(), { signal });
    document.addEventListener("click", (event) => this.pointed(event), { signal });
  }

  // data-unsaved: the server shows again a text that it has refused to save.
  get unsaved() {
    return !this.leaving && ("unsaved" in this.dataset || this.textarea.value !== this.textarea.defaultValue);
  }

  write() {
    this.leaving = false;
    this.say("");
    this.textarea.value = this.view.state.doc.toString();
    this.textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }

  replace(text) {
    const { doc } = this.view.state;
    if (text !== doc.toString()) this.view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
  }

  get problems() { return this.#problems; }

  set problems(found) {
    this.#problems = found;
    this.view?.dispatch(marked(this.view.state, found));
  }

  get list() { return this.dataset.problems ? document.querySelector(this.dataset.problems) : null; }

  // Another part of the page may have been swapped, and there may be no list.
  read() { if (this.list) this.problems = listed(this.list); }

  pointed(event) {
    const entry = event.target.closest?.("[data-line]");
    if (!entry || !this.list?.contains(entry)) return;
    event.preventDefault();
    this.goTo(Number(entry.dataset.line));
  }

  goTo(line) {
    const { from } = lineOf(this.view.state.doc, line);
    this.view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.focus();
  }

  // At the cursor, or over what is selected.
  insert(text) {
    this.view.dispatch(this.view.state.replaceSelection(text), { scrollIntoView: true });
    this.focus();
  }

  // As lines of its own above this line; without a text, an empty line to write on.
  insertAt(line, text = "") {
    const { from } = lineOf(this.view.state.doc, line);
    this.view.dispatch({ changes: { from, insert: `${text}\n` }, selection: { anchor: from + text.length }, scrollIntoView: true });
    this.focus();
  }

  focus() { this.view.focus(); }

  say(text) {
    const message = this.querySelector("[data-message]");
    if (message) message.textContent = text;
  }
}

customElements.define("markdown-editor", MarkdownEditor);
