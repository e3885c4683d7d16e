"""The dead man's switches of an account's symbols: armed while an entry of ours rests, and while we live."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from apps.engine import events
from apps.engine.cycle.view import BROKER_FAULTS
from apps.engine.follow.dead_man import MAY_FIRE_FOR, RENEWED_AFTER, TIMEOUT_S, dead_man_timeout_s
from apps.engine.follow.symbol import EARLIEST
from apps.engine.ports.account import Broker, BrokerRateLimited, BrokerUnknown
from apps.engine.ports.clock import Clock
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.live.watch.books import Books


class DeadManSwitches:
    """Remembers which symbols' switches were armed at the exchange, and when; when each is due is decided by
    `dead_man_timeout_s`."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._armed_at: dict[str, datetime] | None = None  # until it is asked for first

    def armed_symbols(self, books: Books) -> Collection[str]:
        """Return the symbols whose switches may still fire: they must be read although nothing is booked.

        At first those where the process before may have armed one: when it did is not known.
        """
        if self._armed_at is None:
            now = self._clock()
            symbols = books.symbols_entered_since(now - timedelta(seconds=TIMEOUT_S))
            self._armed_at = dict.fromkeys(symbols, now - RENEWED_AFTER)
        return self._armed_at

    def renew(
        self, books: Books, booked: Mapping[str, SymbolBook], listed: Mapping[str, ExchangeBook]
    ) -> bool:
        """Arm, renew and disarm where that is due: first disarm where an order rests that is not ours, then
        those armed longest ago. False where the exchange's limit leaves the rest to the next look.

        `booked` and `listed` are of the same symbols. What fails is recorded in `books`, and due again.
        """
        now = self._clock()
        armed_at = self._armed_at = {} if self._armed_at is None else self._armed_at
        timeouts_s = {
            symbol: dead_man_timeout_s(book, listed[symbol], armed_at.get(symbol), now)
            for symbol, book in booked.items()
        }

        def turn(symbol: str) -> tuple[bool, datetime]:
            would_hurt = timeouts_s[symbol] == 0 and bool(listed[symbol].orders)
            return not would_hurt, armed_at.get(symbol, EARLIEST)

        for symbol in sorted(booked, key=turn):
            timeout_s = timeouts_s[symbol]
            if timeout_s is None:
                continue
            try:
                self._broker.cancel_after(symbol, timeout_s)
            except BrokerRateLimited:
                return False
            except BROKER_FAULTS as fault:
                failed = events.CallFailed(symbol=symbol, at=now, call="cancel_after", detail=str(fault))
                books.record([failed])
                if isinstance(fault, BrokerUnknown):  # it may be armed: to be renewed, or disarmed, at once
                    armed_at[symbol] = now - RENEWED_AFTER
                continue
            if timeout_s:
                armed_at[symbol] = now
            else:
                armed_at.pop(symbol, None)
        self._armed_at = {symbol: at for symbol, at in armed_at.items() if now - at < MAY_FIRE_FOR}
        return True
