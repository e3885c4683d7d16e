"""Cooldowns end by themselves, and switches are other rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.switches import store
from apps.switches.models import Cooldown
from tests.rooms.trades import ACCOUNT, NOW

BTC, ETH = "BTCUSDT", "ETHUSDT"


def cool(symbol: str, minutes: int, account: str = ACCOUNT) -> None:
    until = NOW + timedelta(minutes=minutes)
    store.start_cooldown(account, symbol, decision_key="k", reason="submitted", now=NOW, until=until)


@pytest.mark.django_db
def test_only_a_pause_of_this_account_that_has_not_ended_counts() -> None:
    cool(BTC, 240)
    cool(ETH, 15)
    cool("SOLUSDT", 15, account="bitmart:live")
    symbols = [BTC, ETH, "SOLUSDT"]
    assert set(store.cooldown_ends(ACCOUNT, symbols, NOW)) == {BTC, ETH}
    assert store.cooldown_ends(ACCOUNT, symbols, NOW + timedelta(minutes=15)) == {
        BTC: NOW + timedelta(hours=4)
    }
    assert store.cooldown_ends(ACCOUNT, [ETH], NOW) == {ETH: NOW + timedelta(minutes=15)}


@pytest.mark.django_db
def test_a_new_pause_replaces_the_one_before_and_no_switch() -> None:
    store.set_switch(f"SYMBOL:{BTC}", is_on=False, reason="news", actor="ada")
    cool(BTC, 240)
    cool(BTC, 15)
    assert Cooldown.objects.get().ends_at == NOW + timedelta(minutes=15)
    assert store.off_switches() == {f"SYMBOL:{BTC}": "news"}


@pytest.mark.django_db
def test_a_pause_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        cool(BTC, -1)
