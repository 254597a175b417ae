// Charts of what a page says as a table, too: each [data-chart] names the script of type application/json with its
// data, as `presentation.overview.timeline_chart` makes it.
"use strict";
(() => {
  const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"];
  const HEIGHT = 280;
  const LEAST_BARS = 12;

  const bytes = (count) => {
    let unit = 0;
    while (count >= 1000 && unit < SIZES.length - 1) { count /= 1000; unit += 1; }
    return `${count.toLocaleString("en", { maximumFractionDigits: count < 10 && unit ? 1 : 0 })} ${SIZES[unit]}`;
  };
  const counts = (count) => count.toLocaleString("en", { maximumFractionDigits: 1 });
  const short = (count) => count.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });
  const moment = (seconds, each) => new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, each === "day" ? 10 : 16) + (each === "day" ? "" : " UTC");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const last = (plot) => plot.setLegend({ idx: plot.data[0].length - 1 });

  const options = (span, figure, width) => {
    const told = figure.unit === "bytes" ? bytes : counts;
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const each = span.each === "day" ? 86400 : 3600;
    return {
      width, height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: {
        // A rescue that has just begun has one bar: it stands at the right end, with room for what came before it.
        x: { range: (_, low, high) => [Math.min(low, high - LEAST_BARS * each) - each / 2, high + each / 2] },
        y: { range: (_, low, high) => [0, Math.max(high * 1.08, 1)] },
      },
      axes: [
        { ...axis, values: (_, marks) => marks.map((at) => { const text = new Date(at * 1000).toISOString(); return each === 86400 ? text.slice(5, 10) : `${text.slice(11, 16)}`; }), incrs: each === 86400 ? [1, 2, 7, 14, 30].map((days) => days * 86400) : [1, 2, 3, 6, 12, 24].map((hours) => hours * 3600) },
        { ...axis, size: 64, values: (_, marks) => marks.map(figure.unit === "bytes" ? bytes : short) },
      ],
      series: [
        { label: span.each === "day" ? "Day" : "Hour", value: (_, at) => (at === null ? "–" : moment(at, span.each)) },
        { label: figure.name, value: (_, count) => (count === null ? "–" : told(count)), stroke: colour("--good-fill"), fill: colour("--good-fill"), width: 0, paths: uPlot.paths.bars({ size: [0.75, 48, 2] }), points: { show: false } },
      ],
      cursor: { points: { show: false }, drag: { x: false, y: false } },
      // What nobody points at tells of the last bar.
      hooks: { ready: [last], setCursor: [(plot) => { if (plot.cursor.idx === null) last(plot); }] },
    };
  };

  const pressed = (legend, names, chosen, choose) => {
    const group = document.createElement("fieldset");
    const words = document.createElement("legend");
    words.textContent = legend;
    group.append(words, ...names.map((name, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-pressed", String(index === chosen));
      button.addEventListener("click", () => {
        for (const other of group.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
        choose(index);
      });
      return button;
    }));
    return group;
  };

  const chart = (place) => {
    const source = document.getElementById(place.dataset.chart);
    if (!source || !window.uPlot) return;
    const data = JSON.parse(source.textContent);
    const spans = data.spans.filter((span) => span.at.length);
    if (!spans.length) return;
    // A rescue of some days is seen by the hour first.
    const state = { span: spans.length > 1 && spans[0].at.length < 4 ? 1 : 0, figure: 0 };
    let plot = null;
    const draw = () => {
      if (plot) plot.destroy();
      const span = spans[state.span], figure = data.figures[state.figure];
      plot = new uPlot(options(span, figure, canvas.clientWidth), [span.at, span[figure.key]], canvas);
      canvas.querySelector("canvas").setAttribute("aria-hidden", "true");
    };
    const switches = document.createElement("div");
    switches.className = "switches";
    const canvas = document.createElement("div");
    place.append(switches, canvas);
    if (spans.length > 1) switches.append(pressed("Span", spans.map((span) => span.name), state.span, (index) => { state.span = index; draw(); }));
    switches.append(pressed("Figure", data.figures.map((figure) => figure.name), 0, (index) => { state.figure = index; draw(); }));
    draw();
    new ResizeObserver(() => { if (canvas.clientWidth && canvas.clientWidth !== plot.width) plot.setSize({ width: canvas.clientWidth, height: HEIGHT }); }).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  };

  for (const place of document.querySelectorAll("[data-chart]")) chart(place);
})();
