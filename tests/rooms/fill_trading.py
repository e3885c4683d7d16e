"""One trade from plan to close, one that waits for a review, one refused by its zone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.engine import events
from apps.engine.values.order import OrderStatus, ProtectionKind, ProtectionReport
from apps.engine.values.position import Account, Side, Transaction, TransactionKind
from apps.engine.values.reason import Reason
from apps.live.ledger import AccountLedger
from apps.live.watch_state import AccountHealth
from apps.orders import store as orders
from tests.factories import SymbolQueueFactory
from tests.rooms.builders import RUN
from tests.rooms.trades import ACCOUNT, NOW, at, fill, order, plan, position

D = Decimal


def ledger(run_id: UUID = RUN, **changes: object) -> AccountLedger:
    return AccountLedger(ACCOUNT, lambda now: AccountHealth(True), run_id=run_id, **changes)  # type: ignore[arg-type]


def fill_trading(now: datetime) -> None:
    traded = plan()
    books = ledger()
    books.claim(traded, NOW)
    held = position(traded)
    books.record(
        [
            events.PlanClaimed(symbol=traded.symbol, at=NOW, plan=traded, status=OrderStatus.SUBMITTING),
            events.OrderFilled(symbol=traded.symbol, at=at(3), order=order(traded, OrderStatus.FILLED)),
            events.FillSeen(symbol=traded.symbol, at=at(3), fill=fill(traded, "t1")),
            events.PositionOpened(symbol=traded.symbol, at=at(3), position=held),
            _refused_by_its_zone(),
        ]
    )
    orders.sync_protections(ACCOUNT, traded.symbol, [_stop()], at(4))
    orders.request_close(ACCOUNT, traded.symbol, reason="news at noon", actor="ada", now=at(600))
    books.record(
        [
            events.FillSeen(symbol=traded.symbol, at=at(601), fill=fill(traded, "t2", opens=False)),
            events.PositionClosed(symbol=traded.symbol, at=at(602), position=held),
            events.CloseRequestDone(symbol=traded.symbol, at=at(602), side=held.side, detail="flat"),
            events.CooldownSet(
                symbol=traded.symbol,
                at=at(602),
                decision_key=traded.decision_key,
                until=at(14_400),
                because="submitted",
            ),
            events.SymbolReleased(symbol=traded.symbol, at=at(603), decision_key=traded.decision_key),
        ]
    )
    ledger(review=True).claim(plan("ETHUSDT"), NOW)
    orders.save_equity(ACCOUNT, Account(D(900), D(0), D(100), D("-1.5")), now)
    orders.save_transactions(
        ACCOUNT, [Transaction("1", TransactionKind.FUNDING, D("-0.01"), "BTCUSDT", at(60))]
    )
    orders.reset_daily_loss(ACCOUNT, reason="understood", actor="ada", now=NOW)
    SymbolQueueFactory.create(asked_at=now)


def _stop() -> ProtectionReport:
    return ProtectionReport("s1", "tv3s1", "BTCUSDT", Side.LONG, ProtectionKind.STOP, D(99), None)


def _refused_by_its_zone() -> events.ZoneSkipped:
    refused = plan("SOLUSDT")
    return events.ZoneSkipped(
        symbol="SOLUSDT",
        at=NOW,
        profile=refused.profile,
        side=refused.side,
        timeframe=refused.timeframe,
        decision_key=refused.decision_key,
        reason=Reason.ZONE_FAR_FROM_MARKET,
        zone=refused.zone,
        candidate=D(104),
        deviation_pct=D("3.4"),
        limit_pct=D("1.5"),
        spread_bps=D(2),
        volume_ratio=None,
        category=events.ZoneCategory.FAR_OUTSIDE,
    )
