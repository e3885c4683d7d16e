// How many trades ended in each range of R.

function drawHistogram(box, bins) {
  const { svg, width, height } = drawing(box, 200, "distribution of R multiples");
  const left = 8, right = width - 40, bottom = height - 20;
  const from = Math.min(bins[0][0], 0), to = Math.max(bins[bins.length - 1][1], 0);
  const most = Math.max(...bins.map((bin) => bin[2]));
  const x = scale(from, to, left, right), y = scale(0, most, bottom, 18);
  valueAxis(svg, y, 0, most, Math.min(4, most), left, right, (value) => value.toFixed(0));
  for (const value of ticks(from, to, width < 500 ? 5 : 10)) {
    below(svg, x(value), bottom, `${+value.toFixed(2)} R`);
  }
  const text = add(svg, "text", { class: "told", x: left, y: 12 });
  for (const [low, high, count] of bins) {
    const shape = { x: x(low) + 1, width: Math.max(1, x(high) - x(low) - 2), y: y(count), height: bottom - y(count) };
    const bar = add(svg, "rect", { class: low < 0 ? "down" : "up", ...shape });
    add(bar, "title", {}, `${count} from ${low} R to ${high} R`);
  }
  add(svg, "line", { class: "cursor", x1: x(0), x2: x(0), y1: 18, y2: bottom });
  follow(svg, width, (at) => {
    const bin = bins.find(([low, high]) => x(low) <= at && at < x(high));
    text.textContent = bin ? `${bin[2]} from ${bin[0]} R to ${bin[1]} R` : "";
  }, () => { text.textContent = ""; });
}
