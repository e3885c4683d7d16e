"""The account's whole books as JSON: the exchange's own truth, for tests and the curious."""

from __future__ import annotations

from typing import Any

from apps.exchange.simulator.floor import Floor
from apps.exchange.simulator.journal import written


def shown(floor: Floor) -> dict[str, Any]:
    """Every row as rows.py and holdings.py name it, decimals as text; orders and plans that are over too."""
    account = floor.account
    return {
        "position_mode": account.purse.position_mode,
        "balance": {
            "wallet": str(account.purse.wallet),
            "available": str(account.available),
            "frozen": str(account.frozen),
            "deposit": str(account.deposit),
        },
        "orders": [written(row) for row in account.orders.values()],
        "fills": [written(row) for row in account.trades.values()],
        "positions": [written(row) for row in account.held()],
        "protections": [written(row) for row in account.live_plans() if row.protects],
        "plans": [written(row) for row in account.plans.values()],
        "contracts": [written(row) for row in account.contracts.values()],
        "ledger": [written(row) for row in account.ledger.values()],
    }
