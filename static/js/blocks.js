// <block-editor>: a list of blocks, made from the schema of each kind. Add, remove, move by button
// or with Alt and an arrow key, set numbers. The value travels as JSON in the textarea it names.
class BlockEditor extends HTMLElement {
  connectedCallback() {
    this.carrier = document.getElementById(this.dataset.for);
    this.kinds = JSON.parse(this.dataset.schema);
    this.most = Number(this.dataset.most);
    this.list = make("ol", { className: "block-list" });
    this.said = make("p", { className: "hidden" });
    this.said.setAttribute("role", "status");
    this.add = make("select");
    this.add.setAttribute("aria-label", "Kind of block to add");
    this.add.append(...this.kinds.map((kind) => new Option(kind.label, kind.kind)));
    this.addButton = make("button", { type: "button", className: "quiet", textContent: "Add block" });
    this.addButton.addEventListener("click", () => this.append());
    const bar = make("div", { className: "editor-bar" });
    bar.append(this.add, this.addButton);
    this.help = make("p", { className: "help" });
    this.add.addEventListener("change", (event) => { event.stopPropagation(); this.tell(); });
    this.tell();
    const keys = make("p", { className: "help", textContent: "In a block, Alt with ↑ or ↓ moves it and Alt with Delete removes it." });
    this.replaceChildren(this.list, bar, this.help, keys, this.said);
    this.carrier.addEventListener("carrier-set", () => this.load());
    this.list.addEventListener("keydown", (event) => this.key(event));
    for (const kind of ["input", "change"]) this.list.addEventListener(kind, (event) => { event.stopPropagation(); if (event.type === "input") this.set(event.target); });
    this.load();
  }

  load() {
    try { this.blocks = JSON.parse(this.carrier.value); } catch { this.blocks = null; }
    if (!Array.isArray(this.blocks)) this.blocks = JSON.parse(this.carrier.dataset.default);
    this.draw();
  }

  kindOf(block) { return this.kinds.find(({ tag, kind }) => block[tag] === kind); }

  tell() { this.help.textContent = this.kinds.find(({ kind }) => kind === this.add.value).help; }

  draw() {
    this.list.replaceChildren(...this.blocks.map((block, at) => this.item(block, at)));
    this.addButton.disabled = this.blocks.length >= this.most;
  }

  item(block, at) {
    const kind = this.kindOf(block) ?? { label: "Unknown block", fields: [] };
    const item = make("li", { className: "block" });
    item.dataset.at = at;
    const head = make("div", { className: "block-head" });
    const name = `block ${at + 1}, ${kind.label}`;
    head.append(make("span", { className: "block-name", textContent: kind.label }),
      this.button("↑", `Move ${name}, up`, "up", at === 0), this.button("↓", `Move ${name}, down`, "down", at === this.blocks.length - 1),
      this.button("×", `Remove ${name}`, "remove", this.blocks.length === 1));
    const fields = make("div", { className: "block-fields" });
    fields.append(...kind.fields.map((field) => this.field(block, field, name)));
    item.append(head, fields);
    item.addEventListener("click", ({ target }) => { if (target.dataset.act) this.act(target.dataset.act, at); });
    return item;
  }

  button(text, label, act, disabled) {
    const button = make("button", { type: "button", className: "quiet", textContent: text, disabled });
    button.setAttribute("aria-label", label);
    button.dataset.act = act;
    return button;
  }

  field(block, field, name) {
    const value = block[field.name] ?? field.default;
    const options = field.options ? Object.entries(field.options) : (field.enum ?? []).map((option) => [option, option]);
    let input;
    if (options.length) {
      input = make("select");
      input.append(...options.map(([option, text]) => new Option(text, option)));
      input.value = value;
    } else if (field.type === "boolean") input = make("input", { type: "checkbox", checked: Boolean(value) });
    else input = make("input", { type: "number", min: field.minimum, max: field.maximum, step: field.step ?? (field.type === "integer" ? 1 : "any"), value });
    input.dataset.name = field.name;
    const title = field.title ?? field.name;
    input.setAttribute("aria-label", `${title} of ${name}${field.unit ? `, in ${field.unit}` : ""}`);
    const label = make("label");
    label.append(title, input);
    if (field.unit) label.append(field.unit);
    return label;
  }

  set(input) {
    const block = this.blocks[input.closest("li").dataset.at];
    const field = this.kindOf(block)?.fields.find(({ name }) => name === input.dataset.name);
    if (!field) return;
    const listed = field.enum?.find((option) => String(option) === input.value);
    block[field.name] = input.type === "checkbox" ? input.checked : listed ?? (input.type === "number" && input.value !== "" ? Number(input.value) : input.value);
    this.write();
  }

  append() {
    const kind = this.kinds.find(({ kind: name }) => name === this.add.value);
    const block = { [kind.tag]: kind.kind };
    for (const { name, default: value } of kind.fields) if (value !== undefined) block[name] = value;
    this.blocks.push(block);
    this.redraw(this.blocks.length - 1, "up", `${kind.label} added as block ${this.blocks.length}`);
  }

  act(act, at) {
    const { label } = this.kindOf(this.blocks[at]) ?? { label: "Block" };
    const to = { up: at - 1, down: at + 1 }[act];
    if (act === "remove") {
      if (this.blocks.length === 1) return;
      this.blocks.splice(at, 1);
      this.redraw(Math.min(at, this.blocks.length - 1), "remove", `${label} removed`);
    } else if (to >= 0 && to < this.blocks.length) {
      this.blocks.splice(to, 0, ...this.blocks.splice(at, 1));
      this.redraw(to, act, `${label} is now block ${to + 1}`);
    }
  }

  // The list is drawn anew; the focus stays with the block that was moved.
  redraw(at, act, says) {
    this.draw();
    const item = this.list.children[at];
    (item?.querySelector(`[data-act="${act}"]:enabled`) ?? item?.querySelector("button:enabled"))?.focus();
    this.said.textContent = says;
    this.write();
  }

  key(event) {
    const act = event.altKey && { ArrowUp: "up", ArrowDown: "down", Delete: "remove" }[event.key];
    if (!act) return;
    event.preventDefault();
    this.act(act, Number(event.target.closest("li").dataset.at));
  }

  write() {
    this.carrier.value = JSON.stringify(this.blocks);
    this.carrier.dispatchEvent(new CustomEvent("blocks-changed", { bubbles: true }));
  }
}

function make(name, properties = {}) { return Object.assign(document.createElement(name), properties); }

customElements.define("block-editor", BlockEditor);
