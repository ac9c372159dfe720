// Every stream of a page is opened here, and nowhere else: [hx-sse\:connect]. A page holds one at most,
// the one last asked for, and none while it is hidden: messages are snapshots, and the id of the last
// says from where the next goes on. One that says nothing for [data-deadline] seconds is given up (the
// site says "ping" in between): a proxy, or a laptop that slept, may have swallowed it without a word.
// A run is followed to its end. For answers ([data-answers]) a stream is open while one is due: who asked
// says so by "promise", with the change's number (Infinity until it is known), or by "void": none comes.
const LINGER = 5_000;
const AGAIN = [500, 1_000, 2_000, 4_000];
const LOST = "The connection was lost. Reconnecting …";
const LATE = "The answer has not come. Asking for it again …";
const NONE = "No answer came. Change something to ask once more.";
const ASIDE = "Another run on this page is being followed. Click here to follow this one.";

htmx.config.sse = { reconnect: false, pauseOnBackground: false };

const streams = new Map();
let uses = 0;

class Stream {
  lastId = ""; newest = 0; told = ""; over = false;
  due = null; dueSince = 0; late = false; lingers = 0;
  connection = null; asking = 0; heardAt = 0; failures = 0; notBefore = 0; refused = "";

  constructor(element) {
    this.element = element;
    this.deadline = Number(element.dataset.deadline) * 1_000;
    this.answers = "answers" in element.dataset;
    this.used = ++uses;
    const on = (name, act) => element.addEventListener(name, (event) => { if (event.target === element) act(event); });
    on("htmx:sse:before:connection", (event) => { if (this !== holder()) event.preventDefault(); });
    on("htmx:sse:after:connection", ({ detail }) => { this.connection = detail.connection; this.heardAt = performance.now(); });
    on("htmx:sse:before:message", ({ detail }) => this.hear(detail.message.id));
    on("htmx:sse:close", ({ detail }) => this.closed(detail.reason));
    on("htmx:after:request", ({ detail }) => { if (detail.ctx.response.status === 429) this.refused = detail.ctx.text.trim(); });
    on("promise", ({ detail }) => this.promise(detail));
    on("void", () => this.settle());
  }

  get wants() { return !this.over && (!this.answers || this.due !== null || performance.now() < this.lingers); }

  async open() {
    Object.assign(this, { asking: performance.now(), refused: "" });
    const headers = this.lastId ? { "Last-Event-ID": this.lastId } : {};
    await htmx.ajax("GET", this.element.getAttribute("hx-sse:connect"), { source: this.element, headers, timeout: 0 });
    this.asking = 0;
    if (!this.connection) this.failed();
    look();
  }

  close() {
    if (this.connection) this.connection.abortController.abort();
    else if (this.asking) htmx.trigger(this.element, "htmx:abort");
  }

  closed(reason) {
    this.connection = null;
    if (reason === "message" && !this.answers) this.over = true;
    else if (!this.asking) this.failed();
    look();
  }

  // Not where it was closed from here: because it is another's turn, or because it was silent.
  failed() {
    if (!this.wants || this !== holder() || this.givenUp) { this.givenUp = false; return; }
    this.failures += 1;
    const pause = AGAIN[Math.min(this.failures, AGAIN.length) - 1] * (0.7 + 0.6 * Math.random());
    this.notBefore = Math.max(this.notBefore, performance.now() + pause);
    if (this.refused || this.failures > 1) this.say(this.refused || LOST);
  }

  hear(id) {
    Object.assign(this, { heardAt: performance.now(), failures: 0, lastId: id || this.lastId });
    if (this.told !== LATE) this.say("");
    this.newest = Math.max(this.newest, parseInt(id, 10) || 0);
    if (this.due !== null && this.newest >= this.due) this.settle();
  }

  promise(number) {
    Object.assign(this, { used: ++uses, due: number, dueSince: performance.now(), late: false, notBefore: 0 });
    if (this.newest >= number) this.settle();
    look();
  }

  settle(words = "") {
    this.due = null;
    this.lingers = performance.now() + LINGER;
    if (this.told !== LOST) this.say(words);
  }

  // What was promised has a deadline: a sign of life, a connection, an answer (asked for once more).
  watch() {
    const now = performance.now();
    const isLate = this.due !== null && now - this.dueSince > this.deadline;
    if (this.connection ? now - this.heardAt > this.deadline : this.asking && now - this.asking > this.deadline / 2) this.giveUp(LOST);
    else if (isLate && this.late) this.settle(NONE);
    else if (isLate) { Object.assign(this, { late: true, dueSince: now }); this.giveUp(LATE); }
  }

  giveUp(why) {
    this.say(why);
    Object.assign(this, { givenUp: Boolean(this.connection || this.asking), notBefore: 0 });
    this.close();
  }

  say(text) {
    if (text === this.told) return;
    this.told = text;
    const line = this.element.closest(".lab")?.querySelector("[data-connection]");
    if (line) line.textContent = text;
  }
}

// Of those that want to be open, the one last used; none where nobody looks.
function holder() {
  return document.hidden ? undefined : [...streams.values()].filter(({ wants }) => wants).sort((a, b) => b.used - a.used)[0];
}

function look() {
  for (const [element, stream] of streams) if (!element.isConnected) { stream.close(); streams.delete(element); }
  const chosen = holder();
  for (const stream of streams.values()) {
    if (stream === chosen) continue;
    stream.close();
    if (chosen && !chosen.answers && !stream.answers && stream.wants) stream.say(ASIDE);
  }
  chosen?.watch();
  const isBusy = [...streams.values()].some(({ asking, connection }) => asking || connection);
  if (!isBusy && chosen?.wants && performance.now() >= chosen.notBefore) chosen.open();
}

function find({ target: { parentElement: root } }) {
  for (const element of root?.querySelectorAll("[hx-sse\\:connect]") ?? []) if (!streams.has(element)) streams.set(element, new Stream(element));
  look();
}

function atOnce() { for (const stream of streams.values()) stream.notBefore = 0; look(); }

// The lab that is used is the one that is followed.
function use({ target }) {
  for (const [element, stream] of streams) if (element.closest(".lab")?.contains(target)) stream.used = ++uses;
  look();
}

document.addEventListener("htmx:after:process", find);
document.addEventListener("visibilitychange", atOnce);
window.addEventListener("online", atOnce);
for (const name of ["pointerdown", "focusin"]) document.addEventListener(name, use);
setInterval(look, 500);
find({ target: document.body });
