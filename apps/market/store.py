"""The market room's door: what is listed, what was traded, how far it reaches."""

from apps.market.candles import candles, candles_of, missing
from apps.market.contracts import DELISTED, VenueMismatch, contracts, listed, save_contracts, stamp_venue
from apps.market.series import Series, series
from apps.market.table import Table
from apps.market.write import RANK, save_candles

__all__ = [
    "DELISTED",
    "RANK",
    "Series",
    "Table",
    "VenueMismatch",
    "candles",
    "candles_of",
    "contracts",
    "listed",
    "missing",
    "save_candles",
    "save_contracts",
    "series",
    "stamp_venue",
]
