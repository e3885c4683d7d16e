"""What the commands that close have in common: the last question, and how the watch process obeyed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from django.core.management.base import CommandError, CommandParser, OutputWrapper
from pydantic_core import to_jsonable_python

from apps.live import watch_state
from apps.orders.models import CloseRequest

COLUMNS = ("id", "symbol", "side", "foreign", "reason", "asked_by", "asked_at", "done_at", "outcome")
POLLED_EACH_S = 0.1


def add_arguments(parser: CommandParser) -> None:
    """Add what every command that closes takes."""
    parser.add_argument("--reason", required=True)
    parser.add_argument("--foreign", action="store_true", help="close also what was not opened by us")
    parser.add_argument("--by", default=None, help="who does it (default: the user of this shell)")
    parser.add_argument("--yes", action="store_true", help="do not ask again (scripts)")
    parser.add_argument(
        "--wait", type=float, default=10, help="seconds to wait until it is done (default 10; 0: do not)"
    )
    parser.add_argument("--json", action="store_true", help="the requests, and how they ended")


def confirm(word: str, what: str) -> None:
    """Ask for `word` on the terminal; CommandError when another answer comes, or none can."""
    sys.stderr.write(f"{what} Type {word} to go on: ")
    sys.stderr.flush()
    try:
        answer = input()
    except EOFError:
        answer = ""
    if answer.strip() != word:
        raise CommandError("not confirmed: nothing was done (--yes asks nothing)")


def follow_requests(
    account: str, requests: Sequence[CloseRequest], stdout: OutputWrapper, *, wait_s: float, as_json: bool
) -> None:
    """Wait until the requests are done, at most `wait_s`, and print how each ended.

    CommandError when one is not by then, or ended otherwise than flat; with 0 s nothing is waited for.
    """
    ends_at = time.monotonic() + wait_s
    while any(request.done_at is None for request in requests) and time.monotonic() < ends_at:
        time.sleep(POLLED_EACH_S)
        for request in requests:
            request.refresh_from_db()
    watched = watch_state.is_watched(account, datetime.now(UTC))
    if as_json:
        rows = [{name: getattr(request, name) for name in COLUMNS} for request in requests]
        stdout.write(json.dumps(to_jsonable_python({"requests": rows, "watched": watched})))
    else:
        for request in requests:
            stdout.write(f"{request.symbol} {request.side}: {_state(request)}")
        if requests and not watched:
            stdout.write("no watch process runs: nothing closes until one does (manage.py watch)")
    failed = [request for request in requests if request.outcome != "flat"]
    if wait_s > 0 and failed:
        names = ", ".join(f"{request.symbol} {request.side}" for request in failed)
        raise CommandError(f"not flat within {wait_s:g} s: {names} (what is asked for stays asked for)")


def _state(request: CloseRequest) -> str:
    if request.done_at is None:
        return "asked for"
    return f"{request.outcome} after {(request.done_at - request.asked_at).total_seconds():.1f} s"
