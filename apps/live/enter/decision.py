"""The verdict that an entry acts on, and its candle as the exchange itself tells it."""

from __future__ import annotations

from apps.audit import store as audit
from apps.engine.enter.plan import EntryDecision
from apps.engine.evaluate.verdict import Verdict
from apps.engine.ports import CandleHistory
from apps.engine.values.candle import Candle
from apps.engine.values.errors import TradingError
from apps.engine.values.reason import Reason, Refusal
from apps.live.models import MtfRun
from apps.market import store as market


class NotReady(TradingError):
    """The run says nothing READY of the symbol: there is nothing to enter."""


def ready_verdict(run: MtfRun, symbol: str) -> Verdict:
    """The READY verdict this run wrote: in its own result, or in the audit. NotReady when it wrote none."""
    for entry in (run.result or {}).get("results", []):
        if entry["symbol"] == symbol and "verdict" in entry:
            return Verdict.from_json(entry["verdict"])
    row = audit.find_run_row(run.run_id, symbol)
    if row is None or row.cause != audit.READY:
        raise NotReady(f"run {run.run_id} of {run.profile} wrote no READY verdict of {symbol}")
    return Verdict.from_json(row.details["verdict"])


def read_candle(history: CandleHistory, made: EntryDecision) -> Candle | TradingError | None:
    """The deciding candle by one call; None when the exchange does not show it, the fault when it cannot."""
    end = made.candle_open_at + made.timeframe.duration
    try:
        found = history.candles(made.symbol, made.timeframe, made.candle_open_at, end).candles
    except TradingError as fault:
        return fault
    return found[0] if found else None


def candle_refusal(made: EntryDecision, told: Candle | TradingError | None) -> Refusal | None:
    """Refused unless the exchange tells the candle that was judged; one that differs is stored."""
    if isinstance(told, TradingError):
        return Refusal(Reason.VENUE_UNREACHABLE, {"because": str(told)})
    if told is None:
        return Refusal(Reason.CANDLE_LATE, {"candle": made.candle_open_at})
    end = made.candle_open_at + made.timeframe.duration
    stored = market.candles(made.symbol, made.timeframe, made.candle_open_at, end)
    if stored and _numbers(stored[0]) == _numbers(told):
        return None
    market.save_candles([told])
    numbers = {"told": _numbers(told), "judged": _numbers(stored[0]) if stored else None}
    return Refusal(Reason.CANDLE_CORRECTED, {"candle": made.candle_open_at, **numbers})


def _numbers(candle: Candle) -> tuple[object, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume
