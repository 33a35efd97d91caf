// Last: each figure is drawn when it comes into view: a report may hold hundreds of figures

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
