"""Rows as the product stores them: a test names the columns its sentence is about, the rest is plausible.

Rows that come to be by a life of their own (orders, positions, locks) are made by it: tests/rooms/trades.py.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from apps.audit.models import MtfAudit
from apps.engine.profile import Phase
from apps.engine.values.candle import Source
from apps.engine.values.timeframe import Timeframe
from apps.feed.models import StreamHealth
from apps.live.models import MtfRun, RunStatus, Trigger, WatchState
from apps.market.models import Contract, Kline
from apps.profiles.models import ProfileVersion
from apps.signals.models import IndicatorSnapshot, Signal, SignalSide, ValidationCache
from apps.switches.models import MtfSwitch, SymbolQueue

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DIGEST = "d" * 64
PROFILE = "scalper_micro"
BTC = "BTCUSDT"
ACCOUNT = "simulator:live"


class ContractFactory(DjangoModelFactory[Contract]):
    """A contract that passes the universe's filters; limits and steps are one."""

    symbol = BTC
    base = factory.LazyAttribute(lambda row: row.symbol.removesuffix("USDT"))
    quote = "USDT"
    status = "Trading"
    turnover_24h = Decimal(20_000_000)
    listed_at = NOON - timedelta(days=400)
    funding_interval_hours = 8
    synced_at = NOON

    class Meta:
        model = Contract

    @classmethod
    def _adjust_kwargs(cls, **columns: object) -> dict[str, object]:
        decimals = [f.name for f in Contract._meta.concrete_fields if f.get_internal_type() == "DecimalField"]
        return dict.fromkeys(decimals, Decimal(1)) | columns


class KlineFactory(DjangoModelFactory[Kline]):
    """One candle; each further one opens a minute after the one before."""

    symbol = BTC
    timeframe = Timeframe.M1
    open_time = factory.Sequence(lambda n: NOON + timedelta(minutes=n))
    close_price = Decimal("104000.5")
    open_price = factory.SelfAttribute("close_price")
    high_price = factory.LazyAttribute(lambda row: row.close_price + 1)
    low_price = factory.LazyAttribute(lambda row: row.close_price - 1)
    volume = Decimal("1.25")
    source = Source.WS

    class Meta:
        model = Kline


class IndicatorSnapshotFactory(DjangoModelFactory[IndicatorSnapshot]):
    symbol = BTC
    timeframe = Timeframe.M1
    kline_time = factory.Sequence(lambda n: NOON + timedelta(minutes=n))
    values = factory.LazyFunction(lambda: {"rsi": 51.2})

    class Meta:
        model = IndicatorSnapshot


class SignalFactory(DjangoModelFactory[Signal]):
    profile = PROFILE
    symbol = BTC
    timeframe = Timeframe.M1
    phase = Phase.EXECUTION
    kline_time = factory.Sequence(lambda n: NOON + timedelta(minutes=n))
    side = SignalSide.LONG
    digest = DIGEST
    run_id = factory.LazyFunction(uuid.uuid4)

    class Meta:
        model = Signal


class ValidationCacheFactory(DjangoModelFactory[ValidationCache]):
    """What stands of `symbol` on 1m until its next candle closes."""

    cache_key = factory.LazyAttribute(lambda row: f"{DIGEST}|{row.symbol}|1m|execution")
    payload = factory.LazyFunction(
        lambda: {
            "profile": PROFILE,
            "kline_time": NOON.isoformat(),
            "side": "LONG",
            "outcome": "valid",
            "reason": None,
        }
    )
    expires_at = NOON + timedelta(minutes=1)

    class Meta:
        model = ValidationCache

    class Params:
        symbol = BTC


class ProfileVersionFactory(DjangoModelFactory[ProfileVersion]):
    digest = DIGEST
    name = "regular"
    content = factory.LazyAttribute(lambda row: {"name": row.name})

    class Meta:
        model = ProfileVersion


class MtfRunFactory(DjangoModelFactory[MtfRun]):
    """A minute that was decided within two seconds."""

    run_id = factory.LazyFunction(uuid.uuid4)
    profile = PROFILE
    digest = DIGEST
    minute = NOON
    trigger = Trigger.BEAT
    status = RunStatus.DECIDED
    counts = factory.LazyFunction(lambda: {"symbols": 1})
    timings = factory.LazyFunction(lambda: {"evaluate_ms": 12.5})
    started_at = factory.LazyAttribute(lambda row: row.minute + timedelta(seconds=1))
    finished_at = factory.LazyAttribute(lambda row: row.minute + timedelta(seconds=2))

    class Meta:
        model = MtfRun


class MtfAuditFactory(DjangoModelFactory[MtfAudit]):
    symbol = BTC
    run_id = factory.LazyFunction(uuid.uuid4)
    step = "verdict"
    cause = "READY"
    profile = PROFILE
    digest = DIGEST
    created_at = NOON

    class Meta:
        model = MtfAudit


class StreamHealthFactory(DjangoModelFactory[StreamHealth]):
    """A stream that was heard at `now`."""

    name = "public"
    connected = True
    symbols = 16
    last_message_at = factory.SelfAttribute("now")
    last_candle_at = factory.LazyAttribute(lambda row: row.now - timedelta(seconds=30))
    quote_symbols = 5
    last_quote_at = factory.LazyAttribute(lambda row: row.now - timedelta(seconds=1))
    started_at = factory.LazyAttribute(lambda row: row.now - timedelta(hours=1))
    updated_at = factory.SelfAttribute("now")

    class Meta:
        model = StreamHealth

    class Params:
        now = NOON


class WatchStateFactory(DjangoModelFactory[WatchState]):
    """An account read, heard of and reconciled at `now`: entries may go."""

    account = ACCOUNT
    started_at = factory.SelfAttribute("now")
    read_at = factory.SelfAttribute("now")
    reconciled_at = factory.SelfAttribute("now")
    heard_at = factory.SelfAttribute("now")

    class Meta:
        model = WatchState

    class Params:
        now = NOON


class MtfSwitchFactory(DjangoModelFactory[MtfSwitch]):
    switch_key = f"SYMBOL:{BTC}"
    is_on = False
    reason = "news"

    class Meta:
        model = MtfSwitch


class SymbolQueueFactory(DjangoModelFactory[SymbolQueue]):
    account = ACCOUNT
    symbol = BTC
    profile = "regular"
    asked_by = "ada"
    reason = "a look"
    asked_at = NOON

    class Meta:
        model = SymbolQueue
