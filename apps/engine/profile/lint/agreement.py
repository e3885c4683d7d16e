"""Timeframes and phases that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from apps.engine.profile.judged import Judged
from apps.engine.profile.lint.finding import Finding, error, warning
from apps.engine.profile.lint.sides import holds_never
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import Mode, Phase
from apps.engine.values.side import Side

GRACE_FROM_S = 900
"""Only a context timeframe of 15m or slower may wait for its candle."""


def agreement(profile: Profile) -> Iterator[Finding]:
    """What the context can never agree on, what the execution can never enter, and idle settings of both."""
    context = [one for one in profile.judged if one.phase == Phase.CONTEXT]
    execution = [one for one in profile.judged if one.phase == Phase.EXECUTION]
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


def _empty(every: list[Judged]) -> Iterator[Finding]:
    for judged in every:
        if all(rule is None or rule.logic is None for rule in (judged.long, judged.short)):
            yield error(
                f"timeframes.{judged.timeframe}",
                f"as {judged.phase} timeframe it has rules of neither side: it is neutral for ever",
            )


def _side(profile: Profile, side: Side, context: list[Judged], execution: list[Judged]) -> Iterator[Finding]:
    """A side of which only a part was written; a side that is absent everywhere is a decision."""
    lacking = [one for one in context if holds_never(one, side)]
    entering = [one for one in execution if not holds_never(one, side)]
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
