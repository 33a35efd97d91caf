// The section of the activity: one map, several views.

if (run.activity) {
  const section = $("#activity");
  const view = toggle($(".switch", section), run.activity.views, (index) => {
    $("h2", section).textContent = run.activity.views[index].title;
    redraw("activity-map");
  });
  drawers["activity-map"] = (div) => heatMap(div, run.activity, run.activity.views[view()]);
}
