"""A thread that acts in waves; what goes wrong in it is raised where it is ended, not lost."""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod


class Actor(threading.Thread, ABC):
    """Calls `act` after each pause of `wave_s` seconds, drawn by `chance`, until `end`."""

    def __init__(self, name: str, wave_s: tuple[float, float], chance: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self._wave_s = wave_s
        self._chance = chance
        self._ended = threading.Event()
        self._fault: Exception | None = None

    @abstractmethod
    def act(self) -> None:
        """Do what one wave consists of."""

    def run(self) -> None:
        try:
            while not self._ended.wait(self._chance.uniform(*self._wave_s)):
                self.act()
        except Exception as fault:
            self._fault = fault

    def end(self) -> None:
        """Return when the last wave is over; raise what `act` raised."""
        self._ended.set()
        self.join()
        if self._fault is not None:
            raise self._fault
