"""The market room's door: what is listed, what was traded, how far it reaches."""

from apps.market.candles import candles, candles_by_symbol, missing_open_times
from apps.market.contracts import (
    DELISTED,
    VenueMismatch,
    contracts,
    find_contract,
    save_contracts,
    stamp_venue,
)
from apps.market.series import Series, series
from apps.market.table import CandleTable
from apps.market.write import RANK, save_candles

__all__ = [
    "DELISTED",
    "RANK",
    "CandleTable",
    "Series",
    "VenueMismatch",
    "candles",
    "candles_by_symbol",
    "contracts",
    "find_contract",
    "missing_open_times",
    "save_candles",
    "save_contracts",
    "series",
    "stamp_venue",
]
