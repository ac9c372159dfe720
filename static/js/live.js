// form[data-live]: while a control moves, its newest state is computed and streamed back. The
// newest change wins, an older answer is never shown over a newer, and 600 ms after the last
// change it becomes a run with a permalink, whose settings a reload finds again.
const KEEP_AFTER = 600;
const MOST = 3;

class Live {
  constructor(form) {
    this.form = form;
    this.number = 0;
    this.shown = 0;
    this.flying = 0;
    this.stream = document.querySelector(form.dataset.stream);
    this.patience = Number(this.stream?.dataset.deadline ?? 40) * 1_000;
    this.link = form.dataset.runUrl && form.closest(".lab").querySelector(".permalink-place");
    for (const name of ["input", "change"]) form.addEventListener(name, () => this.changed());
    // Another request of the form, such as a picture's delete, may change what would be kept.
    form.addEventListener("htmx:before:request", () => clearTimeout(this.keep));
    this.stream?.addEventListener("htmx:sse:before:message", (event) => this.guard(event));
    if (!("idle" in form.dataset)) this.changed();
  }

  changed() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draft(); });
  }

  // Changes overlap on the way, so that a slow network does not slow the newest; the server drops
  // what comes too late by its number. Past MOST at once the newest waits for a free place. The first
  // goes alone, for it brings a guest's session; the stream, which needs one, opens after it.
  async draft(again = false) {
    const body = new URLSearchParams(new FormData(this.form));
    const text = body.toString();
    if (text === this.sent) return;
    if (this.flying >= (this.known ? MOST : 1)) { this.waiting = true; return; }
    this.sent = text;
    clearTimeout(this.keep);
    this.link?.classList.add("outdated");
    const number = this.number = Math.max(this.number + 1, Date.now());
    body.set("number", number);
    if (this.known) this.tell("promise", number);
    this.flying += 1;
    const response = await this.post(this.form.dataset.draftUrl, body);
    this.flying -= 1;
    this.known ||= response !== null;
    if (this.waiting) { this.waiting = false; this.changed(); }
    if (number !== this.number) return;
    if (response && !again && this.isBehind(response)) return this.draft(true);
    this.tell(response?.ok ? "promise" : "void", number);
    if (!response) return;
    await this.answer(response);
    if (response.ok && !response.redirected && this.form.dataset.runUrl) this.keep = setTimeout(() => this.run(text), KEEP_AFTER);
  }

  // To the stream (streams.js): an answer of this number is due, or none is.
  tell(what, number) { this.stream?.dispatchEvent(new CustomEvent(what, { detail: number })); }

  // Another page asked the same run, and this one's clock is behind its: go on above its number.
  isBehind(response) {
    const known = response.status === 208 ? Number(response.headers.get("Draft-Number")) : 0;
    if (known < this.number) return false;
    this.number = known;
    this.sent = "";
    return true;
  }

  async post(url, body, more = {}) {
    const token = this.form.elements.csrfmiddlewaretoken.value;
    const headers = { "X-CSRFToken": token, "HX-Request": "true", ...more };
    try {
      return await convolab.send(url, { method: "POST", body, headers, signal: AbortSignal.timeout(this.patience) });
    } catch {
      this.sent = "";
      this.say("The site does not answer. Your settings are kept; change one to try again.");
      return null;
    }
  }

  async answer(response) {
    if (response.status === 422) return this.wrong((await response.json()).errors);
    this.wrong({});
    if (response.redirected) return this.say("You are not signed in any more. Sign in on another tab, then change a control again.");
    if (response.ok) return this.say("");
    const told = response.headers.get("Content-Type")?.includes("json") ? (await response.json()).message : "";
    return this.say(told || (response.status === 503 ? "The site is busy. Change a control again in a few seconds." : "That could not be computed. Reload the page and try again."));
  }

  // What is shown now, as a run. A refusal is quiet here: the picture is there already.
  async run(text) {
    const response = await this.post(this.form.dataset.runUrl, new URLSearchParams(text), { "X-Live": "1" });
    if (!response?.ok || response.redirected || text !== this.sent) return;
    await htmx.swap({ text: await response.text(), sourceElement: this.link, target: this.link, swap: "innerHTML" });
    if (text !== this.sent) return;
    this.link.classList.remove("outdated");
    if (!("embedded" in this.form.dataset)) history.replaceState(history.state, "", response.headers.get("HX-Replace-Url"));
  }

  wrong(errors) {
    for (const line of this.form.querySelectorAll("[data-error-for]")) {
      const name = line.dataset.errorFor;
      line.textContent = errors[name] ?? "";
      line.hidden = !errors[name];
      const fields = this.form.querySelectorAll(`[name="${CSS.escape(name)}"]:not([type=hidden])`);
      for (const field of fields) errors[name] ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
    }
    const [name, sentence] = Object.entries(errors)[0] ?? [];
    if (!name) return;
    const placed = this.form.querySelector(`[data-error-for="${CSS.escape(name)}"]`);
    this.say(placed ? "One setting is out of its range: the panel shows the last that was not." : sentence);
  }

  // A change that could not be computed says so in the status line, until the next that can.
  problem(told) {
    const status = this.form.closest(".lab").querySelector(".status-place");
    if (!status || (!told && this.calm === undefined)) return;
    if (told) this.calm ??= status.innerHTML;
    else { status.innerHTML = this.calm; this.calm = undefined; }
  }

  say(text) {
    const line = document.querySelector(this.form.dataset.message);
    if (line && line.textContent !== text) line.textContent = text;
  }

  // Ids are <number>-<seq>. Several events of one number belong together, so equal is not older.
  guard(event) {
    const number = Number((event.detail.message.id || "").split("-")[0]);
    if (!number) return;
    if (number < this.shown) { event.preventDefault(); return; }
    this.shown = number;
    this.problem(/^<hx-partial hx-target="#(lab\d+_)?status"/.test(event.detail.message.data));
  }
}

function start(root) {
  for (const form of root.querySelectorAll("form[data-live]")) form.live ??= new Live(form);
}

document.addEventListener("htmx:after:process", ({ target }) => { if (target.querySelectorAll) start(target); });
start(document);
