"""Funding: at 00, 08 and 16 o'clock UTC the longs pay the shorts, or the reverse."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.exchange.simulator.account import Account
from apps.exchange.simulator.tick import Tick
from apps.exchange.simulator.words import FUNDING, LONG


def pay(account: Account, tick: Tick, rate: Decimal) -> None:
    """Each position of the contract pays notional at the mark price x rate; longs when it is positive."""
    coins = account.listing(tick.symbol).contract_size
    for held in account.held(tick.symbol):
        notional = held.size * coins * tick.mark
        paid = notional * rate if held.position_type == LONG else -notional * rate
        account.put(replace(held, funding=held.funding + paid, updated_ms=tick.at_ms))
        account.record(FUNDING, -paid, tick.symbol, tick.at_ms)
