"""The trades of shipped profiles do not know the future, and what is told of them is in the books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from apps.backtest.outcome import Exit, Outcome
from apps.backtest.statistics import statistics
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.codes import BUYS, COMMISSION, FUNDING, OPENS
from apps.exchange.simulator.market.path import milliseconds, moment_at
from tests.backtest.profile_replay import (
    END,
    EQUITY,
    SHIPPED,
    START,
    Traded,
    market_with_another_future,
    traded,
    whole,
)

pytestmark = pytest.mark.slow

CUTS = 5
"""A profile's minutes with a fill are parted into so many."""
DAY_MS = 24 * 3600 * 1000
LAST_TICK_MS = 100


@pytest.mark.parametrize("name", SHIPPED)
def test_what_happened_before_a_moment_is_the_same_whatever_comes_after_it(name: str) -> None:
    """The shorter backtest has other candles after its end: looking ahead by a minute would show."""
    longer = whole(name).replay
    for cut in [_busiest(whole(name).outcome), *_after_fills(whole(name).outcome)]:
        shorter = traded(name, market_with_another_future(cut), cut).replay
        events = [event for event in longer.ledger.recorded if event.at < cut]
        assert shorter.ledger.recorded == events, cut
        assert len(events) < len(longer.ledger.recorded)
        fills = list(longer.exchange.account.trades.values())
        before = [fill for fill in fills if fill.at_ms < milliseconds(cut)]
        assert list(shorter.exchange.account.trades.values()) == before, cut
        assert 0 < len(before) < len(fills)


def _after_fills(outcome: Outcome) -> list[datetime]:
    """The ends of some minutes in which a position was opened, and of some in which one was closed."""
    minutes = sorted({Timeframe.M1.floor(trade.opened_at) for trade in outcome.trades})
    minutes += sorted(
        {Timeframe.M1.floor(trade.closed_at) for trade in outcome.trades if trade.exit is not Exit.OPEN}
    )
    return [minutes[len(minutes) * part // CUTS] + timedelta(minutes=1) for part in range(1, CUTS)]


def _busiest(outcome: Outcome) -> datetime:
    """A minute's end over which an order rests, best one that is filled later, and most else is going on."""
    filled = [(trade.plan.created_at, trade.opened_at) for trade in outcome.trades]
    resting = filled + [(order.plan.created_at, order.ended_at) for order in outcome.unfilled]
    held = [(trade.opened_at, trade.closed_at) for trade in outcome.trades]
    ends = [end for begun, over in resting if begun < (end := Timeframe.M1.floor(over)) < over]
    return max(ends, key=lambda end: (_over(end, filled) > 0, _over(end, [*resting, *held])))


def _over(end: datetime, spans: list[tuple[datetime, datetime]]) -> int:
    return sum(begun < end < over for begun, over in spans)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_headline_is_what_the_exchanges_own_ledger_adds_up_to(name: str) -> None:
    """Net result, win rate, profit factor, drawdown, fees and funding: to the last digit."""
    figures, account = statistics(whole(name).outcome), whole(name).replay.exchange.account
    nets = list(_results(whole(name)))
    won, lost = [net for net in nets if net > 0], [net for net in nets if net < 0]
    assert won
    assert lost
    assert (figures.trades.trades, figures.trades.won, figures.trades.lost) == (
        len(nets),
        len(won),
        len(lost),
    )
    assert figures.trades.win_rate_pct == Decimal(100 * len(won)) / len(nets)
    assert figures.trades.profit_factor == sum(won) / -sum(lost)
    assert figures.trades.net_usdt == sum(nets)
    assert figures.equity.end_usdt - EQUITY == sum(nets)
    assert figures.trades.fees_usdt == -_booked(account, COMMISSION)
    assert figures.trades.funding_usdt == _booked(account, FUNDING)
    assert figures.equity.max_drawdown is not None
    fall = (figures.equity.max_drawdown.pct, figures.equity.max_drawdown.usdt)
    assert fall == _deepest_fall([_equity(whole(name), at_ms) for at_ms in _moments(account)])


def _booked(account: Account, flow_type: int) -> Decimal:
    return sum(
        (line.amount for line in account.ledger_lines.values() if line.flow_type == flow_type), Decimal(0)
    )


def _results(of: Traded) -> Iterator[Decimal]:
    """What each position came to: all lines of its contract's ledger from one flat moment to the next."""
    account = of.replay.exchange.account
    for symbol in sorted({fill.symbol for fill in account.trades.values()}):
        held, begun = 0, 0
        for fill in (row for row in account.trades.values() if row.symbol == symbol):
            held += fill.contracts if fill.side in OPENS else -fill.contracts
            if not held:
                yield _lines(account, symbol, begun, fill.trade_id)
                begun = fill.trade_id
        if held:
            yield _lines(account, symbol, begun, account.wallet.numbers + fill.trade_id) + _open(
                of, symbol, milliseconds(END) - LAST_TICK_MS
            )


def _lines(account: Account, symbol: str, after: int, until: int) -> Decimal:
    lines = account.ledger_lines.values()
    return sum(
        (line.amount for line in lines if line.symbol == symbol and after < line.entry_id <= until),
        Decimal(0),
    )


def _open(of: Traded, symbol: str, at_ms: int) -> Decimal:
    """What the fills up to a moment would bring besides what is booked: their worth at the last price."""
    account, at = of.replay.exchange.account, moment_at(at_ms / 1000)
    listing = of.market.archive.listing(symbol)
    last = listing.price(of.market.minute_path(symbol, at.minute).last.price(at.tick))
    worth = Decimal(0)
    for fill in account.trades.values():
        if fill.symbol == symbol and fill.at_ms <= at_ms:
            way = 1 if fill.side in BUYS else -1
            worth += way * fill.contracts * (last - fill.price) * listing.contract_size - fill.realised
    return worth


def _moments(account: Account) -> list[int]:
    """Each change of the wallet, each day's last tick: when equity is told."""
    first, end = milliseconds(START), milliseconds(END)
    days = {ends - LAST_TICK_MS for ends in range(first + DAY_MS, end + 1, DAY_MS)}
    return sorted({first, *days, *(line.at_ms for line in account.ledger_lines.values())})


def _equity(of: Traded, at_ms: int) -> Decimal:
    """The first line of the ledger is what the account began with."""
    account = of.replay.exchange.account
    symbols = {fill.symbol for fill in account.trades.values()}
    booked = sum((line.amount for line in account.ledger_lines.values() if line.at_ms <= at_ms), Decimal(0))
    return booked + sum((_open(of, symbol, at_ms) for symbol in symbols), Decimal(0))


def _deepest_fall(equities: list[Decimal]) -> tuple[Decimal, Decimal]:
    """In percent of the highest before, and in USDT."""
    peak, deepest = equities[0], (Decimal(0), Decimal(0))
    for equity in equities:
        peak = max(peak, equity)
        deepest = max(deepest, (100 * (peak - equity) / peak, peak - equity))
    return deepest
