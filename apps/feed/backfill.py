"""History by request, page by page: what is stored already is not asked for again, so it can always go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apps.engine.ports.market import CandleHistory
from apps.engine.profile import Profile
from apps.engine.values.candle import Candle, Source, flat_candle
from apps.engine.values.contract import require_listed
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.market import store

URGENT, NEEDED, LATER = range(3)
"""Ranks: a gap in what is live · without it the profiles cannot decide · the rest of the window."""

DOUBTED = 3
"""Newest 1m candles that a start or an interruption doubts when pushes made them: a connection that is lost
shortly before a candle's end looks like silence, and grace closes the candle without its last trades.
Three, because up to two more may close until the plan is made; older ones lie beside a hole, see fetch."""


@dataclass(frozen=True, slots=True, order=True)
class Page:
    """One request: the candles of [start, end). Orders by rank, then newest first, then by timeframe.

    `depth` is how many pages of newer candles come before it.
    """

    rank: int
    depth: int
    timeframe_s: int
    symbol: str
    timeframe: Timeframe
    start: datetime
    end: datetime


def window_pages(
    symbols: Sequence[str],
    profiles: Sequence[Profile],
    *,
    now: datetime,
    page_size: int,
    urgent: bool = False,
) -> list[Page]:
    """Return pages that complete every window of `symbols` up to `now`, in the order to fetch them.

    For a start or after an interruption: the newest pushed candles are asked for again.
    """
    plan: list[Page] = []
    for timeframe, length in WINDOW.items():
        end = timeframe.floor(now)
        needed = needed_candles(timeframe, profiles, now)
        missing = store.missing_open_times(symbols, timeframe, end - length * timeframe.duration, end)
        doubted = _doubted_opens(symbols, end) if timeframe is Timeframe.M1 else {}
        for symbol in sorted(missing.keys() | doubted.keys()):
            opens = [*missing.get(symbol, ()), *doubted.get(symbol, ())]
            for page in pages_of(symbol, timeframe, opens, end, page_size):
                newer_candles = (end - page.end) // timeframe.duration
                rank = NEEDED if newer_candles < needed else LATER
                plan.append(page if urgent else replace(page, rank=rank))
    return sorted(plan)


def needed_candles(timeframe: Timeframe, profiles: Sequence[Profile], now: datetime) -> int:
    """Return how many newest candles a profile cannot decide without: its minimum, the UTC day (VWAP)."""
    minimums = [p.min_candles(timeframe) for p in profiles if timeframe in p.timeframes]
    if not minimums:
        return 0
    today = (now - Timeframe.D1.floor(now)) // timeframe.duration
    return max(*minimums, today + 1)


def pages_of(
    symbol: str, timeframe: Timeframe, opens: Iterable[datetime], end: datetime, page_size: int
) -> list[Page]:
    """Cut missing open times into pages of at most `page_size` candles from the newest back; rank URGENT."""
    step = timeframe.duration
    pages: list[Page] = []
    for open_time in sorted(opens, reverse=True):
        if pages and pages[-1].end - open_time <= page_size * step:
            pages[-1] = replace(pages[-1], start=open_time)
        else:
            depth = ((end - open_time) // step - 1) // page_size
            pages.append(
                Page(URGENT, depth, timeframe.seconds, symbol, timeframe, open_time, open_time + step)
            )
    return pages


def _doubted_opens(symbols: Sequence[str], end: datetime) -> dict[str, list[datetime]]:
    """Return open times of the newest 1m candles that only pushes tell of."""
    newest = store.candles_by_symbol(symbols, Timeframe.M1, end - DOUBTED * Timeframe.M1.duration, end)
    pushed = {s: [c.open_time for c in candles if c.source is Source.WS] for s, candles in newest.items()}
    return {symbol: opens for symbol, opens in pushed.items() if opens}


def fill_confirmed_holes(candles: Sequence[Candle]) -> list[Candle]:
    """Return the rising candles of one answer, inner holes made flat: their neighbours exist, they do not."""
    whole: list[Candle] = []
    for candle in candles:
        while whole and whole[-1].close_time < candle.open_time:
            whole.append(flat_candle(whole[-1], whole[-1].close_time))
        whole.append(candle)
    return whole


def listed_symbols(symbols: Sequence[str]) -> list[str]:
    """Return `symbols`; for none all stored ones but the delisted. Raises UnknownSymbol naming each."""
    statuses = {c.symbol: c.status for c in store.contracts()}
    require_listed(symbols, list(statuses))
    return list(symbols) or [symbol for symbol, status in statuses.items() if status != store.DELISTED]


def backfill_pages(
    symbols: Sequence[str], timeframe: Timeframe, *, span: timedelta, now: datetime, page_size: int
) -> list[Page]:
    """Return the pages missing in the last `span` up to `now`, newest first."""
    end = timeframe.floor(now)
    missing = store.missing_open_times(symbols, timeframe, timeframe.floor(end - span), end)
    return sorted(
        page
        for symbol, opens in missing.items()
        for page in pages_of(symbol, timeframe, opens, end, page_size)
    )


def fetch_page(history: CandleHistory, page: Page) -> list[Candle]:
    """Ask for one page's candles and one on each side; rising, with the holes the exchange confirms flat.

    An answer with an impossible row confirms none: the absent candle may be that row.
    """
    step = page.timeframe.duration
    answer = history.candles(page.symbol, page.timeframe, page.start - step, page.end + step)
    return answer.candles if answer.refused else fill_confirmed_holes(answer.candles)


def backfill(history: CandleHistory, pages: Sequence[Page]) -> Iterator[int]:
    """Fetch and store each page; yield how many rows each one changed."""
    for page in pages:
        yield store.save_candles(fetch_page(history, page))
