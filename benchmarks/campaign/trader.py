"""The trade of a campaign: minutes through the worker, and entries at every price sent from the decider."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping

import psycopg
from kombu.exceptions import OperationalError

from benchmarks.campaign.actor import Actor
from benchmarks.campaign.history import LONG, SHORT, History, side_word
from benchmarks.campaign.recorder import Recorder
from benchmarks.trading.system import DeciderFault, TradingSystem

WAVE_S = (0.5, 3.0)
MINUTE_UNTIL_S = 38
"""Later in a minute its entries would be too old."""
RATIOS = ("1.002", "1.002", "1.002", "0.9997", "0.999", "0.98")
"""Of the ask: at once, at once, at once, soon, later, never."""
RESTING = ("0.999", "0.98")
"""An entry whose rest is to be taken from the book must leave one."""
SHAPES = ("single", "single", "tranches", "tranches", "fallback", "fallback")
"""One order, three of one decision, or one whose rest is taken from the book at the end of its time."""


class Trader(Actor):
    """`sides`: the symbols, and the one side on which each is entered."""

    def __init__(
        self,
        system: TradingSystem,
        history: History,
        recorder: Recorder,
        sides: Mapping[str, int],
        seed: int,
    ) -> None:
        chance = random.Random(f"{seed} trade")  # noqa: S311 - must be repeatable, guards nothing
        super().__init__("trader", WAVE_S, chance)
        self._system = system
        self._history = history
        self._recorder = recorder
        self._sides = sides
        self._minute = 0
        self.outcomes: Counter[str] = Counter()

    def act(self) -> None:
        try:
            self._system.enter_fallbacks()
            self._enter()
        except DeciderFault as fault:
            self.outcomes["decider could not"] += 1
            self._history.note(f"no entry: {str(fault).strip().splitlines()[-1][:120]}")
        except (OperationalError, psycopg.Error, OSError) as fault:
            self.outcomes["not sent"] += 1
            self._history.note(f"no entry: {type(fault).__name__}")

    def _enter(self) -> None:
        """A minute's symbols through the worker where the minute is young, else some from the decider."""
        side = self._chance.choice((LONG, SHORT))
        held = {(row["symbol"], row["position_type"]) for row in self._recorder.books["positions"]}
        free = [s for s, own in self._sides.items() if own == side and (s, own) not in held]
        minute, second = divmod(time.time(), 60)
        if minute > self._minute and 2 <= second <= MINUTE_UNTIL_S:
            self._minute = int(minute)
            chosen = self._chance.sample(free, min(4, len(free)))
            name = f"chaos_{side_word(side)}"
            run = self._system.decider.ask("decide", name=name, symbols=chosen, side=side_word(side))
            self._system.enter(run, chosen)
            self._history.note(f"minute decided, {side_word(side)}: {', '.join(chosen)}")
            self.outcomes["through the worker"] += len(chosen)
            return
        chosen = self._chance.sample(free, min(3, len(free)))
        shape = self._chance.choice(SHAPES)
        ratio = self._chance.choice(RESTING if shape == "fallback" else RATIOS)
        statuses = self._system.decider.ask(
            "send_entries", symbols=chosen, side=side_word(side), ratio=ratio, shape=shape
        )
        self.outcomes.update(f"{shape} {status}" for status in statuses)
        entries = dict(zip(chosen, statuses, strict=True))
        self._history.note(f"{shape} entries {side_word(side)} at {ratio}: {entries}")
