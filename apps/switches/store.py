"""The kill switches' door. A trigger of the audit room records every change."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.engine.values.errors import TradingError
from apps.switches.keys import FORMS, GLOBAL, InvalidSwitchKey, check_key
from apps.switches.models import MtfSwitch

__all__ = [
    "FORMS",
    "GLOBAL",
    "InvalidSwitchKey",
    "ReasonMissing",
    "check_key",
    "off_switches",
    "set_switch",
    "toggle_switch",
]


class ReasonMissing(TradingError):
    """A switch change without a reason or an author; not retryable."""


def off_switches() -> dict[str, str]:
    """Key → reason of every OFF that stands now: a missing row is on, and an OFF ends at its expiry."""
    standing = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return dict(MtfSwitch.objects.filter(standing, is_on=False).values_list("switch_key", "reason"))


def set_switch(
    key: str, *, is_on: bool, reason: str, actor: str, expires_at: datetime | None = None
) -> MtfSwitch:
    """Turn `key` on or off, an OFF until `expires_at` or until changed; the row as stored.

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
