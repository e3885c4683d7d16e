"""What the command was asked for, checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from apps.backtest.outputs import unwritable
from apps.backtest.reach import Reach, recorded_reach, stored_reach
from apps.backtest.source import Asked, Source, SourceError, recorded
from apps.backtest.source.stored import stored
from apps.engine.profile import Profile, ProfileError
from apps.engine.values.account import AccountLimits
from apps.engine.values.errors import TradingError
from apps.orders.limits import account_limits
from apps.profiles.files import load_profiles

MOST_EQUITY = Decimal(10) ** 12


class WishError(TradingError):
    """It cannot be run as asked; `faults` says everything that is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Wish:
    profiles: tuple[Profile, ...]
    source: Source
    source_name: str
    equity: Decimal
    pessimistic: bool
    limits: AccountLimits
    csv: Path | None
    html: Path | None


def wish(options: Mapping[str, Any]) -> Wish:
    """The checked wish of the command's options. WishError with every fault; TapeError."""
    faults: list[str] = []
    profiles = _profiles(options, faults)
    equity = _equity(options["equity"], faults)
    csv, html = (Path(options[name]) if options[name] else None for name in ("csv", "html"))
    faults += unwritable([path for path in (csv, html) if path is not None])
    source = _source(options, faults)
    if faults:
        raise WishError(faults)
    assert source is not None  # without faults there is one
    return Wish(
        profiles=tuple(profiles),
        source=source,
        source_name=options["source"],
        equity=equity,
        pessimistic=options["pessimistic"],
        limits=account_limits(),
        csv=csv,
        html=html,
    )


def _profiles(options: Mapping[str, Any], faults: list[str]) -> list[Profile]:
    try:
        found = load_profiles(Path(options["profiles_dir"]).resolve(), _split(options["profile"]))
    except ProfileError as error:
        faults += error.faults
        return []
    faults += [f"{one.name}: {fault}" for one in found if (fault := _idle(one))]
    return found


def _idle(profile: Profile) -> str:
    """Why it could not trade in a replay; "" when it can."""
    if profile.entry is None:
        return "it has no entry section, so it judges and never trades"
    if profile.entry.review:
        return "review: a person decides on each plan, and here is none; replay a copy without it"
    return ""


def _equity(text: str, faults: list[str]) -> Decimal:
    try:
        equity = Decimal(text)
        if equity.is_finite() and 0 < equity <= MOST_EQUITY:
            return equity
    except InvalidOperation:
        pass
    faults.append(f"--equity {text}: not an amount of USDT above 0 and up to {MOST_EQUITY:,}")
    return Decimal(0)


def _source(options: Mapping[str, Any], faults: list[str]) -> Source | None:
    start, end = (_moment(name, options[name], faults) for name in ("from", "to"))
    symbols = _split(options["symbols"] or [])
    if options["symbols"] is not None and not symbols:
        faults.append("--symbols names none; leave it out for all there are")
    stores = options["source"] == "db"
    reach = stored_reach(symbols) if stores else recorded_reach()
    start, end = start or reach.start, end or reach.end
    if start is None or end is None:
        faults.append(_nothing_stored(reach))
        return None
    try:
        asked = Asked(tuple(symbols) or reach.symbols, start, end)
        return stored(asked) if stores else recorded(asked)
    except SourceError as error:
        faults += error.faults
        return None


def _nothing_stored(reach: Reach) -> str:
    of = f" of {', '.join(reach.symbols)}" if reach.symbols else ""
    return (
        f"the database holds no 1m candles{of}: fetch some with backfill_klines, "
        "or replay the recorded market with --source files"
    )


def _moment(name: str, text: str | None, faults: list[str]) -> datetime | None:
    """UTC where no zone is written."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        faults.append(f"--{name} {text}: not a date like 2025-05-20 or a time like '2025-05-20 14:30' (UTC)")
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _split(words: list[str]) -> list[str]:
    """Names apart by blanks or commas."""
    return [name for word in words for name in word.replace(",", " ").split()]
