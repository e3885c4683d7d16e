"""What the account itself agrees with the exchange: leverage, position mode, the dead man's switch.

What is refused raises Refused and changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.rows import Contract
from apps.exchange.simulator.codes import Code, Refused
from apps.exchange.simulator.matching.new_order import check_leverage, is_in_use

SHORTEST_TIMEOUT_S = 5
LONGEST_TIMEOUT_S = 86_400


def set_leverage(account: Account, symbol: str, leverage: int | None, open_type: str) -> Contract:
    """A change is refused while a position or an opening order holds the old setting. None keeps it."""
    contract = account.contract(symbol)
    wanted = contract.leverage if leverage is None else leverage
    check_leverage(account.listing(symbol), wanted)
    changed = replace(contract, leverage=wanted, open_type=open_type)
    if changed != contract and is_in_use(account, symbol):
        raise Refused(Code.BAD_LEVERAGE)
    account.put(changed)
    return changed


def set_position_mode(account: Account, mode: str) -> None:
    """Refused while anything is held, rests or waits in the other mode."""
    if mode == account.wallet.position_mode:
        return
    if account.open_positions() or account.live_orders() or account.live_plans():
        raise Refused(Code.MODE_BOUND)
    account.put(replace(account.wallet, position_mode=mode))


def cancel_after(account: Account, symbol: str, timeout_s: int, now_ms: int) -> Contract:
    """Arm the dead man's switch of a contract's orders; 0 s disarms."""
    if not 0 <= timeout_s <= LONGEST_TIMEOUT_S or 0 < timeout_s < SHORTEST_TIMEOUT_S:
        raise Refused(Code.BAD_PARAMETER)
    changed = replace(account.contract(symbol), cancel_at_ms=now_ms + timeout_s * 1000 if timeout_s else 0)
    account.put(changed)
    return changed
