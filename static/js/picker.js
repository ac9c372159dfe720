// A click on a live lab's feature map chooses the cell whose arithmetic is shown; arrow keys move
// it. Its row and column are two controls of the lab, so the choice is part of the run. On a run's
// page the outline shows the run's own cell, and nothing can be chosen.
function fields(frame) {
  const form = frame.closest(".lab").querySelector(".lab-controls form[data-live]");
  const [row, column] = [form?.elements.namedItem("row"), form?.elements.namedItem("column")];
  return row && column ? { row, column } : null;
}

// The cell within the map: past its edge, the last one.
function cell(frame) {
  const chosen = fields(frame);
  const { row, column } = chosen ? { row: chosen.row.value, column: chosen.column.value } : frame.closest(".panel").dataset;
  return row === undefined ? null : { row: bound(row, frame.dataset.rows), column: bound(column, frame.dataset.columns) };
}

function bound(value, count) { return Math.min(count - 1, Math.max(0, Number(value) || 0)); }

function choose(frame, row, column) {
  const chosen = fields(frame);
  chosen.row.value = bound(row, frame.dataset.rows);
  chosen.column.value = bound(column, frame.dataset.columns);
  for (const field of [chosen.row, chosen.column]) field.dispatchEvent(new Event("input", { bubbles: true }));
}

function mark() {
  for (const frame of document.querySelectorAll("[data-cell-picker]")) {
    const [outline, at] = [frame.querySelector("[data-picked]"), cell(frame)];
    const { rows, columns } = frame.dataset;
    outline.hidden = !at;
    if (!at) continue;
    if (fields(frame)) offer(frame);
    Object.assign(outline.style, {
      left: `${(at.column / columns) * 100}%`,
      top: `${(at.row / rows) * 100}%`,
      width: `${100 / columns}%`,
      height: `${100 / rows}%`,
    });
  }
}

function offer(frame) {
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "Feature map: click a cell or move with the arrow keys to see its arithmetic");
  frame.style.setProperty("--ratio", frame.dataset.columns / frame.dataset.rows);
}

document.addEventListener("click", (event) => {
  const frame = event.target.closest?.("[data-cell-picker]");
  if (!frame || !fields(frame)) return;
  const box = frame.querySelector("img").getBoundingClientRect();
  const share = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  choose(frame, Math.floor(share.y * frame.dataset.rows), Math.floor(share.x * frame.dataset.columns));
});

document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const frame = step && event.target.closest?.("[data-cell-picker]");
  if (!frame || !fields(frame)) return;
  event.preventDefault();
  const { row, column } = cell(frame);
  choose(frame, row + step[0], column + step[1]);
});

for (const name of ["htmx:after:swap", "input", "change"]) document.addEventListener(name, mark);
mark();
