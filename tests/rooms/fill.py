"""At least one row in every table people can open."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_celery_beat.models import ClockedSchedule, IntervalSchedule, SolarSchedule

from apps.audit import store as audit
from apps.market import blacklist
from apps.market import store as market
from apps.market.blacklist import FaultKind
from apps.signals import store as signals
from apps.switches import store as switches
from tests.factories import MtfRunFactory, ProfileVersionFactory, StreamHealthFactory, WatchStateFactory
from tests.rooms.builders import RUN, audit_row, candle, contract, outcome, signal, snapshot
from tests.rooms.fill_trading import fill_trading


def fill(now: datetime) -> None:
    market.save_contracts([contract("BTCUSDT"), contract("ETHUSDT")], now)
    blacklist.count_fault("ETHUSDT", FaultKind.ENTRY, "code 40037", now)
    market.save_candles(candle(n=n) for n in range(3))
    market.stamp_venue("simulator")
    ProfileVersionFactory.create(name="regular")
    signals.save_snapshots([snapshot()])
    signals.save_signals([signal()])
    signals.save_outcomes([outcome()])
    audit.save_rows([audit_row(created_at=now)])
    fill_trading(now)
    switches.set_switch("SYMBOL:BTCUSDT", is_on=False, reason="spread", actor="ada")
    _runs(now)
    _schedules(now)


def _runs(now: datetime) -> None:
    MtfRunFactory.create(
        run_id=RUN,
        profile="regular",
        minute=now.replace(second=0, microsecond=0),
        counts={"symbols": 2, "ready": 1, "by_cause": {"NO_LONG_NO_SHORT": 1}},
        timings={"close_to_decided_ms": 431.0},
        result={"symbols": []},
        started_at=now,
        finished_at=now + timedelta(milliseconds=120),
    )
    WatchStateFactory.create(now=now)
    StreamHealthFactory.create(now=now)


def _schedules(now: datetime) -> None:
    IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    SolarSchedule.objects.create(event="sunset", latitude=1, longitude=1)
    ClockedSchedule.objects.create(clocked_time=now)
