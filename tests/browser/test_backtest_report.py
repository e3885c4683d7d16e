"""The backtest's report in a real browser, from a file: charts draw, nothing complains, nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from apps.backtest.headline import BacktestResult
from apps.backtest.report import page as report
from apps.backtest.statistics import statistics
from apps.engine.values.position import Side
from tests.backtest.outcome_builder import outcome, trade
from tests.backtest.test_report import candles
from tests.browser.visitor import DESK, PHONE

TRADES = (
    trade(10, 0.5),
    trade(-5, 1, symbol="ETHUSDT", side=Side.SHORT),
    trade(4, 2, hours=30),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    parts = [
        BacktestResult(each, statistics(each))
        for each in (outcome(*TRADES), outcome(trade(-5), profile="regular"))
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report(parts, candles, source="the recorded market", pessimistic=False), "utf-8")
    return path.as_uri()


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The report, opened. Afterwards nothing may have been complained about or asked for."""
    heard: list[str] = []
    with browser.new_context(viewport=request.param, color_scheme="dark") as context:
        opened = context.new_page()
        opened.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        opened.on("pageerror", lambda error: heard.append(f"script: {error}"))
        opened.on("request", lambda asked: heard.append(asked.url))
        opened.goto(address)
        yield opened
    assert [each for each in heard if each != address and not each.startswith("data:")] == []


def section(page: Page) -> Locator:
    return page.locator("#profile-0")


def order(page: Page) -> list[str]:
    """Net results from the top of the table, as far as they are shown."""
    return section(page).locator(".trades .row:visible td:last-child").all_inner_texts()


def test_the_curves_are_drawn_and_nothing_runs_over_the_edge(page: Page) -> None:
    expect(section(page).locator(".curve path.equity")).to_be_visible()
    expect(section(page).locator(".curve path.fall")).to_be_visible()
    assert section(page).locator(".histogram rect").count() > 0
    section(page).get_by_role("button", name="Open all charts").click()
    width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] == width[1]


def test_a_trade_opens_to_its_chart_with_levels_zone_and_markers(page: Page) -> None:
    section(page).locator(".open").first.click()
    chart = section(page).locator(".chart").first
    for part in ("path.up", ".zone", ".level.stop", ".level.target", ".level.plan"):
        expect(chart.locator(part).first).to_be_attached()
    assert chart.locator(".marker").evaluate_all("all => all.map(one => one.dataset.marker)") == [
        "fill",
        "exit",
    ]
    bodies = chart.locator("path.up").last.get_attribute("d") or ""
    assert bodies.count("Z") > 100  # the builder's candles all rise
    section(page).locator(".open").first.click()
    expect(chart).to_be_hidden()


def test_every_chart_opens_at_once(page: Page) -> None:
    section(page).get_by_role("button", name="Open all charts").click()
    expect(section(page).locator(".chart svg")).to_have_count(len(TRADES))


def test_trades_are_sorted_by_what_is_pressed_and_turned_round(page: Page) -> None:
    net = section(page).get_by_role("button", name="net USDT")
    net.click()
    assert order(page) == ["−5.00", "+4.00", "+10.00"]
    net.click()
    assert order(page) == ["+10.00", "+4.00", "−5.00"]
    expect(section(page).locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")


def test_the_table_narrows_to_what_is_typed(page: Page) -> None:
    section(page).get_by_label("Show only").fill("eth short")
    assert order(page) == ["−5.00"]
    section(page).get_by_label("Show only").fill("")
    assert len(order(page)) == len(TRADES)


def test_charts_follow_the_windows_width(page: Page) -> None:
    section(page).locator(".open").first.click()
    page.set_viewport_size({"width": 600, "height": 800})
    chart = section(page).locator(".chart").first  # it stays; its picture is drawn anew
    width = chart.evaluate("one => one.clientWidth")
    expect(chart.locator("svg")).to_have_attribute("viewBox", f"0 0 {width} 380")
