"""Subscribe messages: at most 20 topics and 4096 bytes of arguments each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

TOPICS_PER_MESSAGE = 20
BYTES_PER_MESSAGE = 4096
PING = '{"action":"ping"}'


def subscribe(topics: Sequence[str]) -> Iterator[str]:
    """The messages that subscribe `topics`, in order."""
    batch: list[str] = []
    for topic in topics:
        if batch and (len(batch) == TOPICS_PER_MESSAGE or _size([*batch, topic]) > BYTES_PER_MESSAGE):
            yield _message(batch)
            batch = []
        batch.append(topic)
    if batch:
        yield _message(batch)


def _message(topics: Sequence[str]) -> str:
    return json.dumps({"action": "subscribe", "args": topics}, separators=(",", ":"))


def _size(topics: Sequence[str]) -> int:
    return len(json.dumps(topics, separators=(",", ":")).encode())
