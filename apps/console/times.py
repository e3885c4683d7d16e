"""Moments and durations as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class BadTime(TradingError):
    """A text that is no time, or a stretch that cannot be."""


def moment(text: str) -> datetime:
    """An ISO time, `2026-05-04 12:31` or `2026-05-04`, UTC unless it says otherwise. Raises BadTime."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadTime(f"{text!r} is not a time like '2026-05-04 12:31' or 2026-05-04T12:31Z") from None


def duration(text: str) -> timedelta:
    """`30m`, `4h` or `2d`. Raises BadTime."""
    found = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if found is None:
        raise BadTime(f"{text!r} is not a duration like 30m, 4h or 2d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def stretch(since: str, until: str | None, now: datetime) -> tuple[datetime, datetime]:
    """The minutes [start, end): from a time, or a duration ago, until a time or `now`. Raises BadTime."""
    end = Timeframe.M1.floor(now if until is None else moment(until))
    if end > now:
        raise BadTime(f"{end:%Y-%m-%d %H:%M} UTC is in the future: it is {now:%Y-%m-%d %H:%M}")
    ago = re.fullmatch(r"\d+[a-z]", since)
    start = Timeframe.M1.floor(end - duration(since) if ago else moment(since))
    if start >= end:
        raise BadTime(
            f"{start:%Y-%m-%d %H:%M} is not before {end:%Y-%m-%d %H:%M} UTC: no minute lies between"
        )
    return start, end
