"""The tape that is shipped is the source, candle for candle, and damage is named."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from apps.exchange.simulator.tape.build import FIRST_OPEN, MINUTES, TERMS, build
from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME, pack, unpack
from apps.exchange.simulator.tape.read import FOLDER, SUFFIX, TapeError, load

SOURCE = Path(__file__).resolve().parents[2].parent / "shared" / "candles" / "1m"
needs_source = pytest.mark.skipif(not SOURCE.exists(), reason=f"the source candles are not at {SOURCE}")


def test_the_tape_holds_sixteen_contracts_of_24_whole_days_in_at_most_8_mb() -> None:
    tapes = load()
    assert [tape.listing.symbol for tape in tapes] == list(TERMS)
    assert {tape.candles.shape for tape in tapes} == {(5, 24 * 1440)}
    assert {tape.first_minute * 60 for tape in tapes} == {int(FIRST_OPEN.timestamp())}
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) <= 8_000_000


@needs_source
@pytest.mark.parametrize("symbol", ["BTCUSDT", "LAYERUSDT", "XLMUSDT"])
def test_decoded_candles_equal_the_source_exactly(symbol: str) -> None:
    tape = next(tape for tape in load() if tape.listing.symbol == symbol)
    first_ms = tape.first_minute * 60_000
    with gzip.open(SOURCE / f"{symbol}.csv.gz", "rt") as lines:
        rows = [row for row in csv.reader(lines) if row[0].isdigit() and int(row[0]) >= first_ms][:MINUTES]
    columns = tape.candles.T.tolist()
    assert len(rows) == len(columns)
    for at, (row, column) in enumerate(zip(rows, columns, strict=True)):
        ours = [*(tape.listing.price(ticks) for ticks in column[:4]), tape.listing.coins(column[4])]
        assert int(row[0]) == first_ms + at * 60_000
        assert ours == [Decimal(text) for text in row[1:6]]


@needs_source
def test_building_again_gives_the_shipped_candles(tmp_path: Path) -> None:
    build(SOURCE, tmp_path, ["ETHUSDT"])
    shipped = unpack((FOLDER / f"ETHUSDT{SUFFIX}").read_bytes())
    assert np.array_equal(load(tmp_path)[0].candles, shipped)


@needs_source
def test_a_source_with_a_hole_is_refused_by_its_time(tmp_path: Path) -> None:
    with gzip.open(SOURCE / "BTCUSDT.csv.gz", "rt") as lines:
        remaining = [line for line in lines if not line.startswith("1747000020000,")]
    with gzip.open(tmp_path / "BTCUSDT.csv.gz", "wt") as file:
        file.writelines(remaining)
    with pytest.raises(ValueError, match="expected the candle of 1747000020000"):
        build(tmp_path, tmp_path, ["BTCUSDT"])


def test_packing_keeps_every_number() -> None:
    candles = np.array([[10, 12, 9, 11, 0], [11, 11, 11, 11, 7], [9, 2**30, 1, 8, 2**31 - 1]]).T
    assert np.array_equal(unpack(pack(candles)), candles)


def test_packing_refuses_what_does_not_fit() -> None:
    with pytest.raises(OverflowError):
        pack(np.array([[10, 12, 9, 11, 2**31]]).T)


def _shortened(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flipped(data: bytes) -> bytes:
    return data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]


def _impossible(data: bytes) -> bytes:
    candles = unpack(data)
    candles[LOW, 3] = 0
    return pack(candles)


def _other_length(data: bytes) -> bytes:
    return pack(unpack(data)[:, :-1])


@pytest.mark.parametrize("damage", [_shortened, _flipped, _impossible, _other_length])
def test_a_damaged_tape_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    shutil.copy(FOLDER / "contracts.json", tmp_path)
    broken = tmp_path / f"BTCUSDT{SUFFIX}"
    broken.write_bytes(damage((FOLDER / broken.name).read_bytes()))
    with pytest.raises(TapeError, match=str(broken)):
        load(tmp_path, 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [("contracts.json", None), ("contracts.json", "{"), ("contracts.json", "{}"), (f"BTCUSDT{SUFFIX}", None)],
)
def test_a_missing_or_unreadable_file_is_named(tmp_path: Path, name: str, text: str | None) -> None:
    for each in ("contracts.json", f"BTCUSDT{SUFFIX}"):
        shutil.copy(FOLDER / each, tmp_path)
    if text is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(text)
    with pytest.raises(TapeError, match=str(tmp_path / name)):
        load(tmp_path, 1)


def test_brackets_are_continuous_where_they_meet() -> None:
    for tape in load():
        rows = tape.listing.brackets
        assert rows[0]["initial_leverage"] == tape.listing.max_leverage
        for lower, upper in pairwise(rows):
            edge = Decimal(lower["notional_cap"])
            assert edge == Decimal(upper["notional_floor"])
            margins = [
                edge * Decimal(row["maint_margin_ratio"]) - Decimal(row["cum"]) for row in (lower, upper)
            ]
            assert margins[0] == margins[1]


def test_the_tape_obeys_the_laws_of_candles() -> None:
    for tape in load():
        opened, high, low, close, volume = tape.candles[[OPEN, HIGH, LOW, CLOSE, VOLUME]]
        assert (high >= np.maximum(opened, close)).all()
        assert (low <= np.minimum(opened, close)).all()
        assert (low > 0).all()
        assert (volume >= 0).all()
