"""The listeners of one kind of WebSocket, their queues, and how their pushes can be spoilt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.topics import Topic

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

    def spoilt(self, listener: Listener, batch: Batch) -> Batch:
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
