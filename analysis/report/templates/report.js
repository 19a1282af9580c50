"use strict";
/* What the page can do beyond being read: tables sorted by a click on a header, and the explorers of surfaces. */

const ORDERS = ["none", "ascending", "descending"];

/* What a cell is sorted by: its number, or its text; null where a column of numbers has none. */
function sortKey(cell, numbers) {
  if (!numbers) return cell.dataset.sort ?? cell.textContent.trim();
  const told = cell.dataset.sort;
  if (told === undefined) return null;
  return /^[+-]?inf$/.test(told) ? (told.startsWith("-") ? -Infinity : Infinity) : Number(told);
}

/* Cells without a key come last in either order; equal ones keep their places. */
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" ? (a < b ? -1 : Number(a > b)) : a.localeCompare(b, "en", { numeric: true });
  return sign * order;
}

function makeSortable(table) {
  const body = table.tBodies[0], original = [...body.rows], heads = [...table.tHead.rows[0].cells];
  if (original.length < 2) return;
  heads.forEach((head, column) => {
    const cells = original.map(row => row.cells[column]);
    const numbers = cells.some(cell => cell.dataset.sort !== undefined)
      && cells.every(cell => !Number.isNaN(sortKey(cell, true) ?? 0));
    const button = make("button", { type: "button" }, ...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const order = ORDERS[(ORDERS.indexOf(head.getAttribute("aria-sort")) + 1) % ORDERS.length];
      heads.forEach(other => other.setAttribute("aria-sort", other === head ? order : "none"));
      const key = row => sortKey(row.cells[column], numbers), sign = order === "descending" ? -1 : 1;
      body.append(...(order === "none" ? original : [...original].sort((a, b) => compare(key(a), key(b), sign))));
    });
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
for (const place of document.querySelectorAll(".interactive")) {
  const host = make("div"), data = JSON.parse(place.firstElementChild.textContent);
  place.append(make("h3", {}, "Explore the surfaces"), host);
  createExplorer(host, data);
}

/* Paper has all that is folded, also from browsers that cannot open it by style. */
const folded = [...document.querySelectorAll("details.group")];
let closed = [];
addEventListener("beforeprint", () => {
  closed = folded.filter(each => !each.open);
  closed.forEach(each => { each.open = true; });
});
addEventListener("afterprint", () => closed.forEach(each => { each.open = false; }));
