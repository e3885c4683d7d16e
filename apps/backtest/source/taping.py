"""Stored candles as a tape that the simulator plays: whole ticks, whole contracts, every minute."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from apps.engine.frame import CLOSE, OPEN, VOLUME, Floats, Windows
from apps.engine.values.contract import Contract
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.tape.read import Tape

MOST_DECIMALS = 12
"""Of a stored price."""
NO_CAP = "1000000000000"


def taped(contract: Contract, minutes: Windows) -> Tape:
    """The tape of one symbol's 1m candles. ValueError when there is not one candle.

    A minute without a candle stands still at the close before it (the first ones at the first open) without
    volume: nothing fills in it. The venue's brackets are not stored: one bracket stands for them, with the
    contract's highest leverage and half of its initial margin as maintenance.
    """
    candles = _without_holes(minutes.candles[:, 0])
    decimals = _price_decimals(contract, candles[:VOLUME])
    size_decimals = _decimals(contract.contract_size)
    matrix = np.empty(candles.shape, dtype=np.int64)
    matrix[:VOLUME] = np.rint(candles[:VOLUME] * 10.0**decimals)
    matrix[VOLUME] = np.rint(candles[VOLUME] * 10.0**size_decimals)
    first_minute = (int(minutes.close_ms[0]) - minutes.timeframe.ms) // minutes.timeframe.ms
    return Tape(_listing(contract, decimals, size_decimals), first_minute, matrix)


def _without_holes(candles: Floats) -> Floats:
    present = ~np.isnan(candles[CLOSE])
    if not present.any():
        raise ValueError("no candle at all")
    if present.all():
        return candles
    newest = np.maximum.accumulate(np.where(present, np.arange(len(present)), -1))
    flat = np.where(newest < 0, candles[OPEN, present.argmax()], candles[CLOSE, newest])
    filled = np.where(present, candles, flat)
    filled[VOLUME] = np.where(present, candles[VOLUME], 0)
    return filled


def _price_decimals(contract: Contract, prices: Floats) -> int:
    """Digits after the point of the tick, or more where a stored price has more."""
    least = _decimals(contract.tick_size)
    for decimals in range(least, MOST_DECIMALS):
        scale = 10.0**decimals
        if (np.rint(prices * scale) / scale == prices).all():
            return decimals
    return MOST_DECIMALS


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)  # a contract's steps are finite
    return max(0, -exponent)


def _listing(contract: Contract, decimals: int, size_decimals: int) -> Listing:
    per_contract = contract.contract_size * 10**size_decimals
    leverage = max(1, int(contract.max_leverage))
    bracket: dict[str, Any] = {
        "bracket": 1,
        "initial_leverage": leverage,
        "notional_cap": NO_CAP,
        "notional_floor": "0",
        "maint_margin_ratio": str(Decimal(1) / (2 * leverage)),
        "cum": "0",
    }
    return Listing(
        symbol=contract.symbol,
        base=contract.base,
        price_decimals=decimals,
        volume_decimals=size_decimals,
        max_leverage=leverage,
        max_volume=int(contract.max_volume * per_contract),
        market_max_volume=int(contract.market_max_volume * per_contract),
        listed_at_ms=_ms(contract.listed_at),
        brackets=(bracket,),
    )


def _ms(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1000)
