"""Why there is no trade: exact strings, because operators search for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    # one timeframe
    NO_LONG_NO_SHORT = "NO_LONG_NO_SHORT"
    LONG_AND_SHORT = "LONG_AND_SHORT"
    FILTERS_MANDATORY_FAILED = "FILTERS_MANDATORY_FAILED"
    NOT_ENOUGH_KLINES = "not_enough_klines"
    CANDLE_GAP = "candle_gap"
    NO_KLINES = "NO_KLINES"
    MISSING_DATA = "missing_data"
    CANDLE_LATE = "candle_late"
    INDICATOR_ERROR = "indicator_error"
    # from timeframes to a decision
    NO_TIMEFRAMES_IN_CONFIG = "no_timeframes_in_config"
    STRICT_CONTEXT_HAS_INVALID_TIMEFRAMES = "strict_context_has_invalid_timeframes"
    PRAGMATIC_CONTEXT_HAS_INVALID_TIMEFRAMES = "pragmatic_context_has_invalid_timeframes"
    STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL = "strict_context_requires_non_neutral_all"
    PRAGMATIC_CONTEXT_ALL_NEUTRAL = "pragmatic_context_all_neutral"
    STRICT_CONTEXT_SIDE_CONFLICT = "strict_context_side_conflict"
    PRAGMATIC_CONTEXT_SIDE_CONFLICT = "pragmatic_context_side_conflict"
    EXECUTION_SIDE_MISMATCH = "execution_side_mismatch"
    NO_TIMEFRAME_SELECTED = "no_timeframe_selected"
    # which contracts a profile judges; that it does not trade is CONTRACT_NOT_TRADABLE
    NOT_IN_WATCH_LIST = "not_in_watch_list"
    OTHER_SETTLE_CURRENCY = "other_settle_currency"
    NOT_PERPETUAL = "not_perpetual"
    LISTED_TOO_RECENTLY = "listed_too_recently"
    DELISTING_SOON = "delisting_soon"
    BLACKLISTED = "blacklisted"
    TURNOVER_TOO_LOW = "turnover_too_low"
    BEYOND_TOP_N = "beyond_top_n"
    BEYOND_MID_N = "beyond_mid_n"
    # switches
    KILL_SWITCH_GLOBAL = "kill_switch_global"
    KILL_SWITCH_PROFILE = "kill_switch_profile"
    KILL_SWITCH_SYMBOL = "kill_switch_symbol"
    KILL_SWITCH_SYMBOL_TF = "kill_switch_symbol_tf"
    KILL_SWITCH_UNREADABLE = "kill_switch_unreadable"
    # what an entry needs before anything is computed
    MTF_NOT_READY = "mtf_not_ready"
    MISSING_EXECUTION_TF = "missing_execution_tf"
    UNSUPPORTED_EXECUTION_TF = "unsupported_execution_tf"
    EXECUTION_TF_NOT_ALLOWED = "execution_tf_not_allowed_by_trade_entry"
    MISSING_SIGNAL_SIDE = "missing_signal_side"
    MISSING_PRICE_AND_ATR = "missing_price_and_atr"
    ATR_REQUIRED_BUT_INVALID = "atr_required_but_invalid"
    SIGNAL_TOO_OLD = "signal_too_old"
    DECISION_TOO_OLD = "decision_too_old"
    COOLDOWN_ACTIVE = "cooldown_active"
    SYMBOL_LOCKED = "symbol_locked"
    HAS_OPEN_ORDERS_OR_POSITIONS = "has_open_orders_or_positions"
    SYMBOL_STATE_UNKNOWN = "symbol_state_unknown"
    CONTRACT_NOT_TRADABLE = "contract_not_tradable"
    NOT_RECONCILED = "not_reconciled"
    VENUE_UNHEALTHY = "venue_unhealthy"
    DUPLICATE_DECISION = "duplicate_decision"
    # what the account may carry
    MAX_CONCURRENT_POSITIONS_REACHED = "max_concurrent_positions_reached"
    DAILY_LOSS_LIMIT_REACHED = "daily_loss_limit_reached"
    MAX_DRAWDOWN_REACHED = "max_drawdown_reached"
    STOPLOSS_STREAK = "stoploss_streak"
    NO_ROOM_THIS_MINUTE = "no_room_this_minute"
    MAX_TOTAL_NOTIONAL_REACHED = "max_total_notional_reached"
    MAX_EXPOSURE_REACHED = "max_exposure_reached"
    # the snapshot
    QUOTE_STALE = "quote_stale"
    CANDLE_CORRECTED = "candle_corrected"
    CONTRACT_SPECS_UNAVAILABLE = "contract_specs_unavailable"
    ORDER_BOOK_INCOMPLETE = "order_book_incomplete"
    BUDGET_UNAVAILABLE = "budget_unavailable"
    ENTRY_PRICE_IMPLAUSIBLE = "entry_price_implausible"
    SPREAD_TOO_WIDE = "spread_too_wide"
    MARKET_ORDER_SPREAD_TOO_WIDE = "market_order_spread_too_wide"
    # zone, price, stop, size
    ENTRY_ZONE_UNAVAILABLE = "entry_zone_unavailable"
    ZONE_FAR_FROM_MARKET = "zone_far_from_market"
    ENTRY_NOT_WITHIN_ZONE = "entry_not_within_zone"
    STOP_TOO_FAR = "stop_too_far"
    STOP_INVALID = "stop_invalid"
    TARGET_INVALID = "target_invalid"
    RISK_USDT_ZERO = "risk_usdt_zero"
    SIZE_BELOW_MIN_VOLUME = "size_below_min_volume"
    LEVERAGE_OUT_OF_RANGE = "leverage_out_of_range"
    LEVERAGE_BELOW_THRESHOLD = "leverage_below_threshold"
    LIQUIDATION_TOO_CLOSE = "liquidation_too_close"
    # sending and review
    RATE_LIMITED = "rate_limited"
    LEVERAGE_NOT_SET = "leverage_not_set"
    VENUE_UNREACHABLE = "venue_unreachable"
    SENT_TOO_LATE = "sent_too_late"
    ALL_ATTEMPTS_FAILED = "all_attempts_failed"
    FALLBACK_NOT_CONFIRMED = "fallback_not_confirmed"
    CLOSE_REQUESTED = "close_requested"
    EARLIER_TRANCHE_FAILED = "earlier_tranche_failed"
    PRICE_MOVED = "price_moved"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No trade, because of `reason`, by the numbers looked at."""

    reason: Reason
    numbers: Mapping[str, Any] = field(default_factory=dict)
