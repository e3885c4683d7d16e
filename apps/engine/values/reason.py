"""Why there is no trade: exact strings, because operators search for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    # one timeframe (strategy.md §5)
    NO_LONG_NO_SHORT = "NO_LONG_NO_SHORT"
    LONG_AND_SHORT = "LONG_AND_SHORT"
    FILTERS_MANDATORY_FAILED = "FILTERS_MANDATORY_FAILED"
    NOT_ENOUGH_KLINES = "not_enough_klines"
    CANDLE_GAP = "candle_gap"
    NO_KLINES = "NO_KLINES"
    MISSING_DATA = "missing_data"
    CANDLE_LATE = "candle_late"
    INDICATOR_ERROR = "indicator_error"
    # from timeframes to a decision (strategy.md §6)
    NO_TIMEFRAMES_IN_CONFIG = "no_timeframes_in_config"
    STRICT_CONTEXT_HAS_INVALID_TIMEFRAMES = "strict_context_has_invalid_timeframes"
    PRAGMATIC_CONTEXT_HAS_INVALID_TIMEFRAMES = "pragmatic_context_has_invalid_timeframes"
    STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL = "strict_context_requires_non_neutral_all"
    PRAGMATIC_CONTEXT_ALL_NEUTRAL = "pragmatic_context_all_neutral"
    STRICT_CONTEXT_SIDE_CONFLICT = "strict_context_side_conflict"
    PRAGMATIC_CONTEXT_SIDE_CONFLICT = "pragmatic_context_side_conflict"
    EXECUTION_SIDE_MISMATCH = "execution_side_mismatch"
    NO_TIMEFRAME_SELECTED = "no_timeframe_selected"
    # switches (trading.md §1)
    KILL_SWITCH_GLOBAL = "kill_switch_global"
    KILL_SWITCH_PROFILE = "kill_switch_profile"
    KILL_SWITCH_SYMBOL = "kill_switch_symbol"
    KILL_SWITCH_SYMBOL_TF = "kill_switch_symbol_tf"
    KILL_SWITCH_UNREADABLE = "kill_switch_unreadable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No trade, because of `reason`, by the numbers looked at."""

    reason: Reason
    numbers: Mapping[str, Any] = field(default_factory=dict)
