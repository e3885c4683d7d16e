"""The document: what to look at when one asks what happened to a symbol, put together from every room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.engine.values.contract import require_listed
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.insight.export import decisions, market
from apps.insight.export.control import control
from apps.insight.export.rows import moment
from apps.insight.export.trading import trading
from apps.insight.export.verdicts import verdicts
from apps.market import store

SCHEMA = "tradingv3.symbol_export.1"
LONGEST = timedelta(days=3)


class BadWindow(TradingError):
    """A stretch that cannot be exported."""


def export(symbol: str, at: datetime, window: timedelta, now: datetime) -> dict[str, Any]:
    """Everything stored of `symbol`, `window` before and after the minute of `at`, at most to `now`.

    Plain JSON values; `docs/export.md` says what each key holds. Raises BadWindow, UnknownSymbol,
    or CannotExplain for a profile that does not exist and a moment that is not over.
    """
    if not timedelta(minutes=1) <= window <= LONGEST:
        raise BadWindow(f"a window of {window} is not between one minute and {LONGEST.days} days")
    require_listed([symbol], [contract.symbol for contract in store.contracts()])
    minute = Timeframe.M1.floor(at.astimezone(UTC))
    start, end = minute - window, min(minute + window, Timeframe.M1.floor(now)) + timedelta(minutes=1)
    return {
        "schema": SCHEMA,
        "symbol": symbol,
        "at": moment(minute),
        "from": moment(start),
        "to": moment(end),
        "exported_at": moment(now),
        "venue": venue.name(),
        "account": venue.account(),
        "verdicts": verdicts(symbol, minute, start, end),
        "contract": market.contract(symbol),
        "candles": market.candles(symbol, start, end),
        "indicators": market.indicators(symbol, minute),
        "snapshots": market.snapshots(symbol, start, end),
        "signals": decisions.signals(symbol, start, end),
        "audit": decisions.audit(symbol, start, end),
        "runs": decisions.runs(symbol, start, end),
        "standing_outcomes": decisions.standing_outcomes(symbol),
        **trading(symbol, start, end),
        **control(symbol, minute, start, end),
    }
