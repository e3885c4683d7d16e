"use strict";
// What every chart needs: elements, scales, axes and a cursor.

const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// An empty drawing as wide as its box; the viewBox keeps it in shape on paper.
function drawing(box, height, label) {
  const width = Math.max(280, box.clientWidth);
  const svg = add(box, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  return { svg, width, height };
}

function scale(from, to, low, high) {
  const span = to - from || 1;
  return (value) => low + ((value - from) / span) * (high - low);
}

// Round numbers between two values, about `wanted` of them.
function ticks(from, to, wanted) {
  const rough = (to - from || 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const found = [];
  for (let at = Math.ceil(from / step); at * step <= to; at++) found.push(at * step);
  return found;
}

const STEPS_S = [300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 345600, 604800, 1209600, 2592000, 7776000, 31536000];

function timeTicks(from, to, wanted) {
  const step = STEPS_S.find((each) => (to - from) / each <= wanted) || 31536000;
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}

function two(number) {
  return String(number).padStart(2, "0");
}

function dayOf(second) {
  const at = new Date(second * 1000);
  return `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
}

function minuteOf(second) {
  const at = new Date(second * 1000);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

// Midnights are named by their day, other times by the clock.
function timeText(second) {
  return second % 86400 === 0 ? dayOf(second) : minuteOf(second);
}

function timeAxis(svg, x, from, to, top, bottom, wanted) {
  for (const at of timeTicks(from, to, wanted)) {
    add(svg, "line", { class: "grid", x1: x(at), x2: x(at), y1: top, y2: bottom });
    below(svg, x(at), bottom, timeText(at));
  }
}

// A name under an axis, in the middle of its place but never over the left edge.
function below(svg, x, bottom, text) {
  const place = x < 24 ? { x: 2 } : { x, "text-anchor": "middle" };
  add(svg, "text", { y: bottom + 14, ...place }, text);
}

// Calls `tell(x)` while a finger or a mouse moves over the drawing, `leave()` when it goes.
function follow(svg, width, tell, leave) {
  const told = (event) => {
    const box = svg.getBoundingClientRect();
    tell(((event.clientX - box.left) / box.width) * width);
  };
  svg.addEventListener("pointermove", told);
  svg.addEventListener("pointerdown", told);
  svg.addEventListener("pointerleave", leave);
}

// The last index whose value is not above `wanted`.
function indexAt(values, wanted) {
  let low = 0, high = values.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle] <= wanted) low = middle; else high = middle - 1;
  }
  return low;
}
