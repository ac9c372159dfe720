// Pictures for the text: pasted, dropped or chosen, each with its text alternative, sent to the site,
// which answers with the Markdown to insert.
import { EditorView } from "@codemirror/view";

import { smaller } from "../smaller.js";

const EMPTY = "Say in a sentence what the picture shows: readers who cannot see it read this.";
const LOST = "The picture did not reach the site. Check your connection and try again.";
const REFUSED = "The picture was not taken in. Save your text, reload the page and try again.";
const TOO_LARGE = "The picture is larger than the site takes. Make it smaller, then try again.";

// The form is cloned from a template to the end of the page: HTML has no form within a form.
export class Pictures {
  constructor(editor, template, signal) {
    this.editor = editor;
    this.dialog = document.importNode(template.content, true).querySelector("dialog");
    this.form = this.dialog.querySelector("form");
    this.form.noValidate = true;
    this.alt = this.form.elements.alt;
    this.preview = this.dialog.querySelector("img");
    this.message = this.dialog.querySelector("[data-message]");
    document.body.append(this.dialog);
    this.form.addEventListener("submit", (event) => this.answered(event));
    this.alt.addEventListener("input", () => this.say(""));
    signal.addEventListener("abort", () => { this.dialog.close(); this.dialog.remove(); });
    this.listeners = EditorView.domEventHandlers({
      paste: (event) => this.offered(event, event.clipboardData),
      drop: (event, view) => {
        const place = view.posAtCoords({ x: event.clientX, y: event.clientY });
        return this.offered(event, event.dataTransfer, place);
      },
    });
  }

  // What a spreadsheet or a word processor puts on the clipboard is text, and a picture of it too.
  offered(event, data, place) {
    const files = [...(data?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
    if (!files.length || data.types.includes("text/plain")) return false;
    event.preventDefault();
    if (place != null) this.editor.view.dispatch({ selection: { anchor: place } });
    this.take(files);
    return true;
  }

  async take(files) {
    if (this.dialog.open) return;
    for (const file of files) await this.ask(file);
  }

  // Settled when the dialog is closed, by Insert after the site has the picture, or by Cancel.
  ask(file) {
    this.file = file;
    this.closed = new AbortController();
    this.alt.value = "";
    this.say("");
    this.preview.src = URL.createObjectURL(file);
    this.dialog.showModal();
    this.alt.focus();
    return new Promise((done) => {
      this.dialog.addEventListener("close", () => {
        this.closed.abort();
        URL.revokeObjectURL(this.preview.src);
        this.preview.removeAttribute("src");
        done();
      }, { once: true });
    });
  }

  answered(event) {
    if (event.submitter?.value === "cancel") return;
    event.preventDefault();
    if (this.form.ariaBusy === "true") return;
    if (this.alt.value.trim()) this.send(this.alt.value.trim());
    else {
      this.say(EMPTY);
      this.alt.ariaInvalid = "true";
      this.alt.focus();
    }
  }

  say(text) {
    this.message.textContent = text;
    this.alt.ariaInvalid = null;
  }

  async send(alt) {
    const token = this.editor.textarea.form.elements.csrfmiddlewaretoken.value;
    const { signal } = this.closed;
    this.say("The picture is being sent.");
    this.form.ariaBusy = "true";
    try {
      const picture = await smaller(this.file, () => this.say("The picture is being made smaller and sent."));
      if (signal.aborted) return;
      const body = new FormData();
      body.append("picture", picture, picture.name || "picture.png");
      body.append("alt", alt);
      body.append("csrfmiddlewaretoken", token);
      const response = await convolab.send(this.editor.dataset.uploadUrl, { method: "POST", body, signal, headers: { "X-CSRFToken": token, Accept: "application/json" } });
      const { markdown, error } = await response.json().catch(() => ({}));
      if (signal.aborted) return;
      if (response.status === 201 && markdown) this.insert(markdown);
      else this.say(error || (response.status === 413 ? TOO_LARGE : REFUSED));
    } catch {
      if (!signal.aborted) this.say(LOST);
    } finally {
      this.form.ariaBusy = null;
    }
  }

  insert(markdown) {
    this.dialog.close();
    this.editor.insert(markdown);
    this.editor.say("The picture is inserted.");
  }
}
