// <live-curves data-points="…">: draws its points with uPlot over the server's SVG, and again
// whenever a snapshot changes them. Solid and dashed by role; each line is named at its end.
const GAP = null;

class LiveCurves extends HTMLElement {
  static observedAttributes = ["data-points"];

  connectedCallback() {
    this.redraw ??= () => { this.shape = ""; this.schedule(); };
    document.addEventListener("themechange", this.redraw);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this);
    this.draw();
  }

  disconnectedCallback() {
    document.removeEventListener("themechange", this.redraw);
    this.observer?.disconnect();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.schedule();
  }

  schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    if (typeof uPlot === "undefined" || !this.dataset.points) return;
    this.event = JSON.parse(this.dataset.points);
    const { series } = this.event;
    if (!series.some(({ points }) => points.length > 1)) return;
    const shape = JSON.stringify([series.map((s) => [s.label, s.role]), this.event.y_range, this.event.log_y]);
    if (shape !== this.shape || !this.plot) this.build(shape);
    else this.plot.setData(columns(this.event));
  }

  build(shape) {
    this.shape = shape;
    this.plot?.destroy();
    const holder = document.createElement("div");
    holder.className = "curve-holder";
    holder.setAttribute("aria-hidden", "true");
    this.replaceChildren(...[...this.querySelectorAll(":scope > svg")], holder);
    for (const svg of this.querySelectorAll(":scope > svg")) svg.setAttribute("hidden", "");
    this.labels = document.createElement("div");
    this.labels.className = "curve-labels";
    // Names are placed once uPlot has drawn: only then are its scales those of the new points.
    const hooks = { draw: [(plot) => this.label(plot)] };
    this.plot = new uPlot({ ...options(this.event, this.width()), hooks }, columns(this.event), holder);
    holder.append(this.labels);
  }

  width() { return Math.max(240, Math.min(this.clientWidth || 480, 760)); }

  resize() {
    if (!this.plot || this.plot.width === this.width()) return;
    this.plot.setSize(size(this.width()));
  }

  // Where each line ends, its name; names that would touch are moved apart.
  label(plot) {
    const left = plot.bbox.left / devicePixelRatio;
    const top = plot.bbox.top / devicePixelRatio;
    const ends = this.event.series.map((s, n) => {
      const [x, y] = s.points.findLast(([, v]) => v !== null && (!this.event.log_y || v > 0)) ?? [];
      return x === undefined ? null : { text: s.label, colour: colour(s.role), n, x: left + plot.valToPos(x, "x"), y: top + plot.valToPos(y, "y") };
    }).filter(Boolean).sort((a, b) => a.y - b.y);
    let last = -100;
    this.labels.replaceChildren(...ends.map((end) => {
      last = Math.max(end.y, last + 15);
      const span = document.createElement("span");
      span.textContent = end.text;
      span.style.left = `${Math.min(end.x + 6, plot.width - 84)}px`;
      span.style.top = `${last - 6}px`;
      span.style.color = end.colour;
      return span;
    }));
  }
}

function token(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
function colour(role) { return token(role === "validation" ? "--validation" : role === "train" ? "--train" : "--other"); }
function size(width) { return { width, height: Math.round(Math.max(200, Math.min(300, width * 0.5))) }; }

// uPlot wants one x for all: the union, with gaps where a series has no point.
function columns({ series, log_y }) {
  const xs = [...new Set(series.flatMap((s) => s.points.map(([x]) => x)))].sort((a, b) => a - b);
  const ys = series.map((s) => {
    const at = new Map(s.points);
    return xs.map((x) => { const y = at.get(x); return y === undefined ? undefined : y === null || (log_y && y <= 0) ? GAP : y; });
  });
  return [xs, ...ys];
}

// On a log axis only powers of ten, about five of them; a line for each digit would be a grey wall.
function decades(plot, axis, low, high) {
  const [from, to] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const step = Math.max(1, Math.ceil((to - from) / 5));
  const found = [];
  for (let k = from; k <= to; k += step) found.push(10 ** k);
  return found;
}

// uPlot hands over null for a tick that it leaves without a label.
function written(value) {
  if (value === null) return "";
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(0).replace("-", "\u2212");
  return String(Number(value.toPrecision(4))).replace("-", "\u2212");
}

function options(event, width) {
  const [ink, line] = [token("--soft"), token("--line")];
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: ink, font, labelFont: font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 } };
  const y = { distr: event.log_y ? 3 : 1 };
  if (event.y_range) y.range = event.y_range;
  return {
    ...size(width),
    padding: [10, 88, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    select: { show: false },
    scales: { x: { time: false }, y },
    axes: [{ ...axis, grid: { show: false }, label: event.x_label, labelSize: 20, size: 32 }, { ...axis, size: 56, values: (plot, splits) => splits.map(written), ...(event.log_y ? { splits: decades } : {}) }],
    series: [{}, ...event.series.map((s) => ({ label: s.label, stroke: colour(s.role), width: 2, spanGaps: true, points: { show: false }, dash: s.role === "validation" ? [6, 4] : undefined }))],
  };
}

customElements.define("live-curves", LiveCurves);
