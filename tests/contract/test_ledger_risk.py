"""What every Ledger, in memory and in the rooms, remembers of equity's fall and of stop losses in a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from apps.engine import events
from apps.engine.ports.account import Claimed
from apps.engine.values.account import AccountLimits
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import Limits
from apps.engine.values.position import PositionStatus
from apps.engine.values.reason import Reason, Refusal
from tests.contract.books import BOOKS, Books
from tests.rooms.trades import NOW, fill, order, plan, position

BTC, ETH = "BTCUSDT", "ETHUSDT"
LOSS, WIN, EVEN = "-0.5", "0.5", "0"
THREE, SIX = 3, 6
LATER = NOW + timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0) + timedelta(days=1)
"""At the end of the day of NOW, which is 09:00:05."""


@pytest.fixture(params=sorted(BOOKS))
def books(request: pytest.FixtureRequest, db: None) -> Books:
    return BOOKS[request.param]()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("points", "transfers", "peak"),
    [
        ([], [], None),
        ([(90, 1100), (60, 1200), (30, 1000)], [], 1200),
        ([(30 * 1440 + 1, 5000), (30 * 1440 - 1, 1150), (1, 1000)], [], 1150),
        ([(90, 1000), (30, 1500)], [(60, 500)], 1500),
        ([(90, 1400), (30, 1800)], [(60, 500)], 1900),
        ([(90, 1500), (30, 1000)], [(60, -500)], 1000),
        ([(120, 1000), (80, 1500), (30, 700)], [(100, 500), (60, -800)], 700),
        ([(120, 1050), (80, 1500), (30, 700)], [(100, 500), (60, -800)], 750),
    ],
    ids=[
        "no point",
        "the highest of several",
        "what is older than 30 days is forgotten",
        "a deposit is no gain",
        "a loss beside a deposit",
        "a withdrawal is no loss",
        "both",
        "both and a loss",
    ],
)
def test_the_peak_is_the_highest_equity_of_30_days_as_if_all_transfers_had_been_before(
    books: Books, points: list[tuple[int, int]], transfers: list[tuple[int, int]], peak: int | None
) -> None:
    ledger = books.ledger()
    happened = [(-ago, books.note_equity, value) for ago, value in points]
    happened += [(-ago, books.note_transfer, value) for ago, value in transfers]
    for ago, note, value in sorted(happened, key=lambda each: each[0]):
        for _ in range(2):  # as it may be read twice
            note(Decimal(value), NOW + minutes(ago))
    assert ledger.state([], NOW).peak_equity == peak


@pytest.mark.parametrize(
    ("peak", "refusal"),
    [
        (Decimal("1176.47"), None),
        (
            Decimal(1180),
            {
                "peak": Decimal(1180),
                "equity": Decimal(1000),
                "drawdown_pct": Decimal("15.25"),
                "limit_pct": Decimal(15),
            },
        ),
    ],
)
def test_nothing_is_claimed_while_equity_is_too_far_below_its_peak(
    books: Books, peak: Decimal, refusal: dict[str, Decimal] | None
) -> None:
    """The plan was sized by an equity of 1,000."""
    books.note_equity(peak, NOW - minutes(60))
    books.note_equity(Decimal(1000), NOW - minutes(1))
    answer = books.ledger().claim(plan(), NOW)
    if refusal is None:
        assert isinstance(answer, Claimed)
    else:
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.MAX_DRAWDOWN_REACHED
        numbers = answer.numbers | {"drawdown_pct": round(answer.numbers["drawdown_pct"], 2)}
        assert numbers == refusal
        assert books.book(BTC, NOW).orders == ()


def trade(books: Books, symbol: str, n: int, earned: str, closed_at: datetime) -> None:
    """One position of the `n`-th decision from claim to close, `earned` net of its fees of 0.12."""
    ledger = books.ledger(limits=AccountLimits(symbol_stop_streak=1000, account_stop_streak=1000))
    opened_at = closed_at - minutes(5)
    traded = plan(symbol, n=n, created_at=opened_at, limits=Limits(Decimal(1000), 4))
    assert isinstance(ledger.claim(traded, opened_at), Claimed)
    realised = Decimal(earned) + Decimal("0.12")
    enters = fill(traded, f"in{symbol}{n}", at=opened_at)
    leaves = fill(traded, f"out{symbol}{n}", opens=False, realised=realised, at=closed_at)
    held = position(traded, opened_at=opened_at)
    over = replace(held, status=PositionStatus.CLOSED, size=Decimal(0))
    filled = order(traded, OrderStatus.FILLED)
    ledger.record(
        [
            events.OrderFilled(symbol=symbol, at=opened_at, order=filled),
            events.FillSeen(symbol=symbol, at=opened_at, fill=enters),
            events.PositionOpened(symbol=symbol, at=opened_at, position=held),
            events.FillSeen(symbol=symbol, at=closed_at, fill=leaves),
            events.PositionClosed(symbol=symbol, at=closed_at, position=over),
            events.SymbolReleased(symbol=symbol, at=closed_at, decision_key=traded.decision_key),
        ]
    )


@pytest.mark.parametrize(
    ("trades", "at", "refusal"),
    [
        ([(BTC, LOSS, -30), (BTC, LOSS, -20)], NOW, None),
        ([(BTC, LOSS, -30), (BTC, LOSS, -20), (BTC, LOSS, -10)], NOW, ("symbol", 3, LATER - minutes(10))),
        ([(BTC, LOSS, -30), (BTC, LOSS, -20), (BTC, LOSS, 0)], LATER - minutes(1), ("symbol", 3, LATER)),
        ([(BTC, LOSS, -30), (BTC, LOSS, -20), (BTC, LOSS, 0)], LATER, None),
        ([(BTC, LOSS, -30), (BTC, WIN, -20), (BTC, LOSS, -15), (BTC, LOSS, -10)], NOW, None),
        (
            [(BTC, LOSS, -30), (BTC, LOSS, -20), (BTC, EVEN, -15), (BTC, LOSS, -10)],
            NOW,
            ("symbol", 3, LATER - minutes(10)),
        ),
        ([(BTC, LOSS, -30), (BTC, LOSS, -20), (BTC, LOSS, -15), (BTC, WIN, -10)], NOW, None),
        ([(BTC, LOSS, -30), (BTC, LOSS, -20), (ETH, WIN, -15), (BTC, LOSS, 0)], NOW, ("symbol", 3, LATER)),
        ([(BTC, LOSS, -30), (BTC, LOSS, -20), (ETH, LOSS, -10)], NOW, None),
        ([(BTC, LOSS, -1440), (BTC, LOSS, -20), (BTC, LOSS, 0)], NOW, ("symbol", 3, LATER)),
        ([(BTC, LOSS, -1441), (BTC, LOSS, -20), (BTC, LOSS, 0)], NOW, None),
        ([(ETH, LOSS, minute) for minute in range(-60, -10, 10)], NOW, None),
        ([(ETH, LOSS, m) for m in range(-60, 0, 10)], NOW, ("account", 6, MIDNIGHT)),
        ([(ETH, LOSS, m) for m in range(-60, 0, 10)], MIDNIGHT, None),
        ([(ETH, LOSS, m) for m in range(-60, -10, 10)] + [("XRPUSDT", WIN, -5)], NOW, None),
        (
            [(ETH, LOSS, 1440 * day) for day in range(-5, 0)] + [("XRPUSDT", LOSS, -1)],
            NOW,
            ("account", 6, MIDNIGHT),
        ),
        ([(ETH, LOSS, m) for m in range(-60, 0, 10)], MIDNIGHT - minutes(1), ("account", 6, MIDNIGHT)),
        (
            [(ETH, LOSS, m) for m in range(-60, -10, 10)] + [("XRPUSDT", WIN, -5), (ETH, LOSS, -1)],
            NOW,
            None,
        ),
        ([(BTC, LOSS, m) for m in (-1980, -1970, -1960, -20, -10, 0)], NOW, ("symbol", 6, LATER)),
        (
            [(BTC, LOSS, m) for m in (-1500, -1490, -100, 0)],
            NOW,
            ("symbol", 4, LATER - minutes(100)),
        ),
    ],
    ids=[
        "two",
        "three",
        "three, almost a day ago",
        "three, a day ago",
        "a win between",
        "nothing earned between",
        "a win after",
        "another symbol's win between",
        "the third on another symbol",
        "three within a day",
        "three within more than a day",
        "five over the account",
        "six over the account",
        "six over the account, yesterday",
        "five and a win elsewhere",
        "six over the account in six days",
        "six over the account, just before the day ends",
        "six over the account with a win between",
        "three, a day after another three",
        "a fourth that came later than a day after the second",
    ],
)
def test_stop_losses_in_a_row_block_their_symbol_for_a_day_and_the_account_for_the_rest_of_the_day(
    books: Books,
    trades: list[tuple[str, str, int]],
    at: datetime,
    refusal: tuple[str, int, datetime] | None,
) -> None:
    """Each trade is its symbol, what it earned, and the minutes from NOW to its close."""
    for n, (symbol, earned, minute) in enumerate(trades, 1):
        trade(books, symbol, n, earned, NOW + minutes(minute))
    limits = AccountLimits(symbol_stop_streak=THREE, account_stop_streak=SIX)
    answer = books.ledger(limits=limits).claim(plan(created_at=at), at)
    if refusal is None:
        assert isinstance(answer, Claimed)
    else:
        scope, streak, until = refusal
        limit = THREE if scope == "symbol" else SIX
        numbers = {"scope": scope, "streak": streak, "limit": limit, "until": until}
        assert answer == Refusal(Reason.STOPLOSS_STREAK, numbers)
