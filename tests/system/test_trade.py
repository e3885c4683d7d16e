"""One trade through real processes: judged, claimed, sent, filled, protected, closed; the books are equal."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from apps.engine.values.order import OrderRequest, Role, TimeInForce, client_order_id
from apps.engine.values.position import Side
from benchmarks.trading.always import ENTRY, always
from tests.contract.account import PLAY, Account, Ahead
from tests.system.processes import STREAM, TRADING, WORKER, Processes, run_processes
from tests.system.tables import Row
from tests.system.until import until

SYMBOLS = 4
YOUNG = timedelta(seconds=30)
PATIENT = ENTRY | {"risk_pct": 0.5, "order_ttl_s": 600, "zone": ENTRY["zone"] | {"ttl_s": 600}}
"""An entry that rests until the market comes to it; four of them stay within the account's limits."""
SIDES = {"long": ["close > 100"], "short": ["close < 100"]}
"""Long BTC, ETH and SOL, short XRP: they move together, so the market comes to one of them."""
KEYS = dict(
    zip(
        ("BITMART_API_KEY", "BITMART_SECRET_KEY", "BITMART_API_MEMO"),
        (PLAY.key, PLAY.secret, PLAY.memo),
        strict=True,
    )
)


@pytest.mark.slow
def test_a_ready_minute_is_traded_to_its_end_and_the_books_are_equal(var: Path) -> None:
    more = {"MTF_PROFILES": "first,second", "MTF_PROFILES_DIR": str(_profiles(var)), **KEYS}
    with run_processes(var, symbols=SYMBOLS, names=TRADING, more=more) as system:
        _await_everything(system)
        at = _fire_a_minute(system)
        plans = until("an order for each symbol", lambda: _submitted(system), patience_s=30)
        _each_symbol_was_traded_once_by_the_first_profile_that_could(system, at, plans)
        _a_task_delivered_again_sends_nothing(system, plans[0])
        position = until("a position is protected", lambda: _protected(system), patience_s=240)
        _its_stop_rests_at_the_exchange(system, position)
        _closed_by_hand(system, position)
        closed = until("the position is closed", lambda: _closed(system, position), patience_s=60)
        _it_earned_what_the_exchange_says(system, closed)


def _profiles(var: Path) -> Path:
    folder = var / "profiles"
    folder.mkdir(mode=0o755)
    (folder / "conditions.yaml").write_text("{}\n")
    for name in ("first", "second"):
        content = always(name, entry=PATIENT, timeframes={"5m": SIDES, "1m": SIDES})
        (folder / f"{name}.yaml").write_text(yaml.dump(content, Dumper=_Plain))
    return folder


