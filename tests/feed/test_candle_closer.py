"""When a pushed candle counts as closed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.engine.ports.market import FormingCandle
from apps.engine.values.candle import Source
from apps.engine.values.timeframe import Timeframe
from apps.feed.candle_closer import GRACE, LIVE_FOR, CandleCloser

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def push(open_time: datetime, close: str = "100", symbol: str = "BTCUSDT", **changes: str) -> FormingCandle:
    prices = {"open": "100", "high": "101", "low": "99", "close": close, "volume": "5"} | changes
    return FormingCandle(
        symbol,
        Timeframe.M1,
        open_time,
        **{name: Decimal(value) for name, value in prices.items()},
        received_at=open_time,
    )


def test_a_candle_is_closed_by_the_push_of_its_successor_with_its_last_values() -> None:
    closing = CandleCloser()
    assert closing.push(push(NOON, "100")) == []
    assert closing.push(push(NOON, "100.5")) == []
    [closed] = closing.push(push(NOON + MINUTE))
    assert (closed.open_time, closed.close, closed.source) == (NOON, Decimal("100.5"), Source.WS)


def test_a_candle_without_successor_is_closed_when_its_grace_has_passed_and_not_before() -> None:
    closing = CandleCloser()
    closing.push(push(NOON))
    assert closing.close_due(NOON + MINUTE + GRACE - timedelta(milliseconds=1)) == []
    [closed] = closing.close_due(NOON + MINUTE + GRACE)
    assert closed.open_time == NOON
    assert closing.close_due(NOON + MINUTE + GRACE) == []


def test_a_late_push_of_a_closed_candle_changes_nothing() -> None:
    closing = CandleCloser()
    closing.push(push(NOON))
    closing.push(push(NOON + MINUTE))
    assert closing.push(push(NOON, "100.9")) == []
    [closed] = closing.close_due(NOON + 2 * MINUTE + GRACE)
    assert closed.open_time == NOON + MINUTE


def test_pushes_out_of_order_do_not_reopen_the_older_candle() -> None:
    closing = CandleCloser()
    closing.push(push(NOON + MINUTE))
    assert closing.push(push(NOON)) == []
    [closed] = closing.push(push(NOON + 2 * MINUTE))
    assert closed.open_time == NOON + MINUTE


def test_an_impossible_candle_is_refused_counted_and_does_not_stop_the_others() -> None:
    closing = CandleCloser()
    closing.push(push(NOON, symbol="BADUSDT", high="90"))
    closing.push(push(NOON))
    closed = closing.close_due(NOON + MINUTE + GRACE)
    assert [c.symbol for c in closed] == ["BTCUSDT"]
    assert closing.refused == {"high": 1}


def test_a_minute_waits_for_symbols_that_push_or_closed_lately_and_not_for_silent_ones() -> None:
    closing = CandleCloser()
    closing.push(push(NOON))
    assert closing.pending_symbols(NOON + MINUTE) == {"BTCUSDT"}
    closing.push(push(NOON + MINUTE))
    assert closing.pending_symbols(NOON + MINUTE) == frozenset()
    closing.close_due(NOON + 2 * MINUTE + GRACE)
    assert closing.pending_symbols(NOON + 3 * MINUTE) == {"BTCUSDT"}
    assert closing.pending_symbols(NOON + 2 * MINUTE + LIVE_FOR + MINUTE) == frozenset()


def test_after_an_interruption_a_forming_candle_is_not_trusted() -> None:
    closing = CandleCloser()
    closing.push(push(NOON))
    closing.forget(("BTCUSDT",))
    assert closing.push(push(NOON + MINUTE)) == []
