"""The faults of the private lists: as they were some seconds ago, empty, or with fields nobody can read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.rows import Row
from apps.exchange.simulator.market.path import moment_at
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.private.fields import PrivateCall


class ListFaults:
    """Remembers the account only while a list lags, and no longer than the longest lag.

    Call `keep` before the account may change, and `remember` with the time of every change.
    """

    def __init__(self, faults: Faults, account: Account) -> None:
        self._faults = faults
        self._account = account
        self._oldest: Account | None = None
        self._oldest_ms = 0
        self._changes: deque[tuple[int, list[Row]]] = deque()

    def keep(self, now_ms: int) -> None:
        """Begin to remember, go on and drop what is older than needed, or forget everything."""
        longest_ms = max(self._faults.lag_lists_s.values(), default=0) * 1000
        if not longest_ms:
            self._oldest = None
            self._changes.clear()
            return
        if self._oldest is None:
            self._oldest, self._oldest_ms = _copy(self._account), now_ms
        self._oldest_ms = max(self._oldest_ms, now_ms - longest_ms)
        while self._changes and self._changes[0][0] <= self._oldest_ms:
            _apply(self._oldest, self._changes.popleft()[1])

    def remember(self, at_ms: int) -> None:
        """Note what changed since the last commit as known from `at_ms` on."""
        if self._oldest is not None and (rows := self._account.changed_rows()):
            self._changes.append((at_ms, rows))

    def lagging(self, route: str, call: PrivateCall) -> PrivateCall:
        """Return the call with the account and the market as this route shows them now."""
        lag_ms = self._faults.lag_lists_s.get(route, 0) * 1000
        if not lag_ms or self._oldest is None:
            return call
        # What was before the memory is not known; a clock that went back shows nothing of the future.
        as_of_ms = min(call.now_ms, max(call.now_ms - lag_ms, self._oldest_ms))
        account = _copy(self._oldest)
        known = max((n for n, (at_ms, _) in enumerate(self._changes, 1) if at_ms <= as_of_ms), default=0)
        for _, rows in islice(self._changes, known):
            _apply(account, rows)
        return replace(call, account=account, moment=moment_at(as_of_ms / 1000), as_of_ms=as_of_ms)

    def spoilt(self, route: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows as they are sent: none, or with their garbled fields. Uses up an empty answer."""
        if self._faults.take_of("empty_lists", route):
            return []
        for garbled, value in self._faults.garble_rows.items():
            path, symbol, field = garbled.split(" ")
            if path == route:
                rows = [row | {field: value} if symbol in ("*", row["symbol"]) else row for row in rows]
        return rows


def _copy(account: Account) -> Account:
    copy = Account(account.listing, account.wallet)
    _apply(copy, account.rows())
    return copy


def _apply(account: Account, rows: Iterable[Row]) -> None:
    """Put rows that are written down already."""
    for row in rows:
        account.put(row)
    account.take_changes()
