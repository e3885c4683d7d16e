// Draws each profile's section; drawn again when the window's width changes.

const profiles = JSON.parse(document.getElementById("data").textContent);

function drawAll() {
  for (const section of document.querySelectorAll(".profile")) {
    const found = profiles[Number(section.dataset.profile)];
    redraw(section.querySelector(".curve"), (box) => drawCurve(box, found.curve));
    redraw(section.querySelector(".histogram"), (box) => drawHistogram(box, found.bins));
    for (const box of section.querySelectorAll(".chart")) {
      const trade = found.trades[Number(box.closest("tbody").dataset.trade)];
      if (box.closest(".detail").hidden) box.replaceChildren();
      else redraw(box, () => drawTrade(box, trade));
    }
  }
}

function redraw(box, draw) {
  if (!box) return;
  box.replaceChildren();
  draw(box);
}

drawAll();
for (const section of document.querySelectorAll(".profile")) {
  if (section.querySelector(".trades")) bringAlive(section, profiles[Number(section.dataset.profile)].trades);
}
let drawnAt = document.documentElement.clientWidth;
addEventListener("resize", () => {
  if (document.documentElement.clientWidth === drawnAt) return;
  drawnAt = document.documentElement.clientWidth;
  drawAll();
});
