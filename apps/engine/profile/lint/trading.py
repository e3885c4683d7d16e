"""An `entry` whose numbers contradict each other, or cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from apps.engine.profile.entry import MIN_STOP_RATIO, Entry, StopFrom
from apps.engine.profile.lint.finding import Finding, error, warning
from apps.engine.profile.lint.patterns import matches_no_symbol
from apps.engine.profile.lint.sides import holds_never
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import Phase
from apps.engine.values.side import Side

BPS = Decimal(10_000)
CANDLES_RESTED = 5
"""An order that outlives so many candles of its timeframe trades a decision that nobody holds any more."""
ABOVE, BELOW = "r", "s"
"""How the pivot levels above and below the pivot begin."""


def trading(profile: Profile) -> Iterator[Finding]:
    """Nothing for a profile that only judges."""
    entry = profile.entry
    if entry is None:
        return
    yield from _stop(profile, entry)
    yield from _target(entry)
    yield from _risk(profile, entry)
    yield from _leverage(profile, entry)
    yield from _times(profile, entry)
    for pattern in entry.per_symbol_caps:
        if matches_no_symbol(pattern):
            yield warning(
                f"entry.per_symbol_caps.{pattern}",
                "no symbol can match: symbols are capital letters and digits, as BTCUSDT",
            )


def _stop(profile: Profile, entry: Entry) -> Iterator[Finding]:
    level = entry.pivot_sl_policy
    if entry.stop_from != StopFrom.PIVOT or level[0] not in (ABOVE, BELOW) or not level[1:].isdigit():
        return
    side, lies = (Side.LONG, "above") if level[0] == ABOVE else (Side.SHORT, "below")
    if _enters(profile, side):
        yield warning(
            "entry.pivot_sl_policy",
            f"{level} lies {lies} the day's pivot, on the wrong side of most {side}s: their stop falls back "
            f"to {entry.stop_fallback}; take nearest or strongest, which choose by side",
        )


def _target(entry: Entry) -> Iterator[Finding]:
    reward, fees = entry.r_multiple * MIN_STOP_RATIO, 2 * entry.fees.taker
    if reward <= fees:
        yield warning(
            "entry.r_multiple",
            f"at the smallest stop ({MIN_STOP_RATIO:.1%} of the price) {entry.r_multiple} R is {reward:.2%}, "
            f"and in and out costs {fees:.2%}: nothing is won; it takes r_multiple above "
            f"{fees / MIN_STOP_RATIO:.2f}",
        )


def _risk(profile: Profile, entry: Entry) -> Iterator[Finding]:
    loss = MIN_STOP_RATIO + 2 * entry.fees.taker + entry.stop_slippage_bps / BPS
    needed = entry.risk_pct / 100 / loss
    for timeframe in profile.execution_timeframes:
        cap = min(entry.exchange_cap, entry.timeframe_caps.get(timeframe, entry.exchange_cap))
        carried = entry.margin_pct / 100 * cap
        if carried < needed:
            yield warning(
                "entry.risk_pct",
                f"{entry.risk_pct} % cannot be risked on {timeframe} at a stop of {MIN_STOP_RATIO:.1%}: that "
                f"takes {needed:.2f} × equity, and margin_pct {entry.margin_pct} at leverage {cap} carries "
                f"{carried:.2f} × ({carried * loss:.2%} at risk); raise margin_pct or lower risk_pct",
            )


def _leverage(profile: Profile, entry: Entry) -> Iterator[Finding]:
    for timeframe in profile.execution_timeframes:
        cap = min(entry.exchange_cap, entry.timeframe_caps.get(timeframe, entry.exchange_cap))
        if entry.skip_at_or_below >= cap:
            yield error(
                "entry.skip_at_or_below",
                f"{entry.skip_at_or_below} refuses every leverage that {timeframe} may have (at most {cap}): "
                "leverage_below_threshold for ever",
            )
    for timeframe in entry.timeframe_caps:
        if timeframe not in profile.execution_timeframes:
            yield warning(f"entry.timeframe_caps.{timeframe}", "never used: it is no execution timeframe")


def _times(profile: Profile, entry: Entry) -> Iterator[Finding]:
    age_s = entry.max_signal_age_s
    for timeframe in profile.execution_timeframes:
        if age_s is not None and age_s > timeframe.seconds:
            yield warning(
                "entry.max_signal_age_s",
                f"{age_s} is longer than a candle of {timeframe} ({timeframe.seconds} s): by then its next "
                "candle has decided anew",
            )
    slowest_s = max((one.seconds for one in profile.execution_timeframes), default=0)
    if slowest_s and entry.order_ttl_s > CANDLES_RESTED * slowest_s:
        yield warning(
            "entry.order_ttl_s",
            f"{entry.order_ttl_s} lets an order rest for more than {CANDLES_RESTED} candles of the slowest "
            f"execution timeframe ({slowest_s} s each)",
        )


def _enters(profile: Profile, side: Side) -> bool:
    execution = [one for one in profile.judged if one.phase == Phase.EXECUTION]
    return any(not holds_never(one, side) for one in execution)
