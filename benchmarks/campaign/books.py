"""Rule 6: our books are the exchange's: fills, filled sizes, and what positions earned, to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from benchmarks.campaign.history import (
    OPENING_SIDES,
    History,
    OurBooks,
    Violation,
    clock,
    holdings,
    is_own_id,
    is_own_plan,
    own_order_ids,
    side_word,
)

CENT = Decimal("0.01")
FUNDING = 3


def violations(history: History, ours: OurBooks) -> Iterator[Violation]:
    yield from _fills_differ(history, ours)
    yield from _filled_sizes_differ(history, ours)
    yield from _results_differ(history, ours)


def _fills_differ(history: History, ours: OurBooks) -> Iterator[Violation]:
    """Fills of our orders, of the stops and targets they carried, and by hand in positions of ours."""
    books = history.final
    orders = own_order_ids(books)
    plans = {f"PLAN_{plan['order_id']}" for plan in books["plans"] if is_own_plan(plan, orders)}
    of_ours = {fill["trade_id"] for held in holdings(books) if held.is_ours for fill in held.fills}
    stored = {row["trade_id"]: row for row in ours.fills}
    for fill in books["fills"]:
        client_id, trade_id = fill["client_order_id"], str(fill["trade_id"])
        is_ours = is_own_id(client_id) or client_id in plans or fill["trade_id"] in of_ours
        words = (
            f"{fill['symbol']} fill {trade_id} of {client_id} ({clock(fill['at_ms'] / 1000)}): "
            f"{fill['contracts']} at {fill['price']}, fee {fill['fee']}"
        )
        row = stored.pop(trade_id, None)
        if row is None:
            if is_ours:
                yield Violation(6, f"{words}: not in our books; {history.before(fill['at_ms'] / 1000)}")
        elif _figures(row["size"], row["price"], row["fee"]) != _figures(
            fill["contracts"], fill["price"], fill["fee"]
        ):
            said = f"{words}: our books say {row['size']} at {row['price']}, fee {row['fee']}"
            yield Violation(6, f"{said}; {history.before(fill['at_ms'] / 1000)}")
    for trade_id, row in stored.items():
        yield Violation(6, f"{row['symbol']} fill {trade_id} of {row['size']}: the exchange has none such")


def _filled_sizes_differ(history: History, ours: OurBooks) -> Iterator[Violation]:
    there = {row["client_order_id"]: row for row in history.final["orders"]}
    for row in ours.orders:
        order = there.get(row["client_order_id"])
        filled = Decimal(order["filled"]) if order else Decimal(0)
        if (order is None or order["side"] in OPENING_SIDES) and row["filled"] != filled:
            at = order["updated_ms"] / 1000 if order else 0.0
            words = (
                f"{row['symbol']} {row['client_order_id']} ({row['status']}): our books say {row['filled']}"
            )
            since = f"{clock(at)}; {history.before(at)}" if order else "which does not have it"
            yield Violation(6, f"{words} filled, the exchange {filled}, {since}")


def _results_differ(history: History, ours: OurBooks) -> Iterator[Violation]:
    """By symbol and side: what our positions earned, and what the exchange booked for them.

    Funding has no side at the exchange: it is counted where only one of us held the symbol.
    """
    books = history.final
    booked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    last_ms: dict[tuple[str, str], int] = {}
    users: dict[str, set[bool]] = defaultdict(set)
    for held in holdings(books):
        users[held.symbol].add(held.is_ours)
        if held.is_ours:
            key = held.symbol, side_word(held.position_type)
            last_ms[key] = held.fills[-1]["at_ms"]
            booked[key] += sum(
                (Decimal(fill["realised"]) - Decimal(fill["fee"]) for fill in held.fills), Decimal(0)
            )
    for line in books["ledger"]:
        if line["flow_type"] == FUNDING and users[line["symbol"]] == {True}:
            [key] = [key for key in last_ms if key[0] == line["symbol"]]
            booked[key] += Decimal(line["amount"])
    earned: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in ours.positions:
        if row["decision_key"]:
            earned[row["symbol"], row["side"]] += row["realised_usdt"] or Decimal(0)
    for key in sorted(set(last_ms) | set(earned)):
        if abs(earned[key] - booked[key]) >= CENT:
            rows = [row for row in ours.positions if (row["symbol"], row["side"]) == key]
            words = "{decision_key} {status} {size} {realised_usdt}"
            stored = "; ".join(words.format(**row).strip() for row in rows)
            at = last_ms.get(key, 0) / 1000
            yield Violation(
                6,
                f"{' '.join(key)}: our closed positions earned {earned[key]:.4f} USDT ({stored}), the "
                f"exchange booked {booked[key]:.4f}, last {clock(at)}; {history.before(at)}",
            )


def _figures(*numbers: Any) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in numbers)
