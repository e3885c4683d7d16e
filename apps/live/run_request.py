"""Runs that a person or a script asks for: with their own id, answered in one JSON result."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from apps.db.release import release_connection
from apps.engine.cycle import evaluate
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.outcome import Outcome
from apps.engine.profile import Mode, Profile
from apps.engine.universe import EmptyUniverse
from apps.engine.values.contract import UnknownSymbol, require_listed
from apps.engine.values.errors import TradingError, suggestion
from apps.engine.values.reason import Refusal
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.feed.announcement import wait_for_announcement
from apps.feed.universe import profile_universes
from apps.live import run_state
from apps.live.cause import NO_DATA, Cause, cause_counts, switch_refusals, symbol_causes
from apps.live.enter.outcome import symbols_under_way
from apps.live.last_outcome import candle_open_at
from apps.live.minute import COLLECT_S, closed_minute
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.live.quotes import READY_FOR_S, spreads_now, with_spreads
from apps.live.run_state import StageTimer
from apps.live.windows import Warm
from apps.market import quotes
from apps.market import store as market
from apps.profiles import files
from apps.profiles import store as profiles
from apps.switches import store as switches

POLL_S = 0.01


class InvalidRunRequest(TradingError):
    """A request that cannot be run; `field` names the parameter."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to judge. `symbols` None is the profile's universe; `timeframe` is the only one to enter on.

    A `dry_run` sends nothing; only such a one may `force_run`: judge past kill switches. Without
    `process_tp_sl` the stops of what this run opens stay where they are placed, whatever the profile says.
    """

    profile: str
    symbols: tuple[str, ...] | None = None
    validation_mode: str | None = None
    timeframe: str | None = None
    force_run: bool = False
    dry_run: bool = True
    process_tp_sl: bool = True


def open_requested_run(request: RunRequest, trigger: Trigger, now: datetime) -> MtfRun:
    """Check the request and open its run for the worker. Raises InvalidRunRequest, TooManyWaiting."""
    if not request.dry_run and venue.is_dry():
        raise InvalidRunRequest("dry_run", "must be true: this deployment sends no orders (TRADING=dry)")
    if not request.dry_run and request.force_run:
        raise InvalidRunRequest("force_run", "kill switches are ignored in dry runs only")
    profile = _requested_profile(request)
    symbols = _requested_symbols(request, profile, now)
    profiles.save_version(profile)
    options = asdict(request) | {"symbols": symbols}
    return run_state.open_run(profile, closed_minute(now), now, trigger, options, dry_run=request.dry_run)


def wait_for_run(run_id: UUID | str, timeout_s: float) -> MtfRun | None:
    """Return the run once it and its entries ended, waiting at most `timeout_s`; None when they have not.

    Between two looks a connection of the web process's pool is free for others.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        run = MtfRun.objects.get(run_id=run_id)
        if run.status != RunStatus.RUNNING and not symbols_under_way(run):
            return run
        if time.monotonic() >= deadline:
            return None
        release_connection()
        time.sleep(POLL_S)


def judge_requested_run(run_id: str, *, warm: Warm, client: redis.Redis, now: datetime) -> list[str]:
    """Judge an opened run for the minute just over, write its result, return the symbols to enter now.

    A failing step marks it failed and raises.
    """
    run = MtfRun.objects.get(run_id=run_id)
    if run.status != RunStatus.RUNNING:
        return []
    try:
        return _decide(run, RunRequest(**run.options), warm=warm, client=client, now=now)
    except Exception as fault:
        run_state.fail_run(run, fault, datetime.now(UTC))
        raise


def _decide(run: MtfRun, request: RunRequest, *, warm: Warm, client: redis.Redis, now: datetime) -> list[str]:
    stages = StageTimer()
    at = closed_minute(now)
    wait_for_announcement(client, at, timeout_s=max(0.0, COLLECT_S - (now - at).total_seconds()))
    stages.lap("collect_ms")
    profile, symbols = _requested_profile(request), tuple(request.symbols or ())
    windows = warm if warm.covers(symbols, profile) else Warm(symbols, [profile])
    windows.refresh(at)
    stages.lap("windows_ms")
    if windows.extra_ms:
        stages.part("windows_ms", "extra_ms", windows.extra_ms)
    frames = with_spreads(windows.frames(), spreads_now(symbols))
    [judgement] = evaluate(frames, [profile], at=at, members={profile.name: symbols})
    stages.lap("evaluate_ms")
    off = {} if request.force_run else switches.off_switches()
    refused = switch_refusals(off, profile, symbols)
    result = run_result(judgement, refused, run_id=str(run.run_id), timings=stages.laps)
    entering = [row["symbol"] for row in result["results"] if "verdict" in row and profile.entry is not None]
    result["entering"] = entering
    quotes.want(entering, READY_FOR_S)
    run_state.finish_run(
        run, now=datetime.now(UTC), counts=result["summary"], timings=stages.laps, result=result
    )
    return entering


