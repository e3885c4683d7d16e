"""Kill switches stop symbols by name, and a run says so per symbol."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import redis

from apps.audit.models import MtfAudit
from apps.live.models import MtfRun
from apps.signals.models import Signal, ValidationCache
from apps.switches import store as switches
from apps.switches.models import MtfSwitch
from tests.live.desk import PLAIN, SLOW, Worker
from tests.live.market import AT, M1, M5, M15, MINUTE, fill, push

SYMBOLS = ("AUSDT", "BUSDT")
BOTH, FIRST, NOBODY = set(SYMBOLS), {"AUSDT"}, set[str]()

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(broker: redis.Redis) -> Worker:
    """Two symbols that plain and slow find long."""
    fill(SYMBOLS, [M1, M5, M15])
    return Worker(SYMBOLS, [PLAIN, SLOW], broker=broker)


def turn(key: str, *, on: bool) -> None:
    switches.set_switch(key, is_on=on, reason="maintenance", actor="ada")


def next_minute(worker: Worker, n: int) -> dict[str, MtfRun]:
    """The runs of a minute in which every 1m candle came, by profile."""
    for symbol in SYMBOLS:
        push(symbol, AT + n * MINUTE)
    return {run.profile: run for run in worker.minute(AT + n * MINUTE)}


def refused(run: MtfRun, cause: str) -> set[str]:
    return set(MtfAudit.objects.filter(run_id=run.run_id, cause=cause).values_list("symbol", flat=True))


@pytest.mark.parametrize(
    ("key", "cause", "plain", "slow"),
    [
        ("GLOBAL", "kill_switch_global", BOTH, BOTH),
        ("PROFILE:plain", "kill_switch_profile", BOTH, NOBODY),
        ("SYMBOL:AUSDT", "kill_switch_symbol", FIRST, FIRST),
        ("SYMBOL_TF:AUSDT:5m", "kill_switch_symbol_tf", FIRST, NOBODY),
        ("SYMBOL_TF:AUSDT:1m", "kill_switch_symbol_tf", FIRST, FIRST),
        ("SYMBOL_TF:AUSDT:4h", "kill_switch_symbol_tf", NOBODY, NOBODY),
        ("SYMBOL:ELSEUSDT", "kill_switch_symbol", NOBODY, NOBODY),
    ],
)
def test_a_switch_that_is_off_refuses_its_symbols_from_the_next_run_until_it_is_on(
    worker: Worker, key: str, cause: str, plain: set[str], slow: set[str]
) -> None:
    before = next_minute(worker, 0)
    turn(key, on=False)
    stopped = next_minute(worker, 1)
    turn(key, on=True)
    resumed = next_minute(worker, 2)
    for name, symbols in (("plain", plain), ("slow", slow)):
        assert before[name].counts["ready"] == 2
        run = stopped[name]
        assert refused(run, cause) == symbols
        assert run.counts["by_cause"] == ({cause: len(symbols)} if symbols else {})
        assert run.counts["ready"] == 2 - len(symbols)
        assert resumed[name].counts["ready"] == 2


def test_a_refused_symbol_is_audited_once_with_the_switch_its_reason_and_the_verdict(worker: Worker) -> None:
    turn("SYMBOL:AUSDT", on=False)
    for n in range(3):
        next_minute(worker, n)
    row = MtfAudit.objects.get(symbol="AUSDT", profile="plain")
    assert row.timeframe is None
    assert row.details["refusal"] == {
        "reason": "kill_switch_symbol",
        "switch": "SYMBOL:AUSDT",
        "because": "maintenance",
    }
    assert row.details["verdict"]["outcome"] == "READY"


def test_a_restarted_worker_does_not_repeat_a_refusal(worker: Worker) -> None:
    turn("GLOBAL", on=False)
    next_minute(worker, 0)
    next_minute(worker.restarted(), 1)
    assert MtfAudit.objects.count() == 4


def test_the_widest_switch_is_the_one_named(worker: Worker) -> None:
    for key in ("SYMBOL_TF:AUSDT:1m", "SYMBOL:AUSDT", "PROFILE:plain"):
        turn(key, on=False)
    run = next_minute(worker, 0)["plain"]
    assert run.counts["by_cause"] == {"kill_switch_profile": 2}


def test_an_off_that_has_expired_refuses_nobody(worker: Worker) -> None:
    turn("GLOBAL", on=False)
    MtfSwitch.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert next_minute(worker, 0)["plain"].counts["ready"] == 2


def test_signals_and_states_go_on_while_a_switch_is_off(worker: Worker) -> None:
    """A switch stops entries, not the market's description."""
    turn("GLOBAL", on=False)
    next_minute(worker, 0)
    assert Signal.objects.filter(profile="plain", side="LONG").count() == 2 * 2
    assert ValidationCache.objects.filter(payload__profile="plain", payload__outcome="long").count() == 2 * 2
