"""Hand-made books of an exchange and of ours: one long of 10 BTCUSDT, opened at second 100, closed at 160.

Each test changes one thing of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from benchmarks.campaign.history import History, Moment, OurBooks

BTC, OURS, BY_HAND = "BTCUSDT", "tv3eaaa", "hand000001"
LONG = 1
SWITCHES: dict[str, Any] = {"clock_skew_ms": 0}
D = Decimal


def order(order_id: int = 1, client_id: str = OURS, **changes: Any) -> dict[str, Any]:
    """A filled opening order, accepted at second 100."""
    return {
        "order_id": order_id,
        "client_order_id": client_id,
        "symbol": BTC,
        "side": 1,
        "kind": "limit",
        "mode": 1,
        "size": 10,
        "filled": 10,
        "state": 4,
        "created_ms": 100_000,
        "updated_ms": 100_000,
        "cancelled_by_dead_man": False,
    } | changes


def fill(trade_id: int, client_id: str, at_s: int, **changes: Any) -> dict[str, Any]:
    """10 contracts at 100, fee 0.6."""
    return {
        "trade_id": trade_id,
        "client_order_id": client_id,
        "symbol": BTC,
        "side": 1,
        "price": "100",
        "contracts": 10,
        "fee": "0.6",
        "realised": "0",
        "at_ms": at_s * 1000,
    } | changes


def stop(order_id: int = 9, client_id: str = "tv3saaa", **changes: Any) -> dict[str, Any]:
    """For the whole of a long."""
    return {
        "order_id": order_id,
        "client_order_id": client_id,
        "carrier": 0,
        "symbol": BTC,
        "kind": "stop_loss",
        "side": 3,
        "category": 2,
        "size": 0,
        "created_ms": 100_000,
    } | changes


def position(**changes: Any) -> dict[str, Any]:
    return {"symbol": BTC, "position_type": LONG, "opened_ms": 100_000, "size": 10} | changes


def books(**changes: Any) -> dict[str, Any]:
    """Our long, opened by our order and closed by hand, which earned 20 less fees of 1.2."""
    return {
        "orders": [order(), order(2, BY_HAND, side=3, kind="market", mode=3)],
        "fills": [fill(11, OURS, 100), fill(12, BY_HAND, 160, side=3, price="102", realised="20")],
        "positions": [],
        "protections": [],
        "plans": [stop(state=4)],
        "ledger": [],
    } | changes


def held(
    since: int = 100, until: int = 160, *, naked: tuple[int, int] = (0, 0), **switches: Any
) -> list[Moment]:
    """A look each second: the position without its stop in [naked), the exchange's `switches` meanwhile."""
    return [
        Moment(
            float(at),
            True,
            [position()],
            [] if naked[0] <= at < naked[1] else [stop()],
            SWITCHES | (switches if naked[0] <= at < naked[1] else {}),
        )
        for at in range(since, until)
    ]


def history(moments: list[Moment] | None = None, **changes: Any) -> History:
    return History(moments=held() if moments is None else moments, final=books(**changes))


def our_books(**changes: Any) -> OurBooks:
    """What belongs to `books()`."""
    rows: dict[str, Any] = {
        "orders": [our_order()],
        "fills": [our_fill("11", D(100)), our_fill("12", D(102))],
        "positions": [our_position()],
        "locks": [],
    }
    return OurBooks(**(rows | changes))


def our_order(client_id: str = OURS, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": BTC,
        "client_order_id": client_id,
        "decision_key": "decision",
        "status": "FILLED",
        "filled": D(10),
        "tranche": 0,
        "planned": D(10),
    } | changes


def our_fill(trade_id: str, price: Decimal, **changes: Any) -> dict[str, Any]:
    return {"trade_id": trade_id, "symbol": BTC, "size": D(10), "price": price, "fee": D("0.6")} | changes


def our_position(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": BTC,
        "side": "long",
        "status": "CLOSED",
        "decision_key": "decision",
        "size": D(0),
        "realised_usdt": D("18.8"),
    } | changes
