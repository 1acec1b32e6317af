// Search, filters and keys of the report. Without it everything can be read all the same.
"use strict";
(() => {
  const search = document.getElementById("q");
  if (!search) return;
  const items = [...document.querySelectorAll("details.i")].map((el) => ({ el, data: el.dataset, text: "" }));
  const sections = [...document.querySelectorAll("section.sec")];
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  const all = document.getElementById("all");
  const chosen = {}; // by name of the filter, the set of values that are wanted
  let read = false;

  // What the items of a large page hold: chunks of it, by the number of their first item, unpacked when asked for.
  const chunks = [...document.querySelectorAll("template[data-first]")]
    .map((el) => ({ el, first: Number(el.dataset.first) }))
    .reverse();

  const unpack = async (chunk) => {
    const packed = Uint8Array.from(atob(chunk.el.content.textContent), (char) => char.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };

  const held = async (el) => {
    const number = Number(el.id.slice(1));
    const chunk = chunks.find(({ first }) => first <= number);
    if (!chunk) return null;
    chunk.texts ??= unpack(chunk);
    return (await chunk.texts)[number - chunk.first] ?? null;
  };

  const left = "<p class=d>Left out to keep this file small: see the text or JSON of the same run.</p>";
  const filling = new WeakSet();
  const fill = async (el) => {
    if (!el.matches("details.z") || filling.has(el)) return;
    filling.add(el);
    el.insertAdjacentHTML("beforeend", (await held(el)) ?? left);
    el.classList.remove("z");
  };
  document.addEventListener("toggle", (event) => fill(event.target), true);

  // What is packed has no markup but ours: these are all the entities that it is escaped with.
  const entities = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };
  const plain = (markup) => markup.replace(/<[^>]*>/g, "").replace(/&[a-z0-9#]+;/g, (one) => entities[one] ?? one);

  const readTexts = async () => {
    if (read) return;
    for (const item of items) {
      const packed = item.el.matches(".z") ? plain((await held(item.el)) ?? "") : "";
      item.text = `${item.el.textContent} ${packed}`.toLowerCase();
    }
    read = true;
  };

  const wanted = (item, words) =>
    Object.entries(chosen).every(([name, values]) => !values.size || values.has(item.data[name] ?? "")) &&
    words.every((word) => item.text.includes(word));

  const filter = async () => {
    if (search.value.trim()) await readTexts();
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const hide = !wanted(item, words);
      if (item.el.hidden !== hide) item.el.hidden = hide;
      shown += hide ? 0 : 1;
    }
    for (const section of sections) section.hidden = !section.querySelector("details.i:not([hidden])");
    const total = items.length.toLocaleString("en");
    count.textContent = shown === items.length ? total : `${shown.toLocaleString("en")} of ${total}`;
    none.hidden = shown > 0;
  };

  const choose = (name, value, on) => {
    chosen[name] ??= new Set();
    if (on) chosen[name].add(value);
    else chosen[name].delete(value);
  };

  document.querySelector("nav").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-by]");
    if (!button) return;
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    choose(button.dataset.by, button.value, on);
    filter();
  });
  document.querySelector("nav").addEventListener("change", (event) => {
    if (!event.target.matches("select[data-by]")) return;
    chosen[event.target.dataset.by] = new Set(event.target.value ? [event.target.value] : []);
    filter();
  });

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 60);
  });

  const openAll = () => {
    const open = all.textContent === "Open all";
    for (const { el } of items) if (!el.hidden && !el.classList.contains("x")) el.open = open;
    all.textContent = open ? "Close all" : "Open all";
  };
  all.addEventListener("click", openAll);

  const clear = () => {
    search.value = "";
    for (const name of Object.keys(chosen)) chosen[name].clear();
    for (const button of document.querySelectorAll("button[aria-pressed=true]")) button.setAttribute("aria-pressed", "false");
    for (const select of document.querySelectorAll("select[data-by]")) select.value = "";
    filter();
  };

  const step = (by) => {
    const shown = items.filter((item) => !item.el.hidden);
    const here = shown.findIndex((item) => item.el.contains(document.activeElement));
    const next = shown[here < 0 ? (by > 0 ? 0 : shown.length - 1) : here + by];
    if (!next) return;
    next.el.firstElementChild.focus();
    next.el.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape") {
      clear();
      event.target.blur();
    } else if (typing) {
      return;
    } else if (event.key === "/") {
      search.focus();
      search.select();
    } else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "e") openAll();
    else return;
    event.preventDefault();
  });

  const follow = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target?.matches("details.i")) return;
    if (target.hidden) clear();
    target.open = true;
    target.firstElementChild.focus();
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", follow);
  follow();
})();
