"""Who listens to what, and the clockwork that pushes: each topic is built and serialised once a tick."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from apps.exchange.simulator.market.path import TICKS, Moment, moment, second
from apps.exchange.simulator.server.audience import Audience, Batch, Listener
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.pushes import Pushes
from apps.exchange.simulator.server.topics import Topic

NAP_S = 0.05
"""The longest sleep: an injected clock may run faster than ours."""

log = structlog.get_logger("simulator")


class Hub(Audience):
    """`on_tick` is called at every tick before the pushes."""

    def __init__(self, pushes: Pushes, faults: Faults, now: Callable[[], datetime]) -> None:
        super().__init__(faults, "ws")
        self.on_tick: Callable[[], None] = lambda: None
        self._pushes = pushes
        self._now = now
        self._topics: dict[str, tuple[Topic, set[Listener]]] = {}

    def subscribe(self, listener: Listener, topic: Topic) -> Batch:
        listener.topics[topic.name] = topic
        self._topics.setdefault(topic.name, (topic, set()))[1].add(listener)
        return self._pushes.texts(topic, moment(self._now()), None)

    def unsubscribe(self, listener: Listener, topic: Topic) -> None:
        listener.topics.pop(topic.name, None)
        if topic.name not in self._topics:
            return
        _, listeners = self._topics[topic.name]
        listeners.discard(listener)
        if not listeners:
            del self._topics[topic.name]
            self._pushes.forget(topic)

    def request(self, topic: Topic) -> Batch:
        return self._pushes.texts(topic, moment(self._now()), None)

    async def run(self) -> None:
        """Push at every tick of the clock, for ever; a tick that came too late is played by the next.

        A fault while building one tick is logged and does not silence the ticks after it.
        """
        done = moment(self._now())
        while True:
            now = self._now()
            reached = moment(now)
            if reached.number > done.number:
                try:
                    self.on_tick()
                    self.publish(reached, done)
                except Exception:
                    log.exception("tick_failed", minute=reached.minute, tick=reached.tick)
            done = reached
            await asyncio.sleep(_until_next(reached, now.timestamp()))

    def publish(self, reached: Moment, since: Moment) -> None:
        """Build every topic once and hand it to its listeners."""
        batches: dict[Listener, Batch] = {listener: [] for listener in self.listeners}
        for topic, listeners in list(self._topics.values()):
            texts = self._pushes.texts(topic, reached, since)
            for listener in listeners:
                batches[listener] += texts
        for listener, batch in batches.items():
            self.offer(listener, self.spoilt(listener, batch))


def _until_next(reached: Moment, now_s: float) -> float:
    minute, tick = divmod(reached.number + 1, TICKS)
    return min(NAP_S, max(0.001, minute * 60 + second(tick) - now_s))
