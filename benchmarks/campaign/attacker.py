"""Does what the timetable says: kills, pauses, faults of the exchange, kill switches."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests

from benchmarks.campaign.history import Absence, History, SwitchOff
from benchmarks.campaign.timetable import BACKEND, HEALTHY, Disturbance
from benchmarks.trading.system import TradingSystem

COUNTED = (
    "answer_429",
    "answer_418",
    "answer_503",
    "drop_answers",
    "empty_lists",
    "fill_after_cancel",
    "user_drop",
)
"""Switches that the exchange uses up: not to be set again when it comes back."""
NAP_S = 0.02
SWITCH = """
    INSERT INTO mtf_switch (switch_key, is_on, reason, changed_by, created_at, updated_at)
    VALUES (%(key)s, %(is_on)s, 'the campaign', 'operator', now(), now())
    ON CONFLICT (switch_key) DO UPDATE SET is_on = EXCLUDED.is_on, reason = EXCLUDED.reason,
        changed_by = EXCLUDED.changed_by, updated_at = now()
"""
OFF = "SELECT switch_key, changed_by, reason FROM mtf_switch WHERE NOT is_on"


@dataclass(frozen=True, slots=True)
class Killed:
    """A process that was killed and is not known to be back; `log_size` of its log then."""

    name: str
    pid: int
    at: float
    log_size: int


class Attacker(threading.Thread):
    """Carries out `planned` from its start on; `calm` puts everything right again."""

    def __init__(
        self, system: TradingSystem, history: History, planned: Sequence[Disturbance], seed: int
    ) -> None:
        super().__init__(name="attacker", daemon=True)
        self._system = system
        self._history = history
        self._chance = random.Random(f"{seed} backends")  # noqa: S311 - must be repeatable, guards nothing
        steps = [(each.begins_s, True, each) for each in planned]
        steps += [(each.ends_s, False, each) for each in planned if each.kind != "kill"]
        self._steps = sorted(steps, key=lambda step: step[0])
        self._faults: dict[str, Any] = {}
        self._exchange_pid: int | None = None
        self._paused: dict[str, tuple[list[int], float]] = {}
        self._killed: list[Killed] = []
        self._off: dict[str, float] = {}
        self._clearing: set[str] = set()
        self._blocked_at: float | None = None
        self._fault: Exception | None = None
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        began = time.time()
        try:
            for at_s, begins, each in self._steps:
                while time.time() < began + at_s:
                    self._keep_up()
                    time.sleep(NAP_S)
                (self._begin if begins else self._end)(each)
        except Exception as fault:
            self._fault = fault

    def note_returns(self) -> None:
        """Note which killed processes are back. Call it often."""
        for killed in list(self._killed):
            if self._is_back(killed):
                self._killed.remove(killed)
                self._history.absences.append(Absence(killed.name, killed.at, time.time(), restarted=True))

    def calm(self) -> bool:
        """End every fault, pause and switch; whether all of that is done. Call it until it is.

        Raises what went wrong on the way.
        """
        if self._fault is not None:
            raise self._fault
        for name in list(self._paused):
            self._go_on(name)
        self._faults = dict(HEALTHY) | {"preset_on_partial": "first_fill"}
        self._clearing |= set(self._off)
        self._lift_block()
        self._exchange_pid = None
        self._keep_up()
        try:
            others = [row["switch_key"] for row in self._system.tables.rows(OFF)]
        except psycopg.Error:
            return False
        self._clearing |= set(others)
        return self._exchange_pid is not None and not self._clearing and not self._killed

    def _begin(self, each: Disturbance) -> None:
        if each.kind in ("kill", "pause"):
            self._signal(each)
            return
        self.counts[each.kind] += 1
        if each.kind == "switch":
            self._turn_off(each.name)
            return
        self._note(f"{each.kind} {each.name}: {dict(each.faults)}")
        if each.name == "418":
            self._blocked_at = time.time()
        self._faults |= each.faults
        if not self._switch(each.faults):
            self._exchange_pid = None  # tried again with the rest

    def _end(self, each: Disturbance) -> None:
        if each.kind == "pause":
            self._go_on(each.name)
        elif each.kind == "switch":
            self._clearing.add(each.name)
        elif each.kind == "fault":
            self._note(f"fault {each.name} ended")
            self._faults |= each.healthy
            if not self._switch(each.healthy):
                self._exchange_pid = None
            if each.name == "418":
                self._lift_block()

    def _signal(self, each: Disturbance) -> None:
        """Kill or pause the process, if it is there."""
        service = self._system.services["postgres" if each.name == BACKEND else each.name]
        pid = service.pid
        if pid is None or not service.is_alive():
            self._note(f"{each.kind} {each.name}: it is down already")
            return
        pids = [pid]
        if each.name == BACKEND:
            pids = [self._chance.choice(backends)] if (backends := _backends(pid)) else []
        elif each.name == "postgres" and each.kind == "pause":
            pids = [pid, *_children(pid)]
        self._note(f"{each.kind} {each.name}{_duration(each)} ({pids[:1]})")
        self.counts[each.kind] += 1
        now = time.time()
        for target in pids:
            _send(target, signal.SIGKILL if each.kind == "kill" else signal.SIGSTOP)
        if each.kind == "kill":
            log_size = service.log.stat().st_size if service.log and service.log.exists() else 0
            self._killed.append(Killed(each.name, pid, now, log_size))
        else:
            self._paused[each.name] = (pids, now)

    def _go_on(self, name: str) -> None:
        if name in self._paused:
            pids, began = self._paused.pop(name)
            for pid in pids:
                _send(pid, signal.SIGCONT)
            self._history.absences.append(Absence(name, began, time.time()))
            self._note(f"{name} goes on")

    def _is_back(self, killed: Killed) -> bool:
        service = self._system.services["postgres" if killed.name == BACKEND else killed.name]
        if not service.is_alive() or (service.pid == killed.pid and killed.name != BACKEND):
            return False
        if service.name == "postgres":
            if {"postgres", BACKEND} & set(self._paused):
                return False
            try:
                return bool(self._system.tables.rows("SELECT 1 AS n"))
            except psycopg.Error:
                return False
        return service.name != "watch" or b"watch_started" in _written_since(service.log, killed.log_size)

    def _keep_up(self) -> None:
        """Set again what a restarted exchange forgot, and what could not be done before."""
        pid = self._system.services["simulator"].pid
        if pid != self._exchange_pid and self._switch(
            {name: value for name, value in self._faults.items() if name not in COUNTED or not value}
        ):
            self._exchange_pid = pid
        for key in list(self._clearing) if "postgres" not in self._paused else ():
            self._turn_on(key)

    def _note(self, what: str) -> None:
        self._history.note(what, attacks=True)

    def _switch(self, faults: Any) -> bool:
        if "simulator" in self._paused:
            return False
        try:
            requests.post(f"{self._system.url}/admin/faults", json=dict(faults), timeout=1).raise_for_status()
        except requests.RequestException:
            return False
        return True

    def _turn_off(self, key: str) -> None:
        if "postgres" in self._paused:  # an operator would wait; the timetable does not
            self._note(f"switch {key} could not be turned off")
            return
        try:
            self._system.tables.write(SWITCH, key=key, is_on=False)
        except psycopg.Error as fault:
            self._note(f"switch {key} could not be turned off: {type(fault).__name__}")
            self._clearing.add(key)  # it may have been committed nevertheless
            return
        self._off[key] = time.time()
        self._note(f"switch {key} is off")

    def _turn_on(self, key: str) -> None:
        asked_at = time.time()
        try:
            self._system.tables.write(SWITCH, key=key, is_on=True)
        except psycopg.Error:
            return
        self._clearing.discard(key)
        if key in self._off:
            self._history.switches.append(SwitchOff(key, self._off.pop(key), asked_at))
        self._note(f"switch {key} is on")

    def _lift_block(self) -> None:
        """What an operator does when the exchange has said that the address is free again."""
        if self._blocked_at is None:
            return
        try:
            with redis.Redis.from_url(self._system.env["REDIS_URL"], socket_timeout=2) as client:
                for key in client.scan_iter("limit:*:block"):
                    client.delete(key)
        except redis.RedisError:
            return
        self._history.absences.append(Absence("418", self._blocked_at, time.time()))
        self._blocked_at = None
        self._note("the halt after the 418 is lifted")


def _duration(each: Disturbance) -> str:
    return f" for {each.ends_s - each.begins_s:.1f} s" if each.kind == "pause" else ""


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _children(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`."""
    children: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[1]) == pid:
            children.append(int(stat.parent.name))
    return sorted(children)


def _backends(postmaster: int) -> list[int]:
    """Return the processes that serve a connection."""
    return [pid for pid in _children(postmaster) if b"127.0.0.1(" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _written_since(log: Path | None, size: int) -> bytes:
    if log is None or not log.exists():
        return b""
    with log.open("rb") as file:
        file.seek(size)
        return file.read()
