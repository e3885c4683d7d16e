"""Reading the tape that is shipped: one file a contract beside this module, and contracts.json."""

from __future__ import annotations

import json
import lzma
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from apps.engine.values.errors import TradingError
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME, Matrix, unpack

FOLDER = Path(__file__).parent
CONTRACTS = "contracts.json"
SUFFIX = ".npy.xz"


class TapeError(TradingError):
    """The recorded market is missing or damaged; the message names the file."""


@dataclass(frozen=True, slots=True)
class Tape:
    """A contract's recorded candles: int64 (5, minutes), from `first_minute` (since 1970) on."""

    listing: Listing
    first_minute: int
    candles: Matrix


def load(folder: Path = FOLDER, count: int | None = None, only: Collection[str] | None = None) -> list[Tape]:
    """Return the first `count` tapes (all by default), or those of `only`, in the order of contracts.json.

    Raises TapeError.
    """
    listings, first_minute, minutes = _contents(folder)
    chosen = [each for each in listings[:count] if only is None or each.symbol in only]
    return [
        Tape(each, first_minute, _read_candles(folder / (each.symbol + SUFFIX), minutes)) for each in chosen
    ]


def extent(folder: Path = FOLDER) -> tuple[tuple[str, ...], int, int]:
    """Return the recorded symbols, the first minute (since 1970) and how many minutes. Raises TapeError."""
    listings, first_minute, minutes = _contents(folder)
    return tuple(each.symbol for each in listings), first_minute, minutes


def _contents(folder: Path) -> tuple[list[Listing], int, int]:
    path = folder / CONTRACTS
    try:
        index = json.loads(path.read_text())
    except OSError as fault:
        raise TapeError(f"cannot read {path} ({fault.strerror}); {_MEND}") from fault
    except ValueError as fault:
        raise TapeError(f"{path} is not JSON ({fault}); {_MEND}") from fault
    try:
        first_minute = int(datetime.fromisoformat(index["first_open"]).timestamp()) // 60
        return [_listing(row) for row in index["contracts"]], first_minute, int(index["minutes"])
    except (KeyError, TypeError, ValueError, ArithmeticError) as fault:
        raise TapeError(f"{path} is damaged ({fault!r}); {_MEND}") from fault


_MEND = (
    "restore it from the repository, or rebuild it with python -m apps.exchange.simulator.tape.build FOLDER"
)


def _listing(row: dict[str, Any]) -> Listing:
    return Listing(
        symbol=str(row["symbol"]),
        base=str(row["base_currency"]),
        price_decimals=_decimals(row["price_precision"]),
        volume_decimals=_decimals(row["contract_size"]),
        max_leverage=int(row["max_leverage"]),
        max_volume=int(row["max_volume"]),
        market_max_volume=int(row["market_max_volume"]),
        listed_at_ms=int(row["open_timestamp"]),
        brackets=tuple(row["brackets"]),
    )


def _decimals(step: object) -> int:
    exponent = Decimal(str(step)).as_tuple().exponent
    if not isinstance(exponent, int) or Decimal(str(step)) != Decimal(1).scaleb(exponent):
        raise ValueError(f"step {step} is not a power of ten")
    return -exponent


def _read_candles(path: Path, minutes: int) -> Matrix:
    try:
        candles = unpack(path.read_bytes())
    except OSError as fault:
        raise TapeError(f"cannot read {path} ({fault.strerror}); {_MEND}") from fault
    except (lzma.LZMAError, EOFError, ValueError) as fault:
        raise TapeError(f"{path} is damaged ({fault}); {_MEND}") from fault
    if candles.shape != (5, minutes):
        raise TapeError(f"{path} holds {candles.shape[1]} candles instead of {minutes}; {_MEND}")
    body_high = candles[[OPEN, CLOSE]].max(axis=0)
    body_low = candles[[OPEN, CLOSE]].min(axis=0)
    broken = (
        (candles[HIGH] < body_high) | (candles[LOW] > body_low) | (candles[LOW] < 1) | (candles[VOLUME] < 0)
    )
    if broken.any():
        raise TapeError(f"{path} holds {int(broken.sum())} impossible candles; {_MEND}")
    return candles
