"""Stored numbers on pages: without padding, whatever they are kept as."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.admin_base.format import plain


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (Decimal("1.077500000000"), "1.0775"),
        ("1.077500000000", "1.0775"),
        (Decimal("1000.000"), "1000"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.000000010"), "0.00000001"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_a_number_is_shown_without_the_zeros_that_pad_it(stored: Decimal | str | None, shown: str) -> None:
    assert plain(stored) == shown
