// The page is complete without this script. It adds what needs one: the ledger's filters, links to the figures' files,
// tables that become lists on a narrow screen, and a table of contents that shows where the reader is.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Visit each cell of some rows with the number of its column, whatever spans there are.
function eachCell(rows, visit) {
  const taken = new Set();
  [...rows].forEach((row, r) => {
    let column = 0;
    for (const cell of row.cells) {
      while (taken.has(`${r} ${column}`)) column++;
      for (let i = 0; i < cell.rowSpan; i++)
        for (let j = 0; j < cell.colSpan; j++) taken.add(`${r + i} ${column + j}`);
      visit(cell, column);
      column += cell.colSpan;
    }
  });
}

// Tables: each cell is told what its column is called; the style sheet shows that where rows are stacked.
for (const table of all("table:not(.matrix, .stack)")) {
  if (!table.tHead) continue;
  const heads = [];
  eachCell(table.tHead.rows, (cell, column) => {
    for (let j = column; j < column + cell.colSpan; j++)
      heads[j] = [heads[j], cell.textContent.trim()].filter(Boolean).join(" ");
  });
  for (const body of table.tBodies)
    eachCell(body.rows, (cell, column) => {
      if (cell.tagName === "TD") cell.dataset.label = heads[column] ?? "";
    });
  table.classList.add("stack");
}

// A box takes the focus only where there is something to scroll.
const boxes = all(".scroll, .formula, pre");
const focusable = () => boxes.forEach((box) => {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
});
addEventListener("load", focusable);
addEventListener("resize", focusable);
all("details").forEach((details) => details.addEventListener("toggle", focusable));

// Figures: the file is the picture that the page already holds.
for (const figure of all("figure")) {
  const link = figure.querySelector("a[download]");
  link.href = figure.querySelector("img").src;
  link.parentElement.hidden = false;
}

// Paper: what is folded away is printed too, in browsers whose style sheets cannot open it.
let opened = [];
addEventListener("beforeprint", () => {
  opened = all("details:not([open])");
  opened.forEach((details) => { details.open = true; });
});
addEventListener("afterprint", () => opened.forEach((details) => { details.open = false; }));

// Contents: the section at the top of the window is the current one.
const links = new Map(all("nav a").map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    links.forEach((link) => link.removeAttribute("aria-current"));
    links.get(target.id)?.setAttribute("aria-current", "location");
  }
}, { rootMargin: "-15% 0px -80% 0px" });
all("main > section").forEach((section) => watcher.observe(section));

// The ledger: rows that fit every choice and hold every word searched for.
const filters = document.getElementById("ledger-filters");
if (filters) {
  const rows = all("#ledger-rows tr");
  const notes = all("#ledger-notes li");
  const texts = rows.map((row) => `${row.textContent} ${notes[row.dataset.note - 1]?.textContent ?? ""}`.toLowerCase());
  const choices = all("select", filters);
  const search = filters.querySelector("input");
  const fits = (row, { name, value }) => !value || row.dataset[name] === value
    || (name === "section" && !value.includes(".") && row.dataset.section.startsWith(`${value}.`));
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !(choices.every((choice) => fits(row, choice)) && words.every((word) => texts[i].includes(word)));
      shown += !row.hidden;
    });
    document.getElementById("ledger-count").textContent = `${shown} of ${rows.length} rows`;
    document.getElementById("ledger-none").hidden = shown > 0;
  };
  const choose = (verdict = "") => {
    search.value = "";
    choices.forEach((choice) => { choice.value = choice.name === "verdict" ? verdict : ""; });
    show();
  };
  filters.addEventListener("input", show);
  filters.querySelector("button").addEventListener("click", () => choose());
  all("a[data-verdict]").forEach((link) => link.addEventListener("click", () => choose(link.dataset.verdict)));
  // A link to a row that the filters hide shows it.
  const land = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row?.hidden) return;
    choose();
    row.scrollIntoView();
  };
  addEventListener("hashchange", land);
  filters.hidden = false;
  show();
}
