// The table of sites: found by name, sorted by any column.

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
