"""What the exchange does not take, with the code it says so by; and a refusal changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.exchange.simulator.account.rows import Presets
from apps.exchange.simulator.codes import MAKER_ONLY, Code, Refused
from tests.simulator.handmade_exchange import HandmadeExchange

OPEN = {"side": 1, "size": 10, "price": "990"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"side": 5}, Code.BAD_SIDE),
        ({"mode": 5}, Code.BAD_PARAMETER),
        ({"price": None, "mode": MAKER_ONLY}, Code.BAD_TYPE),
        ({"size": 0}, Code.BAD_RANGE),
        ({"size": 10_001}, Code.BAD_RANGE),
        ({"size": 5_001, "price": None}, Code.BAD_RANGE),
        ({"price": "0"}, Code.BAD_RANGE),
        ({"price": "-1"}, Code.BAD_RANGE),
        ({"price": "990.05"}, Code.BAD_PRECISION),
        ({"presets": Presets(stop_loss=Decimal("980.01"))}, Code.BAD_PRECISION),
        ({"leverage": 51}, Code.LEVERAGE_HIGH),
        ({"leverage": 0}, Code.LEVERAGE_LOW),
        ({"leverage": 50, "size": 1100}, Code.LEVERAGE_HIGH),
        ({"leverage": 10, "open_type": "both"}, Code.BAD_OPEN_TYPE),
        ({"leverage": 1, "size": 1100}, Code.NO_MARGIN),
        ({"client_order_id": "a-b"}, Code.CLIENT_ID_LETTERS),
        ({"client_order_id": "a" * 33}, Code.CLIENT_ID_LENGTH),
        ({"client_order_id": "taken"}, Code.CLIENT_ID_TAKEN),
        ({"side": 2}, Code.NO_POSITION),
        ({"side": 3, "size": 41}, Code.SHORT_POSITION),
        ({"leverage": 20}, Code.BAD_LEVERAGE),
        ({"leverage": 10, "open_type": "cross"}, Code.BAD_LEVERAGE),
    ],
)
def test_an_order_is_refused_with_the_code_of_its_fault(changed: dict[str, Any], code: Code) -> None:
    exchange = HandmadeExchange()
    if code != Code.LEVERAGE_HIGH and changed.get("leverage") != 1:
        exchange.place(1, 50, leverage=10)
        exchange.place(3, 10, 1100, client_order_id="taken")
    exchange.account.take_changes()
    with pytest.raises(Refused) as refusal:
        exchange.place(**OPEN | changed)
    assert refusal.value.code == code
    assert exchange.account.take_changes() == []


def test_a_client_id_is_free_again_when_its_order_is_over() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 10, client_order_id="again")
    assert exchange.place(1, 10, client_order_id="again").filled == 10


def test_in_one_way_mode_a_closing_order_is_cut_to_the_position() -> None:
    exchange = HandmadeExchange()
    exchange.one_way()
    with pytest.raises(Refused) as refusal:
        exchange.place(3, 10)
    assert refusal.value.code == Code.NO_POSITION
    exchange.place(1, 10)
    assert exchange.place(3, 1000).size == 10


def test_an_order_without_leverage_takes_the_accounts_setting() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 10, leverage=7)
    assert exchange.place(1, 10).leverage == 7


def test_margin_of_a_resting_order_is_frozen_until_it_ends() -> None:
    exchange = HandmadeExchange()
    order = exchange.place(1, 100, 990, leverage=10)
    assert exchange.account.frozen == Decimal("99") / 10 + Decimal("99") * Decimal("0.0012")
    exchange.matching.finish(order, 3, 0)
    assert exchange.account.frozen == 0
    assert exchange.account.available == 1000
