"""What each profile said of a symbol: the moment with every leaf, and each minute around it in one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from apps.audit.store import NOT_WATCHED
from apps.engine.profile import Profile
from apps.insight.divergence.live import Lived, lived
from apps.insight.divergence.words import live_words, replay_words
from apps.insight.explain import explain, profile_that_ran
from apps.insight.export.rows import moment
from apps.insight.past_verdicts import MINUTE, past
from apps.live.models import MtfRun, Trigger


def verdicts(symbol: str, at: datetime, start: datetime, end: datetime) -> dict[str, Any]:
    """Profile → its verdict at the minute `at`, and its decisions in [start, end), live and replayed.

    The replay is by the version that explains `at`. Raises CannotExplain.
    """
    found = {}
    for name in _profiles(start, end):
        told = explain(symbol, at, name)
        version = profile_that_ran(name, told.run)
        found[name] = {
            "at_the_moment": told.to_json(),
            "minutes": _minutes(symbol, version, lived(name, [symbol], start, end), start, end),
        }
    return found


def _profiles(start: datetime, end: datetime) -> Sequence[str]:
    """The configured ones in their order, and what else ran in the window."""
    ran = MtfRun.objects.filter(minute__gte=start, minute__lt=end, trigger=Trigger.BEAT)
    others = ran.order_by("profile").values_list("profile", flat=True).distinct()
    return list(dict.fromkeys([*settings.MTF_PROFILES, *others]))


def _minutes(
    symbol: str, version: Profile, found: Lived, start: datetime, end: datetime
) -> list[dict[str, Any]]:
    runs = {run.minute: run for run in found.runs}
    live = dict(zip([run.minute for run in found.decided], _live(found, symbol), strict=True))
    replayed = replay_words(past(symbol, version, start, end))
    return [
        _minute(start + n * MINUTE, runs.get(start + n * MINUTE), live.get(start + n * MINUTE), words)
        for n, words in enumerate(replayed)
    ]


def _live(found: Lived, symbol: str) -> list[str]:
    """What stood at the end of each decided run; NOT_WATCHED where the run did not judge the symbol."""
    rows = zip(found.decided, found.standing(symbol, found.decided), strict=True)
    return [NOT_WATCHED if row is None or row.digest != run.digest else live_words(row) for run, row in rows]


def _minute(minute: datetime, run: MtfRun | None, live: str | None, replayed: str) -> dict[str, Any]:
    return {
        "minute": moment(minute),
        "run_id": None if run is None else str(run.run_id),
        "run_status": None if run is None else str(run.status),
        "digest": None if run is None else run.digest,
        "live": live,
        "replay": replayed,
    }