def _requested_profile(request: RunRequest) -> Profile:
    """Return the profile as the request wants it: its mode, its only execution timeframe, its stops."""
    names = files.profile_names(settings.MTF_PROFILES_DIR)
    if request.profile not in names:
        near = suggestion(request.profile, names)
        raise InvalidRunRequest(
            "mtf_profile", f"unknown profile {request.profile!r}: there are {', '.join(names)}{near}"
        )
    [profile] = files.load_profiles(settings.MTF_PROFILES_DIR, [request.profile])
    if request.validation_mode is not None:
        modes = [mode.value for mode in Mode]
        if request.validation_mode not in modes:
            raise InvalidRunRequest(
                "validation_mode", f"{request.validation_mode!r} is not one of {', '.join(modes)}"
            )
        profile = profile.with_mode(Mode(request.validation_mode))
    if request.timeframe is not None:
        timeframes = [timeframe.value for timeframe in profile.execution_timeframes]
        if request.timeframe not in timeframes:
            raise InvalidRunRequest(
                "timeframe",
                f"{request.profile} enters on {', '.join(timeframes)}, not on {request.timeframe!r}",
            )
        profile = profile.with_execution(Timeframe(request.timeframe))
    return profile if request.process_tp_sl else profile.with_unmoved_stops()


def _requested_symbols(request: RunRequest, profile: Profile, now: datetime) -> Sequence[str]:
    """Return each symbol once, in the order of the request; the profile's universe when it names none."""
    if request.symbols is None:
        try:
            universe = profile_universes([profile], now)[profile.name]
            universe.require_members(profile.name)
        except UnknownSymbol as fault:
            raise InvalidRunRequest("symbols", f"MTF_SYMBOLS_TO_WATCH: {fault}") from fault
        except EmptyUniverse as fault:
            raise InvalidRunRequest("symbols", str(fault)) from fault
        return list(universe.members)
    if not request.symbols:
        raise InvalidRunRequest("symbols", "is empty: leave it out for the whole universe")
    try:
        require_listed(request.symbols, [contract.symbol for contract in market.contracts()])
    except UnknownSymbol as fault:
        raise InvalidRunRequest("symbols", str(fault)) from fault
    return list(dict.fromkeys(request.symbols))


def run_result(
    judgement: MinuteJudgement, refused: Mapping[str, Refusal], *, run_id: str, timings: Mapping[str, float]
) -> dict[str, Any]:
    """Return the JSON that answers a request; what entries come to is added as they end.

    `status` is success when every symbol could be judged, error when none could, else partial_success.
    """
    symbols, causes = judgement.symbols, symbol_causes(judgement, refused)
    errors = [
        {"symbol": symbol, "timeframe": of.timeframe, "phase": of.phase, "reason": reason}
        for of in judgement.timeframes
        for symbol, reason in zip(symbols, judgement.at_rows(of, of.reason), strict=True)
        if reason in NO_DATA
    ]
    unjudged = {error["symbol"] for error in errors}
    status = "partial_success" if unjudged else "success"
    summary = cause_counts(causes)
    return {
        "status": "error" if symbols and len(unjudged) == len(symbols) else status,
        "run_id": run_id,
        "profile": judgement.profile.name,
        "digest": judgement.profile.digest,
        "minute": judgement.at.isoformat(),
        "summary": summary,
        "results": [_symbol_result(judgement, row, causes[symbol]) for row, symbol in enumerate(symbols)],
        "summary_by_tf": {
            f"{of.timeframe} {of.phase}": dict(
                Counter(Outcome(code).word for code in judgement.at_rows(of, of.outcome))
            )
            for of in judgement.timeframes
        },
        "rejected_by": summary["by_cause"],
        "performance": dict(timings),
        "errors": errors,
    }


def _symbol_result(judgement: MinuteJudgement, row: int, cause: Cause) -> dict[str, Any]:
    symbol = judgement.symbols[row]
    counted = [(of, int(judgement.rows[of.timeframe][row])) for of in judgement.timeframes]
    score = float(judgement.score[row])
    ready = {"verdict": judgement.verdict(symbol).to_json()} if cause.is_ready else {}
    return ready | {
        "symbol": symbol,
        "status": "READY" if cause.is_ready else "INVALID",
        "side": cause.side,
        "execution_tf": cause.timeframe,
        "reason": None if cause.is_ready else cause.text,
        "score": None if math.isnan(score) else round(score, 4),
        "timeframes": [
            {
                "timeframe": outcome.timeframe,
                "phase": outcome.phase,
                "outcome": Outcome(outcome.outcome[of_frame]).word,
                "reason": outcome.reason[of_frame],
                "kline_time": candle_open_at(outcome, of_frame).isoformat(),
                "grace": bool(outcome.grace[of_frame]),
            }
            for outcome, of_frame in counted
        ],
    }
