// <matrix-editor>: a grid of number fields, its side, and presets. The value travels as JSON in
// the textarea that it names; without this script that textarea is the control.
class MatrixEditor extends HTMLElement {
  connectedCallback() {
    this.carrier = document.getElementById(this.dataset.for);
    this.sizes = this.dataset.sizes.split(" ").map(Number);
    this.presets = JSON.parse(this.dataset.presets);
    this.carrier.addEventListener("carrier-set", () => this.fill(this.read()));
    this.redraw ??= () => this.shade();
    document.addEventListener("themechange", this.redraw);
    this.grid = document.createElement("div");
    this.replaceChildren(this.bar(), this.grid);
    this.grid.addEventListener("input", (event) => { event.stopPropagation(); this.write(); });
    this.grid.addEventListener("change", (event) => event.stopPropagation());
    this.grid.addEventListener("keydown", (event) => this.walk(event));
    this.fill(this.read());
  }

  disconnectedCallback() { document.removeEventListener("themechange", this.redraw); }

  read() {
    for (const text of [this.carrier.value, this.carrier.dataset.default]) {
      try {
        const rows = JSON.parse(text);
        if (Array.isArray(rows) && rows.every((row) => Array.isArray(row) && row.length === rows.length)) return rows;
      } catch { /* a broken value: the default is shown, and the error line says why */ }
    }
    return [[0]];
  }

  bar() {
    const bar = document.createElement("div");
    bar.className = "editor-bar";
    if (Object.keys(this.presets).length) {
      this.preset = this.select("Preset", [["", "Own numbers"], ...Object.keys(this.presets).map((name) => [name, name])]);
      this.preset.addEventListener("change", (event) => {
        event.stopPropagation();
        if (this.presets[this.preset.value]) { this.fill(this.presets[this.preset.value]); this.write(); }
      });
      bar.append(this.preset);
    }
    if (this.sizes.length > 1) {
      this.side = this.select("Size", this.sizes.map((n) => [n, `${n}×${n}`]));
      this.side.addEventListener("change", (event) => { event.stopPropagation(); this.resize(Number(this.side.value)); });
      bar.append(this.side);
    }
    return bar;
  }

  select(label, options) {
    const select = document.createElement("select");
    select.setAttribute("aria-label", `${this.dataset.label}: ${label.toLowerCase()}`);
    select.append(...options.map(([value, text]) => new Option(text, value)));
    return select;
  }

  // A larger grid keeps the numbers in its middle; a smaller one keeps the middle.
  resize(side) {
    const old = this.values();
    const shift = (side - old.length) / 2;
    this.fill(Array.from({ length: side }, (_, r) => Array.from({ length: side }, (_, c) => old[r - shift]?.[c - shift] ?? 0)));
    this.write();
  }

  fill(rows) {
    this.grid.className = `cells cells-${rows.length}`;
    this.grid.replaceChildren(...rows.flatMap((row, r) => row.map((value, c) => {
      const cell = document.createElement("input");
      Object.assign(cell, { type: "number", step: "any", min: this.dataset.low, max: this.dataset.high, value });
      cell.setAttribute("aria-label", `${this.dataset.label}, row ${r + 1}, column ${c + 1}`);
      return cell;
    })));
    if (this.side) this.side.value = rows.length;
    this.shade();
    this.name(rows);
  }

  values() {
    const cells = [...this.grid.children];
    const side = Math.round(Math.sqrt(cells.length));
    return Array.from({ length: side }, (_, r) => cells.slice(r * side, (r + 1) * side).map((cell) => Number(cell.value) || 0));
  }

  write() {
    this.carrier.value = JSON.stringify(this.values());
    this.shade();
    this.name(this.values());
    this.carrier.dispatchEvent(new Event("change", { bubbles: true }));
  }

  name(rows) {
    if (!this.preset) return;
    const same = JSON.stringify(rows);
    this.preset.value = Object.keys(this.presets).find((name) => JSON.stringify(this.presets[name]) === same) ?? "";
  }

  // Blue – paper – orange about zero, as everywhere.
  shade() {
    const cells = [...this.grid.children];
    const largest = Math.max(1e-9, ...cells.map((cell) => Math.abs(Number(cell.value))));
    for (const cell of cells) {
      const value = Number(cell.value);
      const share = Math.round((Math.abs(value) / largest) * 100);
      cell.style.background = `color-mix(in srgb, var(--cell-${value < 0 ? "minus" : "plus"}) ${share}%, var(--paper))`;
    }
  }

  // Ctrl and an arrow key go to the next cell; the plain arrows change the number.
  walk(event) {
    const side = Math.round(Math.sqrt(this.grid.children.length));
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side, ArrowDown: side }[event.key];
    if (!step || !event.ctrlKey) return;
    event.preventDefault();
    this.grid.children[[...this.grid.children].indexOf(event.target) + step]?.focus();
  }
}

customElements.define("matrix-editor", MatrixEditor);
