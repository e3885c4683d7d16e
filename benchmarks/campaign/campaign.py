"""One campaign from the start of every process to the day on which everything is settled again."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
import requests
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.campaign import books
from benchmarks.campaign.attacker import Attacker
from benchmarks.campaign.hand import Hand, resting_orders
from benchmarks.campaign.history import LONG, SHORT, History, OurBooks, clock
from benchmarks.campaign.judge import read_our_books
from benchmarks.campaign.person import Person
from benchmarks.campaign.recorder import Recorder
from benchmarks.campaign.timetable import timetable
from benchmarks.campaign.trader import Trader
from benchmarks.trading.system import SHARED, NotInTime, TradingSystem, run_trading_system
from launch.supervisor import Supervisor

SYMBOLS = 16
BY_HAND = 4
"""So many of them are traded by hand alone."""
BALANCE_USDT = 10_000
SCREEN = Console(stderr=True)
"""Progress is for people: standard output holds the result alone."""
RECONCILED = "SELECT 1 FROM watch_state WHERE reconciled_at IS NOT NULL AND read_at > now() - interval '10 s'"
IN_DOUBT = """
    SELECT symbol || ' order ' || client_order_id || ' ' || status::text || ' since '
           || to_char(sent_at, 'HH24:MI:SS') AS words FROM exchange_order
    WHERE status::text IN ('SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIALLY_FILLED')
    UNION ALL SELECT symbol || ' ' || side::text || ' ' || status::text || ' since '
           || to_char(opened_at, 'HH24:MI:SS') FROM position
    WHERE status::text IN ('OPENING', 'NAKED', 'CLOSING')
    UNION ALL SELECT 'not reconciled' FROM watch_state WHERE reconciled_at IS NULL
"""
STATE = (
    "SELECT *, now() FROM watch_state",
    "SELECT id, symbol, side::text, status::text, decision_key, size, max_size, closed_at, "
    "(SELECT array_agg(opens || ':' || fill.size) FROM fill WHERE position_id = position.id) AS fills "
    "FROM position ORDER BY id",
    "SELECT symbol, client_order_id, status::text, size, filled FROM exchange_order ORDER BY id",
)
"""What is noted when something is not settled in time."""
SETTLED_S, FREE_S, EQUAL_S = 45.0, 25.0, 20.0
"""Patience with an idle machine: an order that never arrived takes 70 s and more."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What was seen and done, our books afterwards, how often what was done, and what became of entries."""

    history: History
    ours: OurBooks
    counts: dict[str, int]
    outcomes: dict[str, int]


def run_campaign(var: Path, *, seed: int, seconds: float, keep: Path | None = None) -> Campaign:
    """Attack for so many seconds and settle; `keep`: a folder for the logs, for what was done, and for the
    exchange's books and ours in the end."""
    history = History()
    supervisor = Supervisor(var / "pids", say=lambda text: history.note(text.splitlines()[0]))
    try:
        with run_trading_system(var, supervisor, symbols=SYMBOLS, balance=BALANCE_USDT) as system:
            campaign = _attack(system, history, seed, seconds)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            both = {"exchange": history.final, "ours": asdict(campaign.ours)}
            (keep / "books.json").write_text(json.dumps(both, indent=1, default=str), encoding="utf-8")
        return campaign
    finally:
        if keep is not None:
            shutil.copytree(var / "log", keep, dirs_exist_ok=True)
            lines = [f"{clock(action.at)} {action.what}\n" for action in history.actions]
            (keep / "actions.log").write_text("".join(lines), encoding="utf-8")


def _attack(system: TradingSystem, history: History, seed: int, seconds: float) -> Campaign:
    system.until("contracts", lambda: system.decider.ask("contracts"), patience_s=30)
    hand = Hand(system.url, history)
    symbols = hand.read_contracts()
    traded, by_hand = symbols[BY_HAND:], symbols[:BY_HAND]
    system.until("reconciled", lambda: system.tables.rows(RECONCILED), patience_s=60)
    sides = {symbol: (LONG, SHORT)[n % 2] for n, symbol in enumerate(traded)}
    recorder = Recorder(system.url, history)
    attacker = Attacker(system, history, timetable(seed, seconds, traded), seed)
    trader = Trader(system, history, recorder, sides, seed)
    person = Person(hand, recorder, sides, by_hand, seed)
    threads = (recorder, trader, person, attacker)
    for thread in threads:
        thread.start()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=SCREEN, transient=True) as progress:
        task = progress.add_task("chaos", total=seconds)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            system.tend()
            attacker.note_returns()
            n, held = attacker.counts, len(recorder.books["positions"])
            words = (
                f"kills {n['kill']}, faults {n['fault']}, orders {len(recorder.books['orders'])}, held {held}"
            )
            progress.update(task, description=words, completed=seconds - (ends - time.monotonic()))
            time.sleep(0.05)
        progress.update(task, description="settling", total=None)
        _settle(system, history, attacker, (trader, person), hand)
    recorder.end()
    history.final = system.books()
    counts = dict(attacker.counts)
    return Campaign(history, read_our_books(system.tables), counts, dict(trader.outcomes))


def _settle(
    system: TradingSystem,
    history: History,
    attacker: Attacker,
    traders: tuple[Trader, Person],
    hand: Hand,
) -> None:
    """End all faults, wait until nothing is in doubt, close everything by hand, wait until all is clean."""

    def reached(what: str, ask: Callable[[], bool], patience_s: float) -> None:
        def asked() -> bool:
            attacker.note_returns()
            return ask()

        shortened = SHARED if history.unsettled else 1  # where one thing hangs, others will
        try:
            system.until(what, asked, patience_s=patience_s / shortened)
        except NotInTime as fault:
            doubts = "; ".join(row["words"] for row in system.tables.rows(IN_DOUBT))
            history.unsettled.append(
                f"{str(fault).splitlines()[0]} ({doubts or 'nothing of ours is in doubt'})"
            )
            for row in (row for query in STATE for row in system.tables.rows(query)):
                history.note(f"our books: {row}")

    def ended() -> bool:
        return not attacker.is_alive() and attacker.calm()

    def flat() -> bool:
        now = system.books()
        for order in resting_orders(now):
            hand.cancel(order)
        for position in now["positions"]:
            hand.close(position)
        return not now["positions"]

    def equal() -> bool:
        history.final = system.books()
        return not list(books.violations(history, read_our_books(system.tables)))

    reached("every fault has ended and every process runs", ended, 30)
    for trader in traders:
        trader.end()
    history.note("all faults have ended")
    reached("nothing is in doubt", system.settled, SETTLED_S)
    reached("reconciled", lambda: bool(system.tables.rows(RECONCILED)), 30)
    reached("everything is closed by hand", flat, 30)
    reached("every symbol is free", system.free, FREE_S)
    with contextlib.suppress(NotInTime, psycopg.Error, requests.RequestException):
        system.until("the books are equal", equal, patience_s=EQUAL_S)  # what differs is said by the judge
