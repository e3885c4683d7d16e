"""Runs that are asked for, beside a real worker: few may wait, and the minute goes before them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apps.live.run_state import MOST_WAITING
from tests.system.demo import belonging
from tests.system.processes import JUDGING, WEB, run_processes
from tests.system.reader import Reader
from tests.system.until import until

SYMBOLS = 2
POSTS = 40
PROFILES = 3
ENDED = "SELECT trigger::text, status::text FROM mtf_run WHERE finished_at IS NOT NULL ORDER BY finished_at"


def test_of_many_posts_at_once_few_wait_and_the_minute_goes_before_them(var: Path) -> None:
    more = {"DJANGO_SETTINGS_MODULE": "tradingv3.settings"}
    with run_processes(var, symbols=SYMBOLS, names=(*JUDGING, WEB), more=more) as system:
        reader = Reader(system)
        until("the history suffices", lambda: system.tables.history_is("enough"), patience_s=90)
        assert reader.post("/api/mtf/run", {"wait": False}).status_code == 202
        until("the worker is there", lambda: len(system.tables.rows(ENDED)) == 1, patience_s=60)
        worker = _worker(var)
        os.kill(worker, signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(POSTS) as pool:
                posts = [pool.submit(reader.post, "/api/mtf/run", {"wait": False}) for _ in range(POSTS)]
            answers = Counter(post.result().status_code for post in posts)
            assert answers[202] == MOST_WAITING
            assert answers[429] > 0
            assert set(answers) <= {202, 429, 503}, "503: no connection within 5 s on a busy machine"
            system.fire(_young_minute())
        finally:
            os.kill(worker, signal.SIGCONT)
        wanted = 1 + MOST_WAITING + PROFILES
        until("all are decided", lambda: len(system.tables.rows(ENDED)) == wanted, patience_s=90)
        _, *ended = system.tables.rows(ENDED)
        assert {run["status"] for run in ended} == {"decided"}
        before = [run["trigger"] for run in ended].index("beat")
        assert before <= 1, "only the one that the worker had taken already"
        assert system.tables.rows("SELECT 1 FROM mtf_run WHERE status = 'running'") == []


def _worker(var: Path) -> int:
    [pid] = [pid for pid, command in belonging(var).items() if " -Q mtf " in command]
    return pid


def _young_minute() -> datetime:
    """The minute just over, or the next one when that is too old to wait for a busy machine."""
    now = datetime.now(UTC)
    at = now.replace(second=0, microsecond=0)
    return at if now - at < timedelta(seconds=35) else at + timedelta(minutes=1)
