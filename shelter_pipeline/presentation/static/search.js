// Search as you type, and lists that sort, filter and turn their pages without loading the whole page again.
// It serves a page with form.search[data-live], [data-results] and [data-said]: docs/how-to/pages.md names each of them.
// When a field of the form changes, or a link to the form's own path within the results is followed (sorting, pages),
// the same address is asked for with `part=results` added; the server answers with what belongs into [data-results]
// alone, and the address of the page follows without that word. Without scripts all of it is a plain form and plain links.
"use strict";
(() => {
  const REST_MILLISECONDS = 200;
  const form = document.querySelector("form.search[data-live]");
  const results = document.querySelector("[data-results]");
  if (!form || !results) return;
  const said = document.querySelector("[data-said]");
  const path = new URL(form.action, location.href).pathname;
  const place = () => location.pathname + location.search;
  let shown = place();
  let asking = null;
  let resting = 0;

  // The address that the form stands for, without its empty fields.
  const asked = () => {
    const url = new URL(form.action, location.href);
    url.search = "";
    for (const [name, value] of new FormData(form)) if (value.trim()) url.searchParams.append(name, value);
    return url;
  };

  const show = async (url, { push = false, refocus = null } = {}) => {
    clearTimeout(resting);
    asking?.abort();
    const mine = (asking = new AbortController());
    const part = new URL(url);
    part.searchParams.set("part", "results");
    results.setAttribute("aria-busy", "true");
    try {
      const reply = await fetch(part, { signal: mine.signal, headers: { Accept: "text/html" } });
      const html = await reply.text();
      if (mine !== asking) return;
      if (!reply.ok) return void location.assign(url); // the server says on a page what is wrong
      // Our own server's page, in which all text of others is escaped; a policy forbids whatever would run.
      results.innerHTML = html;
      if (push) history.pushState(null, "", url);
      else history.replaceState(null, "", url);
      shown = place();
      if (said) said.textContent = results.querySelector("[data-count]")?.textContent.trim() ?? "";
      if (refocus) results.querySelector(`[data-column="${CSS.escape(refocus)}"] a`)?.focus();
    } catch (error) {
      if (error.name !== "AbortError") location.assign(url);
    } finally {
      if (mine === asking) results.removeAttribute("aria-busy");
    }
  };

  form.addEventListener("input", (event) => {
    clearTimeout(resting);
    if (event.isComposing) return; // a letter that is still being put together
    resting = setTimeout(() => show(asked()), event.target.matches("input") ? REST_MILLISECONDS : 0);
  });
  form.addEventListener("compositionend", () => show(asked()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(asked(), { push: true });
  });
  results.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname !== path || link.target) return;
    event.preventDefault();
    // What the form does not show, such as the column that sorts, goes along with what is typed from now on.
    for (const field of form.querySelectorAll("input[type=hidden]")) field.value = url.searchParams.get(field.name) ?? "";
    const column = link.closest("[data-column]")?.dataset.column ?? null;
    show(url, { push: true, refocus: column }).then(() => {
      if (!column) results.scrollIntoView({ block: "start" });
    });
  });
  // A link within the page, such as the one to its content, changes the address, too, and nothing that is shown.
  addEventListener("popstate", () => { if (place() !== shown) location.reload(); });
})();
