"""How many contracts, at which leverage: risk first, leverage follows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from apps.engine.enter.observation import Market
from apps.engine.enter.tick import round_down
from apps.engine.profile import EntrySettings
from apps.engine.values.plan import Bound, Sizing
from apps.engine.values.reason import Reason, Refusal

AVAILABLE_RATIO = Decimal("0.95")
"""The rest of the free balance stays, for fees and a price that moves."""


def sizing(market: Market, entry: EntrySettings, price: Decimal, stop: Decimal, cap: int) -> Sizing | Refusal:
    """Return size and leverage of an entry at `price` whose stop closes at market.

    `cap` is the profile's leverage cap. The loss of one contract is
    (|price - stop| + price × (2 × taker + slippage)) × contract_size.
    """
    contract, equity = market.contract, market.account.equity
    budget = equity * entry.risk_pct / 100
    if budget <= 0:
        return Refusal(Reason.RISK_USDT_ZERO, {"equity": equity, "risk_pct": entry.risk_pct})
    share = equity * entry.margin_pct / 100
    ceiling = share if entry.max_margin_usdt is None else entry.max_margin_usdt
    margin = min(share, AVAILABLE_RATIO * market.account.available, ceiling)
    if margin <= 0:
        return Refusal(Reason.BUDGET_UNAVAILABLE, {"available": market.account.available})
    costs = price * (2 * market.taker + entry.stop_slippage_bps / 10_000)
    loss = (abs(price - stop) + costs) * contract.contract_size
    wanted, bound = min(
        (budget / loss, Bound.RISK),
        (contract.max_volume, Bound.MAX_VOLUME),
        (contract.market_max_volume, Bound.MARKET_MAX_VOLUME),
        key=lambda choice: choice[0],
    )
    unit = price * contract.contract_size  # notional of one contract
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
    notional = size * unit
    return Sizing(
        size=size,
        leverage=chosen.leverage,
        bound=bound,
        equity=equity,
        risk_budget=budget,
        risk=loss * size,
        notional=notional,
        margin=notional / chosen.leverage,
        liquidation_distance=price * (1 / Decimal(chosen.leverage) - chosen.maintenance_ratio - market.taker),
    )


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

    Isolated: liquidation is price × (1 / leverage - maintenance - taker) away; `stop_ratio` is the stop's
    distance by the price.
    """
    bracket = next((candidate for candidate in market.brackets if notional <= candidate.notional_cap), None)
    least = ceil(market.contract.min_leverage)
    if bracket is None:
        caps = {"notional": notional, "bracket_cap": market.brackets[-1].notional_cap}
        return Refusal(Reason.LEVERAGE_OUT_OF_RANGE, caps)
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
