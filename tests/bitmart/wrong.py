"""Values of the wrong type or shape, for fields that hold a number or a text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

_NEITHER = st.one_of(
    st.none(),
    st.booleans(),
    st.lists(st.integers(), max_size=1),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)
WRONG_NUMBERS: st.SearchStrategy[Any] = st.one_of(
    _NEITHER, st.sampled_from(["", "-", "NaN", "1e400", "active", Decimal("Infinity"), "1,5"])
)
WRONG_TEXTS: st.SearchStrategy[Any] = st.one_of(_NEITHER, st.just(""), st.decimals(allow_nan=False))
