"""Killed in the middle: the next watch begins from the rows and ends what this one began."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.engine.cycle import perform
from apps.engine.follow.action import CancelOrder, Close, Protect, Unprotect
from apps.engine.values.position import Side
from apps.live.watch import books, follower
from tests.live.watching import SYMBOL, D, House

Begin = Callable[[House], None]


class Killed(BaseException):
    """Nothing of ours catches it: the process is gone."""


def naked(house: House) -> None:
    house.exchange.switch(preset_on_partial="never")
    house.enter()


def unprotectable(house: House) -> None:
    house.exchange.switch(preset_on_partial="never", refuse_stops=True)
    house.enter()
    house.until(lambda: house.position_status() == "NAKED")
    house.clock.push(6)


def outlived(house: House) -> None:
    house.enter(away_pct="1")
    house.until(lambda: len(house.broker.orders(SYMBOL)) == 1)
    house.clock.push(61)


def left_behind(house: House) -> None:
    house.enter(notional=D(100))
    house.until(house.is_protected)
    house.trade_by_hand(Side.LONG, opens=False)


CASES: dict[type, tuple[Begin, bool]] = {
    Protect: (naked, False),
    Close: (unprotectable, True),
    CancelOrder: (outlived, True),
    Unprotect: (left_behind, True),
}
"""What is to be done → how it comes to that, and whether the symbol is free in the end."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("action", list(CASES), ids=lambda action: action.__name__)
def test_what_was_decided_before_a_kill_is_done_after_it(
    house: House, monkeypatch: pytest.MonkeyPatch, action: type, moment: str
) -> None:
    begin, frees = CASES[action]

    def killed(wanted: Any, **how: Any) -> Any:
        if isinstance(wanted, action):
            if moment == "after":
                perform(wanted, **how)
            raise Killed
        return perform(wanted, **how)

    begin(house)
    monkeypatch.setattr(follower, "perform", killed)
    with pytest.raises(Killed):
        house.until(lambda: False)
    monkeypatch.setattr(follower, "perform", perform)
    house.restart()
    house.until(house.is_free if frees else house.is_protected)
    there = house.books()
    assert len([order for order in there["orders"] if order["side"] == 1]) == 1
    assert len(there["positions"]) == len(house.stops()) == (0 if frees else 1)


def test_a_kill_before_anything_was_recorded_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    house.enter()
    with monkeypatch.context() as patch:
        patch.setattr(books, "follow", killed)
        with pytest.raises(Killed):
            house.until(lambda: False)
    house.restart()
    house.until(house.is_protected)


def test_entries_wait_until_the_books_were_compared_again(house: House) -> None:
    assert house.health().reconciled
    house.restart()
    assert not house.health().reconciled
    house.until(lambda: house.health().reconciled)


def test_entries_are_refused_when_nobody_watches(house: House) -> None:
    house.clock.push(21)
    assert not house.health().reconciled
