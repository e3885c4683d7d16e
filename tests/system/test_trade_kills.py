"""kill -9 of whatever trades, in the middle of trading; judged from the exchange's own books.

TRADE_KILLS=20 asks for so many kills of each kind, TRADE_KILLS_SEED for other moments.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from benchmarks.trading.system import SUBMIT, TradingSystem
from tests.system.trading_system import run_trading_system
from tests.system.unprotected import Unprotected, slowness

KILLS = int(os.environ.get("TRADE_KILLS", "2"))
SEED = int(os.environ.get("TRADE_KILLS_SEED", "1"))
TOGETHER = 3
LONGEST_UNPROTECTED_S = 10
NEVER_ARRIVED_S = 150
"""10 s to be signed, 70 s for the signature to end, and a busy machine."""
RECONCILED = "SELECT 1 FROM watch_state WHERE reconciled_at IS NOT NULL AND read_at > now() - interval '10 s'"


@dataclass(frozen=True)
class Moment:
    """One kill: the `n`-th, while `symbols` are entered, at a time `chance` decides."""

    house: TradingSystem
    unprotected: Unprotected
    chance: random.Random
    symbols: list[str]
    n: int

    def decided(self, symbols: list[str]) -> str:
        """A run that is READY for these symbols."""
        return str(self.house.decider.ask("decide", name=f"always_{self.n}", symbols=symbols))

    def pass_at_most(self, seconds: float) -> None:
        time.sleep(self.chance.uniform(0, seconds))


def worker_between_claim_and_answer(moment: Moment) -> None:
    house = moment.house
    first, others = moment.symbols[:1], moment.symbols[1:]
    house.decider.ask("send_entries", symbols=first)  # an entry may expire unfilled: this one trades for sure
    before = len(house.books()["orders"])
    run = moment.decided(others)
    house.switch(hold_answer_s={SUBMIT: 60})
    house.enter(run, others)
    house.until("an order arrived", lambda: len(house.books()["orders"]) > before, patience_s=30)
    moment.pass_at_most(1)
    house.kill("worker-exchange")
    house.switch(hold_answer_s={})


def watch_right_after_a_fill(moment: Moment) -> None:
    moment.house.decider.ask("send_entries", symbols=moment.symbols[:1])
    moment.pass_at_most(0.4)
    moment.house.kill("watch")
    moment.house.decider.ask("send_entries", symbols=moment.symbols[1:])


def simulator_itself(moment: Moment) -> None:
    house = moment.house
    _enter(moment)
    moment.pass_at_most(1.5)
    house.kill("simulator")
    moment.pass_at_most(3)
    house.tend()
    house.until("the exchange answers", house.books, patience_s=30)
    house.switch(preset_on_partial="never")


def postgres_during_entries(moment: Moment) -> None:
    _enter(moment)
    moment.pass_at_most(1.5)
    moment.unprotected.pause()
    moment.house.kill("postgres")
    moment.house.tend()
    moment.unprotected.go_on()


def valkey_during_entries(moment: Moment) -> None:
    _enter(moment)
    moment.pass_at_most(1.5)
    moment.house.kill("valkey")
    moment.house.tend()


def _enter(moment: Moment) -> None:
    """One symbol fills at once, the others are entered by the worker meanwhile."""
    first, others = moment.symbols[:1], moment.symbols[1:]
    run = moment.decided(others)
    moment.house.decider.ask("send_entries", symbols=first)
    moment.house.enter(run, others)


KINDS: list[Callable[[Moment], None]] = [
    worker_between_claim_and_answer,
    watch_right_after_a_fill,
    simulator_itself,
    postgres_during_entries,
    valkey_during_entries,
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kill_leaves_no_second_order_no_naked_position_no_lasting_lock_and_equal_books(
    var: Path, kind: Callable[[Moment], None]
) -> None:
    chance = random.Random(f"{SEED} {kind.__name__}")
    with run_trading_system(var) as house:
        symbols = house.until("contracts", lambda: house.decider.ask("contracts"), patience_s=30)
        house.until("reconciled", lambda: house.tables.rows(RECONCILED), patience_s=60)
        unprotected = Unprotected(house.books)
        slowest = 1.0
        with unprotected.watching():
            for n in range(KILLS):
                slowest = max(slowest, slowness())
                kind(Moment(house, unprotected, chance, chance.sample(symbols, TOGETHER), n))
                house.until("settled", house.settled, patience_s=NEVER_ARRIVED_S)
                house.until("reconciled", lambda: house.tables.rows(RECONCILED), patience_s=60)
                house.until("closed", lambda: house.decider.ask("close_all") >= 0, patience_s=30)
                house.until("every symbol is free", house.free, patience_s=60)
        _one_order_a_decision(house)
        _books_equal(house)
        statuses = Counter(
            row["status"] for row in house.tables.rows("SELECT status::text FROM exchange_order")
        )
        longest = f"unprotected {unprotected.longest_s:.1f} s, machine {slowest:.1f} times slower than idle"
        print(f"{kind.__name__}: {KILLS} kills, {longest}, {dict(statuses)}")
        assert unprotected.longest_s <= LONGEST_UNPROTECTED_S * slowest


def _one_order_a_decision(house: TradingSystem) -> None:
    arrived = [order["client_order_id"] for order in house.books()["orders"] if order["side"] in (1, 4)]
    ours = house.tables.rows("SELECT client_order_id, decision_key, status::text FROM exchange_order")
    decided = {row["client_order_id"]: row["decision_key"] for row in ours}
    assert set(arrived) <= set(decided), "an order at the exchange that our books do not know"
    doubled = [key for key, n in Counter(decided[order] for order in arrived).items() if n > 1]
    assert not doubled
    given_up = {row["client_order_id"] for row in ours if row["status"] in ("NEVER_ARRIVED", "DENIED")}
    assert not given_up & set(arrived)


def _books_equal(house: TradingSystem) -> None:
    books = house.books()
    assert books["positions"] == books["protections"] == []
    stored = house.tables.rows("SELECT trade_id, size, price, fee FROM fill")
    there = {
        str(fill["trade_id"]): _figures(fill["contracts"], fill["price"], fill["fee"])
        for fill in books["fills"]
    }
    assert {row["trade_id"]: _figures(row["size"], row["price"], row["fee"]) for row in stored} == there
    earned = house.tables.rows("SELECT sum(realised_usdt) AS sum FROM position")[0]["sum"] or Decimal(0)
    booked = sum((Decimal(line["amount"]) for line in books["ledger"] if line["symbol"]), Decimal(0))
    assert earned == booked
    assert there, "nothing was traded: this proved nothing"


def _figures(*numbers: Any) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in numbers)
