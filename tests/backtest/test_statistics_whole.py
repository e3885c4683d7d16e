"""Time and weight in the market, and the parts that make the whole."""

from __future__ import annotations

from dataclasses import fields

import pytest

from apps.backtest.outcome import Exit
from apps.backtest.statistics import TradeFigures, statistics
from apps.backtest.statistics.equity import mean_exposure_ratio, notional, time_in_market_pct
from apps.engine.values.position import Side
from tests.backtest.outcome_builder import D, equity_points, outcome, trade, unfilled


@pytest.mark.parametrize(
    ("spans", "pct"),
    [
        ([], 0),
        ([(0, 24)], 25),
        ([(0, 24), (2, 24)], 50),
        ([(0, 24), (0.5, 24)], 37.5),  # they overlap
        ([(0, 48), (0.5, 6)], 50),  # one within the other
        ([(3.5, 24)], 12.5),  # runs out of the stretch
    ],
)
def test_time_in_market_counts_each_moment_once(spans: list[tuple[float, float]], pct: float) -> None:
    held = [trade(5, at, hours=hours) for at, hours in spans]
    assert time_in_market_pct(outcome(*held)) == pytest.approx(pct)


def test_exposure_weighs_what_was_held_by_time_and_by_the_equity_of_its_time() -> None:
    held = outcome(trade(0, 1, hours=48), equity_points=equity_points(1000, 500, 250, 1000))
    assert mean_exposure_ratio(held) == pytest.approx((500 / 500 + 500 / 250) / 4)


def test_exposure_adds_positions_held_at_the_same_time() -> None:
    both = outcome(trade(0, 0, hours=48), trade(0, 0, hours=48, side=Side.SHORT))
    assert mean_exposure_ratio(both) == pytest.approx(0.5)


def test_exposure_is_nothing_without_trades_and_unknown_on_an_empty_account() -> None:
    assert mean_exposure_ratio(outcome()) == 0
    assert mean_exposure_ratio(outcome(trade(0, 1), equity_points=equity_points(1000, 0))) is None


def test_notional_is_of_the_filled_part_at_its_own_price() -> None:
    assert notional(trade(size=D(5), entry_price=D(40_000))) == 200


def test_the_parts_of_every_grouping_add_up_to_the_whole() -> None:
    mixed = outcome(
        trade(5, 1),
        trade(-5, 2, symbol="ETHUSDT"),
        trade(10, 3, symbol="ETHUSDT", side=Side.SHORT),
        trade(1, 40, exit=Exit.OPEN),
        days=60,
    )
    result = statistics(mixed)
    assert {name: list(parts) for name, parts in result.by.items()} == {
        "symbol": ["BTCUSDT", "ETHUSDT"],
        "side": ["long", "short"],
        "exit": ["open", "stop", "target"],
        "month": ["2026-03", "2026-04"],
    }
    sums = ("trades", "won", "lost", "gross_usdt", "fees_usdt", "funding_usdt", "net_usdt")
    assert set(sums) < {field.name for field in fields(TradeFigures)}
    for parts in result.by.values():
        for name in sums:
            assert sum(getattr(part, name) for part in parts.values()) == getattr(result.trades, name)


def test_orders_are_filled_or_counted_by_how_they_ended() -> None:
    orders = (unfilled(), unfilled("ETHUSDT"), unfilled(status="REJECTED"))
    result = statistics(outcome(trade(), unfilled=orders))
    assert (result.orders, result.filled) == (4, 1)
    assert result.unfilled == {"EXPIRED": 2, "REJECTED": 1}
