"""The orders room's look back: what is in doubt counts against an entry, what a person resets no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import Settings

from apps.audit.models import OperatorAction
from apps.engine.ports.account import Claimed
from apps.engine.values.account import AccountLimits
from apps.engine.values.plan import Limits
from apps.engine.values.position import Account, PositionStatus, Side, Transaction, TransactionKind
from apps.engine.values.reason import Reason, Refusal
from apps.orders import store as orders
from apps.orders.models import DailyLossReset, OrderPlan, Position
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, plan

pytestmark = pytest.mark.django_db

D = Decimal
BTC = "BTCUSDT"


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def closed(at: datetime, earned: str, symbol: str = BTC, *, reckoned: bool = True, **columns: object) -> None:
    values = {
        "account": ACCOUNT,
        "symbol": symbol,
        "side": Side.LONG,
        "status": PositionStatus.CLOSED,
        "profile": "regular",
        "size": 0,
        "max_size": 1000,
        "entry_price": D(100),
        "exit_price": D(99) if reckoned else None,
        "opened_at": at - timedelta(minutes=5),
        "closed_at": at,
        "realised_usdt": D(earned),
        "updated_at": at,
    }
    Position.objects.create(**(values | columns))


def point(equity: int, at: datetime, account: str = ACCOUNT) -> None:
    orders.save_equity(account, Account(D(equity), D(0), D(0), D(0)), at)


def peak() -> Decimal | None:
    return orders.account_risk(ACCOUNT, [], NOW).peak_equity


def refusal() -> Reason | None:
    """Why a plan of BTC is not claimed, none of its other limits being near."""
    answer = ledger(limits=AccountLimits()).claim(plan(limits=Limits(D(60), 4)), NOW)
    return answer.reason if isinstance(answer, Refusal) else None


def test_a_point_read_while_money_was_moved_is_no_peak() -> None:
    """The deposit is in the point already, though the exchange dates it 20 s later."""
    orders.save_transactions(
        ACCOUNT, [Transaction("1", TransactionKind.TRANSFER, D(500), "", ago(60) + timedelta(seconds=20))]
    )
    point(1000, ago(62))
    point(1500, ago(60))
    point(1490, ago(58))
    assert peak() == 1500


def test_only_transfers_move_the_points_before_them() -> None:
    point(1000, ago(60))
    kinds = [kind for kind in TransactionKind if kind is not TransactionKind.TRANSFER]
    orders.save_transactions(ACCOUNT, [Transaction(kind, kind, D(-300), BTC, ago(30)) for kind in kinds])
    assert peak() == 1000


def test_two_transfers_of_one_moment_both_count() -> None:
    point(1000, ago(60))
    lines = [Transaction(str(n), TransactionKind.TRANSFER, D(n), "", ago(30)) for n in (100, 10)]
    orders.save_transactions(ACCOUNT, lines)
    assert peak() == 1110


def test_another_account_has_its_own_peak_and_streaks() -> None:
    point(5000, ago(60), "bitmart:live")
    orders.save_transactions("bitmart:live", [Transaction("1", TransactionKind.TRANSFER, D(9), "", ago(30))])
    for minute in (30, 20, 10):
        closed(ago(minute), "-1", account="bitmart:live")
    point(1000, ago(60))
    assert orders.account_risk(ACCOUNT, [BTC], NOW) == orders.AccountRisk(D(1000), (), {})


def test_a_closed_position_that_is_not_reckoned_yet_counts_as_a_stop_loss_until_it_is() -> None:
    closed(ago(30), "-1")
    closed(ago(20), "-1")
    closed(ago(10), "0", reckoned=False)
    assert refusal() is Reason.STOPLOSS_STREAK
    Position.objects.filter(exit_price=None).update(exit_price=D(101), realised_usdt=D(1))
    assert refusal() is None


def test_what_a_person_traded_by_hand_counts_too() -> None:
    for minute in (30, 20, 10):
        closed(ago(minute), "-1", profile="")
    assert refusal() is Reason.STOPLOSS_STREAK


@pytest.mark.parametrize("table", ["equity_point", "account_transaction", "position", "daily_loss_reset"])
def test_what_cannot_be_read_blocks_every_entry(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" RENAME TO unreadable')
    with pytest.raises(DatabaseError):
        ledger().claim(plan(), NOW)
    assert not OrderPlan.objects.exists()


def test_after_a_reset_the_days_losses_before_it_count_neither_for_the_account_nor_for_its_profiles() -> None:
    closed(ago(30), "-50", profile="regular")
    closed(ago(20), "-30", profile="scalper", symbol="ETHUSDT")
    assert refusal() is Reason.DAILY_LOSS_LIMIT_REACHED
    orders.reset_daily_loss(ACCOUNT, reason="understood", actor="ada", now=ago(10))
    assert orders.lost_today(ACCOUNT, NOW) == {}
    assert refusal() is None


def test_a_position_that_closes_after_the_reset_counts_and_the_day_goes_on_from_there() -> None:
    closed(ago(30), "-50")
    orders.reset_daily_loss(ACCOUNT, reason="understood", actor="ada", now=ago(20))
    closed(ago(10), "-7")
    assert orders.lost_today(ACCOUNT, NOW) == {"regular": 7}
    closed(ago(5), "-53")
    assert refusal() is Reason.DAILY_LOSS_LIMIT_REACHED


def test_a_gain_before_the_reset_is_forgotten_like_a_loss() -> None:
    closed(ago(30), "90")
    orders.reset_daily_loss(ACCOUNT, reason="understood", actor="ada", now=ago(20))
    closed(ago(10), "-59")
    assert refusal() is Reason.DAILY_LOSS_LIMIT_REACHED


def test_a_reset_of_yesterday_takes_nothing_from_today() -> None:
    orders.reset_daily_loss(ACCOUNT, reason="understood", actor="ada", now=NOW - timedelta(days=1))
    closed(NOW.replace(hour=0, minute=0, second=0) - timedelta(seconds=1), "-30")
    closed(ago(30), "-7")
    assert orders.lost_today(ACCOUNT, NOW) == {"regular": 7}


@pytest.mark.parametrize("symbols", [(BTC,) * 3, ("ETHUSDT",) * 6], ids=["of a symbol", "of the account"])
def test_after_a_reset_a_streak_before_it_is_over_and_begins_anew(symbols: tuple[str, ...]) -> None:
    for n, symbol in enumerate(symbols):
        closed(ago(60 - n), "-1", symbol)
    assert refusal() is Reason.STOPLOSS_STREAK
    orders.reset_daily_loss(ACCOUNT, reason="understood", actor="ada", now=ago(30))
    closed(ago(20), "-1", symbols[0])
    closed(ago(19), "-1", symbols[0])
    assert refusal() is None


def test_a_reset_of_another_account_changes_nothing_here() -> None:
    closed(ago(30), "-70")
    orders.reset_daily_loss("bitmart:live", reason="understood", actor="ada", now=ago(10))
    assert refusal() is Reason.DAILY_LOSS_LIMIT_REACHED


def test_a_reset_forgets_no_drawdown() -> None:
    point(2000, ago(60))
    orders.reset_daily_loss(ACCOUNT, reason="understood", actor="ada", now=ago(10))
    assert refusal() is Reason.MAX_DRAWDOWN_REACHED


def test_a_reset_becomes_an_operator_action_in_its_authors_name() -> None:
    orders.reset_daily_loss(ACCOUNT, reason=" understood ", actor="ada", now=NOW)
    action = OperatorAction.objects.get(action="daily_loss_reset")
    assert (action.actor, action.target, action.reason) == ("ada", ACCOUNT, "understood")
    assert (action.happened_at, action.extra) == (NOW, {"reset": DailyLossReset.objects.get().pk})


@pytest.mark.parametrize(("reason", "actor"), [(" ", "ada"), ("understood", "")])
def test_a_reset_without_a_reason_or_an_author_is_refused_here_and_by_the_database(
    reason: str, actor: str
) -> None:
    with pytest.raises(orders.ResetUnsigned):
        orders.reset_daily_loss(ACCOUNT, reason=reason, actor=actor, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        DailyLossReset.objects.create(account=ACCOUNT, at=NOW, reason=reason.strip(), reset_by=actor)


def test_the_limits_are_the_settings(settings: Settings) -> None:
    settings.MTF_ACCOUNT_DRAWDOWN_PCT = D(20)
    settings.MTF_ACCOUNT_SYMBOL_STOP_STREAK, settings.MTF_ACCOUNT_STOP_STREAK = 4, 9
    limits = orders.account_limits()
    assert (limits.drawdown_pct, limits.symbol_stop_streak, limits.account_stop_streak) == (20, 4, 9)


def test_claiming_goes_on_below_every_limit() -> None:
    point(1100, ago(60))
    closed(ago(30), "-20")
    assert isinstance(ledger().claim(plan(), NOW), Claimed)
