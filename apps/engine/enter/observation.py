"""What an entry is decided from: the market and the account as just read, and whether that is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite

from apps.engine.profile import EntrySettings
from apps.engine.values.contract import Contract
from apps.engine.values.entry import OrderType
from apps.engine.values.position import QUOTE_MAX_AGE_S, Account, Bracket, FeeRates, Quote
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe

SPREAD_GUARD_TICKS = Decimal("1.5")
"""A spread of one tick is never too wide, whatever it is in basis points."""

Features = Mapping[Timeframe, Mapping[str, float | None]]
"""The columns of each timeframe's newest closed candle; pivots in 1d. NaN or None where unknown."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The market and the account at one moment; None where something could not be read.

    `fees` None: the profile's own are used.
    """

    contract: Contract | None
    brackets: tuple[Bracket, ...]
    quote: Quote | None
    account: Account | None
    fees: FeeRates | None
    features: Features

    def number(self, timeframe: Timeframe, column: str) -> Decimal | None:
        """Return a feature as the exact decimal of its shortest text: here float64 becomes money."""
        value = self.features.get(timeframe, {}).get(column)
        return Decimal(repr(float(value))) if value is not None and isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Market:
    """An observation in which everything an entry needs was there. `taker` is the fee rate that counts."""

    contract: Contract
    brackets: tuple[Bracket, ...]
    quote: Quote
    account: Account
    taker: Decimal


def entry_market(
    observation: Observation, entry: EntrySettings, timeframe: Timeframe, now: datetime
) -> Market | Refusal:
    """Return what `observation` holds, when it is whole, young and plausible, however wide the spread.

    A mark far from the middle of the book is implausible: one of the two is wrong.
    """
    contract, quote, account = observation.contract, observation.quote, observation.account
    if contract is None or not observation.brackets:
        return Refusal(Reason.CONTRACT_SPECS_UNAVAILABLE, {"brackets": len(observation.brackets)})
    if not contract.is_trading:
        return Refusal(Reason.CONTRACT_NOT_TRADABLE, {"status": contract.status})
    if quote is None:
        no_atr = observation.number(timeframe, "atr") is None
        return Refusal(Reason.MISSING_PRICE_AND_ATR if no_atr else Reason.ORDER_BOOK_INCOMPLETE)
    if account is None:
        return Refusal(Reason.BUDGET_UNAVAILABLE)

    age_s = (now - quote.at).total_seconds()
    if age_s > QUOTE_MAX_AGE_S:
        return Refusal(Reason.QUOTE_STALE, {"age_s": age_s, "limit_s": QUOTE_MAX_AGE_S})
    deviation_pct = abs(quote.mark / quote.mid - 1) * 100
    if deviation_pct > entry.implausible_pct:
        numbers = {"mark": quote.mark, "mid": quote.mid, "limit_pct": entry.implausible_pct}
        return Refusal(Reason.ENTRY_PRICE_IMPLAUSIBLE, numbers)
    taker = entry.fees.taker if observation.fees is None else observation.fees.taker
    return Market(contract, observation.brackets, quote, account, taker)


def spread_refusal(market: Market, entry: EntrySettings) -> Refusal | None:
    """Refuse a book that is too thin for the profile's type of order."""
    quote = market.quote
    if entry.order_type == OrderType.MARKET:
        assert entry.market_max_spread_pct is not None  # checked at load
        reason, limit_bps = Reason.MARKET_ORDER_SPREAD_TOO_WIDE, entry.market_max_spread_pct * 100
    else:
        ticks_bps = SPREAD_GUARD_TICKS * market.contract.tick_size / quote.mid * 10_000
        reason, limit_bps = Reason.SPREAD_TOO_WIDE, max(entry.spread_guard_bps, ticks_bps)
    if quote.spread_bps <= limit_bps:
        return None
    return Refusal(reason, {"spread_bps": quote.spread_bps, "limit_bps": limit_bps})
