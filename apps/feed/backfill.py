"""History by request, page by page: what is stored already is not asked for again, so it can always go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from apps.engine.ports import CandleHistory
from apps.engine.values.candle import Candle
from apps.engine.values.contract import require_listed
from apps.engine.values.timeframe import Timeframe
from apps.feed.pages import Page, fill_confirmed_holes, pages_of
from apps.market import store


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
