"""The POST routes of the account itself: leverage, position mode, transfers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.exchange.simulator.account import account_settings
from apps.exchange.simulator.codes import HEDGE, ONE_WAY, TRANSFER, Code, Refused
from apps.exchange.simulator.matching.new_order import OPEN_TYPES
from apps.exchange.simulator.server.private import fields
from apps.exchange.simulator.server.private.call import PrivateCall
from apps.exchange.simulator.server.private.rows import number, transfer_row

LEAST_TRANSFER, MOST_TRANSFER = Decimal("0.01"), Decimal(10**10)
DIRECTIONS = ("spot_to_contract", "contract_to_spot")
DEFAULT_WINDOW_MS, MOST_WINDOW_MS = 5000, 60_000
EARLY_MS = 1000


def submit_leverage(call: PrivateCall) -> Any:
    """A change is refused while a position or an opening order holds the old setting."""
    symbol = call.symbol
    open_type = fields.one_of(call.fields, "open_type", OPEN_TYPES, Code.BAD_OPEN_TYPE)
    contract = account_settings.set_leverage(call.account, symbol, fields.leverage(call.fields), open_type)
    return {
        "symbol": symbol,
        "leverage": str(contract.leverage),
        "open_type": open_type,
        "max_value": str(call.listing.max_leverage),
    }


def set_position_mode(call: PrivateCall) -> Any:
    mode = fields.one_of(call.fields, "position_mode", (HEDGE, ONE_WAY), Code.BAD_PARAMETER)
    account_settings.set_position_mode(call.account, mode)
    return {"position_mode": mode}


def transfer(call: PrivateCall) -> Any:
    _check_window(call)
    fields.one_of(call.fields, "currency", ("USDT",), Code.BAD_PARAMETER)
    direction = fields.one_of(call.fields, "type", DIRECTIONS, Code.BAD_PARAMETER)
    amount = fields.decimal(call.fields, "amount")
    if not LEAST_TRANSFER <= amount <= MOST_TRANSFER:
        raise Refused(Code.BAD_PARAMETER)
    out = direction == "contract_to_spot"
    if out and amount > call.account.available:
        raise Refused(Code.NO_BALANCE)
    call.account.record(TRANSFER, -amount if out else amount, "", call.now_ms, transfer=direction)
    return {"currency": "USDT", "amount": number(amount)}


def transfers(call: PrivateCall) -> Any:
    _check_window(call)
    page = fields.within(call.fields, "page", 1, 1000)
    limit = fields.within(call.fields, "limit", 10, 100)
    start = fields.whole(call.fields, "time_start", default=0)
    end = fields.whole(call.fields, "time_end", default=call.now_ms)
    rows = [
        transfer_row(each)
        for each in call.account.ledger_lines.values()
        if each.transfer and start <= each.at_ms <= end
    ]
    return {"records": rows[::-1][(page - 1) * limit : page * limit]}


def _check_window(call: PrivateCall) -> None:
    """These two routes alone know recvWindow: how old the signature may be."""
    window_ms = fields.within(call.fields, "recvWindow", 1, MOST_WINDOW_MS, DEFAULT_WINDOW_MS)
    if not (call.stamp_ms < call.now_ms + EARLY_MS and call.now_ms - call.stamp_ms <= window_ms):
        raise Refused(Code.STAMP_RANGE)
