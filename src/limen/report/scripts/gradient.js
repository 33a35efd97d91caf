// The section of the gradient: a map, and the profile of the step that the slider chooses.

if (run.gradient) {
  const section = $("#gradient"), slider = $("input[type=range]", section), output = $("output", section);
  const now = () => run.gradient.views[view()];
  const column = () => now().seen[Math.min(Number(slider.value), now().seen.length - 1)];
  const tell = () => { output.textContent = `step ${grouped(now().steps[column()])}`; };
  const view = toggle($(".switch", section), run.gradient.views, () => {
    slider.max = now().seen.length - 1;
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
    const last = now().seen[now().seen.length - 1];
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
