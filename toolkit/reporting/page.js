
"use strict";
// Without this the page is complete: it sorts the tasks, and puts a slider over each pair of pictures.
document.body.classList.add("slides");
for (const stack of document.querySelectorAll(".stack")) {
  const slide = Object.assign(document.createElement("input"), { type: "range", className: "slide", min: 0, max: 100, value: 50 });
  slide.setAttribute("aria-label", "how much is shown as it was before, in percent");
  slide.addEventListener("input", () => stack.style.setProperty("--cut", slide.value + "%"));
  stack.append(Object.assign(document.createElement("div"), { className: "cut" }), slide);
}
const compare = (one, other) => "by" in one.dataset
  ? one.dataset.by - other.dataset.by
  : one.textContent.localeCompare(other.textContent, undefined, { numeric: true });
for (const table of document.querySelectorAll(".sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: head.textContent });
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...body.rows].sort((one, other) => compare(one.cells[column], other.cells[column]));
      body.append(...(falling ? rows.reverse() : rows));
    });
  });
}
