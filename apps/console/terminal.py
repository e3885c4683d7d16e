"""What people type in a terminal, and how far long work has come: moments, durations, symbols, progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from apps.engine.values.contract import require_listed
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.market import store as market

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class BadTime(TradingError):
    """A text that is no time, or a span that cannot be."""


def parse_moment(text: str) -> datetime:
    """Return an ISO time, `2026-05-04 12:31` or a day, UTC unless it names a zone. Raises BadTime."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadTime(f"{text!r} is not a time like '2026-05-04 12:31' or 2026-05-04T12:31Z") from None


def parse_duration(text: str) -> timedelta:
    """Return `30m`, `4h` or `2d`. Raises BadTime."""
    match = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if match is None:
        raise BadTime(f"{text!r} is not a duration like 30m, 4h or 2d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def parse_span(since: str, until: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the minutes [start, end): from a time or a duration ago to a time or `now`. Raises BadTime."""
    end = Timeframe.M1.floor(now if until is None else parse_moment(until))
    if end > now:
        raise BadTime(f"{end:%Y-%m-%d %H:%M} UTC is in the future: it is {now:%Y-%m-%d %H:%M}")
    is_duration = re.fullmatch(r"\d+[a-z]", since)
    start = Timeframe.M1.floor(end - parse_duration(since) if is_duration else parse_moment(since))
    if start >= end:
        raise BadTime(
            f"{start:%Y-%m-%d %H:%M} is not before {end:%Y-%m-%d %H:%M} UTC: no minute lies between"
        )
    return start, end


def parse_symbols(text: str) -> list[str]:
    """Return symbols between commas, each once and in their order.

    Raises UnknownSymbol, and CommandError when the text names none.
    """
    names = [name for part in text.split(",") if (name := part.strip())]
    if not names:
        raise CommandError(f"{text!r} names no symbol; leave it out for all of them")
    require_listed(names, [contract.symbol for contract in market.contracts()])
    return list(dict.fromkeys(names))


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[str], None]]:
    """Show a bar on standard error, on terminals only; `total` None where nobody knows.

    Yields what is to be called with the name of each part that is done.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)

        def advance(name: str) -> None:
            bar.update(task, advance=1, description=f"{what}: {name}")

        yield advance
