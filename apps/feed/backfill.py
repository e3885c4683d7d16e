"""History by request, page by page: what is stored already is not asked for again, so it can always go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apps.engine.ports import CandleHistory
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
    """Pages that complete every window of `symbols` up to `now`, in the order they should be fetched.

    For a start or after an interruption: the newest pushed candles are asked for again.
    """
    found: list[Page] = []
    for timeframe, length in WINDOW.items():
        end = timeframe.floor(now)
        needed = needed_candles(timeframe, profiles, now)
        missing = store.missing_open_times(symbols, timeframe, end - length * timeframe.duration, end)
        doubted = _doubted(symbols, end) if timeframe is Timeframe.M1 else {}
        for symbol in sorted(missing.keys() | doubted.keys()):
            opens = [*missing.get(symbol, ()), *doubted.get(symbol, ())]
            pages = pages_of(symbol, timeframe, opens, end, page_size)
            found += pages if urgent else [replace(p, rank=_rank(p, end, needed)) for p in pages]
    return sorted(found)


def needed_candles(timeframe: Timeframe, profiles: Sequence[Profile], now: datetime) -> int:
    """Newest candles without which some profile cannot decide: its minimum and the UTC day so far (VWAP)."""
    minimums = [p.min_candles(timeframe) for p in profiles if timeframe in p.timeframes]
    if not minimums:
        return 0
    today = (now - Timeframe.D1.floor(now)) // timeframe.duration
    return max(*minimums, today + 1)


def pages_of(
    symbol: str, timeframe: Timeframe, opens: Iterable[datetime], end: datetime, page_size: int
) -> list[Page]:
    """Missing open times cut into pages of at most `page_size` candles from the newest back; rank URGENT."""
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


def _doubted(symbols: Sequence[str], end: datetime) -> dict[str, list[datetime]]:
    """Open times of the newest 1m candles that only pushes tell of."""
    newest = store.candles_by_symbol(symbols, Timeframe.M1, end - DOUBTED * Timeframe.M1.duration, end)
    pushed = {s: [c.open_time for c in candles if c.source is Source.WS] for s, candles in newest.items()}
    return {symbol: opens for symbol, opens in pushed.items() if opens}


def _rank(page: Page, end: datetime, needed: int) -> int:
    newest = (end - page.end) // page.timeframe.duration
    return NEEDED if newest < needed else LATER


def fill_confirmed_holes(candles: Sequence[Candle]) -> list[Candle]:
    """Rising candles of one answer, inner holes made flat: their neighbours exist and they do not."""
    whole: list[Candle] = []
    for candle in candles:
        while whole and whole[-1].close_time < candle.open_time:
            whole.append(flat_candle(whole[-1], whole[-1].close_time))
        whole.append(candle)
    return whole


def left(pages: Iterable[Page]) -> Counter[int]:
    """How many pages of each rank."""
    return Counter(page.rank for page in pages)


def listed_symbols(symbols: Sequence[str]) -> list[str]:
    """`symbols` as asked; for none all stored ones but the delisted. Raises UnknownSymbol naming each."""
    statuses = {c.symbol: c.status for c in store.contracts()}
    require_listed(symbols, list(statuses))
    return list(symbols) or [symbol for symbol, status in statuses.items() if status != store.DELISTED]


def backfill_pages(
    symbols: Sequence[str], timeframe: Timeframe, *, span: timedelta, now: datetime, page_size: int
) -> list[Page]:
    """The pages missing in the last `span` up to `now`, newest first."""
    end = timeframe.floor(now)
    missing = store.missing_open_times(symbols, timeframe, timeframe.floor(end - span), end)
    found = [
        page
        for symbol, opens in missing.items()
        for page in pages_of(symbol, timeframe, opens, end, page_size)
    ]
    return sorted(found)


def fetch_page(history: CandleHistory, page: Page) -> list[Candle]:
    """One page's candles and one on each side, rising; holes the exchange confirms are in it, flat.

    An answer with an impossible row confirms none: the absent candle may be that row.
    """
    step = page.timeframe.duration
    answer = history.candles(page.symbol, page.timeframe, page.start - step, page.end + step)
    return answer.candles if answer.refused else fill_confirmed_holes(answer.candles)


def backfill(history: CandleHistory, pages: Sequence[Page]) -> Iterator[int]:
    """Fetch and store each page; yields the rows each one changed."""
    for page in pages:
        yield store.save_candles(fetch_page(history, page))
