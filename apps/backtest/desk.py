"""The replay desk: one profile over one stretch, from candles to an outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from apps.backtest.outcome import Outcome
from apps.backtest.readies import readies
from apps.backtest.replay import run
from apps.backtest.signals import signals
from apps.backtest.source import Source
from apps.engine.profile import Profile
from apps.engine.values.account import AccountLimits
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.state import DEFAULT_SEED


def replayed(
    source: Source,
    profile: Profile,
    *,
    equity: Decimal,
    pessimistic: bool,
    limits: AccountLimits,
    judged: Callable[[str], None],
    traded: Callable[[datetime], None],
) -> Outcome:
    """Judge every symbol of `source` at every minute, then trade what was READY with `equity` USDT.

    `judged` is told each symbol, `traded` each day's end. The same arguments give the same outcome.
    """
    found = []
    for symbol in source.asked.symbols:
        found.append(readies(signals(source, symbol, profile)))
        judged(symbol)
    market = Market(source.archive, DEFAULT_SEED)
    return run(
        profile,
        found,
        market,
        start=source.asked.start,
        end=source.asked.end,
        equity=equity,
        pessimistic=pessimistic,
        limits=limits,
        progress=traded,
    )
