// Equity over time as steps (between two points it is not known), and the fall from its highest so far.

function drawCurve(box, points) {
  const { svg, width, height } = drawing(box, box.clientWidth < 500 ? 280 : 340, "equity and drawdown over time");
  const left = 8, right = width - 62, split = height * 0.66, bottom = height - 20;
  const times = points.map((point) => point[0]), worth = points.map((point) => point[1]);
  const falls = fallsOf(worth), deepest = Math.min(-0.1, ...falls);
  const low = Math.min(...worth), high = Math.max(...worth), air = (high - low || high * 0.01) * 0.08;
  const x = scale(times[0], times[times.length - 1], left, right);
  const y = scale(low - air, high + air, split - 6, 18), yFall = scale(deepest, 0, bottom, split + 10);
  timeAxis(svg, x, times[0], times[times.length - 1], 18, bottom, width < 500 ? 4 : 9);
  valueAxis(svg, y, low, high, 5, left, right, (value) => value.toFixed(high - low < 5 ? 2 : 0));
  valueAxis(svg, yFall, deepest, 0, 3, left, right, (value) => `${value.toFixed(deepest > -2 ? 1 : 0)} %`);
  add(svg, "line", { class: "start", x1: left, x2: right, y1: y(worth[0]), y2: y(worth[0]) });
  add(svg, "path", { class: "fall", d: `${steps(times, falls, x, yFall)}V${yFall(0)}H${left}Z` });
  add(svg, "path", { class: "equity", d: steps(times, worth, x, y) });
  const cursor = add(svg, "line", { class: "cursor", y1: 18, y2: bottom, visibility: "hidden" });
  const text = add(svg, "text", { class: "told", x: left, y: 12 });
  follow(svg, width, (at) => {
    const index = indexAt(times.map(x), at);
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x1", x(times[index]));
    cursor.setAttribute("x2", x(times[index]));
    text.textContent = `${dayOf(times[index])} ${minuteOf(times[index])} · ${worth[index].toFixed(2)} USDT · ${falls[index].toFixed(2)} %`;
  }, () => {
    cursor.setAttribute("visibility", "hidden");
    text.textContent = "";
  });
}

function fallsOf(worth) {
  let peak = worth[0];
  return worth.map((value) => {
    peak = Math.max(peak, value);
    return 100 * (value / peak - 1);
  });
}

function steps(times, values, x, y) {
  let path = `M${x(times[0]).toFixed(1)} ${y(values[0]).toFixed(1)}`;
  for (let at = 1; at < times.length; at++) path += `H${x(times[at]).toFixed(1)}V${y(values[at]).toFixed(1)}`;
  return path;
}

function valueAxis(svg, y, from, to, wanted, left, right, text) {
  for (const value of ticks(from, to, wanted)) {
    add(svg, "line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) });
    add(svg, "text", { x: right + 6, y: y(value) + 4 }, text(value));
  }
}
