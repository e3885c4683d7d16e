// One trade on its candles: zone, levels, fill and exit.

function unpack(packed) {
  const unit = 10 ** -packed.decimals, found = [];
  let second = packed.first_s, close = 0;
  for (let at = 0; at < packed.numbers.length; at += 5) {
    const [skipped, gap, body, above, below] = packed.numbers.slice(at, at + 5);
    const open = close + gap;
    close = open + body;
    second += skipped * packed.step_s;
    const high = Math.max(open, close) + above, low = Math.min(open, close) - below;
    found.push({ second, open: open * unit, high: high * unit, low: low * unit, close: close * unit });
  }
  return found;
}

function drawTrade(box, trade) {
  const candles = unpack(trade.candles), step = trade.candles.step_s, digits = Math.max(trade.decimals, trade.candles.decimals);
  const { svg, width, height } = drawing(box, box.clientWidth < 500 ? 300 : 380, "the trade on its candles");
  if (!candles.length) {
    add(svg, "text", { x: 8, y: 20 }, "No candles are stored around this trade.");
    return;
  }
  const left = 8, right = width - 84, top = 28, bottom = height - 20;
  const from = candles[0].second, to = candles[candles.length - 1].second + step;
  const levels = [...trade.zone, trade.plan, trade.stop, trade.target, trade.entry, trade.exit];
  const low = Math.min(...levels, ...candles.map((each) => each.low));
  const high = Math.max(...levels, ...candles.map((each) => each.high));
  const x = scale(from, to, left, right), y = scale(low, high, bottom - 4, top + 4);
  const within = (second) => Math.min(Math.max(x(second), left), right);
  timeAxis(svg, x, from, to, top, bottom, width < 500 ? 3 : 8);
  const prices = ticks(low, high, 5);
  for (const price of prices) add(svg, "line", { class: "grid", x1: left, x2: right, y1: y(price), y2: y(price) });
  const begin = within(trade.decided_s), end = within(trade.closed_s), expired = within(trade.zone_until_s);
  add(svg, "rect", { class: "zone", x: begin, y: y(trade.zone[1]), width: Math.max(2, expired - begin), height: Math.max(1, y(trade.zone[0]) - y(trade.zone[1])) });
  drawCandles(svg, candles, step, x, y);
  for (const price of prices) add(svg, "text", { x: left, y: y(price) - 3 }, price.toFixed(digits));
  for (const name of ["stop", "target", "plan"]) {
    add(svg, "line", { class: `level ${name}`, x1: begin, x2: Math.max(end, begin + 2), y1: y(trade[name]), y2: y(trade[name]) });
  }
  labels(svg, right + 6, trade, y, digits);
  const filled = [within(trade.opened_s), y(trade.entry)], left_at = [end, y(trade.exit)];
  add(svg, "line", { class: "held", x1: filled[0], y1: filled[1], x2: left_at[0], y2: left_at[1] });
  marker(svg, filled, trade.long, "fill");
  marker(svg, left_at, !trade.long, "exit");
  reading(svg, width, candles, step, x, digits);
}

// Four paths whatever their number: wicks and bodies, rising and falling.
function drawCandles(svg, candles, step, x, y) {
  const half = Math.max(0.5, (x(candles[0].second + step) - x(candles[0].second)) * 0.36);
  for (const name of ["up", "down"]) {
    let wicks = "", bodies = "";
    for (const each of candles) {
      if ((each.close >= each.open) !== (name === "up")) continue;
      const centre = x(each.second + step / 2), roof = y(Math.max(each.open, each.close));
      const floor = Math.max(y(Math.min(each.open, each.close)), roof + 0.8);
      wicks += `M${centre.toFixed(1)} ${y(each.high).toFixed(1)}V${y(each.low).toFixed(1)}`;
      bodies += `M${(centre - half).toFixed(1)} ${roof.toFixed(1)}h${(2 * half).toFixed(1)}V${floor.toFixed(1)}h${(-2 * half).toFixed(1)}Z`;
    }
    add(svg, "path", { class: name, d: wicks });
    add(svg, "path", { class: name, d: bodies, "stroke-width": 0 });
  }
}

// The levels' prices at the right, moved apart where they would cover each other.
function labels(svg, x, trade, y, digits) {
  const wanted = [["target", "target"], ["plan", "limit"], ["stop", "stop"]];
  const placed = wanted.map(([name, word]) => ({ name, word, y: y(trade[name]) + 4 }));
  placed.sort((one, other) => one.y - other.y);
  placed.forEach((each, at) => {
    if (at) each.y = Math.max(each.y, placed[at - 1].y + 24);
  });
  for (const { name, word, y: at } of placed) {
    add(svg, "text", { class: name, x, y: at - 5 }, word);
    add(svg, "text", { class: name, x, y: at + 7 }, trade[name].toFixed(digits));
  }
}

// A triangle that points the way of the order: up for bought, down for sold.
function marker(svg, [x, y], bought, title) {
  const d = bought ? `M${x} ${y}l-6 11h12Z` : `M${x} ${y}l-6 -11h12Z`;
  add(add(svg, "path", { class: "marker", d, "data-marker": title }), "title", {}, title);
}

function reading(svg, width, candles, step, x, digits) {
  const text = add(svg, "text", { class: "told", x: 8, y: 13 });
  const name = `${step / 60 < 60 ? `${step / 60}m` : `${step / 3600}h`} candles`;
  const leave = () => { text.textContent = name; };
  const opened = candles.map((each) => x(each.second));
  follow(svg, width, (at) => {
    const each = candles[indexAt(opened, at)];
    const prices = [each.open, each.high, each.low, each.close].map((price) => price.toFixed(digits));
    text.textContent = `${dayOf(each.second)} ${minuteOf(each.second)} · ${prices.join(" ")}`;
  }, leave);
  leave();
}
