"""The only file that knows VENUE and TRADING: it gives everyone else the right adapter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from django.conf import LazySettings, settings
from django.utils.module_loading import import_string

from apps.engine.ports.venue import Venue
from apps.engine.values.position import PositionMode
from apps.exchange.dry import DryBroker, NoNews

ADAPTERS = {
    "bitmart": "apps.exchange.bitmart.adapter.build",
    "simulator": "apps.exchange.bitmart.adapter.build_simulator",
}
"""VENUE → the function that builds it from the settings; imported only where it is used."""


def name() -> str:
    """Return what we trade on, as VENUE says."""
    return str(settings.VENUE)


def account() -> str:
    """Return what the account we trade is called in the books: one deployment trades one."""
    return f"{settings.VENUE}:{settings.TRADING}"


def is_dry() -> bool:
    """Whether this deployment sends no orders: anything but live."""
    return bool(settings.TRADING != "live")


def position_mode() -> PositionMode:
    """Return the mode the account shall have."""
    return PositionMode(settings.POSITION_MODE)


def candles_per_request() -> int:
    """Return how many candles we ask for at once: what the venue allows, and no more than the user does."""
    return min(settings.MTF_MAX_CANDLES_PER_REQUEST, current().constraints.candles_per_request)


@cache
def current() -> Venue:
    """Return the venue this deployment trades on; one per process, safe to share between threads.

    In dry runs its broker sends nothing and its account has no news. ImproperlyConfigured without an address.
    """
    return dry() if is_dry() else _built()


@cache
def dry() -> Venue:
    """Return the same venue with an account that sends nothing, whatever this deployment may do."""
    venue = _built()
    fees = venue.constraints.standard_fees
    broker = DryBroker(venue.broker, settings.DRY_EQUITY_USDT, position_mode(), fees)
    return replace(venue, broker=broker, account_streams=NoNews)


@cache
def _built() -> Venue:
    build: Callable[[LazySettings], Venue] = import_string(ADAPTERS[settings.VENUE])
    return build(settings)
