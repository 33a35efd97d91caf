"use strict";
(() => {
  const run = JSON.parse(document.getElementById("run-data").textContent);
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const grouped = (value) => value.toLocaleString("en-GB");

  // ---- colours: "@data" in a figure is --data of the page, so that light and dark need one set of figures

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const ramp = () => [0, 1, 2, 3, 4, 5].map((i) => [i / 5, colour(`ramp-${i}`)]);
  const painted = (value, key = "") => {
    if (Array.isArray(value)) return value.map((entry) => painted(entry, key));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, k)]));
    return typeof value === "string" && value[0] === "@" && /color$/.test(key) ? colour(value.slice(1)) : value;
  };

  // ---- layout

  const axis = (given = {}) => ({
    gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"), zeroline: false,
    exponentformat: "e", tickfont: { color: colour("muted"), size: given.power ? 9 : 11 },  // plotly draws powers of ten a quarter larger
    fixedrange: touch, automargin: true, ...given,
    title: { standoff: 10, ...given.title, font: { color: colour("muted"), size: 12 } },
  });

  /* Names of sites as ticks: as many as fit, both ends always among them, shorter on a phone. */
  const siteAxis = (names, short, height, width, given = {}) => {
    const every = Math.max(1, Math.ceil(names.length / Math.max(2, Math.floor(height / 17))));
    const kept = names.map((_, i) => i).filter((i) => (names.length - 1 - i) % every === 0 && (i >= every || i === 0 || every === 1));
    const most = width < 520 ? 15 : 28;
    const cut = (text) => (text.length <= most || text.includes("&") ? text : `${text.slice(0, most - 7)}…${text.slice(-6)}`);
    return axis({ type: "category", categoryorder: "array", categoryarray: names, showgrid: false, ticks: "", ...given,
      tickmode: "array", tickvals: kept.map((i) => names[i]), ticktext: kept.map((i) => cut(short[i])) });
  };

  /* A time axis counts steps evenly or by their logarithm; `chosen` follows the reader. */
  const chosenTime = $("#log-time");
  const isLog = (time) => time === "log" || (time === "chosen" && !!chosenTime && chosenTime.checked);
  const timeAxis = (given, time, first, last, width) => {
    const log = isLog(time);
    const ends = log ? [Math.log10(Math.max(first, 0.9)) - 0.02, Math.log10(Math.max(last, 2)) + 0.01] : [first - 0.5, last + 0.5];
    return { ...given, type: log ? "log" : "linear", range: ends, tickformat: last >= 1e5 ? "~s" : ",d",
      ...(log ? { dtick: last > 5000 || width < 420 ? 1 : "D2" } : last - first < 8 ? { dtick: 1 } : {}), title: { text: log ? "training step, log scale" : "training step" } };
  };

  const upright = (x, dash, stroke, width) => ({ type: "line", xref: "x", yref: "paper", x0: x, x1: x, y0: 0, y1: 1, line: { color: stroke, width, dash } });

  /* The words of a mark stand beside its line, on the side with more room, above the words they would touch. */
  const worded = (marks, width, last, log, title) => {
    const across = (step) => width * (log ? Math.log10(Math.max(step, 1)) / Math.log10(Math.max(last, 2)) : step / Math.max(last, 1));
    const taken = [{ level: 0, from: width - 6.4 * title.length - 8, to: width + 50 }];
    return [...marks].sort((a, b) => a.step - b.step).map(({ step, text, fault }) => {
      const x = across(step), length = 6.4 * text.length + 12, right = x + length > width && x > length;
      const [from, to] = right ? [x - length, x] : [x, x + length];
      let level = 0;
      while (taken.some((other) => other.level === level && from < other.to && to > other.from)) level += 1;
      taken.push({ level, from, to });
      return { x: log ? Math.log10(Math.max(step, 1)) : step, xref: "x", y: 1, yref: "paper", xanchor: right ? "right" : "left", yanchor: "bottom",
        yshift: 13 * level, text, showarrow: false, font: { size: 11, color: colour(fault ? "accent" : "ink") } };
    });
  };

  /* The name of a vertical axis is written level, above its right end. */
  const titled = (layout) => Object.entries(layout).filter(([key, y]) => /^yaxis/.test(key) && y.title && y.title.text).map(([, y]) => ({
    x: 1, xref: "paper", xanchor: "right", y: (y.domain || [0, 1])[1], yref: "paper", yanchor: "bottom", text: y.title.text, showarrow: false,
    borderpad: 0, font: { size: 11, color: colour("muted") } }));

  const framed = (given, div, height, time) => {
    const layout = painted(given);
    const marks = layout.marks || [];
    delete layout.marks;
    if (time) {
      const last = layout.xaxis.last, inner = div.clientWidth - 70;
      layout.shapes = marks.map(({ step, fault }) => upright(step, fault ? "solid" : "dot", colour(fault ? "accent" : "ink"), 1.25));
      layout.annotations = [...worded(marks, inner, last, isLog(time), layout.yaxis.title.text), ...titled(layout)];
      layout.xaxis = timeAxis(layout.xaxis, time, 1, last, div.clientWidth);
      delete layout.xaxis.last;
      for (const key of Object.keys(layout)) if (/^yaxis/.test(key)) layout[key].title = { text: "" };
    }
    for (const key of Object.keys(layout).filter((k) => /^[xy]axis\d*$/.test(k)))
      layout[key] = layout[key].names
        ? siteAxis(layout[key].names, layout[key].short, height - 90, div.clientWidth, layout[key]) : axis(layout[key]);
    const levels = (layout.annotations || []).map((words) => words.yshift || 0);
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", height, dragmode: touch ? false : "zoom",
      margin: { l: 46, r: 14, t: 22 + Math.max(0, ...levels), b: 44 }, hovermode: "closest",
      font: { family: getComputedStyle(document.body).fontFamily, color: colour("ink"), size: 12 },
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink"), size: 12 } },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { color: colour("muted"), size: 11 } },
      ...layout,
    };
  };

  const show = (div, data, layout, height, time) =>
    Plotly.react(div, painted(data), framed(layout, div, height, time), { displayModeBar: false, responsive: true });

  // ---- figures

  const drawers = {};  // id of the element -> what draws it

  for (const [id, figure] of Object.entries(run.figures))
    drawers[id] = (div) => show(div, figure.data, figure.layout, figure.height, figure.time);

  const mapHeight = (rows) => Math.round(Math.min(700, Math.max(110, rows * (rows > 16 ? 18 : 28))) + 104);

  const heatMap = (div, map, view, cursor) => {
    const finite = view.z.flat().filter((value) => value !== null);
    const [low, high] = view.log ? [Math.min(...ends(finite)), Math.max(...ends(finite))] : [0, 100];
    const spans = view.steps.map((step, i) => { const from = Math.ceil(view.edges[i]); return from === step ? grouped(step) : `${grouped(from)}–${grouped(step)}`; });
    const long = div.clientWidth < 520 ? 0.48 : 0.42;
    const heat = {
      type: "heatmap", x: view.edges, y: view.names, z: view.z, zmin: low, zmax: high > low ? high : low + 1,
      colorscale: ramp(), hoverongaps: false, xgap: 0, ygap: view.names.length < 40 ? 1.5 : 0, hoverinfo: "text", text: view.names.map(() => spans),
      hovertemplate: view.log ? "%{y}<br>step %{text}: 10<sup>%{z:.2f}</sup><extra></extra>" : "%{y}<br>step %{text}: %{z:.1f} %<extra></extra>",
      colorbar: {
        orientation: "h", x: 1, xanchor: "right", yref: "container", y: 1, yanchor: "top", ypad: 4, xpad: 0, thickness: 8,
        len: long, outlinewidth: 0, tickfont: { size: 11, color: colour("muted") },
        ...(view.log ? decades(low, high) : { nticks: 6 }),
      },
    };
    const legend = { x: 1 - long, xref: "paper", xanchor: "right", xshift: -12, y: 1, yref: "paper", yanchor: "middle", yshift: 51, showarrow: false,
      text: view.log ? `${view.unit}, log scale` : view.unit, font: { size: 11, color: colour("muted") } };
    const empty = { x: 0.5, xref: "paper", y: 0.5, yref: "paper", text: "no finite value was recorded", showarrow: false, font: { color: colour("muted") } };
    const seen = map.onsets.filter((onset) => view.names.includes(onset.name));
    const onsets = {
      type: "scatter", mode: "markers", x: seen.map((o) => o.step), y: seen.map((o) => o.name), text: seen.map((o) => o.text),
      marker: { symbol: "triangle-right", size: view.names.length < 60 ? 11 : 6, color: colour("accent"), line: { width: 1, color: colour("card") } },
      hovertemplate: "%{y}<br>%{text}<extra></extra>", cliponaxis: false, showlegend: false,
    };
    const height = mapHeight(view.names.length);
    const last = view.steps[view.steps.length - 1];
    const layout = {
      margin: { l: 46, r: 14, t: 60, b: 44 }, showlegend: false,
      xaxis: timeAxis({ showgrid: false }, "chosen", Math.ceil(view.edges[0]), last, div.clientWidth),
      yaxis: { names: view.names, short: view.short, range: [-0.5, view.names.length - 0.5] }, annotations: [finite.length ? legend : empty],
      shapes: [...map.treatments.map((step) => upright(step, "dot", colour("ink"), 1)),
        ...(cursor === undefined ? [] : [upright(cursor, "solid", colour("accent"), 1.5)])],
    };
    return show(div, finite.length ? [heat, onsets] : [onsets], layout, height);
  };

  const ends = (values) => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  /* Ticks of a scale in powers of ten; its two ends where it spans too few. */
  const decades = (low, high) => {
    const every = Math.max(1, Math.ceil((high - low) / 6));
    const powers = [];
    for (let power = Math.ceil(low); power <= high; power += every) powers.push(power);
    const words = (power) => `10<sup>${power}</sup>`;
    return powers.length > 1 ? { tickvals: powers, ticktext: powers.map(words) }
      : { tickvals: [low, high], ticktext: [low, high].map((power) => String(Number((10 ** power).toPrecision(2)))) };
  };

  /* A group of radio buttons, one for each view; `chosen` is told the index. */
  const toggle = (group, views, chosen) => {
    const buttons = group ? $$("input", group) : [];  // one view needs no switch
    for (const [index, button] of buttons.entries()) button.addEventListener("change", () => chosen(index));
    return () => Math.max(0, buttons.findIndex((button) => button.checked));
  };

  const redraw = (id) => { const div = document.getElementById(id); if (div && div.dataset.drawn) drawers[id](div); };

  if (run.activity) {
    const section = $("#activity");
    const view = toggle($(".switch", section), run.activity.views, (index) => {
      $("h2", section).textContent = run.activity.views[index].title;
      redraw("activity-map");
    });
    drawers["activity-map"] = (div) => heatMap(div, run.activity, run.activity.views[view()]);
  }

  if (run.gradient) {
    const section = $("#gradient"), slider = $("input[type=range]", section), output = $("output", section);
    const now = () => run.gradient.views[view()];
    const column = () => Math.min(Number(slider.value), now().steps.length - 1);
    const tell = () => { output.textContent = `step ${grouped(now().steps[column()])}`; };
    const view = toggle($(".switch", section), run.gradient.views, () => {
      slider.max = now().steps.length - 1;
      $("h2", section).textContent = now().title;
      tell(); redraw("gradient-map"); redraw("gradient-profile");
    });
    slider.addEventListener("input", () => { tell(); redraw("gradient-map"); redraw("gradient-profile"); });
    drawers["gradient-map"] = (div) => heatMap(div, run.gradient, now(), now().steps.length > 1 ? now().steps[column()] : undefined);
    drawers["gradient-profile"] = (div) => {
      const { names, short, steps: x, z } = now();
      const profile = (index, name, stroke, more) => ({
        type: "scatter", mode: names.length < 40 ? "lines+markers" : "lines", y: names, name,
        x: z.map((row) => (row[index] === null ? null : 10 ** row[index])), marker: { size: 6, color: stroke },
        line: { color: stroke, width: 2, ...more }, hovertemplate: `%{y}<br>${name}: %{x:.2e}<extra></extra>`,
      });
      const [low, high] = ends(z.flat().filter((value) => value !== null));
      const room = Math.max(0.3, 0.06 * (high - low));
      const last = x.length - 1;
      const data = [profile(0, `step ${grouped(x[0])}`, colour("faint"), { dash: "dot", width: 1.5 }),
        ...(last ? [profile(last, `step ${grouped(x[last])}`, colour("faint"), { width: 1.5 })] : []),
        profile(column(), "chosen step", colour("accent"), {})];
      const layout = {
        margin: { l: 20, r: 14, t: 60, b: 44 },
        xaxis: { type: "log", range: [low - room, high + room], exponentformat: "power", power: true, dtick: Math.max(1, Math.ceil((high - low) / 5)), title: { text: "gradient norm, log scale" } },
        yaxis: { names, short, range: [-0.5, names.length - 0.5] },
      };
      return show(div, data, layout, mapHeight(names.length));
    };
    tell();
  }

  if (run.histograms.length) {
    const section = $("#histograms"), picker = $("select", section), slider = $("input[type=range]", section), output = $("output", section);
    const site = () => run.histograms[picker.selectedIndex];
    const row = () => Math.min(Number(slider.value), site().steps.length - 1);
    const tell = () => {
      output.textContent = `step ${grouped(site().steps[row()])}`;
      $(".caption", section).textContent = site().captions[row()];
    };
    const chosen = () => { tell(); redraw("histogram"); };
    slider.addEventListener("input", chosen);
    picker.addEventListener("change", () => {
      slider.max = site().steps.length - 1;
      slider.value = site().steps.length - 1;
      chosen();
    });
    drawers.histogram = (div) => {
      const { edges, ticks, labels, flat, density, steps } = site();
      const at = density.map((_, i) => i)[row()];
      const centres = edges.slice(1).map((edge, i) => (edge + edges[i]) / 2);
      const isFlat = (x) => (flat[0] !== null && x < flat[0]) || (flat[1] !== null && x > flat[1]);
      const pad = 0.02 * (edges[edges.length - 1] - edges[0]);
      const [low, high] = [edges[0] - pad, edges[edges.length - 1] + pad];
      const bars = {
        type: "bar", x: centres, y: density[at], width: edges.slice(1).map((edge, i) => edge - edges[i]),
        customdata: edges.slice(1).map((edge, i) => 100 * (edge - edges[i]) * (density[at][i] || 0)),
        marker: { color: centres.map((x) => colour(isFlat(x) ? "faint" : "data")), line: { width: 0 } },
        hovertemplate: "%{customdata:.2f} % of samples<extra></extra>",
      };
      const outline = {
        type: "scatter", mode: "lines", x: edges, y: [...density[0], 0], line: { shape: "hv", color: colour("accent"), width: 1.25, dash: "dot" }, hoverinfo: "skip",
      };
      const highest = density.map((row) => Math.max(...row)).sort((a, b) => a - b);  // one spike shall not flatten the rest
      const sides = [[low, flat[0]], [flat[1], high]].filter(([a, b]) => a !== null && b !== null && b > a);
      const layout = {
        bargap: 0, showlegend: false, margin: { l: 52, r: 14, t: 24, b: 44 },
        xaxis: { tickvals: ticks, ticktext: labels, range: [low, high], showgrid: false, title: { text: "pre-activation z (logarithmic far from zero)" } },
        yaxis: { title: { text: "density of samples (area 1)" }, rangemode: "tozero", range: [0, 1.05 * Math.min(highest[highest.length - 1], 3 * highest[highest.length >> 1])] },
        shapes: sides.map(([a, b]) => ({ type: "rect", xref: "x", yref: "paper", x0: Math.max(a, low), x1: Math.min(b, high), y0: 0, y1: 1, fillcolor: colour("shade"), line: { width: 0 }, layer: "below" })),
        annotations: sides.map(([a, b], i) => ({ x: i || flat[0] === null ? high : low, xref: "x", y: 1, yref: "paper", xanchor: i || flat[0] === null ? "right" : "left", yanchor: "bottom", text: "flat: no learning here", showarrow: false, font: { size: 11, color: colour("muted") } })),
      };
      return show(div, steps.length > 1 ? [bars, outline] : [bars], layout, 340);
    };
    tell();
  }

  // ---- the table of sites

  const table = $("#sites table");
  if (table) {
    const body = $("tbody", table);
    const filter = $("#sites input[type=search]");
    if (filter) filter.addEventListener("input", () => {
      for (const line of body.rows) line.hidden = ![...line.cells].some((cell) => cell.title.toLowerCase().includes(filter.value.toLowerCase()));
    });
    for (const button of $$("thead button", table)) button.addEventListener("click", () => {
      const head = button.closest("th"), index = head.cellIndex;
      const direction = head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
      for (const other of $$("thead th", table)) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const key = (line) => line.cells[index].dataset.sort ?? line.cells[index].title;
      const compare = (a, b) => (Number.isNaN(Number(a)) ? 1 : Number.isNaN(Number(b)) ? -1 : 0) || sign * (Number(a) - Number(b));
      const words = (a, b) => sign * a.localeCompare(b, "en", { numeric: true });
      const order = head.dataset.words === undefined ? compare : words;
      body.append(...[...body.rows].sort((a, b) => order(key(a), key(b))));
    });
  }

  // ---- drawn when it comes into view: a report may hold hundreds of figures

  const draw = (div) => { if (!div.dataset.drawn) { div.dataset.drawn = "yes"; drawers[div.id](div); } };
  const plots = $$(".plot").filter((div) => drawers[div.id]);
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { observer.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "400px" });
  for (const div of plots) observer.observe(div);
  addEventListener("beforeprint", () => { for (const div of plots) if (div.clientWidth) draw(div); });
  if (chosenTime) chosenTime.addEventListener("change", () => {
    for (const id of ["activity-map", "gradient-map", "loss-curves"]) redraw(id);
  });
  darkness.addEventListener("change", () => { for (const div of plots) redraw(div.id); });
})();
