// Axes, marks and frames, the same around all figures.

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
  const most = width < 360 ? 15 : width < 520 ? 20 : 28;
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
    const cramped = x + length > width && !right;  // beside the line there is no room on either side
    const [from, to] = cramped ? [width - length, width] : right ? [x - length, x] : [x, x + length];
    let level = 0;
    while (taken.some((other) => other.level === level && from < other.to && to > other.from)) level += 1;
    taken.push({ level, from, to });
    const place = cramped ? { x: 1, xref: "paper", xanchor: "right" } : { x: log ? Math.log10(Math.max(step, 1)) : step, xref: "x", xanchor: right ? "right" : "left" };
    return { ...place, y: 1, yref: "paper", yanchor: "bottom",
      yshift: 13 * level, text, showarrow: false, font: { size: 11, color: colour(fault ? "accent" : "ink") } };
  });
};

/* The name of a vertical axis is written level, above its right end. */
const titled = (layout) => Object.entries(layout).filter(([key, y]) => /^yaxis/.test(key) && y.title && y.title.text).map(([, y]) => ({
  x: 1, xref: "paper", xanchor: "right", y: (y.domain || [0, 1])[1], yref: "paper", yanchor: "bottom", text: y.title.text, showarrow: false,
  borderpad: 0, font: { size: 11, color: colour("muted") } }));

/* Steps that nobody looked at: hatched on axes of their own, with words once where they fit. */
const hatched = (blind) => blind.map(({ from, to }, i) => ({
  type: "scatter", mode: "lines", x: [from - 0.5, to + 0.5, to + 0.5, from - 0.5], y: [0, 0, 1, 1], yaxis: `y${90 + i}`, fill: "toself", line: { width: 0 },
  fillpattern: { shape: "/", size: 8, solidity: 0.15, fillmode: "replace", fgcolor: colour("faint"), bgcolor: colour("shade") }, hoverinfo: "skip", showlegend: false }));
const hatchedAxes = (blind) => Object.fromEntries(blind.map(({ low, top }, i) => [`yaxis${90 + i}`, { domain: [low, top], range: [0, 1], visible: false, fixedrange: true }]));
const unseen = (blind, width, last, log) => {
  const place = (step) => (log ? Math.log10(Math.max(step, 1)) : step), whole = place(Math.max(last, 2)) - (log ? 0 : 1);
  return blind.filter(({ from, to, top }, i) => (place(to) - place(from)) * width > 84 * whole && !blind.slice(0, i).some((b) => b.from === from && b.top >= top))
    .map(({ from, to, low, top }) => ({ x: (place(from) + place(to)) / 2, xref: "x", y: (low + top) / 2, yref: "paper", text: "not looked at", showarrow: false,
      bgcolor: colour("paper"), borderpad: 3, font: { size: 11, color: colour("muted") } }));
};

const framed = (given, div, height, time) => {
  const layout = painted(given);
  const { marks = [], blind = [] } = layout;
  delete layout.marks;
  delete layout.blind;
  if (time) {
    const last = layout.xaxis.last, inner = div.clientWidth - 70;
    layout.shapes = marks.map(({ step, fault }) => upright(step, fault ? "solid" : "dot", colour(fault ? "accent" : "ink"), 1.25));
    layout.annotations = [...worded(marks, inner, last, isLog(time), layout.yaxis.title.text), ...titled(layout), ...unseen(blind, inner, last, isLog(time))];
    layout.xaxis = timeAxis(layout.xaxis, time, 1, last, div.clientWidth);
    delete layout.xaxis.last;
    for (const key of Object.keys(layout)) if (/^yaxis/.test(key)) layout[key].title = { text: "" };
  }
  for (const key of Object.keys(layout).filter((k) => /^[xy]axis\d*$/.test(k)))
    layout[key] = layout[key].names
      ? siteAxis(layout[key].names, layout[key].short, height - 90, div.clientWidth, layout[key]) : axis(layout[key]);
  Object.assign(layout, hatchedAxes(blind));
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
  Plotly.react(div, [...painted(data), ...hatched(layout.blind || [])], framed(layout, div, height, time), { displayModeBar: false, responsive: true });

const drawers = {};  // id of the element -> what draws it

for (const [id, figure] of Object.entries(run.figures))
  drawers[id] = (div) => show(div, figure.data, figure.layout, figure.height, figure.time);

/* A group of radio buttons, one for each view; `chosen` is told the index. */
const toggle = (group, views, chosen) => {
  const buttons = group ? $$("input", group) : [];  // one view needs no switch
  for (const [index, button] of buttons.entries()) button.addEventListener("change", () => chosen(index));
  return () => Math.max(0, buttons.findIndex((button) => button.checked));
};

const redraw = (id) => { const div = document.getElementById(id); if (div && div.dataset.drawn) drawers[id](div); };
