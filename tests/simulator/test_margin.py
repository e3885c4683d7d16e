"""The arithmetic of positions reproduces what the exchange itself reported, to the last digit."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.exchange.simulator.account.margin import (
    is_liquidated,
    liquidation_price,
    maintenance,
    margin,
    max_leverage,
    max_value,
)
from apps.exchange.simulator.account.rows import Position
from apps.exchange.simulator.codes import HEDGE, LONG, SHORT
from apps.exchange.simulator.server.private.rows import position_row
from tests.simulator.handmade_exchange import LISTING, HandmadeExchange

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "fixtures" / "bitmart" / "rest"
CAPTURES = {
    "private_position.live-2024-08-hedge": ("0.025", "58.25", 0),
    "private_position.live-2023-10": ("0.005", "27403.9", 1),
}
"""File -> maintenance ratio of the contract, last price, USDT the trader had added by hand."""

COMPUTED = (
    "current_value",
    "position_value",
    "maintenance_margin",
    "open_avg_price",
    "entry_price",
    "current_amount",
    "unrealized_value",
    "realized_value",
    "position_type",
)


def captured() -> list[Any]:
    if not FOLDER.exists():
        return []
    return [
        pytest.param(row, *terms, id=f"{name}-{row['position_type']}")
        for name, terms in CAPTURES.items()
        for row in json.loads((FOLDER / f"{name}.json").read_text())["data"]
    ]


@pytest.mark.skipif(not FOLDER.exists(), reason=f"the fixtures are not at {FOLDER}")
def test_there_are_captures() -> None:
    assert len(captured()) == 3


@pytest.mark.parametrize(("theirs", "ratio", "last", "added"), captured())
def test_a_captured_position_is_computed_to_the_last_digit(
    theirs: dict[str, Any], ratio: str, last: str, added: int
) -> None:
    bracket = {"initial_leverage": 50, "notional_cap": "10000", "maint_margin_ratio": ratio, "cum": "0"}
    listing = replace(LISTING, symbol=theirs["symbol"], brackets=(bracket,))
    entry = Decimal(theirs["entry_price"])
    position = Position(
        theirs["symbol"],
        theirs["position_type"],
        int(theirs["leverage"]),
        "isolated",
        0,
        0,
        size=1,
        cost=entry,
        entry_price=entry,
        realised=-entry * listing.contract_size * Decimal("0.0006"),
    )
    ours = position_row(listing, position, Decimal(last), Decimal(last), HEDGE, 0)
    assert {name: ours[name] for name in COMPUTED} == {name: theirs[name] for name in COMPUTED}
    assert Decimal(ours["position_cross"]) + added == Decimal(theirs["position_cross"])


@pytest.mark.parametrize(
    ("value", "ratio", "leverage"),
    [(0, "0", 50), (1000, "5", 50), ("1000.01", "5.0001", 20), (100_000, "995", 20)],
)
def test_maintenance_and_leverage_follow_the_brackets(value: object, ratio: str, leverage: int) -> None:
    notional = Decimal(str(value))
    assert maintenance(LISTING, notional) == Decimal(ratio)
    assert max_leverage(LISTING, notional) == leverage


@pytest.mark.parametrize(("leverage", "most"), [(1, 100_000), (20, 100_000), (21, 1000), (50, 1000), (51, 0)])
def test_a_leverage_carries_a_largest_notional(leverage: int, most: int) -> None:
    assert max_value(LISTING, leverage) == most


@pytest.mark.parametrize(("side", "position_type"), [(1, LONG), (4, SHORT)])
def test_the_liquidation_price_is_where_the_position_is_doomed(side: int, position_type: int) -> None:
    exchange = HandmadeExchange()
    exchange.place(side, 100, leverage=10)
    position, nudge = exchange.held(position_type), Decimal("0.0001")
    price = liquidation_price(LISTING, position)
    towards = -nudge if position_type == LONG else nudge
    assert is_liquidated(LISTING, position, price + towards)
    assert not is_liquidated(LISTING, position, price - towards)
    assert abs(price / 1000 - 1) == pytest.approx(Decimal("0.095"), abs=Decimal("0.002"))


def test_the_margin_reserves_what_closing_may_cost() -> None:
    assert margin(Decimal(100), 10, LONG) == Decimal("10.06")
    assert margin(Decimal(100), 10, SHORT) == Decimal("10.066")
