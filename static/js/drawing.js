// <drawing-pad>: a square to draw on, by pointer or by keys. What is drawn is averaged to side×side
// grey values, 0 (paper) to 255 (ink), in the textarea that the pad names.
const SIZE = 280;

class DrawingPad extends HTMLElement {
  connectedCallback() {
    this.carrier = document.getElementById(this.dataset.for);
    this.side = Number(this.dataset.side);
    this.erasing = false;
    this.pen = { x: SIZE / 2, y: SIZE / 2 };
    this.build();
    this.clear(false);
    this.carrier.addEventListener("carrier-set", () => this.clear(false));
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => { this.last = null; });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("keyup", ({ key }) => { if (key === " ") this.last = null; });
  }

  build() {
    this.canvas = Object.assign(document.createElement("canvas"), { className: "pad", width: SIZE, height: SIZE, tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", `${this.dataset.label}: draw with the pointer, or move the pen with the arrow keys and hold the space bar to draw. E changes between pen and eraser.`);
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.mark = Object.assign(document.createElement("span"), { className: "pen", hidden: true });
    const holder = Object.assign(document.createElement("div"), { className: "pad-holder" });
    holder.append(this.canvas, this.mark);
    this.tool = this.button("Eraser", () => this.swap());
    this.tool.setAttribute("aria-pressed", "false");
    const bar = Object.assign(document.createElement("div"), { className: "editor-bar" });
    bar.append(this.tool, this.button("Clear", () => this.clear(true)));
    this.replaceChildren(holder, bar);
  }

  button(text, act) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: text });
    button.addEventListener("click", act);
    return button;
  }

  swap() {
    this.erasing = !this.erasing;
    this.tool.setAttribute("aria-pressed", String(this.erasing));
    this.tool.textContent = this.erasing ? "Eraser is on" : "Eraser";
  }

  clear(tell) {
    this.context.fillStyle = "#ffffff";
    this.context.fillRect(0, 0, SIZE, SIZE);
    this.last = null;
    if (tell) this.changed();
  }

  start(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.mark.hidden = true;
    this.last = null;
    this.stroke(this.place(event));
  }

  move(event) {
    if (!this.last || !this.canvas.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const point of between.length ? between : [event]) this.stroke(this.place(point));
  }

  place({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((clientX - box.left) / box.width) * SIZE, y: ((clientY - box.top) / box.height) * SIZE };
  }

  stroke(to) {
    const from = this.last ?? to;
    const { context } = this;
    context.strokeStyle = this.erasing ? "#ffffff" : "#000000";
    Object.assign(context, { lineWidth: SIZE / 13, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x + 0.01, to.y);
    context.stroke();
    this.last = this.pen = to;
    this.changed();
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "e") this.swap();
    if (!step && event.key !== " ") return;
    event.preventDefault();
    const drawing = event.key === " " || Boolean(this.last);
    if (step) {
      const far = SIZE / this.side;
      const bound = (value) => Math.min(SIZE - 1, Math.max(1, value));
      this.pen = { x: bound(this.pen.x + step[0] * far), y: bound(this.pen.y + step[1] * far) };
    }
    if (drawing) this.stroke(this.pen);
    this.mark.hidden = false;
    this.mark.style.left = `${(this.pen.x / SIZE) * 100}%`;
    this.mark.style.top = `${(this.pen.y / SIZE) * 100}%`;
  }

  // At most once a frame, however many points a stroke has.
  changed() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.carrier.value = JSON.stringify(this.cells());
      this.carrier.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  cells() {
    const { data } = this.context.getImageData(0, 0, SIZE, SIZE);
    const sums = new Float64Array(this.side * this.side);
    const counts = new Float64Array(this.side * this.side);
    for (let y = 0; y < SIZE; y += 1) {
      for (let x = 0; x < SIZE; x += 1) {
        const at = Math.floor((y * this.side) / SIZE) * this.side + Math.floor((x * this.side) / SIZE);
        sums[at] += 255 - data[(y * SIZE + x) * 4];
        counts[at] += 1;
      }
    }
    const cells = Array.from(sums, (sum, n) => Math.round(sum / counts[n]));
    return cells.some(Boolean) ? cells : [];
  }
}

customElements.define("drawing-pad", DrawingPad);
