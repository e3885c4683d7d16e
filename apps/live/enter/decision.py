"""What runs decided to enter: the symbols, a symbol's verdict, and its candle as the exchange tells it."""

from __future__ import annotations

from apps.audit import store as audit
from apps.engine.enter.plan import EntryDecision
from apps.engine.evaluate.verdict import Verdict
from apps.engine.ports.market import CandleHistory
from apps.engine.values.candle import Candle
from apps.engine.values.errors import TradingError
from apps.engine.values.reason import Reason, Refusal
from apps.live.models import MtfRun
from apps.market import store as market
from apps.profiles import store as profile_store


class NotReady(TradingError):
    """The run says nothing READY of the symbol: there is nothing to enter."""


def symbols_to_enter(run: MtfRun) -> list[str]:
    """Return the symbols this decided run was to enter: none for a profile that judges only."""
    if run.result is not None and "entering" in run.result:
        return list(run.result["entering"])
    profile = profile_store.find_version(run.digest)
    return [] if profile is None or profile.entry is None else audit.ready_symbols(run.run_id)


def ready_verdict(run: MtfRun, symbol: str) -> Verdict:
    """Return the READY verdict this run wrote: in its result, or in the audit. NotReady when it did not."""
    for result in (run.result or {}).get("results", []):
        if result["symbol"] == symbol and "verdict" in result:
            return Verdict.from_json(result["verdict"])
    row = audit.find_run_row(run.run_id, symbol)
    if row is None or row.cause != audit.READY:
        raise NotReady(f"run {run.run_id} of {run.profile} wrote no READY verdict of {symbol}")
    return Verdict.from_json(row.details["verdict"])


def read_candle(history: CandleHistory, decision: EntryDecision) -> Candle | TradingError | None:
    """Ask for the deciding candle once: None when the exchange does not show it, the fault when it cannot."""
    end = decision.candle_open_at + decision.timeframe.duration
    try:
        answer = history.candles(decision.symbol, decision.timeframe, decision.candle_open_at, end)
    except TradingError as fault:
        return fault
    return answer.candles[0] if answer.candles else None


def candle_refusal(decision: EntryDecision, answer: Candle | TradingError | None) -> Refusal | None:
    """Refuse unless the exchange's `answer` is the candle that was judged; store one that differs."""
    if isinstance(answer, TradingError):
        return Refusal(Reason.VENUE_UNREACHABLE, {"because": str(answer)})
    if answer is None:
        return Refusal(Reason.CANDLE_LATE, {"candle": decision.candle_open_at})
    end = decision.candle_open_at + decision.timeframe.duration
    stored = market.candles(decision.symbol, decision.timeframe, decision.candle_open_at, end)
    if stored and _numbers(stored[0]) == _numbers(answer):
        return None
    market.save_candles([answer])
    numbers = {"told": _numbers(answer), "judged": _numbers(stored[0]) if stored else None}
    return Refusal(Reason.CANDLE_CORRECTED, {"candle": decision.candle_open_at, **numbers})


def _numbers(candle: Candle) -> tuple[object, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume
