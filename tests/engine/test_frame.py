"""Windows: how late a symbol is, how many contiguous candles it has, and whether a hole ended them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from apps.engine.frame import close_times, windows
from apps.engine.values.timeframe import Timeframe

UNTIL = datetime(2025, 6, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("present", "late", "length", "gap"),
    [
        ("11111", 0, 5, False),
        ("00111", 0, 3, False),
        ("11011", 0, 2, True),
        ("11110", 1, 4, False),
        ("10110", 1, 2, True),
        ("11000", 3, 2, False),
        ("10000", 4, 1, False),
        ("00000", 5, 0, False),
        ("01010", 1, 1, True),
    ],
)
def test_a_window_is_the_contiguous_run_up_to_the_newest_candle(
    present: str, late: int, length: int, gap: bool
) -> None:
    row = np.array([1.0 if flag == "1" else np.nan for flag in present])
    company = np.ones(5)  # a complete neighbour must not change what is measured
    measured = windows(("A", "B"), Timeframe.M5, UNTIL, np.tile([row, company], (5, 1, 1)))
    assert (measured.late[0], measured.length[0], measured.gap[0]) == (late, length, gap)
    assert (measured.late[1], measured.length[1], measured.gap[1]) == (0, 5, False)


def test_an_axis_without_columns_has_no_candles_and_no_gap() -> None:
    measured = windows(("A",), Timeframe.M5, UNTIL, np.empty((5, 1, 0)))
    assert (measured.late[0], measured.length[0], measured.gap[0]) == (0, 0, False)


def test_the_last_close_is_the_moment_of_the_window() -> None:
    measured = windows(("A",), Timeframe.M5, UNTIL, np.ones((5, 1, 3)))
    noon_ms = 1748952000000
    assert measured.close_ms.tolist() == [noon_ms - 600_000, noon_ms - 300_000, noon_ms]
    assert close_times(UNTIL, Timeframe.H4, 2).tolist() == [noon_ms - 14_400_000, noon_ms]


@pytest.mark.parametrize("shape", [(4, 1, 3), (5, 2, 3), (5, 3)])
def test_candles_of_another_shape_are_refused_by_their_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"candles have shape .* not \(5, 1, N\)"):
        windows(("A",), Timeframe.M5, UNTIL, np.ones(shape))


@pytest.mark.parametrize("until", [UNTIL.replace(minute=1), UNTIL.replace(tzinfo=None)])
def test_a_moment_off_the_boundary_is_refused(until: datetime) -> None:
    with pytest.raises(ValueError, match="is not an aware UTC multiple of 5m"):
        windows(("A",), Timeframe.M5, until, np.ones((5, 1, 3)))
