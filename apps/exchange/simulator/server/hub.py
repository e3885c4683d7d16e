"""The listeners of the WebSockets: their queues, the faults of their pushes, the clock of the public ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from apps.exchange.simulator.market.path import TICKS, Moment, moment, second
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.private.pushes import Texts
from apps.exchange.simulator.server.pushes import Pushes, Topic

MAX_BATCHES = 100
"""Batches a listener may lag behind before he is dropped."""

log = structlog.get_logger("simulator")

Batch = list[str]


@dataclass(eq=False, slots=True)
class Listener:
    """One connection's subscriptions, and pushes that wait to be sent; None in the queue asks to close."""

    topics: dict[str, Topic] = field(default_factory=dict)
    queue: asyncio.Queue[Batch | None] = field(default_factory=lambda: asyncio.Queue(MAX_BATCHES))
    held: Batch = field(default_factory=list)


class Audience:
    """`prefix` chooses the fault switches that hold here: ws (public) or user (private)."""

    def __init__(self, faults: Faults, prefix: str) -> None:
        self.listeners: set[Listener] = set()
        self._faults = faults
        self._prefix = prefix

    @property
    def is_silent(self) -> bool:
        return self._fault("silence")

    def subscribe(self, listener: Listener, topic: Topic) -> Batch:
        """From now on; what to send at once."""
        listener.topics[topic.name] = topic
        return []

    def unsubscribe(self, listener: Listener, topic: Topic) -> None:
        listener.topics.pop(topic.name, None)

    def request(self, topic: Topic) -> Batch:
        """The topic as a whole, asked for by someone who missed a push."""
        return []

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        for topic in list(listener.topics.values()):
            self.unsubscribe(listener, topic)

    def drop_all(self) -> None:
        for listener in self.listeners:
            _hang_up(listener)

    def offer(self, listener: Listener, batch: Batch) -> None:
        """Queue texts for a listener; one who lags too far behind is dropped."""
        if not batch or self.is_silent:
            return
        try:
            listener.queue.put_nowait(batch)
        except asyncio.QueueFull:
            log.warning("listener_too_slow", topics=len(listener.topics), batches=MAX_BATCHES)
            _hang_up(listener)

    def with_faults(self, listener: Listener, batch: Batch) -> Batch:
        """What the faults make of a batch: each text twice, or after the batch that follows it."""
        if self._fault("duplicate"):
            batch = [text for text in batch for _ in range(2)]
        if self._fault("reorder") and not listener.held:
            listener.held = batch
            return []
        held, listener.held = listener.held, []
        return batch + held

    def _fault(self, name: str) -> bool:
        return bool(getattr(self._faults, f"{self._prefix}_{name}"))


def _hang_up(listener: Listener) -> None:
    while not listener.queue.empty():
        listener.queue.get_nowait()
    listener.queue.put_nowait(None)


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
            minute, tick = divmod(reached.number + 1, TICKS)
            until_next_s = minute * 60 + second(tick) - now.timestamp()
            await asyncio.sleep(min(NAP_S, max(0.001, until_next_s)))

    def publish(self, reached: Moment, since: Moment) -> None:
        """Build every topic once and hand it to its listeners."""
        batches: dict[Listener, Batch] = {listener: [] for listener in self.listeners}
        for topic, listeners in list(self._topics.values()):
            texts = self._pushes.texts(topic, reached, since)
            for listener in listeners:
                batches[listener] += texts
        for listener, batch in batches.items():
            self.offer(listener, self.with_faults(listener, batch))


class UserHub(Audience):
    """Every listener is of the one account."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults, "user")

    def tell(self, texts: Texts) -> None:
        """Queue for every listener what he listens to."""
        for listener in self.listeners:
            if batch := [text for name, text in texts if name in listener.topics]:
                self.offer(listener, self.with_faults(listener, batch))
