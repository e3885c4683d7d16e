"""Sections of a profile that do not fit together: timeframes and phases, the entry, the indicators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from apps.engine.profile.entry_settings import MIN_STOP_RATIO, StopFrom
from apps.engine.profile.lint.finding import Finding, error, warning
from apps.engine.profile.lint.side import never_holds
from apps.engine.profile.profile import SLOW_MIN_CANDLES, Profile
from apps.engine.profile.schema import Mode, Phase
from apps.engine.values.exit import RECALCULATE_EACH_S
from apps.engine.values.position import Side

GRACE_FROM_S = 900
"""Only a context timeframe of 15m or slower may wait for its candle."""

BPS = Decimal(10_000)
CANDLES_RESTED = 5
"""An order that outlives so many candles of its timeframe trades a decision that nobody holds any more."""

ABOVE, BELOW = "r", "s"
"""How the pivot levels above and below the pivot begin."""

SYMBOL = re.compile(r"[A-Z0-9]*\Z")
PLAIN = re.compile(r"\^?(?P<before>[\w/:\-]*)(?:\((?P<choice>[\w/:\-|]*)\))?(?P<after>[\w/:\-]*)\$?\Z")
"""A text, with at most one group of alternatives in it, that may be tied to the start and the end."""


def timeframe_findings(profile: Profile) -> Iterator[Finding]:
    """Check that there is a context, that nothing slower enters, and that each timeframe has rules."""
    if not profile.context_timeframes:
        yield error("context_timeframes", "there is none: every verdict is no_timeframes_in_config")
    else:
        slowest = profile.context_timeframes[0]
        for timeframe in profile.execution_timeframes:
            if timeframe.seconds > slowest.seconds:
                yield warning(
                    "execution_timeframes",
                    f"{timeframe} is slower than every context timeframe (the slowest is {slowest}): the "
                    f"side changes faster than what enters on it; add a slower context or enter on {slowest}",
                )
    for rules in profile.timeframe_rules:
        if all(rule is None or rule.logic is None for rule in (rules.long, rules.short)):
            yield error(
                f"timeframes.{rules.timeframe}",
                f"as {rules.phase} timeframe it has rules of neither side: it is neutral for ever",
            )


def agreement_findings(profile: Profile) -> Iterator[Finding]:
    """Check for a side of which only a part was written; a side that is absent everywhere is a decision."""
    context = [rules for rules in profile.timeframe_rules if rules.phase == Phase.CONTEXT]
    execution = [rules for rules in profile.timeframe_rules if rules.phase == Phase.EXECUTION]
    strict = profile.validation_mode == Mode.STRICT
    for side in (Side.LONG, Side.SHORT):
        lacking = [rules for rules in context if never_holds(rules, side)]
        entering = [rules for rules in execution if not never_holds(rules, side)]
        can_agree = not lacking if strict else len(lacking) < len(context)
        if context and entering and not can_agree:
            names = " ".join(rules.timeframe for rules in lacking)
            needed = "every context timeframe" if strict else "a context timeframe"
            idle = " ".join(rules.timeframe for rules in entering)
            yield error(
                f"timeframes.{lacking[0].timeframe}.{side}",
                f"{side} can never be agreed: {profile.validation_mode} needs it of {needed}, and it never "
                f"holds on {names}; the {side} rules of {idle} are idle",
            )
        if context and can_agree and execution and not entering:
            names = " ".join(rules.timeframe for rules in execution)
            yield warning(
                f"timeframes.{execution[0].timeframe}.{side}",
                f"{side} can be agreed but never entered: it never holds on {names}",
            )


def grace_findings(profile: Profile) -> Iterator[Finding]:
    """Check that a grace that was written has an effect."""
    slow = [timeframe for timeframe in profile.context_timeframes if timeframe.seconds >= GRACE_FROM_S]
    if "grace_s" in profile.model_fields_set and profile.grace_s > 0 and not slow:
        yield warning(
            "grace_s", f"{profile.grace_s} has no effect: no context timeframe is 15m or slower; leave it out"
        )


def stop_findings(profile: Profile) -> Iterator[Finding]:
    """Check that a pivot level named for the stop lies on the stop's side of an entry."""
    entry = profile.entry
    if entry is None or entry.stop_from != StopFrom.PIVOT:
        return
    level = entry.pivot_sl_policy
    if level[0] not in (ABOVE, BELOW) or not level[1:].isdigit():
        return
    side, lies = (Side.LONG, "above") if level[0] == ABOVE else (Side.SHORT, "below")
    execution = [rules for rules in profile.timeframe_rules if rules.phase == Phase.EXECUTION]
    if any(not never_holds(rules, side) for rules in execution):
        yield warning(
            "entry.pivot_sl_policy",
            f"{level} lies {lies} the day's pivot, on the wrong side of most {side}s: their stop falls back "
            f"to {entry.stop_fallback}; take nearest or strongest, which choose by side",
        )


def target_findings(profile: Profile) -> Iterator[Finding]:
    """Check that a target at the smallest stop pays for its fees."""
    entry = profile.entry
    if entry is None:
        return
    fees = 2 * entry.fees.taker
    for key, multiple in (("r_multiple", entry.r_multiple), ("tp1_r", entry.tp1_r)):
        if multiple is not None and multiple * MIN_STOP_RATIO <= fees:
            yield warning(
                f"entry.{key}",
                f"at the smallest stop ({MIN_STOP_RATIO:.1%} of the price) {multiple} R is "
                f"{multiple * MIN_STOP_RATIO:.2%}, and in and out costs {fees:.2%}: nothing is won; it takes "
                f"{key} above {fees / MIN_STOP_RATIO:.2f}",
            )
    least = entry.tp_min_keep_ratio * entry.r_multiple
    if entry.tp1_r is not None and entry.tp1_r >= least:
        yield warning(
            "entry.tp1_r",
            f"{entry.tp1_r} is not below tp_min_keep_ratio × r_multiple ({least}): where a pivot draws the "
            "target that near, there is no first target",
        )


