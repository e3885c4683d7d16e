"""How a profile trades: the `entry` section of its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from apps.engine.profile.schema import JudgedTimeframe, Part
from apps.engine.values.entry import OrderType
from apps.engine.values.timeframe import Timeframe

MAX_SIGNAL_AGE_S = 300
"""A decision older than this, or than its timeframe, is not traded unless the profile says otherwise."""

MIN_STOP_RATIO = Decimal("0.005")
"""Of the entry price: a stop nearer than this is hit by noise."""

MAX_SLIPPAGE_GUARD_BPS = 25
"""Half of the nearest stop: the worst price that may be paid is well away from where the stop fires."""

LEVELS = ("pivot", *(f"{letter}{k}" for letter in "rs" for k in range(1, 7)))
POLICIES = ("nearest", "strongest", *LEVELS)


class Anchor(StrEnum):
    """What an entry zone is laid around; the other one stands in when it is missing."""

    VWAP = "vwap"
    SMA21 = "sma21"


class StopFrom(StrEnum):
    ATR = "atr"
    PIVOT = "pivot"


class StopFallback(StrEnum):
    """What a stop is taken from when no pivot will do."""

    ATR = "atr"


def checked_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(f"{str(value)[:80]!r} is not a number (write 0.000001 or 1.0e-6, without quotes)")
    return value


def checked_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    return text


def checked_policy(name: str) -> str:
    if name not in POLICIES:
        raise ValueError(f"{name[:80]!r} is not one of {', '.join(POLICIES)}")
    return name


Number = Annotated[Decimal, BeforeValidator(checked_number)]
Pct = Annotated[Number, Field(gt=0, le=100)]
Fee = Annotated[Number, Field(ge=0, le=0.01)]
Bps = Annotated[Number, Field(ge=0, le=1000)]
Seconds = Annotated[int, Field(strict=True, ge=10, le=86_400)]
Leverage = Annotated[int, Field(strict=True, ge=1, le=200)]
Share = Annotated[Number, Field(gt=0, le=1)]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(checked_pattern)]


class ZoneSettings(Part):
    """Where an entry is allowed. `w_min`, `w_max`: the half width as a ratio of the anchor."""

    anchor: Anchor
    timeframe: JudgedTimeframe
    atr_timeframe: JudgedTimeframe
    k_atr: Annotated[Number, Field(gt=0, le=10)]
    w_min: Annotated[Number, Field(gt=0, lt=1)]
    w_max: Annotated[Number, Field(gt=0, lt=1)]
    bias: Annotated[Number, Field(ge=0, le=1)] = Decimal(0)
    ttl_s: Seconds

    @model_validator(mode="after")
    def check_widths(self) -> Self:
        if self.w_min > self.w_max:
            raise ValueError(f"w_min {self.w_min} is above w_max {self.w_max}")
        return self


class Fees(Part):
    """Ratios of notional, for when the exchange's own rate is not known."""

    maker: Fee
    taker: Fee


class Trailing(Part):
    """A stop that follows the mark at `atr_k` times the ATR of the entry, and never back."""

    atr_k: Annotated[Number, Field(gt=0, le=20)]


class FallbackSettings(Part):
    """The rest of a limit entry is taken from the book when at most `ttl_threshold_s` of its time are left,
    the mark is in the zone and the spread no wider than `max_spread_bps`."""

    ttl_threshold_s: Seconds
    max_spread_bps: Annotated[Bps, Field(gt=0)]


