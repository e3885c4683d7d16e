"""Sections of a profile that do not fit together: timeframes and phases, the entry, the indicators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from apps.engine.frame import Floats
from apps.engine.indicators.extra_kinds import Extra
from apps.engine.profile.entry_settings import MIN_STOP_RATIO, EntrySettings, StopFrom
from apps.engine.profile.lint.finding import Finding, error, warning
from apps.engine.profile.lint.side import never_holds
from apps.engine.profile.profile import SLOW_MIN_CANDLES, Profile
from apps.engine.profile.schema import Mode, Phase, TimeframeRules
from apps.engine.values.position import Side

GRACE_FROM_S = 900
"""Only a context timeframe of 15m or slower may wait for its candle."""


def phase_findings(profile: Profile) -> Iterator[Finding]:
    """What the context can never agree on, what the execution can never enter, and idle settings of both."""
    context = [one for one in profile.timeframe_rules if one.phase == Phase.CONTEXT]
    execution = [one for one in profile.timeframe_rules if one.phase == Phase.EXECUTION]
    yield from _speeds(profile)
    yield from _empty(context + execution)
    for side in (Side.LONG, Side.SHORT):
        yield from _side(profile, side, context, execution)
    yield from _grace(profile)


def _speeds(profile: Profile) -> Iterator[Finding]:
    if not profile.context_timeframes:
        yield error("context_timeframes", "there is none: every verdict is no_timeframes_in_config")
        return
    slowest = profile.context_timeframes[0]
    for timeframe in profile.execution_timeframes:
        if timeframe.seconds > slowest.seconds:
            yield warning(
                "execution_timeframes",
                f"{timeframe} is slower than every context timeframe (the slowest is {slowest}): the side "
                f"changes faster than what enters on it; add a slower context or enter on {slowest}",
            )


def _empty(every: list[TimeframeRules]) -> Iterator[Finding]:
    for judged in every:
        if all(rule is None or rule.logic is None for rule in (judged.long, judged.short)):
            yield error(
                f"timeframes.{judged.timeframe}",
                f"as {judged.phase} timeframe it has rules of neither side: it is neutral for ever",
            )


def _side(
    profile: Profile, side: Side, context: list[TimeframeRules], execution: list[TimeframeRules]
) -> Iterator[Finding]:
    """A side of which only a part was written; a side that is absent everywhere is a decision."""
    lacking = [one for one in context if never_holds(one, side)]
    entering = [one for one in execution if not never_holds(one, side)]
    agreed = not lacking if profile.validation_mode == Mode.STRICT else len(lacking) < len(context)
    if context and entering and not agreed:
        names = " ".join(one.timeframe for one in lacking)
        every = "every context timeframe" if profile.validation_mode == Mode.STRICT else "a context timeframe"
        yield error(
            f"timeframes.{lacking[0].timeframe}.{side}",
            f"{side} can never be agreed: {profile.validation_mode} needs it of {every}, and it never holds "
            f"on {names}; the {side} rules of {' '.join(one.timeframe for one in entering)} are idle",
        )
    if context and agreed and execution and not entering:
        names = " ".join(one.timeframe for one in execution)
        yield warning(
            f"timeframes.{execution[0].timeframe}.{side}",
            f"{side} can be agreed but never entered: it never holds on {names}",
        )


def _grace(profile: Profile) -> Iterator[Finding]:
    slow = [one for one in profile.context_timeframes if one.seconds >= GRACE_FROM_S]
    if "grace_s" in profile.model_fields_set and profile.grace_s > 0 and not slow:
        yield warning(
            "grace_s", f"{profile.grace_s} has no effect: no context timeframe is 15m or slower; leave it out"
        )


SYMBOL = re.compile(r"[A-Z0-9]*\Z")
PLAIN = re.compile(r"\^?(?P<before>[\w/:\-]*)(?:\((?P<choice>[\w/:\-|]*)\))?(?P<after>[\w/:\-]*)\$?\Z")
"""A text, with at most one group of alternatives in it, that may be tied to the start and the end."""


def matches_no_symbol(pattern: str) -> bool:
    """Whether it is sure that `pattern` finds nothing in any text of capital letters and digits.

    Only patterns made of plain characters and one group of alternatives are judged.
    """
    found = PLAIN.match(pattern)
    if found is None:
        return False
    choices = (found["choice"] or "").split("|")
    return not any(SYMBOL.match(f"{found['before']}{choice}{found['after']}") for choice in choices)


BPS = Decimal(10_000)
CANDLES_RESTED = 5
"""An order that outlives so many candles of its timeframe trades a decision that nobody holds any more."""
ABOVE, BELOW = "r", "s"
"""How the pivot levels above and below the pivot begin."""


def entry_findings(profile: Profile) -> Iterator[Finding]:
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


def _stop(profile: Profile, entry: EntrySettings) -> Iterator[Finding]:
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


def _target(entry: EntrySettings) -> Iterator[Finding]:
    reward, fees = entry.r_multiple * MIN_STOP_RATIO, 2 * entry.fees.taker
    if reward <= fees:
        yield warning(
            "entry.r_multiple",
            f"at the smallest stop ({MIN_STOP_RATIO:.1%} of the price) {entry.r_multiple} R is {reward:.2%}, "
            f"and in and out costs {fees:.2%}: nothing is won; it takes r_multiple above "
            f"{fees / MIN_STOP_RATIO:.2f}",
        )


def _risk(profile: Profile, entry: EntrySettings) -> Iterator[Finding]:
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


def _leverage(profile: Profile, entry: EntrySettings) -> Iterator[Finding]:
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


def _times(profile: Profile, entry: EntrySettings) -> Iterator[Finding]:
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
    execution = [one for one in profile.timeframe_rules if one.phase == Phase.EXECUTION]
    return any(not never_holds(one, side) for one in execution)


def indicator_findings(profile: Profile) -> Iterator[Finding]:
    """Those that no rule reads, and those whose parameters give no value from the candles they will have."""
    for name, extra in profile.indicators.items():
        if name not in profile.used_indicators:
            yield warning(f"indicators.{name}", f"no rule reads a column of {extra.name}: leave it out")
        elif problem := _gives_nothing(extra):
            yield error(f"indicators.{name}", f"{extra.name} {problem}: its parameters do not go together")


def _gives_nothing(extra: Extra) -> str:
    """What goes wrong over as many candles as a judged timeframe has at least; "" when nothing does."""
    from apps.engine.indicators.extra import (
        extra_series,
    )  # brings pandas: only for a profile that declares one

    try:
        columns = extra_series(_waves(SLOW_MIN_CANDLES), extra)
    except Exception as fault:  # whatever a library says to its parameters is what the finding tells
        return f"raises {type(fault).__name__} ({fault})"
    known = any(np.isfinite(values[-1]) for values in columns)
    return "" if known else f"gives no value from {SLOW_MIN_CANDLES} candles"


def _waves(count: int) -> Floats:
    """(5, count) lawful candles that rise and fall in waves of two lengths."""
    at = np.arange(count + 1)
    path = 100 + 5 * np.sin(at / 7) + 10 * np.sin(at / 41)
    opened, closed = path[:-1], path[1:]
    high, low = np.maximum(opened, closed) + 0.5, np.minimum(opened, closed) - 0.5
    return np.array([opened, high, low, closed, 100 + 50 * np.sin(at[1:] / 5)])
