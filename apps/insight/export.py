"""Everything that is known of one symbol around a moment, from every room, as one JSON document.

`docs/export.md` says what each key holds.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from apps.admin_base.format import plain
from apps.audit.models import MtfAudit, OperatorAction, TradeLifecycleEvent, TradeZoneEvent
from apps.audit.store import NOT_WATCHED
from apps.engine.values.contract import require_listed
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import VALIDATION, Timeframe
from apps.exchange import venue
from apps.insight.decision import live_decisions, past_decisions, row_decision
from apps.insight.explanation import explain, profile_that_ran
from apps.insight.json_row import json_row, json_rows, json_time, json_value
from apps.insight.replay import MINUTE, past_judgement
from apps.live.models import MtfRun, Trigger
from apps.live.windows import Warm
from apps.market import store as market
from apps.market.models import Contract, Kline
from apps.orders.models import (
    AccountTransaction,
    ExchangeOrder,
    Fill,
    OrderPlan,
    Position,
    Protection,
    SymbolLock,
)
from apps.signals.models import IndicatorSnapshot, MtfState, Signal
from apps.switches.models import Cooldown, MtfSwitch, SymbolQueue

SCHEMA = "tradingv3.symbol_export.1"
LONGEST = timedelta(days=3)
SWITCHED = ("switch_off", "switch_on", "switch_deleted")


class BadWindow(TradingError):
    """A window that cannot be exported."""


def export(symbol: str, at: datetime, window: timedelta, now: datetime) -> dict[str, Any]:
    """Return everything stored of `symbol`, `window` before and after the minute of `at`, at most to `now`.

    Plain JSON values. Raises BadWindow, UnknownSymbol, or CannotExplain for a profile that does not exist
    and a moment that is not over.
    """
    if not timedelta(minutes=1) <= window <= LONGEST:
        raise BadWindow(f"a window of {window} is not between one minute and {LONGEST.days} days")
    require_listed([symbol], [contract.symbol for contract in market.contracts()])
    minute = Timeframe.M1.floor(at.astimezone(UTC))
    start, end = minute - window, min(minute + window, Timeframe.M1.floor(now)) + timedelta(minutes=1)
    return {
        "schema": SCHEMA,
        "symbol": symbol,
        "at": json_time(minute),
        "from": json_time(start),
        "to": json_time(end),
        "exported_at": json_time(now),
        "venue": venue.name(),
        "account": venue.account(),
        "verdicts": verdicts(symbol, minute, start, end),
        # As last listed: the table keeps no older state.
        "contract": json_row(Contract.objects.get(symbol=symbol), without=["id"]),
        **candles(symbol, minute, start, end),
        **decisions(symbol, start, end),
        **trading(symbol, start, end),
        **control(symbol, minute, start, end),
    }


def verdicts(symbol: str, at: datetime, start: datetime, end: datetime) -> dict[str, Any]:
    """Return profile → its verdict at the minute `at`, and its decisions in [start, end), live and replayed.

    The profiles are the configured ones in their order, and what else ran in the window; the replay is by the
    version that explains `at`. Raises CannotExplain.
    """
    ran = MtfRun.objects.filter(minute__gte=start, minute__lt=end, trigger=Trigger.BEAT)
    others = ran.order_by("profile").values_list("profile", flat=True).distinct()
    profiles = {}
    for name in dict.fromkeys([*settings.MTF_PROFILES, *others]):
        explanation = explain(symbol, at, name)
        version = profile_that_ran(name, explanation.run)
        live = live_decisions(name, [symbol], start, end)
        standing = zip(live.decided, live.rows_at_end(symbol, live.decided), strict=True)
        decided = {
            run.minute: NOT_WATCHED if row is None or row.digest != run.digest else row_decision(row)
            for run, row in standing
        }
        runs = {run.minute: run for run in live.runs}
        replayed = past_decisions(past_judgement(symbol, version, start, end))
        minutes = []
        for n, decision in enumerate(replayed):
            minute = start + n * MINUTE
            run = runs.get(minute)
            minutes.append(
                {
                    "minute": json_time(minute),
                    "run_id": None if run is None else str(run.run_id),
                    "run_status": None if run is None else str(run.status),
                    "digest": None if run is None else run.digest,
                    "live": decided.get(minute),
                    "replay": decision,
                }
            )
        profiles[name] = {"at_the_moment": explanation.to_json(), "minutes": minutes}
    return profiles


def candles(symbol: str, at: datetime, start: datetime, end: datetime) -> dict[str, Any]:
    """Return the market by timeframe: candles, indicators at `at`, and snapshots.

    `candles` rise from the one that was judged at `start` to those open before `end`; `indicators` are every
    column at the newest candle closed at `at`, recomputed, null where unknown; `snapshots` are the indicators
    of these candles as live runs stored them, 7 significant digits.
    """
    warm = Warm((symbol,), [])
    warm.refresh(at)
    indicators = {}
    for timeframe, frame in warm.frames().frames.items():
        values = {name: float(column[0, -1]) for name, column in frame.columns.items()}
        indicators[str(timeframe)] = {
            "open_time": json_time(warm.until(timeframe) - timeframe.duration),
            "values": {name: value if math.isfinite(value) else None for name, value in values.items()},
        }

    klines, snapshots = {}, {}
    for timeframe in Timeframe:
        series, first = {"symbol": symbol, "timeframe": timeframe}, timeframe.newest_open(start)
        stored = Kline.objects.filter(**series, open_time__gte=first, open_time__lt=end)
        klines[str(timeframe)] = [
            {
                "open_time": json_time(kline.open_time),
                "open": plain(kline.open_price),
                "high": plain(kline.high_price),
                "low": plain(kline.low_price),
                "close": plain(kline.close_price),
                "volume": plain(kline.volume),
                "source": str(kline.source),
                "inserted_at": json_time(kline.inserted_at),
                "updated_at": json_time(kline.updated_at),
            }
            for kline in stored.order_by("open_time")
        ]
        rows = IndicatorSnapshot.objects.filter(**series, kline_time__gte=first, kline_time__lt=end)
        snapshots[str(timeframe)] = [
            {
                "open_time": json_time(snapshot.kline_time),
                "values": snapshot.values,
                "inserted_at": json_time(snapshot.inserted_at),
            }
            for snapshot in rows.order_by("kline_time")
        ]
    return {"candles": klines, "indicators": indicators, "snapshots": snapshots}


def decisions(symbol: str, start: datetime, end: datetime) -> dict[str, Any]:
    """Return what was decided live, as the tables tell it, each list rising by its time.

    `audit` holds rows written in [start, end) or by a run of its minutes, and of each profile the one before
    them; `runs` tell of a result only what it says of `symbol`; `signals` are of the candles judged in
    [start, end); `standing_outcomes` is what stands per profile version, timeframe and phase now, as the
    table keeps no older state.
    """
    judged = Q()
    for timeframe in VALIDATION:
        first = timeframe.newest_open(start)
        judged |= Q(timeframe=timeframe, kline_time__gte=first, kline_time__lt=end)
    signals = Signal.objects.filter(judged, symbol=symbol)

    runs = MtfRun.objects.filter(minute__gte=start, minute__lt=end)
    run_rows = []
    for run in runs.order_by("minute", "id"):
        content: dict[str, Any] | None = None  # of a minute's run: it has no result
        if run.trigger != Trigger.BEAT or run.result is not None:
            lists = {key: (run.result or {}).get(key) or [] for key in ("results", "entries", "errors")}
            content = {
                key: json_value([entry for entry in entries if entry.get("symbol") == symbol])
                for key, entries in lists.items()
            }
        run_rows.append(json_row(run, without=["result"]) | {"result": content})

    of_symbol = MtfAudit.objects.filter(symbol=symbol)
    within = of_symbol.filter(
        Q(created_at__gte=start, created_at__lt=end) | Q(run_id__in=runs.values("run_id"))
    )
    before = of_symbol.filter(created_at__lt=start).order_by("profile", "-created_at", "-id")
    audit = of_symbol.filter(
        Q(pk__in=within.values("pk")) | Q(pk__in=before.distinct("profile").values("pk"))
    )

    outcomes = MtfState.objects.filter(symbol=symbol)
    return {
        "signals": json_rows(signals.order_by("kline_time", "id")),
        "audit": json_rows(audit.order_by("created_at", "id")),
        "runs": run_rows,
        "standing_outcomes": json_rows(outcomes.order_by("profile", "digest", "timeframe", "phase")),
    }


def trading(symbol: str, start: datetime, end: datetime) -> dict[str, Any]:
    """Return what was intended, sent, filled and held in [start, end), and every step of it, by all accounts.

    Each list rises by its time. Orders, fills and protections of a plan or position in the window are there
    also when they came later.
    """
    plans = OrderPlan.objects.filter(symbol=symbol, plan_time__gte=start, plan_time__lt=end)
    positions = Position.objects.filter(
        Q(closed_at=None) | Q(closed_at__gte=start), symbol=symbol, opened_at__lt=end
    )
    orders = ExchangeOrder.objects.filter(
        Q(sent_at__gte=start, sent_at__lt=end) | Q(plan__in=plans), symbol=symbol
    )
    fills = Fill.objects.filter(Q(at__gte=start, at__lt=end) | Q(position__in=positions), symbol=symbol)
    protections = Protection.objects.filter(
        Q(placed_at__gte=start, placed_at__lt=end) | Q(position__in=positions), symbol=symbol
    )
    locks = SymbolLock.objects.filter(
        Q(released_at=None) | Q(released_at__gte=start), symbol=symbol, locked_at__lt=end
    )
    transactions = AccountTransaction.objects.filter(symbol=symbol, at__gte=start, at__lt=end)
    happened = {"symbol": symbol, "happened_at__gte": start, "happened_at__lt": end}
    lifecycle = TradeLifecycleEvent.objects.filter(**happened)
    zones = TradeZoneEvent.objects.filter(**happened)
    return {
        "plans": json_rows(plans.order_by("plan_time", "id")),
        "orders": json_rows(orders.order_by("sent_at", "id")),
        "fills": json_rows(fills.order_by("at", "id")),
        "positions": json_rows(positions.order_by("opened_at", "id")),
        "protections": json_rows(protections.order_by("placed_at", "id")),
        "locks": json_rows(locks.order_by("locked_at", "id")),
        "transactions": json_rows(transactions.order_by("at", "id")),
        "lifecycle_events": json_rows(lifecycle.order_by("happened_at", "id")),
        "zone_events": json_rows(zones.order_by("happened_at", "id")),
    }


def control(symbol: str, at: datetime, start: datetime, end: datetime) -> dict[str, Any]:
    """Return what stood against `symbol` at `at`, and what people did in [start, end).

    `in_force` are the switches that covered the symbol and were off at `at`, by the changes: every one is
    recorded. `switches` and `cooldowns` are the tables' rows as they are now; a cooldown's row is its newest
    one only.
    """

    def covering(column: str) -> Q:
        every = Q((column, "GLOBAL")) | Q((f"{column}__startswith", "PROFILE:"))
        return every | Q((column, f"SYMBOL:{symbol}")) | Q((f"{column}__startswith", f"SYMBOL_TF:{symbol}:"))

    changes = OperatorAction.objects.filter(covering("target"), action__in=SWITCHED, happened_at__lte=at)
    in_force = []
    for change in changes.order_by("target", "-happened_at", "-id").distinct("target"):
        expires_at = change.extra.get("expires_at")
        expired = expires_at is not None and datetime.fromisoformat(expires_at) <= at
        if change.action == "switch_off" and not expired:
            in_force.append(
                {
                    "key": change.target,
                    "since": json_time(change.happened_at),
                    "reason": change.reason,
                    "by": change.actor,
                    "expires_at": expires_at,
                }
            )
    marks = SymbolQueue.objects.filter(symbol=symbol, asked_at__gte=start, asked_at__lt=end)
    actions = OperatorAction.objects.filter(happened_at__gte=start, happened_at__lt=end)
    return {
        "in_force": in_force,
        "switches": json_rows(MtfSwitch.objects.filter(covering("switch_key")).order_by("switch_key")),
        "cooldowns": json_rows(Cooldown.objects.filter(symbol=symbol).order_by("starts_at")),
        "queue_marks": json_rows(marks.order_by("asked_at")),
        "operator_actions": json_rows(actions.order_by("happened_at", "id")),
    }
