// The page is complete without this script. It adds what needs one: the search, the ledger's filters, links to the figures'
// files, and a table of contents that shows where the reader is.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

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

// The search: sections of the page and of the appendix that have every word.
const search = document.querySelector(".search");
const index = JSON.parse(document.getElementById("search-index").textContent);
const here = document.getElementById("summary") ? "report.html" : "appendix.html";
search.querySelector("input").addEventListener("input", ({ target }) => {
  const wanted = target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = wanted.length ? index.filter(([, title, words]) =>
    wanted.every((word) => title.toLowerCase().includes(word) || words.includes(word))) : [];
  const list = search.querySelector("ol");
  list.replaceChildren(...found.slice(0, 12).map(([address, title]) => {
    const link = document.createElement("a");
    link.href = address.startsWith(here) ? address.slice(here.length) : address;
    link.textContent = address.startsWith("appendix.html") ? `${title} (appendix)` : title;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  list.hidden = !found.length;
  search.querySelector("[role=status]").textContent = wanted.length ? `${found.length} section${found.length === 1 ? "" : "s"}` : "";
});
search.hidden = false;

// The ledger: rows that fit every choice and hold every word searched for.
const filters = document.getElementById("ledger-filters");
if (filters) {
  const rows = all("#ledger-rows tr");
  const notes = all("#ledger-notes li");
  const texts = rows.map((row) => `${row.textContent} ${notes[row.dataset.note - 1]?.textContent ?? ""}`.toLowerCase());
  const choices = all("select", filters);
  const typed = filters.querySelector("input");
  const fits = (row, { name, value }) => !value || row.dataset[name] === value
    || (name === "section" && !value.includes(".") && row.dataset.section.startsWith(`${value}.`));
  const show = () => {
    const words = typed.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !(choices.every((choice) => fits(row, choice)) && words.every((word) => texts[i].includes(word)));
      shown += !row.hidden;
    });
    document.getElementById("ledger-count").textContent = `${shown} of ${rows.length} rows`;
    document.getElementById("ledger-none").hidden = shown > 0;
  };
  const showAll = () => {
    typed.value = "";
    choices.forEach((choice) => { choice.value = ""; });
    show();
  };
  filters.addEventListener("input", show);
  filters.querySelector("button").addEventListener("click", showAll);
  // A link to a row that the filters hide shows it.
  const land = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row?.hidden) return;
    showAll();
    row.scrollIntoView();
  };
  addEventListener("hashchange", land);
  filters.hidden = false;
  show();
}
