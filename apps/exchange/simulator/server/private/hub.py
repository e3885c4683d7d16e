"""Who is logged in, and what he listens to."""

from __future__ import annotations

from apps.exchange.simulator.server.audience import Audience
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.private.pushes import Texts


class UserHub(Audience):
    """Every listener is of the one account."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults, "user")

    def tell(self, texts: Texts) -> None:
        """Queue for every listener what he listens to."""
        for listener in self.listeners:
            if batch := [text for name, text in texts if name in listener.topics]:
                self.offer(listener, self.spoilt(listener, batch))
