"""Every private route: how it is called, what proof it wants, and who carries it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.exchange.simulator.server.private import ordering, planning, reading, settings
from apps.exchange.simulator.server.private.call import PrivateCall

Handler = Callable[[PrivateCall], Any]

KEYED: dict[str, Handler] = {
    "/contract/private/assets-detail": reading.assets_detail,
    "/contract/private/trade-fee-rate": reading.trade_fee_rate,
    "/contract/private/order": reading.order,
    "/contract/private/order-history": reading.order_history,
    "/contract/private/get-open-orders": reading.open_orders,
    "/contract/private/current-plan-order": reading.plan_orders,
    "/contract/private/position": reading.positions,
    "/contract/private/position-v2": reading.positions_v2,
    "/contract/private/position-risk": reading.position_risk,
    "/contract/private/trades": reading.trades,
    "/contract/private/transaction-history": reading.transactions,
    "/contract/private/get-position-mode": reading.position_mode,
}
"""GET, with X-BM-KEY; a signature is ignored, for clients disagree on what to sign."""

SIGNED: dict[str, Handler] = {
    "/contract/private/submit-order": ordering.submit_order,
    "/contract/private/modify-limit-order": ordering.modify_limit_order,
    "/contract/private/cancel-order": ordering.cancel_order,
    "/contract/private/cancel-orders": ordering.cancel_orders,
    "/contract/private/cancel-all-after": ordering.cancel_all_after,
    "/contract/private/submit-leverage": settings.submit_leverage,
    "/contract/private/set-position-mode": settings.set_position_mode,
    "/contract/private/submit-plan-order": planning.submit_plan_order,
    "/contract/private/cancel-plan-order": planning.cancel_plan_order,
    "/contract/private/modify-plan-order": planning.modify_plan_order,
    "/contract/private/submit-tp-sl-order": planning.submit_tp_sl_order,
    "/contract/private/modify-tp-sl-order": planning.modify_tp_sl_order,
    "/contract/private/modify-preset-plan-order": ordering.modify_presets,
    "/contract/private/submit-trail-order": planning.submit_trail_order,
    "/contract/private/cancel-trail-order": planning.cancel_trail_order,
    "/account/v1/transfer-contract": settings.transfer,
    "/account/v1/transfer-contract-list": settings.transfers,
}
"""POST, with key, timestamp and a signature over the exact body."""
