"""One WebSocket to an exchange, kept alive: connects, logs in, subscribes, pings, and starts again."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Generic, Protocol, TypeVar

import structlog
import websocket

from apps.exchange.transport import USER_AGENT

log = structlog.get_logger("provider")

LARGEST_TEXT = 1 << 20
"""Bytes of an unpacked frame; a push has a few hundred."""
LOGIN = ""
"""The topic of the answer to a login."""

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds. The server drops a connection that is silent for 20 s or subscribes to nothing for 5 s."""

    connect_s: float = 5.0
    tick_s: float = 0.25
    ping_s: float = 10.0
    silent_s: float = 20.0
    pushless_s: float = 90.0  # pongs without a push through a whole minute's open: the subscriptions are lost
    ack_s: float = 5.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to one topic of a subscription, or to the login (`topic` empty)."""

    topic: str
    success: bool
    error: str


@dataclass(frozen=True, slots=True)
class Push(Generic[T]):
    """What was pushed about one topic."""

    topic: str
    items: Sequence[T]


@dataclass(frozen=True, slots=True)
class Channel(Generic[T]):
    """What one connection carries, in the words of its exchange.

    `read` says what a text means; None for a pong and for what cannot be read. `login` makes the message that
    logs in, anew for each connection; a public channel has none. `subscribe` and `unsubscribe` make the
    messages that begin and end some topics, in their order; a channel whose topics stay needs only the first.

    `all_or_nothing`: a login or topic that is refused or not answered ends the connection; else the other
    topics go on without it. `steady`: something is pushed each minute, so its absence ends the connection.
    """

    url: str
    topics: Sequence[str]
    subscribe: Callable[[Sequence[str]], Iterable[str]]
    ping: str
    read: Callable[[str], Ack | Push[T] | None]
    login: Callable[[], str] | None = None
    unsubscribe: Callable[[Sequence[str]], Iterable[str]] = lambda _: ()
    all_or_nothing: bool = False
    steady: bool = False


class Listener(Protocol[T_contra]):
    """Who takes what a session brings; every call comes from the session's thread."""

    def on_push(self, items: Sequence[T_contra]) -> None: ...

    def on_subscribed(self) -> None:
        """Every topic is answered for: what happens from here on is pushed. Once a connection."""

    def on_refused(self, topic: str, error: str) -> None:
        """The exchange refused a topic, or the login ("")."""

    def on_lost(self, reason: str, retry_in_s: float) -> None:
        """The connection is over, or could not be made."""


class Disconnected(Exception):
    """The connection is over, or could not be made; retry after a pause. Says why."""


class WebSocketSession(Generic[T]):
    """For one thread. `heard_at` is the last sign of life while its topics were open, None before that.

    It begins with the topics of its channel; without any it is not connected.
    """

    def __init__(
        self, channel: Channel[T], listener: Listener[T], stop: Event, timings: Timings | None = None
    ) -> None:
        self._channel = channel
        self._listener = listener
        self._stop = stop
        self._timings = timings or Timings()
        self._topics = tuple(channel.topics)
        self._subscribed = False
        self._unanswered: set[str] = set()
        self.heard_at: datetime | None = None

    def follow(self, topics: Iterable[str]) -> None:
        """Have these topics and no others from the next tick on; from any thread."""
        self._topics = tuple(topics)

    def run(self) -> None:
        """Connect again and again, until stopped."""
        failures = 0
        while not self._stop.is_set():
            if not self._topics:  # the exchange hangs up on who subscribes to nothing
                self._stop.wait(self._timings.tick_s)
                continue
            self._subscribed = False
            try:
                self._converse()
            except Disconnected as fault:
                failures = 0 if self._subscribed else failures
                wait_s = pause_s(failures, self._timings)
                failures += 1
                self._listener.on_lost(str(fault), wait_s)
                self._stop.wait(wait_s)

    def _converse(self) -> None:
        """One connection to its end, which is Disconnected unless we were stopped or have no more topics."""
        channel, timings, topics = self._channel, self._timings, self._topics
        socket = Socket(channel.url, connect_s=timings.connect_s, tick_s=timings.tick_s)
        try:
            self._unanswered = {*topics, LOGIN} if channel.login else set(topics)
            for request in [channel.login()] if channel.login else channel.subscribe(topics):
                socket.send(request)
            started = heard = pushed = pinged = time.monotonic()
            while not self._stop.is_set() and topics:
                if topics is not self._topics:
                    topics = self._change_topics(topics, socket)
                text = socket.receive()
                if text is not None:
                    heard = time.monotonic()
                message = channel.read(text) if text else None
                if isinstance(message, Ack):
                    self._take_ack(message, socket)
                elif isinstance(message, Push):
                    pushed = heard
                    self._unanswered.discard(message.topic)
                overdue = time.monotonic() - started > timings.ack_s
                if not self._subscribed and (overdue or not self._unanswered):
                    self._confirm_subscription()
                if isinstance(message, Push):
                    self._listener.on_push(message.items)
                if text is not None and self._subscribed:
                    self.heard_at = datetime.now(UTC)
                now = time.monotonic()  # a listener that fell behind has kept us waiting
                if now - heard > timings.silent_s:
                    raise Disconnected(f"silent for {now - heard:.1f} s")
                if channel.steady and now - pushed > timings.pushless_s:
                    raise Disconnected(f"no push for {now - pushed:.1f} s")
                if now - pinged >= timings.ping_s:
                    pinged = now
                    socket.send(channel.ping)
        finally:
            socket.close()

    def _take_ack(self, ack: Ack, socket: Socket) -> None:
        if not ack.success:
            self._listener.on_refused(ack.topic, ack.error)
            if self._channel.all_or_nothing:
                raise Disconnected(f"{ack.topic or 'login'} refused: {ack.error}")
        if ack.topic == LOGIN and LOGIN in self._unanswered:
            for request in self._channel.subscribe(self._topics):
                socket.send(request)
        self._unanswered.discard(ack.topic)

    def _change_topics(self, before: Sequence[str], socket: Socket) -> tuple[str, ...]:
        """Begin and end what differs; return the topics of now."""
        now = self._topics
        had, has = set(before), set(now)
        ended = [topic for topic in before if topic not in has]
        begun = [topic for topic in now if topic not in had]
        self._unanswered.difference_update(ended)
        if not self._subscribed:
            self._unanswered.update(begun)
        for requests in (self._channel.unsubscribe(ended), self._channel.subscribe(begun)):
            for request in requests:
                socket.send(request)
        return now

    def _confirm_subscription(self) -> None:
        if self._unanswered and self._channel.all_or_nothing:
            raise Disconnected(f"unanswered for {self._timings.ack_s:g} s: {sorted(self._unanswered)}")
        if self._unanswered:
            log.warning("topics_unanswered", count=len(self._unanswered), first=min(self._unanswered))
        self._subscribed = True
        self._listener.on_subscribed()


