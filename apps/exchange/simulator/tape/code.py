"""How a month of candles becomes a small file: differences, split into byte planes, compressed by xz.

Prices are whole ticks and volumes whole contracts, so nothing is ever rounded.
"""

from __future__ import annotations

import io
import lzma

import numpy as np
from numpy.typing import NDArray

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
"""Rows of a candle matrix: int64 (5, n), prices in ticks, volume in contracts, one column a candle."""

Matrix = NDArray[np.int64]

_XZ = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 0, "pb": 0}]


def pack(candles: Matrix) -> bytes:
    """The file of a candle matrix. Raises OverflowError when a difference does not fit 31 bits."""
    opened, high, low, close, volume = candles
    differences = np.stack(
        [
            opened - np.concatenate(([0], close[:-1])),
            close - opened,
            high - np.maximum(opened, close),
            np.minimum(opened, close) - low,
            volume,
        ]
    )
    if np.abs(differences).max() >= 2**31 or differences[2:].min() < 0:
        raise OverflowError("a candle's difference does not fit 31 bits, or a candle is impossible")
    folded = np.where(differences < 0, -2 * differences - 1, 2 * differences).astype("<u4")
    planes = folded.view(np.uint8).reshape(5, -1, 4).transpose(0, 2, 1)
    plain = io.BytesIO()
    np.save(plain, np.ascontiguousarray(planes))
    return lzma.compress(plain.getvalue(), format=lzma.FORMAT_XZ, check=lzma.CHECK_SHA256, filters=_XZ)


def unpack(packed: bytes) -> Matrix:
    """The candle matrix of a file. Raises lzma.LZMAError, EOFError or ValueError when it is damaged."""
    planes = np.load(io.BytesIO(lzma.decompress(packed)), allow_pickle=False)
    folded = np.ascontiguousarray(planes.transpose(0, 2, 1)).view("<u4")[:, :, 0].astype(np.int64)
    step, body, above, below, volume = np.where(folded % 2, -(folded + 1) // 2, folded // 2)
    close = np.cumsum(step + body)
    opened = close - body
    return np.stack(
        [opened, np.maximum(opened, close) + above, np.minimum(opened, close) - below, close, volume]
    )
