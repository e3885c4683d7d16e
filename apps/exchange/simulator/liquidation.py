"""Liquidation: the position is taken over at the mark price, and what is left of its margin is gone."""

from __future__ import annotations

from apps.exchange.simulator.holdings import Position
from apps.exchange.simulator.margin import position_margin
from apps.exchange.simulator.matching import Matching
from apps.exchange.simulator.rows import Order
from apps.exchange.simulator.tick import Tick
from apps.exchange.simulator.words import CLEARANCE, CLOSE_LONG, CLOSE_SHORT, IOC, LIVE, LONG


def liquidate(matching: Matching, position: Position, tick: Tick) -> None:
    """Close it whole by an order of type liquidate. It costs its margin, never more or less.

    The clearance takes what is left of the margin, or gives what the mark price had run beyond it.
    """
    account = matching.account
    at_stake = position_margin(account.listing(position.symbol), position)
    matching.cancel_closing(position.symbol, position.position_type, tick.at_ms)
    wallet = account.purse.wallet
    order = _order(matching, position, tick)
    account.put(order)
    matching.fill(order, tick.mark, position.size, maker=False, at_ms=tick.at_ms)
    lost = wallet - account.purse.wallet
    account.record(CLEARANCE, lost - at_stake, position.symbol, tick.at_ms)


def _order(matching: Matching, position: Position, tick: Tick) -> Order:
    number = matching.account.number()
    return Order(
        order_id=number,
        symbol=position.symbol,
        side=CLOSE_LONG if position.position_type == LONG else CLOSE_SHORT,
        kind="liquidate",
        mode=IOC,
        price=tick.mark,
        size=position.size,
        leverage=position.leverage,
        open_type=position.open_type,
        position_mode=matching.account.purse.position_mode,
        created_ms=tick.at_ms,
        updated_ms=tick.at_ms,
        queued=number,
        state=LIVE,
    )
