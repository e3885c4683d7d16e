"""The quote board: what the stream process heard last of who is wanted, in Redis, gone after seconds.

Nothing here is durable and nothing raises: without Redis there are no quotes, and who needs one asks the
venue.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TypeVar

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.engine.values.position import QUOTE_MAX_AGE_S, Quote

log = structlog.get_logger("market")

T = TypeVar("T")

WANTED = "quotes_wanted"
"""Symbol → the Unix second until which it is wanted."""
LONGEST_WANT_S = 3600.0
MAX_AGE = timedelta(seconds=QUOTE_MAX_AGE_S)
TIMEOUT_S = 0.2
"""Protection and the minute wait for it: a quote is not worth more."""
LEAVE_REDIS_S = 5.0
"""A Redis that hangs would cost each call its time-outs: it is not asked for this long."""


def want(symbols: Iterable[str], for_s: float) -> None:
    """Have the quotes of `symbols` streamed for so many seconds from now (an hour at most).

    A symbol that is wanted for longer already stays so.
    """
    until = time.time() + min(for_s, LONGEST_WANT_S)
    wants = dict.fromkeys(symbols, until)
    if not wants:
        return

    def ask(client: redis.Redis) -> None:
        with client.pipeline(transaction=False) as pipe:
            pipe.zadd(WANTED, wants, gt=True)
            pipe.expire(WANTED, round(LONGEST_WANT_S))
            pipe.execute()

    _link(settings.REDIS_URL).ask(ask, None)


def wanted(now: datetime, most: int) -> set[str]:
    """Return whose quotes are wanted at `now`: of more than `most` those that are wanted for longest."""

    def ask(client: redis.Redis) -> list[bytes]:
        with client.pipeline(transaction=False) as pipe:
            pipe.zremrangebyscore(WANTED, "-inf", now.timestamp())
            pipe.zrevrange(WANTED, 0, most - 1)
            names: list[bytes] = pipe.execute()[1]
        return names

    names: list[bytes] = _link(settings.REDIS_URL).ask(ask, [])
    return {name.decode() for name in names}


def put(quotes: Iterable[Quote]) -> None:
    """Show these quotes, one a symbol, until they are 3 s old; however our clock is set, none for longer."""
    now = datetime.now(UTC)
    left_ms = {quote: (quote.at + MAX_AGE - now) // timedelta(milliseconds=1) for quote in quotes}
    young = {quote: min(ms, QUOTE_MAX_AGE_S * 1000) for quote, ms in left_ms.items() if ms > 0}
    if not young:
        return

    def ask(client: redis.Redis) -> None:
        with client.pipeline(transaction=False) as pipe:
            for quote, ms in young.items():
                pipe.set(_key(quote.symbol), _text(quote), px=ms)
            pipe.execute()

    _link(settings.REDIS_URL).ask(ask, None)


def read(symbols: Iterable[str]) -> dict[str, Quote]:
    """Return the quotes of `symbols` that are on the board and younger than 3 s."""
    names = list(dict.fromkeys(symbols))
    if not names:
        return {}
    texts: list[bytes | str | None] = _link(settings.REDIS_URL).ask(
        lambda client: client.mget([_key(name) for name in names]), []
    )
    now = datetime.now(UTC)
    shown = {}
    for name, text in zip(names, texts, strict=False):
        try:
            quote = None if text is None else _quote(name, text)
            is_young = quote is not None and now - quote.at < MAX_AGE
        except (ValueError, TypeError, InvalidOperation) as fault:  # what another version wrote
            log.error("quote_unreadable", symbol=name, error=f"{type(fault).__name__}: {fault}")
            continue
        if quote is not None and is_young:
            shown[name] = quote
    return shown


class _Link:
    """One process's way to Redis; says once that it is gone, and that it is back. Threads may share it."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 1)
        )
        self._is_away = False
        self._left_until = 0.0

    def ask(self, call: Callable[[redis.Redis], T], otherwise: T) -> T:
        """Return what `call` returns; `otherwise` when Redis does not answer."""
        if time.monotonic() < self._left_until:
            return otherwise
        try:
            answer = call(self._client)
        except redis.RedisError as fault:
            if isinstance(fault, redis.TimeoutError):
                self._left_until = time.monotonic() + LEAVE_REDIS_S
            if not self._is_away:
                self._is_away = True
                effect = "no pushed quotes: they are read of the venue, and spreads are unknown"
                log.error("quotes_unreachable", error=type(fault).__name__, effect=effect)
            return otherwise
        if self._is_away:
            self._is_away = False
            log.info("quotes_reachable_again")
        return answer


@cache
def _link(url: str) -> _Link:
    return _Link(url)


def _key(symbol: str) -> str:
    return f"quote:{symbol}"


def _text(quote: Quote) -> str:
    prices = [str(price) for price in (quote.bid, quote.ask, quote.mark, quote.last)]
    return json.dumps([*prices, quote.at.isoformat()])


def _quote(symbol: str, text: bytes | str) -> Quote:
    bid, ask, mark, last, at = json.loads(text)
    return Quote(symbol, Decimal(bid), Decimal(ask), Decimal(mark), Decimal(last), datetime.fromisoformat(at))
