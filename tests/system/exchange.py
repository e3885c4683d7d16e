"""What the exchange itself says, asked past all of our own code."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from tests.system.until import until

Row = dict[str, Any]
Prices = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]


def candles(base_url: str, symbol: str, since: datetime, end: datetime) -> dict[datetime, Prices]:
    """Open, high, low, close and volume (contracts) of its 1m candles that open in [since, end)."""
    query = urllib.parse.urlencode(
        {
            "symbol": symbol,
            "step": 1,
            "start_time": int(since.timestamp()),
            "end_time": int(end.timestamp()) - 1,
        }
    )
    rows = until(
        "an answer of the exchange",
        lambda: _answer(f"{base_url}/contract/public/kline?{query}"),
        patience_s=10,
        every_s=0.5,
    )
    return {datetime.fromtimestamp(row["timestamp"], UTC): _prices(row) for row in rows}


def _answer(url: str) -> list[Row] | None:
    """The rows; None when the stream has used up this address's requests for the moment."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            rows: list[Row] = json.load(answer)["data"]
            return rows
    except urllib.error.HTTPError as fault:
        with fault:
            if fault.code == HTTPStatus.TOO_MANY_REQUESTS:
                return None
        raise


def _prices(row: Row) -> Prices:
    names = ("open_price", "high_price", "low_price", "close_price", "volume")
    prices = [Decimal(row[name]) for name in names]
    return (prices[0], prices[1], prices[2], prices[3], prices[4])
