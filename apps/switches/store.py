"""What stops entries: kill switches, which people turn, and cooldowns, which come and go by themselves.

A trigger of the audit room records every change of a switch.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import VALIDATION
from apps.switches.models import Cooldown, MtfSwitch

GLOBAL = "GLOBAL"
FORMS = {"PROFILE": "PROFILE:name", "SYMBOL": "SYMBOL:BTCUSDT", "SYMBOL_TF": "SYMBOL_TF:BTCUSDT:5m"}
"""The first word of a key → an example of its form."""


class InvalidSwitchKey(TradingError):
    """A key that would stop nothing; not retryable."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(f"switch key {key!r}: {detail}")


class ReasonMissing(TradingError):
    """A switch change without a reason or an author; not retryable."""


def check_key(key: str) -> str:
    """Return `key` as it is; raise InvalidSwitchKey naming the nearest form when no switch is called so."""
    kind, *parts = key.split(":")
    if key == GLOBAL:
        return key
    if kind not in FORMS:
        nearest = difflib.get_close_matches(kind.upper(), [GLOBAL, *FORMS], n=1, cutoff=0)[0]
        raise InvalidSwitchKey(key, f"did you mean {FORMS.get(nearest, nearest)}?")
    if kind == "SYMBOL_TF":
        timeframe = parts.pop() if len(parts) > 1 else ""
        if timeframe not in VALIDATION:
            allowed = ", ".join(VALIDATION)
            raise InvalidSwitchKey(key, f"ends in a timeframe ({allowed}), like {FORMS[kind]}")
    name = ":".join(parts)
    if not name or name != name.strip() or any(char.isspace() for char in name):
        raise InvalidSwitchKey(key, f"names nothing; write it like {FORMS[kind]}")
    return key


def off_switches() -> dict[str, str]:
    """Return key → reason of every switch that is off now: an OFF ends at its expiry."""
    return dict(MtfSwitch.objects.off(timezone.now()).values_list("switch_key", "reason"))


def set_switch(
    key: str, *, is_on: bool, reason: str, actor: str, expires_at: datetime | None = None
) -> MtfSwitch:
    """Turn `key` on or off, an OFF until `expires_at` or until changed; return the row as stored.

    Raises InvalidSwitchKey, ReasonMissing, or ValueError for an expiry that has passed or belongs to an ON.
    """
    check_key(key)
    if not reason.strip() or not actor.strip():
        raise ReasonMissing(f"switch {key}: a change needs a reason and an author")
    if expires_at is not None and (is_on or expires_at <= timezone.now()):
        raise ValueError(f"switch {key}: expires_at {expires_at} is for an OFF, and in the future")
    switch, _ = MtfSwitch.objects.update_or_create(
        switch_key=key,
        defaults={
            "is_on": is_on,
            "reason": reason.strip(),
            "changed_by": actor,
            "expires_at": expires_at,
        },
    )
    return switch


@transaction.atomic
def toggle_switch(
    switch_id: int, *, reason: str, actor: str, expires_at: datetime | None = None
) -> MtfSwitch:
    """Turn a stored switch the other way: off if it stops nothing now, on if it does.

    Raises what set_switch raises, and MtfSwitch.DoesNotExist.
    """
    switch = MtfSwitch.objects.select_for_update().get(pk=switch_id)
    turn_on = switch.is_in_force
    return set_switch(
        switch.switch_key,
        is_on=turn_on,
        reason=reason,
        actor=actor,
        expires_at=None if turn_on else expires_at,
    )


def cooldown_ends(account: str, symbols: Sequence[str], now: datetime) -> dict[str, datetime]:
    """Return symbol → the end of its cooldown, for those of `symbols` that cool down at `now`."""
    rows = Cooldown.objects.filter(account=account, symbol__in=list(symbols), ends_at__gt=now)
    return dict(rows.values_list("symbol", "ends_at"))


def start_cooldown(
    account: str, symbol: str, *, decision_key: str, reason: str, now: datetime, until: datetime
) -> None:
    """Pause `symbol` until then, in place of its pause before. ValueError when `until` lies before `now`."""
    if until < now:
        raise ValueError(f"cooldown {symbol}: ends at {until}, before it starts at {now}")
    pause = {"decision_key": decision_key, "reason": reason, "starts_at": now, "ends_at": until}
    Cooldown.objects.bulk_create(
        [Cooldown(account=account, symbol=symbol, **pause)],
        update_conflicts=True,
        unique_fields=["account", "symbol"],
        update_fields=list(pause),
    )
