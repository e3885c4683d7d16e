"""The whole account as the exchange shows it, read in the order that following needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol, TypeVar

import structlog

from apps.engine.follow.orders import due_lookups, suspect_lookups
from apps.engine.follow.reconcile import OWN_ID_PREFIX, Differences, compare
from apps.engine.ports import Broker, BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.order import OrderReport
from apps.engine.values.venue import VenueConstraints
from apps.orders.store import round_report

log = structlog.get_logger("positions")

BROKER_FAULTS = (BrokerRejected, BrokerUnknown, BrokerUnavailable)
TRADES_BEFORE = timedelta(hours=1)
"""Trades are read from so long before the first thing in the book on: of positions just closed as well."""


class _HasSymbol(Protocol):
    @property
    def symbol(self) -> str: ...


T = TypeVar("T", bound=_HasSymbol)
BookOf = Callable[[str], SymbolBook]


@dataclass(frozen=True, slots=True)
class AccountView:
    """`seen` by symbol: those of our books, and all that the exchange shows. `traded`: whose trades it has.

    A symbol that could not be read completely is absent: it is followed at the next survey. Its numbers are
    rounded as the books keep them.
    """

    seen: Mapping[str, ExchangeBook]
    traded: frozenset[str]


def read_account(
    broker: Broker,
    books: Mapping[str, SymbolBook],
    book_of: BookOf,
    *,
    constraints: VenueConstraints,
    trades_of: Collection[str],
    now: datetime,
) -> AccountView:
    """Read the account by three calls, then what single symbols need. `now` is before the first of them.

    `books` are those to be compared in any case; `book_of` gives the others that turn up. Trades are read of
    `trades_of`, and wherever the books differ. Raises what the three calls raise.
    """
    orders = _by_symbol(_read_rows(broker.orders, books))
    ours = {row.symbol for row in chain(*orders.values()) if row.client_order_id.startswith(OWN_ID_PREFIX)}
    books = _with_books_of(ours, books, book_of)
    looked_up = {
        symbol: _look_up_orders(broker, symbol, due_lookups(book, orders[symbol], constraints, now))
        for symbol, book in books.items()
    }
    positions = _by_symbol(broker.positions())
    books = _with_books_of(positions, books, book_of)
    doubtful = {
        symbol: ids for symbol, book in books.items() if (ids := suspect_lookups(book, positions[symbol]))
    }
    cleared = {symbol: _look_up_orders(broker, symbol, ids) for symbol, ids in doubtful.items()}
    if doubtful:
        positions = _by_symbol(broker.positions())
    protections = _by_symbol(_read_rows(broker.protections, books))
    books = _with_books_of([*positions, *protections], books, book_of)
    seen = {
        symbol: ExchangeBook(
            symbol=symbol,
            read_at=now,
            orders=tuple(map(round_report, orders[symbol])),
            looked_up={**looked_up.get(symbol, {}), **cleared.get(symbol, {})},
            positions=tuple(map(round_report, positions[symbol])),
            protections=tuple(map(round_report, protections[symbol])),
        )
        for symbol in books
        if len(cleared.get(symbol, ())) == len(doubtful.get(symbol, ()))
    }
    wanted = [
        view
        for symbol, view in seen.items()
        if symbol in trades_of or compare(books[symbol], view) != Differences()
    ]
    traded = {view.symbol: view for view in _with_trades(broker, books, wanted, now)}
    return AccountView({**seen, **traded}, frozenset(traded))


def _with_books_of(
    symbols: Iterable[str], books: Mapping[str, SymbolBook], book_of: BookOf
) -> dict[str, SymbolBook]:
    return {**books, **{symbol: book_of(symbol) for symbol in symbols if symbol not in books}}


def _read_rows(read: Callable[[str | None], list[T]], symbols: Collection[str]) -> list[T]:
    """Return the account's rows by one call; where they do not fit into one answer, those of `symbols`."""
    try:
        return read(None)
    except BrokerUnavailable as fault:
        rows = [row for symbol in symbols for row in read(symbol)]
        if not symbols:
            raise
        log.warning("read_by_symbol", error=str(fault))
        return rows


def _by_symbol(rows: Iterable[T]) -> defaultdict[str, list[T]]:
    by_symbol: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        by_symbol[row.symbol].append(row)
    return by_symbol


def _look_up_orders(broker: Broker, symbol: str, client_ids: Iterable[str]) -> dict[str, OrderReport | None]:
    """Return only the look-ups that were answered: one that failed is not an order that is absent."""
    answers: dict[str, OrderReport | None] = {}
    for client_id in client_ids:
        try:
            report = broker.order(symbol, client_id)
            answers[client_id] = None if report is None else round_report(report)
        except BROKER_FAULTS as fault:
            log.warning("look_up_failed", symbol=symbol, client_order_id=client_id, error=str(fault))
    return answers


def _with_trades(
    broker: Broker, books: Mapping[str, SymbolBook], views: Iterable[ExchangeBook], now: datetime
) -> Iterator[ExchangeBook]:
    """Yield each view with the symbol's trades since its first order or position; none that is unreadable."""
    for view in views:
        book = books[view.symbol]
        starts = [*(order.sent_at for order in book.orders), *(held.opened_at for held in book.positions)]
        try:
            fills = broker.fills(view.symbol, min([now, *starts]) - TRADES_BEFORE)
        except BROKER_FAULTS as fault:
            log.warning("trades_unreadable", symbol=view.symbol, error=str(fault))
            continue
        yield replace(view, fills=tuple(map(round_report, fills)))
