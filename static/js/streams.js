// Every stream of a page is opened here, and nowhere else: [hx-sse\:connect].
//
// A page holds one at most, the one that was last asked for, and none while it is hidden. What it
// missed meanwhile comes with the next: messages are snapshots, and the last one's id says from where.
// A stream that says nothing for [data-deadline] seconds is given up (the site says "ping" in
// between): a proxy, or a laptop that slept, may have swallowed it without a word.
//
// A run is followed to its end. Where answers come ([data-answers]) a stream is open only while one
// is due: who asked says so by the event "promise", with the change's number, or Infinity until it is
// known; and by "void" where nothing will come.
const LOOK_EVERY = 500;
const LINGER = 5_000;
const AGAIN = [500, 1_000, 2_000, 4_000];
const FULL = 5_000;
const LOST = "The connection was lost. Reconnecting …";
const LATE = "The answer has not come. Asking for it again …";
const NONE = "No answer came. Change something to ask once more.";
const ASIDE = "Another run on this page is being followed. Click here to follow this one.";

htmx.config.sse = { reconnect: false, pauseOnBackground: false };

const streams = new Map();
let uses = 0;

class Stream {
  constructor(element) {
    this.element = element;
    this.deadline = Number(element.dataset.deadline) * 1_000;
    this.answers = "answers" in element.dataset;
    this.used = ++uses;
    Object.assign(this, { lastId: "", newest: 0, due: null, dueSince: 0, late: 0, lingers: 0, over: false });
    Object.assign(this, { asking: 0, connection: null, heardAt: 0, failures: 0, notBefore: 0, told: "" });
    const on = (name, act) => element.addEventListener(name, (event) => { if (event.target === element) act.call(this, event); });
    on("htmx:sse:before:connection", this.mayOpen);
    on("htmx:sse:after:connection", ({ detail }) => { this.connection = detail.connection; this.heardAt = performance.now(); });
    on("htmx:sse:before:message", this.hear);
    on("htmx:sse:close", this.closed);
    on("htmx:after:request", this.refused);
    on("promise", ({ detail }) => this.promise(detail));
    on("void", () => this.settle());
  }

  get wants() {
    return !this.over && (!this.answers || this.due !== null || performance.now() < this.lingers);
  }

  get isBusy() { return Boolean(this.asking || this.connection); }

  async open() {
    this.asking = performance.now();
    const headers = this.lastId ? { "Last-Event-ID": this.lastId } : {};
    await htmx.ajax("GET", this.element.getAttribute("hx-sse:connect"), { source: this.element, headers, timeout: 0 });
    this.asking = 0;
    if (!this.connection && this.wants && this === holder()) this.failed();
    look();
  }

  mayOpen(event) { if (this !== holder()) event.preventDefault(); }

  close() {
    if (this.connection) this.connection.abortController.abort();
    else if (this.asking) htmx.trigger(this.element, "htmx:abort");
  }

  closed({ detail }) {
    this.connection = null;
    if (detail.reason === "message" && !this.answers) this.over = true;
    else if (!this.asking && !this.givenUp && this.wants && this === holder()) this.failed();
    this.givenUp = false;
    look();
  }

  failed() {
    this.failures += 1;
    this.notBefore = Math.max(this.notBefore, performance.now() + AGAIN[Math.min(this.failures, AGAIN.length) - 1] * (0.7 + 0.6 * Math.random()));
    if (this.failures > 1 && this.told !== this.full) this.say(LOST);
  }

  // The site holds no more streams for this browser, and says why.
  refused({ detail: { ctx } }) {
    if (ctx.response.status !== 429) return;
    this.notBefore = performance.now() + FULL;
    this.say(this.full = ctx.text.trim());
  }

  hear({ detail: { message } }) {
    this.heardAt = performance.now();
    this.failures = 0;
    if (this.told !== LATE) this.say("");
    if (message.id) this.lastId = message.id;
    this.newest = Math.max(this.newest, parseInt(message.id, 10) || 0);
    if (this.due !== null && this.newest >= this.due) this.settle();
  }

  promise(number) {
    this.used = ++uses;
    Object.assign(this, { due: number, dueSince: performance.now(), late: 0, notBefore: 0 });
    if (this.newest >= number) this.settle();
    look();
  }

  settle() {
    if (this.told === LATE || this.told === NONE) this.say("");
    this.due = null;
    this.lingers = performance.now() + LINGER;
  }

  // What was promised has a deadline: for a sign of life, for a connection, for an answer.
  watch() {
    const now = performance.now();
    const isLate = this.due !== null && now - this.dueSince > this.deadline;
    if (this.connection && now - this.heardAt > this.deadline) this.giveUp(LOST);
    else if (this.asking && now - this.asking > this.deadline / 2) this.giveUp(LOST);
    else if (isLate && this.late) { this.settle(); this.say(NONE); }
    else if (isLate) { Object.assign(this, { late: 1, dueSince: now }); this.giveUp(LATE); }
  }

  giveUp(why) {
    this.say(why);
    this.givenUp = Boolean(this.connection);
    this.notBefore = 0;
    this.close();
  }

  say(text) {
    if (text === this.told) return;
    this.told = text;
    const line = this.element.closest(".lab")?.querySelector("[data-connection]");
    if (line) line.textContent = text;
  }
}

// The one that may be open: of those that want to be, the one last used; none where nobody looks.
function holder() {
  if (document.hidden) return undefined;
  return [...streams.values()].filter((stream) => stream.wants).sort((a, b) => b.used - a.used)[0];
}

function look() {
  for (const [element, stream] of streams) {
    if (element.isConnected) continue;
    stream.close();
    streams.delete(element);
  }
  const chosen = holder();
  for (const stream of streams.values()) {
    if (stream === chosen) continue;
    stream.close();
    if (chosen && !chosen.answers && !stream.answers && stream.wants) stream.say(ASIDE);
  }
  if (!chosen) return;
  chosen.watch();
  const busy = [...streams.values()].some((stream) => stream.isBusy);
  if (!busy && chosen.wants && performance.now() >= chosen.notBefore) chosen.open();
}

function find(root) {
  for (const element of root.querySelectorAll("[hx-sse\\:connect]")) {
    if (!streams.has(element)) streams.set(element, new Stream(element));
  }
  look();
}

function atOnce() {
  for (const stream of streams.values()) stream.notBefore = 0;
  look();
}

// The lab that is used is the one that is followed.
function use({ target }) {
  const lab = target.closest?.(".lab");
  for (const [element, stream] of lab ? streams : []) if (lab.contains(element)) stream.used = ++uses;
  if (lab) look();
}

document.addEventListener("htmx:after:process", ({ target }) => { if (target.parentElement) find(target.parentElement); });
document.addEventListener("visibilitychange", atOnce);
window.addEventListener("online", atOnce);
for (const name of ["pointerdown", "focusin"]) document.addEventListener(name, use);
setInterval(look, LOOK_EVERY);
find(document);
