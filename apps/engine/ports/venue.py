"""One exchange and one account of it, whole: what an adapter builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.engine.ports.account import AccountStreams, VenueBroker
from apps.engine.ports.market import CandleHistory, QuoteStreams, Streams
from apps.engine.values.venue import VenueConstraints


@dataclass(frozen=True, slots=True)
class Venue:
    """One exchange and one account of it, as its adapter's `build(settings)` makes them.

    `prompt_history` is the history for who decides now: it goes before the bulk reads, and gives up what
    takes seconds. `streams`, `account_streams` and `quote_streams` make a new stream at each call; everything
    else is safe to share between threads.
    """

    constraints: VenueConstraints
    broker: VenueBroker
    history: CandleHistory
    prompt_history: CandleHistory
    streams: Callable[[], Streams]
    account_streams: Callable[[], AccountStreams]
    quote_streams: Callable[[], QuoteStreams]