class EntrySettings(Part):
    """Percentages are percent, ratios ratios, `_bps` basis points, `_s` seconds; money in settle currency."""

    risk_pct: Annotated[Number, Field(gt=0, le=5)]
    margin_pct: Pct
    max_margin_usdt: Annotated[Number, Field(gt=0)] | None = None
    r_multiple: Annotated[Number, Field(ge=0.5, le=20)]
    tp1_r: Annotated[Number, Field(ge=0.25, lt=20)] | None = None
    stop_from: StopFrom
    stop_fallback: StopFallback
    atr_k: Annotated[Number, Field(gt=0, le=20)]
    pivot_sl_policy: Annotated[str, AfterValidator(checked_policy)]
    pivot_sl_buffer_pct: Annotated[Number, Field(ge=0, le=5)]
    max_stop_pct: Annotated[Number, Field(gt=0.5, le=20)] = Decimal(5)
    tp_buffer_pct: Annotated[Number, Field(ge=0, le=5)]
    tp_min_keep_ratio: Annotated[Number, Field(gt=0, le=1)]
    tp_max_extra_r: Annotated[Number, Field(ge=0, le=10)]
    process_tp_sl: Annotated[bool, Field(strict=True)] = True
    trailing: Trailing | None = None
    max_holding_s: Annotated[int, Field(strict=True, ge=60, le=30 * 86_400)] | None = None
    max_deviation_pct: Pct
    implausible_pct: Pct
    zone_max_deviation_pct: Pct
    zone: ZoneSettings
    scaling: Annotated[tuple[Share, ...], Field(min_length=1, max_length=5)] | None = None
    order_ttl_s: Seconds
    max_signal_age_s: Seconds | None = None
    exchange_cap: Leverage
    per_symbol_caps: dict[Pattern, Leverage] = {}
    timeframe_caps: dict[JudgedTimeframe, Leverage] = {}
    order_type: OrderType = OrderType.LIMIT
    market_max_spread_pct: Pct | None = None
    slippage_guard_bps: Annotated[Number, Field(ge=0, le=MAX_SLIPPAGE_GUARD_BPS)] | None = None
    out_of_zone_bps: Bps = Decimal(10)
    fallback_end_of_zone: FallbackSettings | None = None
    skip_at_or_below: Annotated[int, Field(strict=True, ge=0, le=200)] = 0
    liquidation_min_ratio: Annotated[Number, Field(ge=1, le=20)] = Decimal(3)
    spread_guard_bps: Annotated[Bps, Field(gt=0)]
    stop_slippage_bps: Bps
    daily_max_loss_pct: Pct
    daily_max_loss_usdt: Annotated[Number, Field(gt=0)] | None = None
    max_concurrent_positions: Annotated[int, Field(strict=True, ge=1, le=100)]
    fees: Fees
    review: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def check_lifetimes(self) -> Self:
        if self.zone.ttl_s < self.order_ttl_s:
            raise ValueError(f"zone.ttl_s {self.zone.ttl_s} is below order_ttl_s {self.order_ttl_s}")
        fallback = self.fallback_end_of_zone
        if fallback is not None and fallback.ttl_threshold_s >= self.order_ttl_s:
            raise ValueError(
                f"fallback_end_of_zone.ttl_threshold_s {fallback.ttl_threshold_s} is not below "
                f"order_ttl_s {self.order_ttl_s}"
            )
        return self

    @model_validator(mode="after")
    def check_taking(self) -> Self:
        """What is taken from the book needs a worst price, and a market order its widest spread."""
        needed = {}
        if self.order_type == OrderType.MARKET:
            needed = {
                "market_max_spread_pct": self.market_max_spread_pct,
                "slippage_guard_bps": self.slippage_guard_bps,
            }
        elif self.fallback_end_of_zone is not None:
            needed = {"slippage_guard_bps": self.slippage_guard_bps}
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            by = "order_type market" if self.order_type == OrderType.MARKET else "fallback_end_of_zone"
            raise ValueError(f"{by} needs {' and '.join(missing)}")
        if self.order_type == OrderType.MARKET and self.fallback_end_of_zone is not None:
            raise ValueError(
                "fallback_end_of_zone is of limit orders: a market order leaves no rest in the book"
            )
        return self

    @model_validator(mode="after")
    def check_targets(self) -> Self:
        if self.tp1_r is not None and self.tp1_r >= self.r_multiple:
            raise ValueError(f"tp1_r {self.tp1_r} is not below r_multiple {self.r_multiple}")
        return self

    @model_validator(mode="after")
    def check_scaling(self) -> Self:
        if sum(self.shares) != 1:
            raise ValueError(
                f"scaling {[float(share) for share in self.shares]} sums to {sum(self.shares)}, not 1"
            )
        if len(self.shares) > 1 and self.order_type == OrderType.MARKET:
            raise ValueError("scaling is of limit orders: a market order takes all at once")
        if len(self.shares) > 1 and self.fallback_end_of_zone is not None:
            raise ValueError(
                "scaling and fallback_end_of_zone exclude each other: what the far tranches leave is not "
                "worth the near price"
            )
        return self

    @property
    def shares(self) -> tuple[Decimal, ...]:
        """Return what each tranche has of the size, nearest first; they sum to 1."""
        return self.scaling or (Decimal(1),)

    def leverage_cap(self, symbol: str, timeframe: Timeframe) -> int:
        """Return the smallest of the caps that apply; a symbol's patterns are searched in its whole name."""
        symbol_caps = [cap for pattern, cap in self.per_symbol_caps.items() if re.search(pattern, symbol)]
        timeframe_cap = self.timeframe_caps.get(timeframe, self.exchange_cap)
        return min([self.exchange_cap, timeframe_cap, *symbol_caps])

    def signal_age_s(self, timeframe: Timeframe) -> int:
        """Return how long after its candle's close a decision may still be traded."""
        return self.max_signal_age_s or min(timeframe.seconds, MAX_SIGNAL_AGE_S)

    def reads(self, execution: Iterable[Timeframe]) -> Iterator[tuple[Timeframe, str]]:
        """Yield the columns that an entry on one of `execution` is computed from, with their timeframes."""
        yield from ((timeframe, "atr") for timeframe in execution)
        yield self.zone.atr_timeframe, "atr"
        yield from ((self.zone.timeframe, str(anchor)) for anchor in Anchor)
        yield from ((Timeframe.D1, level) for level in LEVELS)

    def content(self) -> dict[str, Any]:
        """Return the section, loadable again; numbers that are equal read equal."""
        return {name: _plain(value) for name, value in self.model_dump(exclude_none=True).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, str) else value
