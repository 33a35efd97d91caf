// Sites × time.

const mapHeight = (rows) => Math.round(Math.min(700, Math.max(110, rows * (rows > 16 ? 18 : 28))) + 104);

const heatMap = (div, map, view, cursor) => {
  const finite = view.z.flat().filter((value) => value !== null);
  const [low, high] = view.log ? [Math.min(...ends(finite)), Math.max(...ends(finite))] : [0, 100];
  const spans = view.steps.map((step, i) => { const from = Math.ceil(view.edges[i]); return from === step ? grouped(step) : `${grouped(from)}–${grouped(step)}`; });
  const long = div.clientWidth < 520 ? 0.48 : 0.42;
  const heat = {
    type: "heatmap", x: view.edges, y: view.names, z: view.z, zmin: low, zmax: high > low ? high : low + 1,
    colorscale: ramp(), hoverongaps: false, xgap: 0, ygap: view.names.length < 40 ? 1.5 : 0, hoverinfo: "text", text: view.names.map(() => spans),
    hovertemplate: view.log ? "%{y}<br>step %{text}: 10<sup>%{z:.2f}</sup><extra></extra>" : "%{y}<br>step %{text}: %{z:.3~g} %<extra></extra>",
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
  const blind = map.blind.map(([from, to]) => ({ from, to, low: 0, top: 1 }));
  const layout = {
    margin: { l: 46, r: 14, t: 60, b: 44 }, showlegend: false,
    xaxis: timeAxis({ showgrid: false }, "chosen", Math.ceil(view.edges[0]), last, div.clientWidth),
    yaxis: { names: view.names, short: view.short, range: [-0.5, view.names.length - 0.5] }, annotations: [finite.length ? legend : empty, ...unseen(blind, div.clientWidth - 160, last, isLog("chosen"))],
    blind, shapes: [...map.treatments.map((step) => upright(step, "dot", colour("ink"), 1)),
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
