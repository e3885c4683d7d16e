"""The audit: appended in bulk, and the row that stands at a moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.audit import store
from apps.audit.models import MtfAudit, Severity
from tests.rooms.builders import RUN, T0, audit_row

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def test_every_value_of_a_row_comes_back() -> None:
    details = {"numbers": [1, 2.5, None, True], "text": 'tab\t line\n back\\slash "quoted" é 取引 \\N'}
    row = audit_row(details=details, timeframe=None, severity=Severity.WARNING)
    assert store.save_rows([row]) == 1
    stored = MtfAudit.objects.get()
    assert stored.details == details
    assert (stored.symbol, stored.run_id, stored.step, stored.timeframe) == ("BTCUSDT", RUN, "verdict", None)
    assert (stored.cause, stored.severity, stored.profile, stored.created_at) == (
        "READY",
        "warning",
        "regular",
        T0,
    )


def test_a_value_that_json_cannot_say_is_refused_and_nothing_is_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.save_rows([audit_row(), audit_row(details={"rsi": float("nan")})])


def test_the_row_that_stands_is_the_newest_no_later_than_the_moment() -> None:
    store.save_rows(
        [
            audit_row(cause="first"),
            audit_row(cause="second", created_at=T0 + MINUTE),
            audit_row(cause="third", created_at=T0 + 2 * MINUTE),
            audit_row(cause="other profile", profile="other", created_at=T0 + MINUTE),
            audit_row(cause="other symbol", symbol="ETHUSDT"),
        ]
    )

    def cause(at) -> str | None:
        row = store.row_at("BTCUSDT", "regular", at)
        return row and row.cause

    assert cause(T0 - MINUTE) is None
    assert cause(T0) == "first"
    assert cause(T0 + MINUTE) == "second"
    assert cause(T0 + 9 * MINUTE) == "third"
    symbols = ["BTCUSDT", "ETHUSDT", "XRPUSDT"]
    assert {symbol: row.cause for symbol, row in store.newest_rows("regular", symbols).items()} == {
        "BTCUSDT": "third",
        "ETHUSDT": "other symbol",
    }
    assert store.newest_rows("regular", symbols, T0)["BTCUSDT"].cause == "first"
