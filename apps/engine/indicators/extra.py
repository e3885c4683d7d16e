"""The bridge to pandas-ta-classic: extra indicators series by series, for the profiles that declare them.

The only file of the engine that knows pandas; whoever needs no extra never imports it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from functools import cache
from inspect import signature

import numpy as np
import pandas as pd

from apps.engine.frame import CLOSE, HIGH, LOW, OPEN, VOLUME, Floats, Windows, tail
from apps.engine.indicators.extra_kinds import KINDS, Extra

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # on being imported it asks pandas for the day of the year by an old name
    import pandas_ta_classic as library

# Of too few candles it makes no value, which is all that need be said: NaN.
logging.getLogger("pandas_ta_classic").setLevel(logging.ERROR)

INPUTS = {
    "o": ("open_", OPEN),
    "h": ("high", HIGH),
    "l": ("low", LOW),
    "c": ("close", CLOSE),
    "v": ("volume", VOLUME),
}


def extra_columns(
    windows: Windows, depth: int, extras: Sequence[Extra]
) -> tuple[dict[str, Floats], dict[str, frozenset[str]]]:
    """Return the last `depth` rows of every column of `extras`, and who raised, by an extra's name.

    Columns are (S, depth), right-aligned; NaN outside a symbol's contiguous window and where it raised.
    """
    shape = (len(windows.symbols), windows.candles.shape[2])
    columns: dict[str, Floats] = {}
    raised: dict[str, frozenset[str]] = {}
    for extra in extras:
        whole = {name: np.full(shape, np.nan) for name in extra.columns}
        failed = []
        for row, (late, length) in enumerate(
            zip(windows.late.tolist(), windows.length.tolist(), strict=True)
        ):
            stop = shape[1] - late
            try:
                values = extra_series(windows.candles[:, row, stop - length : stop], extra)
            except Exception:  # one poison symbol never takes the others down: it is named, and stays NaN
                failed.append(windows.symbols[row])
                continue
            for column, computed in zip(whole.values(), values, strict=True):
                column[row, stop - length : stop] = computed
        raised[extra.name] = frozenset(failed)
        columns |= {name: tail(column, depth).copy() for name, column in whole.items()}
    return columns, raised


def extra_series(candles: Floats, extra: Extra) -> tuple[Floats, ...]:
    """Return the columns of one contiguous stretch of candles (5, N): each (N,), NaN where unknown.

    ValueError when the library's columns are not those of the table: it is not the release that is pinned.
    """
    kind = KINDS[extra.kind]
    inputs = {INPUTS[letter][0]: pd.Series(candles[INPUTS[letter][1]]) for letter in kind.inputs}
    talib_option = {"talib": False} if _takes_talib_option(extra.kind) else {}
    with np.errstate(all="ignore"):  # what is not finite is unknown, as in every column
        result = getattr(library, extra.kind)(**inputs, **talib_option, **dict(extra.params))
    if result is None:  # too few candles, or parameters that do not go together
        return tuple(np.full(candles.shape[1], np.nan) for _ in kind.columns)
    parts = [result] if isinstance(result, pd.Series) else [result[name] for name in result.columns]
    if tuple(plain_name(str(part.name)) for part in parts) != kind.columns:
        raise ValueError(f"{extra.name} gave {', '.join(str(part.name) for part in parts)}")
    arrays = [part.to_numpy(dtype=np.float64) for part in parts]
    return tuple(np.where(np.isfinite(values), values, np.nan) for values in arrays)


def plain_name(name: str) -> str:
    """Return the library's column name without the parameters it carries: SUPERTd_10_3.0 is supertd."""
    return "_".join(word for word in name.split("_") if not _is_number(word)).lower()


@cache
def _takes_talib_option(kind: str) -> bool:
    """Whether the kind could take TA-Lib's values instead, which are other numbers: it is told not to."""
    return "talib" in signature(getattr(library, kind)).parameters


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
