"""One whole minute, from the exchange's pushes to the explanation, through real processes and sockets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.system.processes import ENTERING, STREAM, WORKER, Processes, run_processes
from tests.system.tables import Row
from tests.system.until import until

SYMBOLS = 4
PROFILES = ["regular", "scalper", "scalper_micro"]
YOUNG = timedelta(seconds=45)
"""A minute this old still has the 10 s that a busy machine may need before its 55 s are over."""
DATA_FAULTS = {
    "not_enough_klines",
    "candle_gap",
    "NO_KLINES",
    "missing_data",
    "candle_late",
    "indicator_error",
}

REMEMBERED = (
    "SELECT * FROM mtf_run WHERE trigger = 'beat' ORDER BY id",
    "SELECT * FROM mtf_audit ORDER BY id",
    "SELECT * FROM validation_cache ORDER BY cache_key",
    "SELECT symbol, timeframe, kline_time, updated_at FROM indicator_snapshots ORDER BY 1, 2, 3",
)


def test_a_minute_is_judged_once_for_every_profile_and_symbol_remembered_and_explained(var: Path) -> None:
    with run_processes(var, symbols=SYMBOLS, names=(STREAM, WORKER, ENTERING)) as system:
        symbols = _await_history(system)
        at = _fire_a_minute(system)
        runs = until("every profile decided", lambda: _decided(system, at), patience_s=30)
        _every_symbol_is_judged(system, runs, symbols)
        _the_rooms_remember(system, at, runs, symbols)
        _the_same_minute_again_changes_nothing_while_a_person_gets_an_answer(system, at, symbols)
        _the_explanation_is_equal(system, at, symbols[0])


def _await_history(system: Processes) -> list[str]:
    def complete() -> bool:
        assert system.are_alive(), system.log(STREAM) + system.log(WORKER)
        return system.tables.count("stream_health") == 1 and system.tables.history_is("complete")

    until("every window of every symbol", complete, patience_s=60)
    symbols = [row["symbol"] for row in system.tables.rows("SELECT symbol FROM contracts ORDER BY symbol")]
    assert len(symbols) == SYMBOLS
    return symbols


def _fire_a_minute(system: Processes) -> datetime:
    """Fire the minute just over while it is young, else the next one: the worker waits for its candles."""
    now = datetime.now(UTC)
    at = now.replace(second=0, microsecond=0)
    if now - at > YOUNG:
        at += timedelta(minutes=1)
    system.fire(at)
    return at


def _decided(system: Processes, at: datetime) -> list[Row]:
    runs = system.tables.runs(at)
    return runs if len(runs) == len(PROFILES) else []


def _every_symbol_is_judged(system: Processes, runs: list[Row], symbols: list[str]) -> None:
    assert [run["profile"] for run in runs] == PROFILES
    for run in runs:
        counts = run["counts"]
        assert counts["symbols"] == counts["ready"] + sum(counts["by_cause"].values()) == SYMBOLS
    outcomes = system.tables.rows("SELECT profile, symbol, timeframe, outcome, reason FROM mtf_state")
    assert {(o["profile"], o["symbol"]) for o in outcomes} == {(p, s) for p in PROFILES for s in symbols}
    assert not [o for o in outcomes if o["reason"] in DATA_FAULTS]


def _the_rooms_remember(system: Processes, at: datetime, runs: list[Row], symbols: list[str]) -> None:
    ids = [run["run_id"] for run in runs]
    audit = system.tables.rows("SELECT symbol, run_id FROM mtf_audit WHERE run_id = ANY(%(ids)s)", ids=ids)
    assert sorted((a["run_id"], a["symbol"]) for a in audit) == sorted((i, s) for i in ids for s in symbols)
    snapshots = system.tables.rows(
        "SELECT symbol, values FROM indicator_snapshots WHERE timeframe = '1m' AND kline_time = %(opened)s",
        opened=at - timedelta(minutes=1),
    )
    assert sorted(row["symbol"] for row in snapshots) == symbols
    assert all(row["values"] for row in snapshots)
    timeframes = system.tables.rows("SELECT DISTINCT timeframe::text FROM indicator_snapshots")
    assert {row["timeframe"] for row in timeframes} == {"1m", "5m", "15m", "1h", "4h", "1d"}


def _the_same_minute_again_changes_nothing_while_a_person_gets_an_answer(
    system: Processes, at: datetime, symbols: list[str]
) -> None:
    """The one worker takes messages in turn: once the person has the answer, the minutes before are done."""
    before = [system.tables.rows(query) for query in REMEMBERED]
    system.fire(at)
    system.fire(at)
    result = json.loads(system.manage("mtf_run", "--json"))
    assert result["status"] == "success"
    assert [entry["symbol"] for entry in result["results"]] == symbols
    assert result["orders_placed"] == []
    assert [system.tables.rows(query) for query in REMEMBERED] == before


def _the_explanation_is_equal(system: Processes, at: datetime, symbol: str) -> None:
    lines = system.manage("mtf_explain", symbol, at.isoformat(), "--json").splitlines()
    printed = [json.loads(line) for line in lines]
    assert sorted(line["verdict"]["profile"] for line in printed) == PROFILES
    for line in printed:
        assert line["equal"] is True, line["comparison"]
        assert [t for t in line["verdict"]["timeframes"] if t["leaves"]]
