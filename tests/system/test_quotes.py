"""The stream process and the quotes of who is wanted, by real processes and sockets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.test import override_settings

from apps.market import quotes
from tests.system.processes import STREAM, Processes, run_processes
from tests.system.tables import Row
from tests.system.until import until

WANTED, OTHER = "BTCUSDT", "ETHUSDT"


def test_the_stream_shows_the_quotes_of_who_is_wanted_beside_its_candles(var: Path) -> None:
    with run_processes(var, symbols=2, names=[STREAM]) as system:
        with override_settings(REDIS_URL=system.env["REDIS_URL"]):
            quotes.want([WANTED], 600)
            until("a quote", lambda: quotes.read([WANTED]), patience_s=30)
            pulse = until("the pulse tells", lambda: _pulse(system, symbols=1), patience_s=10)
            assert datetime.now(UTC) - pulse["last_quote_at"] < timedelta(seconds=10)
            assert quotes.read([OTHER]) == {}
            quotes.want([OTHER], 600)
            until("both", lambda: set(quotes.read([WANTED, OTHER])) == {WANTED, OTHER}, patience_s=10)
            until("the pulse tells both", lambda: _pulse(system, symbols=2), patience_s=10)
        assert "quotes_broken" not in system.log(STREAM)
        assert "quote_symbols" in system.manage("stream", "--status")


def _pulse(system: Processes, symbols: int) -> Row | None:
    rows = system.tables.rows("SELECT * FROM stream_health WHERE connected")
    return rows[0] if rows and rows[0]["quote_symbols"] == symbols and rows[0]["last_quote_at"] else None
