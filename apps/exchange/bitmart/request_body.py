"""Bodies of the signed calls. Prices and leverage travel as text, sizes as whole numbers of contracts."""

from __future__ import annotations

from decimal import Decimal

from apps.engine.values.order import OrderRequest, ProtectionKind, TimeInForce
from apps.engine.values.position import Side
from apps.exchange.bitmart.parse_orders import side_number

Body = dict[str, object]

ISOLATED = "isolated"
LAST_PRICE = 1
QUANTITY, WHOLE_POSITION = 1, 2
AT_MARKET = "0"
_MODES = {TimeInForce.GTC: 1, TimeInForce.FOK: 2, TimeInForce.IOC: 3, TimeInForce.POST_ONLY: 4}
_KINDS = {ProtectionKind.STOP: "stop_loss", ProtectionKind.TARGET: "take_profit"}


def order(request: OrderRequest) -> Body:
    """Return the body of an order with the stop and target attached to it.

    ValueError for a size that is no positive whole number, and for an order without an id of ours.
    """
    body: Body = {
        "symbol": request.symbol,
        "client_order_id": _id(request.client_order_id),
        "side": side_number(request.side, opens=request.opens),
        "type": "market",
        "size": _whole(request.symbol, request.size),
    }
    if request.leverage is not None:
        body |= {"leverage": str(request.leverage), "open_type": ISOLATED}
    if request.price is not None:
        body |= {"type": "limit", "mode": _MODES[request.time_in_force], "price": _plain(request.price)}
    for name, price in (("stop_loss", request.stop_price), ("take_profit", request.target_price)):
        if price is not None:
            body |= {f"preset_{name}_price": _plain(price), f"preset_{name}_price_type": LAST_PRICE}
    return body


def cancel(symbol: str, client_order_id: str) -> Body:
    """Return the body of a cancel. ValueError without an id: every order of the symbol would go."""
    return {"symbol": symbol, "client_order_id": _id(client_order_id)}


def protection(
    symbol: str,
    side: Side,
    kind: ProtectionKind,
    trigger_price: Decimal,
    client_order_id: str,
    size: Decimal | None = None,
) -> Body:
    """Return the body of a stop or target at market, by the last price; `size` None is the whole position.

    ValueError for a size that is no positive whole number, and without an id of ours.
    """
    body: Body = {
        "symbol": symbol,
        "type": _KINDS[kind],
        "side": side_number(side, opens=False),
        "trigger_price": _plain(trigger_price),
        "executive_price": AT_MARKET,
        "price_type": LAST_PRICE,
        "plan_category": WHOLE_POSITION if size is None else QUANTITY,
        "category": "market",
        "client_order_id": _id(client_order_id),
    }
    return body if size is None else body | {"size": _whole(symbol, size)}


def cancel_protection(symbol: str, exchange_order_id: str) -> Body:
    """Return the body of a cancel. ValueError without an id: every plan order of the symbol would go."""
    return {"symbol": symbol, "order_id": _id(exchange_order_id)}


def leverage(symbol: str, leverage: int) -> Body:
    return {"symbol": symbol, "leverage": str(leverage), "open_type": ISOLATED}


def _id(order_id: str) -> str:
    if not order_id:
        raise ValueError("an order without an id of its own would not be told from others")
    return order_id


def _whole(symbol: str, size: Decimal) -> int:
    if size != size.to_integral_value() or size <= 0:
        raise ValueError(f"{symbol}: size {size} is not a positive whole number of contracts")
    return int(size)


def _plain(price: Decimal) -> str:
    """Without exponent and without trailing zeros."""
    return f"{price.normalize():f}"
