"""Repeatable chance: the same numbers for the same place in the market, at every start."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import ArrayLike, NDArray


def key(symbol: str) -> int:
    return zlib.crc32(symbol.encode())


def noise(*place: ArrayLike) -> NDArray[np.uint64]:
    """64 bits for each place (integers, broadcast): splitmix64 (Steele, Lea, Flood 2014), chained."""
    parts = np.broadcast_arrays(*(np.atleast_1d(np.asarray(part, dtype=np.int64)) for part in place))
    bits = np.zeros(parts[0].shape, dtype=np.uint64)
    for part in parts:
        bits = _mixed((bits ^ part.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15))
    return bits


def share(*place: ArrayLike) -> NDArray[np.float64]:
    """The same as a number from 0 up to 1."""
    return (noise(*place) >> np.uint64(11)) / float(2**53)


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