class UnreadablePushes:
    """Tells of pushes that cannot be read: the 1st, 2nd, 4th, 8th …, so that a changed format does not fill
    the disk."""

    def __init__(self) -> None:
        self._count = 0

    def report(self, fault: Exception) -> None:
        self._count += 1
        if self._count & (self._count - 1) == 0:
            log.error("push_unreadable", count=self._count, error=str(fault))


class Socket:
    """A connection as a source of texts, for one thread. Raises Disconnected when it is over."""

    def __init__(self, url: str, *, connect_s: float, tick_s: float) -> None:
        """Connect; `tick_s` is how long `receive` waits."""
        try:
            self._socket = websocket.create_connection(
                url, timeout=connect_s, header={"User-Agent": USER_AGENT}, skip_utf8_validation=True
            )
        except (OSError, websocket.WebSocketException, ValueError) as fault:
            raise Disconnected(f"no connection: {type(fault).__name__}: {fault}") from fault
        self._socket.settimeout(tick_s)

    def send(self, text: str) -> None:
        try:
            self._socket.send(text)
        except (OSError, websocket.WebSocketException) as fault:
            raise Disconnected(f"sending failed: {type(fault).__name__}") from fault

    def receive(self) -> str | None:
        """Return the next text; empty for a control frame, None when nothing came in time.

        Text frames are taken as they are, binary ones unpacked from raw deflate.
        """
        try:
            opcode, data = self._socket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            return None
        except (OSError, websocket.WebSocketException) as fault:
            raise Disconnected(f"closed: {type(fault).__name__}") from fault
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Disconnected("closed by the exchange")
        if opcode == websocket.ABNF.OPCODE_BINARY:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, LARGEST_TEXT)
            except zlib.error as fault:
                raise Disconnected(f"a binary frame is not deflated: {fault}") from fault
        elif opcode != websocket.ABNF.OPCODE_TEXT:
            return ""
        text: str = data.decode(errors="replace")
        return text

    def close(self) -> None:
        try:
            self._socket.send_close()
        except (OSError, websocket.WebSocketException):
            pass  # it is over already, which is what we want
        finally:
            self._socket.shutdown()  # type: ignore[no-untyped-call]  # the library's own method lacks a type


def pause_s(failures: int, timings: Timings) -> float:
    """Return how long to wait before the next connection: doubles with each failure, up to a bound."""
    doublings = min(failures, 10)  # bounded: an outage of hours must not overflow
    longest_s = min(timings.first_pause_s * 2.0**doublings, timings.longest_pause_s)
    return round(longest_s * random.uniform(0.5, 1.0), 3)  # noqa: S311 - spreads reconnects, guards nothing
