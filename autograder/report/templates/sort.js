"use strict";
// A click on a column's button sorts the students by that column, a second click turns the order round.
const table = document.querySelector("table.class");
const body = table.tBodies[0];
const order = [...body.rows];
const words = new Intl.Collator(undefined, {numeric: true, sensitivity: "base"});

for (const button of table.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const header = button.closest("th");
    const column = header.cellIndex;
    const turned = header.getAttribute("aria-sort") === "ascending";
    const compare = column === 0
      ? (a, b) => words.compare(a.cells[0].textContent.trim(), b.cells[0].textContent.trim())
      : (a, b) => Number(a.cells[column].dataset.points) - Number(b.cells[column].dataset.points);
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", turned ? "descending" : "ascending");
    body.append(...[...order].sort((a, b) => turned ? compare(b, a) : compare(a, b)));
  });
}
