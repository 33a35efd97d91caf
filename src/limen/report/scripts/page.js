// What every other file of this folder uses: the data, the elements, the colours. All share one scope.

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
