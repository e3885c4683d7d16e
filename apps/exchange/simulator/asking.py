"""The engine's orders in the exchange's numbers: what a client of the wire would send in a body."""

from __future__ import annotations

from decimal import Decimal

from apps.engine.values.order import OrderRequest, TimeInForce
from apps.exchange.simulator.reports import SIDE_NUMBERS
from apps.exchange.simulator.rows import NO_PRESETS, Presets
from apps.exchange.simulator.wish import Wish
from apps.exchange.simulator.words import FOK, GTC, IOC, LAST_PRICE, MAKER_ONLY

ISOLATED = "isolated"
_MODES = {
    TimeInForce.GTC: GTC,
    TimeInForce.FOK: FOK,
    TimeInForce.IOC: IOC,
    TimeInForce.POST_ONLY: MAKER_ONLY,
}


def wish_of(request: OrderRequest) -> Wish:
    """ValueError for a size that is no positive whole number of contracts."""
    if request.size != request.size.to_integral_value() or request.size <= 0:
        raise ValueError(f"{request.symbol}: size {request.size} is not a positive whole number of contracts")
    return Wish(
        symbol=request.symbol,
        side=SIDE_NUMBERS[request.side, request.opens],
        size=int(request.size),
        price=request.price,
        mode=_MODES[request.time_in_force],
        leverage=request.leverage if request.opens else None,
        open_type=ISOLATED if request.opens else "",
        client_order_id=request.client_order_id,
        presets=_presets(request) if request.opens else NO_PRESETS,
    )


def _presets(request: OrderRequest) -> Presets:
    stop, target = request.stop_price, request.target_price
    return Presets(
        take_profit=target or Decimal(0),
        take_profit_type=LAST_PRICE if target else 0,
        stop_loss=stop or Decimal(0),
        stop_loss_type=LAST_PRICE if stop else 0,
    )
