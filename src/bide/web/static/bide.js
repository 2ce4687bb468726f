// Everything works without this file; with it pages stay fresh, know the time zone and take fewer clicks.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // The viewer's zone: told once in a cookie, so that the server writes times in it.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const base = new URL(document.querySelector(".brand").href).pathname.replace(/\/$/, "") || "/";
  if (zone && root.dataset.zone !== zone && !document.cookie.includes("bide_zone=" + zone)) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `bide_zone=${zone}; path=${base}; max-age=31536000; samesite=lax${secure}`;
    // Nothing was typed yet; the answer to a form is not asked for again.
    if (root.dataset.method === "GET" && document.cookie.includes("bide_zone=" + zone)) location.reload();
  }

  // Fresh pages: the server sends the changing part when it has changed; only what differs is replaced,
  // and nothing that the viewer is using. A hidden tab closes its stream.
  const busy = (part) =>
    part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, summary") ||
    part.querySelector("input:checked, details[open].menu, dialog[open]") !== null;

  const same = (a, b) => a.outerHTML === b.outerHTML;

  function refresh(live, html) {
    if (!html.trim()) return;
    const fresh = document.createElement("div");
    fresh.append(new DOMParser().parseFromString(html, "text/html").body);
    const news = [...fresh.firstChild.children];
    const olds = [...live.children];
    const keyed = news.every((n, i) => olds[i] && olds[i].id === n.id) && news.length === olds.length;
    if (!keyed) {
      if (!busy(live)) live.replaceChildren(...news);
    } else {
      news.forEach((part, i) => {
        if (!same(part, olds[i]) && !busy(olds[i])) {
          keepOpen(olds[i], part);
          const focused = olds[i].contains(document.activeElement) ? document.activeElement : null;
          const path = focused && focused.id;
          const href = focused && focused.getAttribute("href");
          olds[i].replaceWith(part);
          if (path) document.getElementById(path)?.focus({ preventScroll: true });
          else if (href) part.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
        }
      });
    }
    if (window.htmx) window.htmx.process(live);
    wire(live);
  }

  function keepOpen(before, after) {
    const open = [...before.querySelectorAll("details")].map((one) => one.open);
    after.querySelectorAll("details").forEach((one, i) => { if (open[i]) one.open = true; });
  }

  let source = null, timer = null, pause = 5000;

  function address(how) {
    const url = new URL(location.href);
    url.searchParams.set("live", how);
    url.hash = "";
    return url;
  }

  function stop() {
    if (source) source.close();
    clearTimeout(timer);
    source = timer = null;
  }

  function start() {
    stop();
    const live = document.querySelector("#live[data-live]");
    if (!live || document.hidden) return;
    if (live.dataset.live === "stream") {
      source = new EventSource(address("stream"));
      source.addEventListener("live", (event) => { pause = 5000; refresh(live, event.data); });
      source.addEventListener("error", () => {
        if (source && source.readyState === EventSource.CLOSED) {  // refused: try again later, ever later
          stop();
          timer = setTimeout(start, pause);
          pause = Math.min(pause * 2, 60000);
        }
      });
    } else {
      timer = setTimeout(async () => {
        try {
          const answer = await fetch(address("once"), { credentials: "same-origin" });
          if (answer.ok) { refresh(live, await answer.text()); pause = 5000; }
          else pause = Math.min(pause * 2, 60000);
        } catch { pause = Math.min(pause * 2, 60000); }
        start();
      }, pause);
    }
  }

  // Where the navigation is wider than the screen, the section one is in is seen.
  document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) start(); });

  // Small comforts, all by attributes.
  function wire(part) {
    part.querySelectorAll("[data-copy]").forEach((button) => {
      button.onclick = async () => {
        const said = button.textContent;
        try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = button.dataset.copied; }
        catch { getSelection().selectAllChildren(document.getElementById(button.dataset.from)); return; }
        setTimeout(() => { button.textContent = said; }, 1500);
      };
    });
    part.querySelectorAll("input[data-all]").forEach((box) => {
      const boxes = () => [...document.querySelectorAll(`input[name="${box.dataset.all}"]`)];
      const told = document.querySelector("[data-chosen]");
      const tell = () => {
        const chosen = boxes().filter((one) => one.checked).length;
        box.checked = chosen > 0 && chosen === boxes().length;
        box.indeterminate = chosen > 0 && chosen < boxes().length;
        if (told) told.textContent = chosen ? String(chosen) : "";
        document.querySelectorAll("[data-needs-chosen]").forEach((one) => { one.disabled = chosen === 0; });
      };
      box.onchange = () => { boxes().forEach((one) => { one.checked = box.checked; }); tell(); };
      boxes().forEach((one) => { one.onchange = tell; });
      tell();
    });
    part.querySelectorAll("form[data-auto] select").forEach((select) => {
      select.onchange = () => select.form.requestSubmit();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) event.target.form.requestSubmit();
      return;
    }
    if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.body.addEventListener("htmx:afterSettle", (event) => { wire(event.target); start(); });

  wire(document);
  start();
})();
