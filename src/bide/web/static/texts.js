// Comforts of the editor of texts; everything works without them.
"use strict";

(() => {
  const form = document.querySelector("form[data-editing]");

  // Alt and an arrow: the text before or after this one.
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const link = document.querySelector(`a[data-key="${event.key}"]`);
    if (link) { event.preventDefault(); link.click(); }
  });
  if (!form) return;

  const fields = () => [...form.querySelectorAll("textarea, input:not([type=hidden]), select")];
  let last = fields()[0];
  form.addEventListener("focusin", (event) => { if (event.target.matches("textarea")) last = event.target; });
  const first = form.querySelector("textarea[autofocus], input[autofocus]");
  if (first) first.setSelectionRange?.(first.value.length, first.value.length);

  // A placeholder is put where the cursor is, a source text into the field.
  form.addEventListener("click", (event) => {
    const insert = event.target.closest("[data-insert]");
    const copy = event.target.closest("[data-copy-source]");
    if (!last || (!insert && !copy)) return;
    last.focus();
    if (insert) last.setRangeText(insert.dataset.insert, last.selectionStart, last.selectionEnd, "end");
    if (copy) {
      const parts = [...document.querySelectorAll("[data-source] .text-part")];
      const named = (part) => part.querySelector(".form-name")?.textContent;
      const wanted = last.name.replace("form.", "");
      const part = parts.find((one) => named(one) === wanted) || parts.find((one) => named(one) === "other") || parts[0];
      if (part) last.value = textOf(part, last.name === "value" && parts.length > 1 ? parts : null);
    }
    last.dispatchEvent(new Event("input", { bubbles: true }));
  });

  function textOf(part, all) {
    if (all) return all.map((one) => textOf(one, null)).join("\n");
    const copy = part.cloneNode(true);
    copy.querySelectorAll(".form-name, .mark.break").forEach((one) => one.remove());
    copy.querySelectorAll(".mark.space").forEach((one) => one.replaceWith(" ".repeat([...one.textContent].length)));
    copy.querySelectorAll("br").forEach((one) => one.replaceWith("\n"));
    return copy.textContent.replace(/^ (?=\S)/, "");
  }

  // Who leaves with something typed is asked.
  const typed = () => fields().some((one) => one.defaultValue !== undefined && one.value !== one.defaultValue);
  let leaving = false;
  form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => { if (!leaving && typed()) event.preventDefault(); });
  document.addEventListener("submit", () => { leaving = true; });
})();
