"""What a page can do beyond being read; without scripts nothing is missing but convenience."""

from __future__ import annotations

SCRIPT = """\
"use strict";
(() => {
  const each = (found, act) => document.querySelectorAll(found).forEach(act);
  each("[data-search]", (box) => {
    const table = document.getElementById(box.dataset.search);
    const count = document.getElementById(box.dataset.search + "-count");
    box.parentElement.hidden = false;
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
      let shown = 0;
      table.querySelectorAll("tbody tr").forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = shown + " shown";
    });
  });
  each("[data-copy]", (button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((one) => { one.open = false; }));
})();
"""
"""Searches tables, copies the command, unfolds what is folded before the page is printed."""
