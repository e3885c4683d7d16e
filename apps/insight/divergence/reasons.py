"""Why a replay decides otherwise than the minute did: the probable reason of each difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.verdict import LeafVerdict, Verdict
from apps.engine.profile import Profile
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.insight.divergence.report import Difference, Kind
from apps.insight.divergence.words import verdict_words
from apps.insight.explain import judged_again
from apps.insight.late_candles import LateCandle, newest_first, read_at, written_after
from apps.live.models import MtfRun


@dataclass(frozen=True, slots=True)
class Diverging:
    """A minute that a replay decides otherwise; `row` is its place in the history."""

    run: MtfRun
    row: int
    live: str
    replay: str


def explained(history: PastJudgement, found: Sequence[Diverging]) -> Iterator[Difference]:
    """Each of `found`, all of the history's symbol, with its probable reason."""
    if not found:
        return
    written = _written_later(history.symbol, history.profile, found)
    for one in found:
        kind, why = _late(written, one.run) or _warm_up(history, one) or (Kind.UNEXPLAINED, NO_REASON)
        yield Difference(one.run.minute, history.symbol, one.live, one.replay, kind, why)


NO_REASON = "no candle it reads was written later, and its own window gives the replay's answer: look at it"


def _written_later(symbol: str, profile: Profile, found: Sequence[Diverging]) -> list[LateCandle]:
    """Candles that some of the minutes may not have seen as they are now, the newest first."""
    read = [moment for one in found if (moment := read_at(one.run)) is not None]
    minutes = [one.run.minute for one in found]
    return newest_first(
        [
            late
            for timeframe in profile.timeframes
            for late in written_after(
                symbol, timeframe, min(read), _window_began(timeframe, min(minutes)), max(minutes)
            )
        ]
    )


def _late(written: Sequence[LateCandle], run: MtfRun) -> tuple[Kind, str] | None:
    """The newest candle in the windows of the run's minute that was written after the run had read them."""
    seen_until = read_at(run)
    assert seen_until is not None
    unseen = (
        one
        for one in written
        if one.written_at > seen_until
        and one.close_time <= run.minute
        and one.open_time >= _window_began(one.timeframe, run.minute)
    )
    newest = next(unseen, None)
    if newest is None:
        return None
    return Kind.CORRECTED_CANDLE if newest.corrected_after(seen_until) else Kind.LATE_CANDLE, newest.told(
        seen_until
    )


def _window_began(timeframe: Timeframe, minute: datetime) -> datetime:
    return timeframe.floor(minute) - WINDOW[timeframe] * timeframe.duration


def _warm_up(history: PastJudgement, one: Diverging) -> tuple[Kind, str] | None:
    """Whether the live minute's own window gives the live answer: indicators settle over a longer past."""
    exact = judged_again(history.symbol, one.run.minute, history.profile).verdict(history.symbol)
    if verdict_words(exact) != one.live:
        return None
    turned = [
        f"{now.text}: {_sides(then)} live, {_sides(now)} here"
        for then, now in _turned(exact, history.verdict(one.row))
    ]
    return Kind.WARM_UP, f"over the live window's length it is equal; {'; '.join(turned)}"


def _turned(exact: Verdict, replayed: Verdict) -> Iterator[tuple[LeafVerdict, LeafVerdict]]:
    """The leaves that hold in one and not in the other."""
    for then, now in zip(exact.timeframes, replayed.timeframes, strict=True):
        for before, after in zip(then.leaves, now.leaves, strict=True):
            if before.held != after.held:
                yield before, after


def _sides(leaf: LeafVerdict) -> str:
    return f"{leaf.left} against {leaf.right}"
