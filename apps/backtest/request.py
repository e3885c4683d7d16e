"""What the command was asked to replay, checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from apps.backtest.output_files import write_faults
from apps.backtest.source import CandleRange, Source, SourceError, open_recorded
from apps.backtest.source.stored import open_stored
from apps.engine.profile import Profile, ProfileError
from apps.engine.values.account import AccountLimits
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.tape.read import extent
from apps.market import store
from apps.orders.store import account_limits
from apps.profiles.files import load_profiles

MOST_EQUITY = Decimal(10) ** 12


class RequestError(TradingError):
    """It cannot be run as asked; `faults` says everything that is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class BacktestRequest:
    profiles: tuple[Profile, ...]
    source: Source
    source_name: str
    equity: Decimal
    pessimistic: bool
    limits: AccountLimits
    csv: Path | None
    html: Path | None


def read_request(options: Mapping[str, Any]) -> BacktestRequest:
    """Return the command's options, checked. RequestError with every fault; TapeError."""
    faults: list[str] = []
    profiles = _load_tradable_profiles(options, faults)
    try:
        equity = Decimal(options["equity"])
    except InvalidOperation:
        equity = Decimal("nan")
    if not equity.is_finite() or not 0 < equity <= MOST_EQUITY:
        faults.append(
            f"--equity {options['equity']}: not an amount of USDT above 0 and up to {MOST_EQUITY:,}"
        )
    csv, html = (Path(options[name]) if options[name] else None for name in ("csv", "html"))
    faults += write_faults([path for path in (csv, html) if path is not None])
    source = _open_source(options, faults)
    if faults:
        raise RequestError(faults)
    assert source is not None  # without faults there is one
    return BacktestRequest(
        profiles=tuple(profiles),
        source=source,
        source_name=options["source"],
        equity=equity,
        pessimistic=options["pessimistic"],
        limits=account_limits(),
        csv=csv,
        html=html,
    )


@dataclass(frozen=True, slots=True)
class AvailableRange:
    """`symbols` have 1m candles, all of them from `start` up to `end`; None where there are no candles."""

    symbols: tuple[str, ...]
    start: datetime | None
    end: datetime | None


def recorded_range() -> AvailableRange:
    """Return the shipped tape's range. TapeError when it is damaged."""
    symbols, first_minute, minutes = extent()
    start = datetime.fromtimestamp(first_minute * 60, UTC)
    return AvailableRange(symbols, start, start + timedelta(minutes=minutes))


def stored_range(symbols: Sequence[str]) -> AvailableRange:
    """Return the market room's range: of `symbols` where any are named, else of all that are stored."""
    minutes = {key[0]: series for key, series in store.series().items() if key[1] is Timeframe.M1}
    stored = [minutes[symbol] for symbol in symbols or minutes if symbol in minutes]
    return AvailableRange(
        symbols=tuple(symbols or sorted(minutes)),
        start=max((series.first_open for series in stored), default=None),
        end=min((series.last_open + Timeframe.M1.duration for series in stored), default=None),
    )


def _load_tradable_profiles(options: Mapping[str, Any], faults: list[str]) -> list[Profile]:
    try:
        profiles = load_profiles(Path(options["profiles_dir"]).resolve(), _split(options["profile"]))
    except ProfileError as error:
        faults += error.faults
        return []
    for profile in profiles:
        if profile.entry is None:
            faults.append(f"{profile.name}: it has no entry section, so it judges and never trades")
        elif profile.entry.review:
            faults.append(
                f"{profile.name}: review: a person decides on each plan, and here is none; "
                "replay a copy without it"
            )
    return profiles


def _open_source(options: Mapping[str, Any], faults: list[str]) -> Source | None:
    start, end = (_parse_utc(name, options[name], faults) for name in ("from", "to"))
    symbols = _split(options["symbols"] or [])
    if options["symbols"] is not None and not symbols:
        faults.append("--symbols names none; leave it out for all there are")
    from_database = options["source"] == "db"
    available = stored_range(symbols) if from_database else recorded_range()
    start, end = start or available.start, end or available.end
    if start is None or end is None:
        of = f" of {', '.join(available.symbols)}" if available.symbols else ""
        faults.append(
            f"the database holds no 1m candles{of}: fetch some with backfill_klines, "
            "or replay the recorded market with --source files"
        )
        return None
    try:
        range_ = CandleRange(tuple(symbols) or available.symbols, start, end)
        return open_stored(range_) if from_database else open_recorded(range_)
    except SourceError as error:
        faults += error.faults
        return None


def _parse_utc(name: str, text: str | None, faults: list[str]) -> datetime | None:
    """Return the moment of an option: UTC where no zone is written. None when absent or a fault."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        faults.append(f"--{name} {text}: not a date like 2025-05-20 or a time like '2025-05-20 14:30' (UTC)")
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _split(words: list[str]) -> list[str]:
    """Return the names that blanks or commas part."""
    return [name for word in words for name in word.replace(",", " ").split()]
