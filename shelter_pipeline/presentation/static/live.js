// What changes while a page is looked at: figures by their ids, and new entries of the activity. The page is whole
// without it. [data-live] names the events, [data-poll] what to ask now and then where they cannot be had.
"use strict";
(() => {
  const POLL_SECONDS = 15;
  const SILENT_SECONDS = 45; // three heartbeats
  const root = document.querySelector("[data-live]");
  if (!root) return;
  const dot = document.getElementById("live");
  const state = document.getElementById("live-state");
  const feed = document.getElementById("live-activity");
  const asCounted = state ? state.textContent : "";
  let source = null, poll = null, watch = null, said = "";

  // Only what a person would want to be told: that it began, that it stopped.
  const say = (text, kind) => {
    if (dot) { dot.classList.toggle("on", kind === "on"); dot.classList.toggle("away", kind === "away"); }
    if (state && text !== said) { said = text; state.textContent = text; }
  };

  const figures = (told) => {
    for (const [id, text] of Object.entries(told.texts)) {
      const place = document.getElementById(id);
      if (place && place.textContent !== text) place.textContent = text;
    }
    for (const [id, [value, most]] of Object.entries(told.bars)) {
      const bar = document.getElementById(id);
      if (bar) { bar.max = most; bar.value = value; }
    }
  };

  const activity = (entries) => {
    if (!feed) return;
    const known = new Set([...feed.children].map((line) => line.dataset.entry));
    for (const entry of [...entries].reverse()) {
      if (known.has(String(entry.id))) continue;
      const holder = document.createElement("template");
      holder.innerHTML = entry.html; // made by the server, as the page itself is
      const line = holder.content.firstElementChild;
      line.classList.add("new");
      // Numbers are drawn before they are told: a later one may be there already.
      const after = [...feed.children].find((other) => Number(other.dataset.entry) < entry.id);
      feed.insertBefore(line, after || null);
    }
    const most = Number(feed.dataset.most) || 12;
    while (feed.children.length > most) {
      const last = feed.lastElementChild;
      if (last.contains(document.activeElement)) break; // nobody's focus is taken away
      last.remove();
    }
    document.getElementById("live-nothing")?.remove();
  };

  const ask = async () => {
    try {
      const reply = await fetch(root.dataset.poll, { headers: { Accept: "application/json" } });
      if (!reply.ok) throw new Error(String(reply.status));
      const told = await reply.json();
      figures(told.figures);
      activity(told.entries);
      say(`Renewed every ${POLL_SECONDS} seconds.`, "on");
    } catch {
      say("Shelter does not answer at the moment. Figures stand as they last were.", "away");
    }
  };

  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => { stop(); start(); }, SILENT_SECONDS * 1000);
  };

  const stop = () => {
    if (source) source.close();
    clearInterval(poll);
    clearTimeout(watch);
    source = poll = null;
  };

  const fall = () => {
    stop();
    ask();
    let times = 0;
    poll = setInterval(() => { times += 1; if (times % 8) ask(); else { stop(); start(); } }, POLL_SECONDS * 1000);
  };

  const start = () => {
    if (source || poll || document.hidden) return;
    if (!window.EventSource) { fall(); return; }
    source = new EventSource(root.dataset.live);
    alive();
    source.addEventListener("now", (event) => { alive(); figures(JSON.parse(event.data)); say("Live: figures change as files come.", "on"); });
    source.addEventListener("activity", (event) => { alive(); activity(JSON.parse(event.data).entries); });
    source.addEventListener("beat", alive);
    source.addEventListener("trouble", (event) => { alive(); say(JSON.parse(event.data).message, "away"); });
    source.addEventListener("error", () => {
      // Closed for good: refused, or too many listen. Else the browser comes back by itself.
      if (source && source.readyState === EventSource.CLOSED) fall();
      else say("The connection is lost; trying again.", "away");
    });
  };

  document.addEventListener("visibilitychange", () => { if (document.hidden) { stop(); say(asCounted, ""); } else start(); });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) start(); });
  start();
})();
