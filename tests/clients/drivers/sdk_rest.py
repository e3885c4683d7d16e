"""BitMart's own SDK over REST: `python sdk_rest.py http://ADDRESS` prints what it was told as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from bitmart.api_contract import APIContract
from bitmart.api_system import APISystem
from bitmart.lib.cloud_exceptions import APIException

CONTRACT = "BTCUSDT"
TERMS = {"leverage": "5", "open_type": "isolated"}


def data(answer: Any) -> Any:
    """The data of an answer; the SDK gives (body, rate limits)."""
    body, _ = answer
    assert body["code"] == 1000, body
    return body.get("data")


def market(api: Any, address: str) -> Any:
    now_s = int(time.time())
    body, limits = api.get_depth(CONTRACT)
    return {
        "limits": limits,
        "time_ms": data(APISystem(url=address).get_system_time())["server_time"],
        "service": data(APISystem(url=address).get_system_service()),
        "details": data(api.get_details())["symbols"],
        "detail": data(api.get_details(CONTRACT))["symbols"],
        "book": body["data"],
        "candles": data(api.get_kline(CONTRACT, 1, now_s - 600, now_s)),
        "mark_candles": data(api.get_mark_price_kline(CONTRACT, 5, now_s - 3600, now_s)),
        "open_interest": data(api.get_open_interest(CONTRACT)),
        "funding_rate": data(api.get_funding_rate(CONTRACT)),
        "funding_rates": data(api.get_fund_rate_history(CONTRACT, 3))["list"],
    }


def settings(api: Any) -> Any:
    return {
        "mode_set": data(api.post_set_position_mode("hedge_mode")),
        "mode": data(api.get_position_mode()),
        "leverage": data(api.post_submit_leverage(CONTRACT, "isolated", "5")),
        "assets": data(api.get_assets_detail()),
        "fee": data(api.get_trade_fee_rate(CONTRACT)),
    }


def resting(api: Any, price: str) -> Any:
    """A limit order far below the market: placed, read, changed, cancelled."""
    placed = data(
        api.post_submit_order(
            CONTRACT, client_order_id="rests1", side=1, mode=1, type="limit", size=2, price=price, **TERMS
        )
    )
    order_id = str(placed["order_id"])
    seen = data(api.get_order(CONTRACT, order_id))
    modified = data(api.post_modify_limit_order(CONTRACT, order_id=placed["order_id"], size=3))
    opened = data(api.get_open_order(CONTRACT, type="limit"))
    presets = data(
        api.post_modify_preset_plan_order(
            CONTRACT,
            order_id,
            preset_stop_loss_price=_tick(float(price) * 0.9),
            preset_stop_loss_price_type=1,
        )
    )
    data(api.post_cancel_order(CONTRACT, order_id=order_id))
    again = data(
        api.post_submit_order(
            CONTRACT, client_order_id="rests2", side=1, mode=4, type="limit", size=1, price=price, **TERMS
        )
    )
    armed = data(api.post_cancel_all_after(CONTRACT, 60))
    data(api.post_cancel_all_after(CONTRACT, 0))
    data(api.post_cancel_orders(CONTRACT))
    return {
        "placed": placed,
        "seen": seen,
        "modified": modified,
        "open": opened,
        "presets": presets,
        "again": again,
        "armed": armed,
        "open_after": data(api.get_open_order(CONTRACT)),
        "history": data(api.get_order_history(CONTRACT, int(time.time()) - 60, int(time.time()) + 60)),
    }


def refused(api: Any, price: str) -> Any:
    """The status and code the SDK reports for the exchange's refusals."""
    terms = {"type": "limit", "price": price} | TERMS
    stranger = APIContract("simulator", "wrong", "simulator", url=api.URL)
    calls = {
        "unknown order": lambda: api.get_order(CONTRACT, "1"),
        "too large": lambda: api.post_submit_order(CONTRACT, side=1, size=10**8, **terms),
        "wrong secret": lambda: stranger.post_cancel_orders(CONTRACT),
    }
    return {name: _fault(call) for name, call in calls.items()}


