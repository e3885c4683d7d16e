// The table of trades: sorted, narrowed, and each row opened to its chart.

const NUMBERS = new Set(["opened", "held", "r", "net"]);

function openTrade(body, trades, wanted) {
  const button = body.querySelector(".open"), detail = body.querySelector(".detail");
  const open = wanted ?? detail.hidden;
  detail.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
  const box = detail.querySelector(".chart");
  if (open && !box.firstChild) drawTrade(box, trades[Number(body.dataset.trade)]);
}

function sortTrades(table, head) {
  const key = head.querySelector("button").dataset.key;
  const falling = head.getAttribute("aria-sort") === "ascending";
  for (const each of table.querySelectorAll("th[aria-sort]")) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const order = (one, other) => NUMBERS.has(key)
    ? Number(one.dataset[key]) - Number(other.dataset[key])
    : one.dataset[key].localeCompare(other.dataset[key]);
  const bodies = [...table.tBodies].sort(order);
  table.append(...(falling ? bodies.reverse() : bodies));
}

// Every word must occur in symbol, side or exit.
function narrow(table, text) {
  const words = text.toLowerCase().split(/[\s,]+/).filter(Boolean);
  for (const body of table.tBodies) {
    const { symbol, side, exit } = body.dataset;
    const told = `${symbol} ${side} ${exit}`.toLowerCase();
    body.hidden = !words.every((word) => told.includes(word));
  }
}

function bringAlive(section, trades) {
  const table = section.querySelector(".trades");
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector("button").addEventListener("click", () => sortTrades(table, head));
  }
  table.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (row) openTrade(row.parentElement, trades);
  });
  section.querySelector(".filter").addEventListener("input", (event) => narrow(table, event.target.value));
  section.querySelector(".open-all").addEventListener("click", () => {
    for (const body of table.tBodies) if (!body.hidden) openTrade(body, trades, true);
  });
}
