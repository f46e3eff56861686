"use strict";
const body = document.querySelector("tbody");
const rows = Array.from(body.rows);
const heads = Array.from(document.querySelectorAll("th"));
const find = document.getElementById("find");
const order = new Intl.Collator(undefined, { numeric: true });

heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
  const down = head.getAttribute("aria-sort") === "ascending";
  heads.forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const text = (row) => row.cells[column].textContent;
  rows.sort((one, other) => (down ? -1 : 1) * order.compare(text(one), text(other)));
  body.append(...rows);
}));

find.hidden = false;
find.addEventListener("input", () => {
  const wanted = find.value.toLowerCase();
  rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
});
