"""A person who trades beside us by hand: on symbols of their own, on ours on the other side, and who closes
what we hold."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence

from benchmarks.campaign.actor import Actor
from benchmarks.campaign.hand import Hand, resting_orders
from benchmarks.campaign.history import LONG, SHORT, Row
from benchmarks.campaign.recorder import Recorder

WAVE_S = (1.0, 3.0)
HELD_S = (4.0, 20.0)
"""A position of ours is closed by hand after so long."""
MOST_HELD, MOST_RESTING = 4, 4
BESIDE = 4
"""So many of our symbols they trade too."""


class Person(Actor):
    """Both sides of the symbols `by_hand`, and the other side of the first BESIDE of `sides`, which are ours:
    whose a position is, is never in doubt."""

    def __init__(
        self, hand: Hand, recorder: Recorder, sides: Mapping[str, int], by_hand: Sequence[str], seed: int
    ) -> None:
        chance = random.Random(f"{seed} person")  # noqa: S311 - must be repeatable, guards nothing
        super().__init__("person", WAVE_S, chance)
        self._hand = hand
        self._recorder = recorder
        self._sides = sides
        self._alone = [(symbol, side) for symbol in by_hand for side in (LONG, SHORT)]
        self._beside_us = [(symbol, LONG + SHORT - side) for symbol, side in list(sides.items())[:BESIDE]]
        self._close_at: dict[tuple[str, int], float] = {}

    def act(self) -> None:
        self._close_some_of_ours()
        self._trade()

    def _close_some_of_ours(self) -> None:
        """By hand, when their time has come; one in five only by half, the rest later."""
        for position in self._recorder.books["positions"]:
            key = position["symbol"], position["position_type"]
            if self._sides.get(key[0]) != key[1]:
                continue
            due = self._close_at.setdefault(key, time.time() + self._chance.uniform(*HELD_S))
            if time.time() < due:
                continue
            del self._close_at[key]
            half = self._chance.random() < 0.2 and position["size"] > 1
            self._hand.close(position, position["size"] // 2 if half else None)

    def _trade(self) -> None:
        """Open, rest, protect, cancel, close or wait, where that is possible."""
        books = self._recorder.books
        held = [row for row in books["positions"] if self._is_by_hand(row)]
        resting = resting_orders(books)
        symbol, side = self._chance.choice(self._chance.choice((self._alone, self._beside_us)))
        act = self._chance.choice(("open", "open", "rest", "protect", "cancel", "close", "wait"))
        if act == "open" and len(held) < MOST_HELD:
            self._hand.open(symbol, side)
        elif act == "rest" and len(resting) < MOST_RESTING:
            self._hand.rest(symbol, side)
        elif act == "protect" and held:
            self._hand.protect(self._chance.choice(held))
        elif act == "cancel" and len(resting) > 1:
            self._hand.cancel(self._chance.choice(resting))
        elif act == "close" and len(held) > 2:
            self._hand.close(self._chance.choice(held))

    def _is_by_hand(self, position: Row) -> bool:
        return (position["symbol"], position["position_type"]) in {*self._alone, *self._beside_us}
