"""The account's whole books as JSON: the exchange's own truth, for tests and the curious."""

from __future__ import annotations

from typing import Any

from apps.exchange.simulator.account.journal import row_fields
from apps.exchange.simulator.exchange import Exchange


def shown(floor: Exchange) -> dict[str, Any]:
    """Every row as rows.py and holdings.py name it, decimals as text; orders and plans that are over too."""
    account = floor.account
    return {
        "position_mode": account.wallet.position_mode,
        "balance": {
            "wallet": str(account.wallet.cash),
            "available": str(account.available),
            "frozen": str(account.frozen),
            "deposit": str(account.deposit),
        },
        "orders": [row_fields(row) for row in account.orders.values()],
        "fills": [row_fields(row) for row in account.trades.values()],
        "positions": [row_fields(row) for row in account.held()],
        "protections": [row_fields(row) for row in account.live_plans() if row.protects],
        "plans": [row_fields(row) for row in account.plans.values()],
        "contracts": [row_fields(row) for row in account.contracts.values()],
        "ledger": [row_fields(row) for row in account.ledger_lines.values()],
    }
