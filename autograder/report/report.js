"use strict";
const table = document.querySelector("#people table"), body = table.tBodies[0];
const find = document.querySelector("#find"), shown = document.querySelector("#shown");
const order = new Intl.Collator(undefined, { numeric: true });
const words = (text) => text.normalize("NFC").toLowerCase();

function search() {
  const wanted = words(find.value).split(/\s+/);
  for (const row of body.rows) row.hidden = !wanted.every((word) => words(row.textContent).includes(word));
  shown.textContent = [...body.rows].filter((row) => !row.hidden).length;
}

function sort(head) {
  const down = head.ariaSort === "ascending";
  const value = (row) => row.cells[head.cellIndex].textContent.trim();
  const compare = (x, y) => (isNaN(x) || isNaN(y) ? order.compare(x, y) : x - y) * (down ? -1 : 1);
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([x], [y]) => (x === "") - (y === "") || compare(x, y));
  for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
  head.ariaSort = down ? "descending" : "ascending";
  body.append(...rows.map(([, row]) => row));
}

find.parentElement.hidden = false;
find.addEventListener("input", search);
for (const button of table.tHead.querySelectorAll("button")) button.addEventListener("click", () => sort(button.parentElement));
for (const button of document.querySelectorAll("[data-find]"))
  button.addEventListener("click", () => { find.value = button.dataset.find; search(); find.focus(); });
