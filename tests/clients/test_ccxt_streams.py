"""ccxt 4.5.70's WebSocket side hears the simulator's market and its own account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.clients.conftest import Drive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen(drive: Drive) -> dict[str, Any]:
    return drive("ccxt_streams.py")


def test_the_public_channels_agree_about_the_market(seen: dict[str, Any]) -> None:
    public = seen["public"]
    last = public["ticker"]["last"]
    assert public["ticker"]["bid"] < public["ticker"]["ask"]
    near = [public["trades"][0]["price"], public["candles"][-1][4], public["book"]["asks"][0][0]]
    assert near == pytest.approx([last] * 3, rel=0.01)
    assert public["trades"][0]["side"] in ("buy", "sell")
    assert public["bids_asks"] == ["BTC/USDT:USDT"]
    assert public["funding_rate"]["nextFundingTimestamp"] > public["candles"][-1][0]


def test_candles_keep_coming_on_one_connection(seen: dict[str, Any]) -> None:
    first, again = (seen["public"][name][-1] for name in ("candles", "candles_again"))
    assert first[0] % 60_000 == again[0] % 60_000 == 0
    assert again[0] >= first[0]


def test_a_quiet_private_connection_stays_and_hears_an_order_filled(seen: dict[str, Any]) -> None:
    private = seen["private"]
    assert private["failed"] == []
    filled = [each for each in private["orders"] if each["status"] == "closed"]
    assert [(each["side"], each["amount"], each["filled"]) for each in filled] == [
        ("buy", 2.0, 2.0),
        ("sell", 2.0, 2.0),
    ]
    assert all(each["trades"][0]["price"] == each["average"] for each in filled)


def test_the_position_is_pushed_when_it_opens_and_when_it_is_gone(seen: dict[str, Any]) -> None:
    opened, gone = (seen["private"]["positions"][at] for at in (0, -1))
    assert (opened["side"], opened["contracts"], opened["marginMode"]) == ("long", 2.0, "isolated")
    assert opened["liquidationPrice"] < opened["entryPrice"]
    assert (gone["side"], gone["contracts"]) == ("long", 0.0)


def test_the_last_balance_pushed_is_the_one_in_the_books(seen: dict[str, Any]) -> None:
    assert seen["private"]["balances"][0]["total"] == 1000.0
    assert seen["private"]["balances"][-1]["free"] == float(Decimal(seen["books"]["balance"]["wallet"]))
    assert seen["books"]["positions"] == []
