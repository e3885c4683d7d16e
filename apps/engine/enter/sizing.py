"""How many contracts, at which leverage: risk first, leverage follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor
from operator import mul

from apps.engine.enter.observation import Market
from apps.engine.enter.scaling import PricedShare, split_size
from apps.engine.profile import EntrySettings
from apps.engine.values.plan import Bound, Sizing
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.tick import round_down

AVAILABLE_RATIO = Decimal("0.95")
"""The rest of the free balance stays, for fees and a price that moves."""


def sizing(
    market: Market,
    entry: EntrySettings,
    price: Decimal,
    stop: Decimal,
    cap: int,
    shares: Sequence[PricedShare] = (),
) -> Sizing | Refusal:
    """Return size and leverage of an entry at `price` whose stop closes at market.

    `cap` is the profile's leverage cap. `shares`: where there are several tranches, `price` the nearest. Each
    loses its own; notional and margin are bounded at the highest price, liquidation by the nearest one, whose
    stop is the farthest.
    """
    shares = shares or (PricedShare(price, Decimal(1)),)
    contract, equity = market.contract, market.account.equity
    budget = equity * entry.risk_pct / 100
    if budget <= 0:
        return Refusal(Reason.RISK_USDT_ZERO, {"equity": equity, "risk_pct": entry.risk_pct})
    margin = _margin_budget(market, entry)
    if margin <= 0:
        return Refusal(Reason.BUDGET_UNAVAILABLE, {"available": market.account.available})
    losses = [loss_at_stop(market, entry, each.price, stop) for each in shares]
    loss = sum((each.share * of_one for each, of_one in zip(shares, losses, strict=True)), Decimal(0))
    unit = max(each.price for each in shares) * contract.contract_size  # most notional of one contract
    wanted, bound = min(
        (budget / loss, Bound.RISK),
        (contract.max_volume, Bound.MAX_VOLUME),
        (contract.market_maximum, Bound.MARKET_MAX_VOLUME),
        (market.brackets[-1].notional_cap / unit, Bound.BRACKET),
        key=lambda choice: choice[0],
    )
    size = round_down(wanted, contract.volume_step)
    chosen = _leverage(market, entry, size * unit, margin, abs(price - stop) / price, cap)
    if isinstance(chosen, Refusal):
        return chosen
    if size * unit > margin * chosen.leverage:
        size = round_down(margin * chosen.leverage / unit, contract.volume_step)
        bound = chosen.bound
    if size < contract.min_volume or size <= 0:
        numbers = {"size": size, "min_volume": contract.min_volume, "bound": str(bound), "budget": budget}
        return Refusal(Reason.SIZE_BELOW_MIN_VOLUME, numbers)
    sizes = split_size(size, shares, contract.volume_step)
    units = [each.price * contract.contract_size for each in shares]
    notional = sum(map(mul, sizes, units), Decimal(0))
    return Sizing(
        size=size,
        leverage=chosen.leverage,
        bound=bound,
        equity=equity,
        risk_budget=budget,
        risk=sum(map(mul, losses, sizes), Decimal(0)),
        notional=notional,
        margin=notional / chosen.leverage,
        liquidation_distance=price * (1 / Decimal(chosen.leverage) - chosen.maintenance_ratio - market.taker),
    )


def loss_at_stop(market: Market, entry: EntrySettings, price: Decimal, stop: Decimal) -> Decimal:
    """Return what one contract from `price` loses at the stop, fees and slippage included.

    (|price - stop| + price × (2 × taker + slippage)) × contract_size.
    """
    costs = price * (2 * market.taker + entry.stop_slippage_bps / 10_000)
    return (abs(price - stop) + costs) * market.contract.contract_size


def _margin_budget(market: Market, entry: EntrySettings) -> Decimal:
    share = market.account.equity * entry.margin_pct / 100
    ceiling = share if entry.max_margin_usdt is None else entry.max_margin_usdt
    return min(share, AVAILABLE_RATIO * market.account.available, ceiling)


@dataclass(frozen=True, slots=True)
class _Leverage:
    """`bound` is what keeps the margin from carrying more, should it not carry the size."""

    leverage: int
    bound: Bound
    maintenance_ratio: Decimal


def _leverage(
    market: Market, entry: EntrySettings, notional: Decimal, margin: Decimal, stop_ratio: Decimal, cap: int
) -> _Leverage | Refusal:
    """Return the least that lets `margin` carry `notional`, within every cap and far enough from liquidation.

    `notional` is within the last bracket.

    Isolated: liquidation is price × (1 / leverage - maintenance - taker) away; `stop_ratio` is the stop's
    distance by the price.
    """
    last = market.brackets[-1]
    bracket = next((candidate for candidate in market.brackets if notional <= candidate.notional_cap), last)
    least = ceil(market.contract.min_leverage)
    most = min(floor(market.contract.max_leverage), bracket.max_leverage, cap)
    if most < least:
        return Refusal(Reason.LEVERAGE_OUT_OF_RANGE, {"least": least, "most": most})
    safe = int(1 // (entry.liquidation_min_ratio * stop_ratio + bracket.maintenance_ratio + market.taker))
    if safe < least:
        return Refusal(Reason.LIQUIDATION_TOO_CLOSE, {"safe": safe, "least": least, "stop_ratio": stop_ratio})
    leverage = max(least, min(ceil(notional / margin), most, safe))
    if leverage <= entry.skip_at_or_below:
        numbers = {"leverage": leverage, "skip_at_or_below": entry.skip_at_or_below}
        return Refusal(Reason.LEVERAGE_BELOW_THRESHOLD, numbers)
    bound = Bound.LIQUIDATION if safe < most else Bound.MARGIN
    return _Leverage(leverage, bound, bracket.maintenance_ratio)
