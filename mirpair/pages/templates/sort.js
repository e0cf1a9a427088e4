"use strict";
// Clicks on a heading sort by its column, descending and ascending; the third restores the order.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const value = (row, column) =>
    row.cells[column].dataset.order ?? row.cells[column].textContent.trim();
  const number = (text) => Number(text.replace(/,/g, "").replace("−", "-"));
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const next = { none: "descending", descending: "ascending", ascending: "none" };
      const order = next[heading.getAttribute("aria-sort") || "none"];
      headings.forEach((other) => other.setAttribute("aria-sort", "none"));
      heading.setAttribute("aria-sort", order);
      const missing = (text) => text === "" || text === "–";
      const present = original.map((row) => value(row, column)).filter((text) => !missing(text));
      const numeric = present.every((text) => !Number.isNaN(number(text)));
      const sign = order === "ascending" ? 1 : -1;
      const compare = (one, other) => {
        const [a, b] = [value(one, column), value(other, column)];
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        return sign * (numeric ? number(a) - number(b) : a.localeCompare(b));
      };
      body.append(...(order === "none" ? original : [...original].sort(compare)));
    });
  });
}
