"""How long a minute waits for its candles, and what it says of those that did not come."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import redis

from apps.audit.models import MtfAudit
from apps.engine.profile import Profile
from apps.feed.announcement import announce
from apps.live.minute import COLLECT_S
from apps.live.models import MtfRun
from tests.live.desk import PLAIN, SLOW, Worker, by_close, profile
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, SHORT, fill, push

SYMBOLS = ("AUSDT", "BUSDT")
AT_ONCE = timedelta(0)

pytestmark = pytest.mark.django_db


@contextmanager
def announced(broker: redis.Redis, at: datetime, *, after_s: float) -> Iterator[None]:
    """The feed announces `at` a while after the block began."""
    timer = threading.Timer(after_s, announce, (broker, at, ()))
    timer.start()
    yield
    timer.join()


def verdict(symbol: str, run: MtfRun) -> dict[str, str | None]:
    """Timeframe → reason, as that run's audit row has it."""
    row = MtfAudit.objects.get(symbol=symbol, run_id=run.run_id)
    return {judged["timeframe"]: judged["reason"] for judged in row.details["verdict"]["timeframes"]}


def test_a_run_begins_to_judge_when_its_minute_is_announced(broker: redis.Redis) -> None:
    fill(SYMBOLS, [M1, M5])
    began = time.time()
    with announced(broker, AT, after_s=0.2):
        [run] = Worker(SYMBOLS, broker=broker).minute(AT, late=AT_ONCE)
    assert 150 <= run.timings["collect_ms"] < COLLECT_S * 1000
    assert run.timings["announced_to_decided_ms"] <= (time.time() - began) * 1000


def test_a_run_without_announcement_judges_after_2500_ms_counted_from_the_minute(broker: redis.Redis) -> None:
    fill(SYMBOLS, [M1, M5])
    worker = Worker(SYMBOLS, broker=broker)
    [run] = worker.minute(AT, late=timedelta(seconds=COLLECT_S - 0.3))
    assert 300 <= run.timings["collect_ms"] < 1000
    assert "announced_to_decided_ms" not in run.timings


def test_an_announcement_of_another_minute_is_none_of_this_one(broker: redis.Redis) -> None:
    announce(broker, AT - MINUTE, ())
    [run] = Worker([], broker=broker).minute(AT, late=timedelta(seconds=COLLECT_S - 0.1))
    assert run.timings["collect_ms"] >= 100


def test_a_late_candle_is_candle_late_in_this_run_and_judged_in_the_next(broker: redis.Redis) -> None:
    fill(SYMBOLS, [M1, M5])
    worker = Worker(SYMBOLS, broker=broker)
    worker.minute(AT)
    push("AUSDT", AT + MINUTE)
    [run] = worker.minute(AT + MINUTE)
    assert run.counts["ready"] == 1
    assert verdict("BUSDT", run) == {"5m": None, "1m": "candle_late"}

    for at in (AT + MINUTE, AT + 2 * MINUTE):
        push("BUSDT", at)
    push("AUSDT", AT + 2 * MINUTE)
    [run] = worker.minute(AT + 2 * MINUTE)
    assert run.counts["ready"] == 2
    assert verdict("BUSDT", run) == {"5m": None, "1m": None}


def close_of_15m_is_late(broker: redis.Redis, judging: Profile, minutes: int) -> MtfRun:
    """The run `minutes` after a quarter whose own candle never came; the one before it was long."""
    fill(["AUSDT"], [M15], AT, close=LONG)
    quarter = AT + timedelta(minutes=15)
    fill(["AUSDT"], [M1], quarter + minutes * MINUTE, close=LONG)
    [run] = Worker(["AUSDT"], [judging], broker=broker).minute(quarter + minutes * MINUTE)
    return run


GRACELESS = profile(by_close("graceless", "15m", grace_s=0))
PATIENT = profile(by_close("patient", "15m", grace_s=240))
ENTERING = profile(by_close("entering", "15m", "15m"))


@pytest.mark.parametrize(
    ("judging", "minutes", "outcome", "grace"),
    [
        (SLOW, 0, "long", True),
        (SLOW, 1, "long", True),
        (SLOW, 2, "invalid", False),
        (GRACELESS, 1, "invalid", False),
        (PATIENT, 4, "long", True),
        (PATIENT, 5, "invalid", False),
    ],
)
def test_a_late_15m_context_may_use_its_candle_before_for_its_grace(
    broker: redis.Redis, judging: Profile, minutes: int, outcome: str, grace: bool
) -> None:
    run = close_of_15m_is_late(broker, judging, minutes)
    [context, _] = MtfAudit.objects.get(run_id=run.run_id).details["verdict"]["timeframes"]
    assert (context["outcome"], context["grace"]) == (outcome, grace)
    assert context["reason"] == (None if grace else "candle_late")
    assert run.counts["ready"] == int(grace)
    judged = AT - timedelta(minutes=15) if grace else AT
    assert context["candle_open_at"] == judged.isoformat()


def test_a_late_15m_candle_is_never_excused_where_it_is_entered_on(broker: redis.Redis) -> None:
    run = close_of_15m_is_late(broker, ENTERING, 0)
    context, execution = MtfAudit.objects.get(run_id=run.run_id).details["verdict"]["timeframes"]
    assert (context["outcome"], context["grace"]) == ("long", True)
    assert (execution["outcome"], execution["reason"]) == ("invalid", "candle_late")


def test_when_the_late_15m_candle_comes_it_is_judged_and_no_longer_in_grace(broker: redis.Redis) -> None:
    fill(["AUSDT"], [M15], AT)
    quarter = AT + timedelta(minutes=15)
    fill(["AUSDT"], [M1], quarter)
    worker = Worker(["AUSDT"], [SLOW], broker=broker)
    worker.minute(quarter)
    push("AUSDT", quarter, SHORT, M15)
    push("AUSDT", quarter + MINUTE)
    [run] = worker.minute(quarter + MINUTE)
    [context, _] = MtfAudit.objects.get(run_id=run.run_id).details["verdict"]["timeframes"]
    assert (context["outcome"], context["grace"]) == ("short", False)


def test_a_context_faster_than_15m_has_no_grace(broker: redis.Redis) -> None:
    fill(["AUSDT"], [M5], AT)
    fill(["AUSDT"], [M1], AT + 5 * MINUTE)
    [run] = Worker(["AUSDT"], [PLAIN], broker=broker).minute(AT + 5 * MINUTE)
    assert verdict("AUSDT", run) == {"5m": "candle_late", "1m": None}
