// A click on the feature map chooses the cell whose arithmetic is shown; arrow keys move it. The
// cell's row and column are two controls of the lab, so the choice is part of the run.
function fields() {
  const form = document.getElementById("controls");
  const [row, column] = [form?.elements.namedItem("row"), form?.elements.namedItem("column")];
  return row && column ? { row, column } : null;
}

function choose(frame, row, column) {
  const chosen = fields();
  const bound = (value, count) => Math.min(count - 1, Math.max(0, value));
  chosen.row.value = bound(row, Number(frame.dataset.rows));
  chosen.column.value = bound(column, Number(frame.dataset.columns));
  for (const field of [chosen.row, chosen.column]) field.dispatchEvent(new Event("input", { bubbles: true }));
  mark();
}

function mark() {
  const chosen = fields();
  for (const frame of document.querySelectorAll("[data-cell-picker]")) {
    const outline = frame.querySelector("[data-picked]");
    outline.hidden = !chosen;
    if (!chosen) continue;
    frame.tabIndex = 0;
    frame.setAttribute("role", "application");
    frame.setAttribute("aria-label", "Feature map: click a cell or move with the arrow keys to see its arithmetic");
    const [rows, columns] = [Number(frame.dataset.rows), Number(frame.dataset.columns)];
    frame.style.setProperty("--ratio", columns / rows);
    const row = Math.min(rows - 1, Number(chosen.row.value) || 0);
    const column = Math.min(columns - 1, Number(chosen.column.value) || 0);
    Object.assign(outline.style, {
      left: `${(column / columns) * 100}%`,
      top: `${(row / rows) * 100}%`,
      width: `${100 / columns}%`,
      height: `${100 / rows}%`,
    });
  }
}

document.addEventListener("click", (event) => {
  const frame = event.target.closest?.("[data-cell-picker]");
  if (!frame || !fields()) return;
  const box = frame.querySelector("img").getBoundingClientRect();
  const share = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  choose(frame, Math.floor(share.y * frame.dataset.rows), Math.floor(share.x * frame.dataset.columns));
});

document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const frame = step && event.target.closest?.("[data-cell-picker]");
  const chosen = frame && fields();
  if (!chosen) return;
  event.preventDefault();
  choose(frame, Number(chosen.row.value) + step[0], Number(chosen.column.value) + step[1]);
});

for (const name of ["htmx:after:swap", "input", "change"]) document.addEventListener(name, mark);
mark();