class _Plain(yaml.SafeDumper):
    """Profiles may hold no aliases: what stands twice is written twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _await_everything(system: Processes) -> None:
    def ready() -> bool:
        assert system.are_alive(), system.log(STREAM) + system.log(WORKER) + system.log("watch")
        seen = system.tables.count("stream_health") == 1 and system.tables.history_is("enough")
        return seen and bool(system.tables.rows("SELECT 1 FROM watch_state WHERE reconciled_at IS NOT NULL"))

    until("history, and books compared", ready, patience_s=90)


def _fire_a_minute(system: Processes) -> datetime:
    now = datetime.now(UTC)
    at = now.replace(second=0, microsecond=0)
    if now - at > YOUNG:
        at += timedelta(minutes=1)
        until("the minute is over", lambda: datetime.now(UTC) >= at, patience_s=61)
    system.fire(at)
    return at


def _submitted(system: Processes) -> list[Row]:
    plans = system.tables.rows("SELECT *, status::text FROM order_plan ORDER BY symbol")
    reached = [row for row in plans if row["status"] not in ("PLANNED", "SUBMITTING")]
    return reached if len(reached) == SYMBOLS else []


def _each_symbol_was_traded_once_by_the_first_profile_that_could(
    system: Processes, at: datetime, plans: list[Row]
) -> None:
    """Only a quote that aged on its way, as on a busy machine, leaves a symbol to the second profile."""
    assert len({plan["symbol"] for plan in plans}) == SYMBOLS
    arrived = system.books()["orders"]
    assert sorted(row["client_order_id"] for row in arrived) == sorted(p["client_order_id"] for p in plans)
    refused = until("the other profile was refused", lambda: _refused(system), patience_s=20)
    refusals = {row["symbol"]: (row["profile"], row["reason_code"]) for row in refused}
    refused_beside = {"first": ("second", "symbol_locked"), "second": ("first", "quote_stale")}
    assert refusals == {plan["symbol"]: refused_beside[plan["profile"]] for plan in plans}
    [first, second] = system.tables.runs(at)
    assert (first["profile"], second["profile"], first["dry_run"]) == ("first", "second", False)


def _refused(system: Processes) -> list[Row]:
    rows = system.tables.rows("SELECT * FROM trade_lifecycle_event WHERE event_type = 'plan_refused'")
    return rows if len(rows) == SYMBOLS else []


def _a_task_delivered_again_sends_nothing(system: Processes, plan: Row) -> None:
    system.enter(str(plan["run_id"]), plan["symbol"])
    again = "SELECT 1 FROM trade_lifecycle_event WHERE reason_code = 'duplicate_decision'"
    until("the second delivery is refused", lambda: system.tables.rows(again), patience_s=20)
    assert system.tables.count("order_plan") == SYMBOLS
    opening = [row for row in system.books()["orders"] if row["client_order_id"].startswith("tv3e")]
    assert len(opening) == SYMBOLS


def _protected(system: Processes) -> Row | None:
    rows = system.tables.rows("SELECT *, side::text FROM position WHERE status = 'PROTECTED' ORDER BY id")
    return rows[0] if rows else None


def _booked_stops(system: Processes, position: Row) -> list[Row]:
    return system.tables.rows(
        "SELECT * FROM protection WHERE symbol = %(symbol)s AND kind = 'stop' AND status = 'ACTIVE'",
        symbol=position["symbol"],
    )


def _its_stop_rests_at_the_exchange(system: Processes, position: Row) -> None:
    assert position["naked_since"] is None
    # which ones protect is written down after the position
    stops = until("its stop is booked", lambda: _booked_stops(system, position), patience_s=30)
    assert {stop["trigger_price"] for stop in stops} == {position["stop_price"]}


def _closed_by_hand(system: Processes, position: Row) -> None:
    """A person closes at the exchange, beside us; the entry, if it still rests, goes first."""
    with mock.patch.dict(os.environ, {"REDIS_URL": system.env["REDIS_URL"]}):
        account = Account(system.env["BITMART_BASE_URL"], Ahead())
    symbol = position["symbol"]
    for order in account.broker.orders(symbol):
        account.broker.cancel(symbol, order.client_order_id)
    [held] = account.broker.positions(symbol)
    account.broker.submit(_close(symbol, held.side, held.size))
    account.close()


def _close(symbol: str, side: Side, size: Decimal) -> OrderRequest:
    return OrderRequest(
        symbol=symbol,
        side=side,
        opens=False,
        size=size,
        price=None,
        time_in_force=TimeInForce.IOC,
        leverage=1,
        client_order_id=client_order_id(Role.CLOSE, "by hand"),
    )


def _closed(system: Processes, position: Row) -> Row | None:
    """Closed, and every trade of it read."""
    rows = system.tables.rows(
        "SELECT * FROM position WHERE id = %(id)s AND closed_at IS NOT NULL", id=position["id"]
    )
    if not rows or rows[0]["realised_usdt"] != _ledger(system, position["symbol"]):
        return None
    return rows[0]


def _it_earned_what_the_exchange_says(system: Processes, closed: Row) -> None:
    assert closed["realised_usdt"] == _ledger(system, closed["symbol"]) != 0
    held = "SELECT 1 FROM symbol_lock WHERE symbol = %(symbol)s AND released_at IS NULL"
    until(
        "the symbol is free again",
        lambda: not system.tables.rows(held, symbol=closed["symbol"]),
        patience_s=30,
    )
    events = system.tables.rows(
        "SELECT event_type FROM trade_lifecycle_event WHERE decision_key = %(key)s ORDER BY id",
        key=closed["decision_key"],
    )
    names = [row["event_type"] for row in events]
    assert names[:4] == ["plan_made", "plan_claimed", "order_submitted", "order_acknowledged"]
    assert {"order_filled", "position_opened", "protected", "position_closed"} <= set(names)


def _ledger(system: Processes, symbol: str) -> Decimal:
    """What the symbol earned by the exchange's ledger: realised, fees and funding."""
    amounts: list[Any] = [row["amount"] for row in system.books()["ledger"] if row["symbol"] == symbol]
    return sum(map(Decimal, amounts), Decimal(0))