def _fault(call: Callable[[], object]) -> Any:
    try:
        call()
    except APIException as fault:
        return [fault.status_code, json.loads(fault.response)["code"]]
    return None


def trading(api: Any, last: float) -> Any:
    """A short at market; stop and target; a plan and a trailing order; closed."""
    opened = data(api.post_submit_order(CONTRACT, side=4, type="market", size=3, **TERMS))
    _wait(lambda: data(api.get_order(CONTRACT, str(opened["order_id"])))["state"] == 4)
    positions = data(api.get_position(CONTRACT))
    risk = data(api.get_position_risk(CONTRACT))
    stop = data(
        api.post_submit_tp_sl_order(
            CONTRACT,
            "stop_loss",
            2,
            _tick(last * 1.05),
            "0",
            1,
            plan_category=2,
            client_order_id="stop1",
            category="market",
        )
    )
    target = data(
        api.post_submit_tp_sl_order(
            CONTRACT, "take_profit", 2, _tick(last * 0.9), _tick(last * 0.9), 1, size=2, plan_category=1
        )
    )
    plan = data(
        api.post_submit_plan_order(
            CONTRACT,
            type="limit",
            side=4,
            mode=1,
            size=1,
            trigger_price=_tick(last * 1.2),
            executive_price=_tick(last * 1.2),
            price_way=1,
            price_type=1,
            **TERMS,
        )
    )
    trail = data(api.post_submit_trail_order(CONTRACT, 2, "5", "isolated", 1, _tick(last * 0.8), "1", 1))
    waiting = data(api.get_current_plan_order(CONTRACT))
    data(
        api.post_modify_tp_sl_order(
            CONTRACT, _tick(last * 1.04), 1, order_id=stop["order_id"], plan_category=2, category="market"
        )
    )
    protecting = data(api.get_current_plan_order(CONTRACT, plan_type="profit_loss"))
    data(api.post_cancel_trail_order(CONTRACT, str(trail["order_id"])))
    data(api.post_cancel_plan_order(CONTRACT, order_id=str(plan["order_id"])))
    data(api.post_cancel_plan_order(CONTRACT, order_id=target["order_id"]))
    left = data(api.get_current_plan_order(CONTRACT))
    closing = data(api.post_submit_order(CONTRACT, side=2, type="market", size=3))
    _wait(lambda: data(api.get_order(CONTRACT, str(closing["order_id"])))["state"] == 4)
    _wait(lambda: not data(api.get_current_plan_order(CONTRACT)))
    return {
        "opened": opened,
        "positions": positions,
        "risk": risk,
        "stop": stop,
        "target": target,
        "plan": plan,
        "trail": trail,
        "waiting": waiting,
        "protecting": protecting,
        "left": left,
        "closing": closing,
        "positions_after": data(api.get_position(CONTRACT)),
        "trades": data(api.get_trades(CONTRACT)),
        "transactions": data(api.get_transaction_history(CONTRACT)),
        "assets": data(api.get_assets_detail()),
    }


def transfers(api: Any) -> Any:
    return {
        "moved": data(api.post_transfer("USDT", "10", "spot_to_contract")),
        "list": data(api.get_transfer_list(1, 10))["records"],
    }


def _wait(done: Callable[[], object], within_s: float = 20) -> None:
    until = time.monotonic() + within_s
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("the exchange did not come to it")
        time.sleep(0.3)


def _tick(price: float) -> str:
    return f"{price:.1f}"


if __name__ == "__main__":
    address = sys.argv[1]
    api = APIContract("simulator", "simulator-secret", "simulator", url=address, timeout=(3, 10))
    seen = {"market": market(api, address), "settings": settings(api)}
    last = float(seen["market"]["detail"][0]["last_price"])
    seen["resting"] = resting(api, _tick(last * 0.9))
    seen["refused"] = refused(api, _tick(last * 0.9))
    seen["trading"] = trading(api, last)
    seen["transfers"] = transfers(api)
    print(json.dumps(seen))