def stop_moving_findings(profile: Profile) -> Iterator[Finding]:
    """Check that a stop that should trail may move, and lives long enough to."""
    entry = profile.entry
    if entry is None or entry.trailing is None:
        return
    if not entry.process_tp_sl:
        yield warning(
            "entry.trailing", "no effect: process_tp_sl is false, and a stop stays where it is placed"
        )
    elif entry.max_holding_s is not None and entry.max_holding_s <= RECALCULATE_EACH_S:
        yield warning(
            "entry.trailing",
            f"no effect: a stop moves each {RECALCULATE_EACH_S} s, and max_holding_s {entry.max_holding_s} "
            "ends the position before",
        )


def leverage_findings(profile: Profile) -> Iterator[Finding]:
    """Check that the leverage allowed can carry the risk, and is not refused as too small."""
    entry = profile.entry
    if entry is None:
        return
    caps = {
        timeframe: min(entry.exchange_cap, entry.timeframe_caps.get(timeframe, entry.exchange_cap))
        for timeframe in profile.execution_timeframes
    }
    loss = MIN_STOP_RATIO + 2 * entry.fees.taker + entry.stop_slippage_bps / BPS
    needed = entry.risk_pct / 100 / loss
    for timeframe, cap in caps.items():
        carried = entry.margin_pct / 100 * cap
        if carried < needed:
            yield warning(
                "entry.risk_pct",
                f"{entry.risk_pct} % cannot be risked on {timeframe} at a stop of {MIN_STOP_RATIO:.1%}: that "
                f"takes {needed:.2f} × equity, and margin_pct {entry.margin_pct} at leverage {cap} carries "
                f"{carried:.2f} × ({carried * loss:.2%} at risk); raise margin_pct or lower risk_pct",
            )
    for timeframe, cap in caps.items():
        if entry.skip_at_or_below >= cap:
            yield error(
                "entry.skip_at_or_below",
                f"{entry.skip_at_or_below} refuses every leverage that {timeframe} may have (at most {cap}): "
                "leverage_below_threshold for ever",
            )
    for timeframe in entry.timeframe_caps:
        if timeframe not in profile.execution_timeframes:
            yield warning(f"entry.timeframe_caps.{timeframe}", "never used: it is no execution timeframe")


def lifetime_findings(profile: Profile) -> Iterator[Finding]:
    """Check that neither a decision nor its order outlives the candles it was made from."""
    entry = profile.entry
    if entry is None:
        return
    age_s = entry.max_signal_age_s
    for timeframe in profile.execution_timeframes:
        if age_s is not None and age_s > timeframe.seconds:
            yield warning(
                "entry.max_signal_age_s",
                f"{age_s} is longer than a candle of {timeframe} ({timeframe.seconds} s): by then its next "
                "candle has decided anew",
            )
    slowest_s = max((timeframe.seconds for timeframe in profile.execution_timeframes), default=0)
    if slowest_s and entry.order_ttl_s > CANDLES_RESTED * slowest_s:
        yield warning(
            "entry.order_ttl_s",
            f"{entry.order_ttl_s} lets an order rest for more than {CANDLES_RESTED} candles of the slowest "
            f"execution timeframe ({slowest_s} s each)",
        )


def pattern_findings(profile: Profile) -> Iterator[Finding]:
    """Check that a pattern of symbols can match one: text of capital letters and digits.

    Only patterns made of plain characters and one group of alternatives are judged.
    """
    for pattern in profile.entry.per_symbol_caps if profile.entry is not None else ():
        plain = PLAIN.match(pattern)
        if plain is None:
            continue
        choices = (plain["choice"] or "").split("|")
        if not any(SYMBOL.match(f"{plain['before']}{choice}{plain['after']}") for choice in choices):
            yield warning(
                f"entry.per_symbol_caps.{pattern}",
                "no symbol can match: symbols are capital letters and digits, as BTCUSDT",
            )


def indicator_findings(profile: Profile) -> Iterator[Finding]:
    """Check for extra indicators that no rule reads, and those that give no value from their candles."""
    # Lawful candles that rise and fall in waves of two lengths, as many as a judged timeframe has at least.
    at = np.arange(SLOW_MIN_CANDLES + 1)
    path = 100 + 5 * np.sin(at / 7) + 10 * np.sin(at / 41)
    opens, closes = path[:-1], path[1:]
    highs, lows = np.maximum(opens, closes) + 0.5, np.minimum(opens, closes) - 0.5
    candles = np.array([opens, highs, lows, closes, 100 + 50 * np.sin(at[1:] / 5)])

    for name, extra in profile.indicators.items():
        if name not in profile.used_indicators:
            yield warning(f"indicators.{name}", f"no rule reads a column of {extra.name}: leave it out")
            continue
        from apps.engine.indicators.extra import extra_series  # brings pandas: only where one is declared

        try:
            columns = extra_series(candles, extra)
        except Exception as fault:  # whatever a library says to its parameters is what the finding tells
            problem = f"raises {type(fault).__name__} ({fault})"
        else:
            if any(np.isfinite(values[-1]) for values in columns):
                continue
            problem = f"gives no value from {SLOW_MIN_CANDLES} candles"
        yield error(f"indicators.{name}", f"{extra.name} {problem}: its parameters do not go together")
