"""Cooldowns end by themselves, switches and queue marks are other rows, and a mark is taken once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from apps.switches import pauses, store
from apps.switches.models import Cooldown
from tests.rooms.trades import ACCOUNT, NOW

BTC, ETH = "BTCUSDT", "ETHUSDT"


def cool(symbol: str, minutes: int, account: str = ACCOUNT) -> None:
    until = NOW + timedelta(minutes=minutes)
    pauses.start_cooldown(account, symbol, decision_key="k", reason="submitted", now=NOW, until=until)


@pytest.mark.django_db
def test_only_a_pause_of_this_account_that_has_not_ended_counts() -> None:
    cool(BTC, 240)
    cool(ETH, 15)
    cool("SOLUSDT", 15, account="bitmart:live")
    symbols = [BTC, ETH, "SOLUSDT"]
    assert set(pauses.cooldown_ends(ACCOUNT, symbols, NOW)) == {BTC, ETH}
    assert pauses.cooldown_ends(ACCOUNT, symbols, NOW + timedelta(minutes=15)) == {
        BTC: NOW + timedelta(hours=4)
    }
    assert pauses.cooldown_ends(ACCOUNT, [ETH], NOW) == {ETH: NOW + timedelta(minutes=15)}


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


@pytest.mark.django_db
def test_marks_are_taken_in_the_order_they_were_asked_for() -> None:
    assert pauses.queue(ACCOUNT, ETH, "regular", asked_by="ada", now=NOW)
    assert pauses.queue(ACCOUNT, BTC, "regular", asked_by="bob", now=NOW + timedelta(seconds=1))
    assert not pauses.queue(ACCOUNT, ETH, "regular", asked_by="bob", now=NOW)
    assert pauses.take_queued(ACCOUNT, "scalper", NOW) == []
    assert pauses.take_queued(ACCOUNT, "regular", NOW) == [ETH, BTC]
    assert pauses.take_queued(ACCOUNT, "regular", NOW) == []
    assert pauses.queue(ACCOUNT, ETH, "regular", asked_by="ada", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_mark_is_taken_by_one_of_many_who_want_it() -> None:
    for n in range(5):
        pauses.queue(ACCOUNT, f"C{n}USDT", "regular", asked_by="ada", now=NOW)
    start = Barrier(4)

    def take(_: int) -> list[str]:
        try:
            start.wait()
            return pauses.take_queued(ACCOUNT, "regular", NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [symbol for some in pool.map(take, range(4)) for symbol in some]
    assert sorted(taken) == [f"C{n}USDT" for n in range(5)]
