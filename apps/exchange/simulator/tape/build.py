"""Makes the tape from a folder of candles: python -m apps.exchange.simulator.tape.build FOLDER.

FOLDER holds <SYMBOL>.csv.gz with open_time (ms), open, high, low, close, volume (coins), as README.md tells.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from apps.exchange.simulator.tape.code import CLOSE, Matrix, pack
from apps.exchange.simulator.tape.read import CONTRACTS, FOLDER, SUFFIX

FIRST_OPEN = datetime(2025, 5, 10, tzinfo=UTC)
MINUTES = 24 * 1440

TERMS = {
    "BTCUSDT": (100, 500_000),
    "ETHUSDT": (100, 300_000),
    "SOLUSDT": (75, 100_000),
    "XRPUSDT": (75, 100_000),
    "BNBUSDT": (75, 100_000),
    "ADAUSDT": (50, 50_000),
    "SUIUSDT": (50, 50_000),
    "LINKUSDT": (50, 50_000),
    "AVAXUSDT": (50, 50_000),
    "LTCUSDT": (50, 50_000),
    "BCHUSDT": (50, 50_000),
    "XLMUSDT": (50, 25_000),
    "ETCUSDT": (50, 25_000),
    "XMRUSDT": (25, 25_000),
    "ENAUSDT": (25, 10_000),
    "LAYERUSDT": (20, 10_000),
}
"""Symbol -> (largest leverage, USDT cap of the first bracket), of the usual size; most traded first."""

BRACKETS = ((1, 1), (2, 5), (4, 20), (10, 50), (20, 200))
"""(divisor of the largest leverage, multiple of the first cap) of each bracket."""

MARGIN_AT_FULL_LEVERAGE = Decimal("0.4")
"""Maintenance ratio x leverage in a bracket: BTC's first is 0.004 at leverage 100."""


def build(source: Path, into: Path, symbols: list[str]) -> None:
    """Write one file a symbol and contracts.json. Raises ValueError when a candle is missing."""
    contracts = []
    for symbol in symbols:
        rows = _read_rows(source / f"{symbol}.csv.gz")
        price_decimals = max(_decimals(text) for row in rows for text in row[1:5])
        volume_decimals = max(_decimals(row[5]) for row in rows)
        scales = (*[price_decimals] * 4, volume_decimals)
        numbers = [
            [int(Decimal(row[at]).scaleb(scale)) for row in rows] for at, scale in enumerate(scales, 1)
        ]
        candles = np.array(numbers, dtype=np.int64)
        (into / (symbol + SUFFIX)).write_bytes(pack(candles))
        contracts.append(_contract_row(symbol, price_decimals, volume_decimals, candles))
    index = {"first_open": FIRST_OPEN.isoformat(), "minutes": MINUTES, "contracts": contracts}
    (into / CONTRACTS).write_text(json.dumps(index, indent=1) + "\n")


def _read_rows(path: Path) -> list[list[str]]:
    first_ms = int(FIRST_OPEN.timestamp() * 1000)
    with gzip.open(path, "rt", newline="") as lines:
        rows = [row for row in csv.reader(lines) if row[0].isdigit() and int(row[0]) >= first_ms][:MINUTES]
    for at, row in enumerate(rows):
        if int(row[0]) != first_ms + at * 60_000:
            raise ValueError(f"{path}: expected the candle of {first_ms + at * 60_000}, found {row[0]}")
    if len(rows) != MINUTES:
        raise ValueError(f"{path}: {len(rows)} candles from {FIRST_OPEN.isoformat()} instead of {MINUTES}")
    return rows


def _decimals(text: str) -> int:
    return len(text.partition(".")[2].rstrip("0"))


def _contract_row(symbol: str, price_decimals: int, volume_decimals: int, candles: Matrix) -> dict[str, Any]:
    leverage, first_cap = TERMS[symbol]
    size = Decimal(1).scaleb(-volume_decimals)
    value = Decimal(int(candles[CLOSE, 0])).scaleb(-price_decimals) * size
    largest = 10 ** (len(str(int(5_000_000 / value))) - 1)
    return {
        "symbol": symbol,
        "base_currency": symbol.removesuffix("USDT"),
        "price_precision": str(Decimal(1).scaleb(-price_decimals)),
        "contract_size": str(size),
        "max_leverage": leverage,
        "max_volume": 2 * largest,
        "market_max_volume": largest,
        "open_timestamp": int(datetime(2022, 2, 27, 16, tzinfo=UTC).timestamp() * 1000),
        "brackets": _brackets(leverage, first_cap),
    }


def _brackets(max_leverage: int, first_cap: int) -> list[dict[str, Any]]:
    """Return brackets: maintenance margin = notional x ratio - cum, continuous where two of them meet."""
    brackets: list[dict[str, Any]] = []
    floor, cum, ratio_before = Decimal(0), Decimal(0), Decimal(0)
    for number, (divisor, multiple) in enumerate(BRACKETS, 1):
        leverage = max(1, max_leverage // divisor)
        ratio = (MARGIN_AT_FULL_LEVERAGE / leverage).quantize(Decimal("0.0001"))
        cum += floor * (ratio - ratio_before) if number > 1 else 0
        cap = Decimal(first_cap * multiple)
        brackets.append(
            {
                "bracket": number,
                "initial_leverage": leverage,
                "notional_cap": str(cap),
                "notional_floor": str(floor),
                "maint_margin_ratio": format(ratio.normalize(), "f"),
                "cum": format(cum.normalize(), "f"),
            }
        )
        floor, ratio_before = cap, ratio
    return brackets


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Make the recorded market from a folder of 1m candles.")
    parser.add_argument("folder", type=Path, help="holds <SYMBOL>.csv.gz")
    parser.add_argument("--into", type=Path, default=FOLDER)
    chosen = parser.parse_args(arguments)
    build(chosen.folder, chosen.into, list(TERMS))


if __name__ == "__main__":
    main(sys.argv[1:])
