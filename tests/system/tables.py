"""What the tables say, asked in plain SQL: these proofs believe the rows and none of our own code."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from benchmarks.trading import tables

Row = tables.Row

HOLES = """
    SELECT symbol, minute
    FROM (SELECT symbol, min(open_time) AS first, max(open_time) AS last
          FROM klines WHERE timeframe = '1m' AND open_time >= %(since)s GROUP BY symbol) AS span,
         generate_series(first, last, interval '1 minute') AS minute
    WHERE NOT EXISTS (SELECT FROM klines
                      WHERE timeframe = '1m' AND klines.symbol = span.symbol AND open_time = minute)
"""


class Tables(tables.Tables):
    """The questions of the proofs."""

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])

    def runs(self, minute: datetime, status: str = "decided") -> list[Row]:
        """Runs of the clock that judged `minute`, one a profile, by profile."""
        return self.rows(
            "SELECT * FROM mtf_run WHERE trigger = 'beat' AND minute = %(minute)s "
            "AND status::text = %(status)s ORDER BY profile",
            minute=minute,
            status=status,
        )

    def newest_decided(self) -> datetime | None:
        """The newest minute decided for some profile."""
        newest: datetime | None = self.rows(
            "SELECT max(minute) AS newest FROM mtf_run WHERE trigger = 'beat' AND status = 'decided'"
        )[0]["newest"]
        return newest

    def history_is(self, state: str) -> bool:
        """Whether the stream has brought what the profiles need ("enough"), or every window ("complete")."""
        rows = self.rows("SELECT history FROM stream_health")
        return bool(rows and rows[0]["history"].get(state))

    def doubled(self) -> list[Row]:
        """Minutes that were judged more than once."""
        return self.rows(
            "SELECT profile, minute, count(*) FROM mtf_run WHERE trigger = 'beat' "
            "GROUP BY profile, minute HAVING count(*) > 1"
        )

    def holes(self, since: datetime) -> list[Row]:
        """Missing 1m candles between a symbol's first one after `since` and its newest."""
        return self.rows(HOLES, since=since)

    def candles(self, symbol: str, since: datetime, until: datetime) -> dict[datetime, tuple[Decimal, ...]]:
        """The stored 1m candles that open in [since, until), as the exchange counts: volume in contracts."""
        rows = self.rows(
            "SELECT open_time, open_price, high_price, low_price, close_price, volume / contract_size AS n "
            "FROM klines JOIN contracts USING (symbol) WHERE timeframe = '1m' AND symbol = %(symbol)s "
            "AND open_time >= %(since)s AND open_time < %(until)s",
            symbol=symbol,
            since=since,
            until=until,
        )
        return {row.pop("open_time"): tuple(row.values()) for row in rows}
