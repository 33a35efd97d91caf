// The section of the pre-activations: one site at one step.

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
    const { kind, edges, ticks, labels, flat, density, steps } = site();
    const at = density.map((_, i) => i)[row()];
    const centres = edges.slice(1).map((edge, i) => (edge + edges[i]) / 2);
    const isFlat = (x) => (flat[0] !== null && x < flat[0]) || (flat[1] !== null && x > flat[1]);
    const pad = 0.02 * (edges[edges.length - 1] - edges[0]);
    const [low, high] = [edges[0] - pad, edges[edges.length - 1] + pad];
    const bars = {
      type: "bar", x: centres, y: density[at], width: edges.slice(1).map((edge, i) => edge - edges[i]),
      customdata: edges.slice(1).map((edge, i) => 100 * (edge - edges[i]) * (density[at][i] || 0)),
      marker: { color: centres.map((x) => colour(isFlat(x) ? "faint" : "data")), line: { width: 0 } },
      hovertemplate: `%{customdata:.3~g} % of ${kind}<extra></extra>`,
    };
    const outline = {
      type: "scatter", mode: "lines", x: edges, y: [...density[0], 0], line: { shape: "hv", color: colour("accent"), width: 1.25, dash: "dot" }, hoverinfo: "skip",
    };
    const highest = density.map((row) => Math.max(...row)).sort((a, b) => a - b);  // one spike shall not flatten the rest
    const sides = [[low, flat[0]], [flat[1], high]].filter(([a, b]) => a !== null && b !== null && b > a);
    const layout = {
      bargap: 0, showlegend: false, margin: { l: 52, r: 14, t: 24, b: 44 },
      xaxis: { tickvals: ticks, ticktext: labels, range: [low, high], showgrid: false, title: { text: "pre-activation z (logarithmic far from zero)" } },
      yaxis: { title: { text: `density of ${kind} (area 1)` }, rangemode: "tozero", range: [0, 1.05 * Math.min(highest[highest.length - 1], 3 * highest[highest.length >> 1])] },
      shapes: sides.map(([a, b]) => ({ type: "rect", xref: "x", yref: "paper", x0: Math.max(a, low), x1: Math.min(b, high), y0: 0, y1: 1, fillcolor: colour("shade"), line: { width: 0 }, layer: "below" })),
      annotations: sides.map(([a, b], i) => ({ x: i || flat[0] === null ? high : low, xref: "x", y: 1, yref: "paper", xanchor: i || flat[0] === null ? "right" : "left", yanchor: "bottom", text: "flat: no learning here", showarrow: false, font: { size: 11, color: colour("muted") } })),
    };
    return show(div, steps.length > 1 ? [bars, outline] : [bars], layout, 340);
  };
  tell();
}
