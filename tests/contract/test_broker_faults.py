"""The broker against an exchange that misbehaves: what happened is known, or known to be unknown."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings

from apps.engine.ports.account import BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.values.order import OrderStatus, ProtectionKind, Role, client_order_id
from apps.engine.values.position import Side
from apps.exchange.bitmart.routes import CANCEL_ORDER, POSITIONS, SUBMIT_ORDER, SUBMIT_PROTECTION
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.server import PLAY_KEYS
from apps.exchange.transport import order_connection
from tests.contract.account import PLAY, Account, opened
from tests.contract.test_broker import SYMBOL, behind, enter, market, request, settle


@pytest.fixture
def account(archive: Archive) -> Iterator[Account]:
    with opened(archive) as opened_account:
        yield opened_account


def test_an_answer_that_is_lost_leaves_an_unknown_order_that_is_found(account: Account) -> None:
    broker = account.broker
    broker.set_leverage(SYMBOL, 10)
    wanted = market(broker, Side.LONG, "lost")
    account.switch(drop_answers={SUBMIT_ORDER.path: 1})
    with pytest.raises(BrokerUnknown):
        broker.submit(wanted)
    settle(lambda: bool(broker.all_positions().rows))
    report = broker.order(SYMBOL, wanted.client_order_id)
    assert report is not None
    assert report.status is OrderStatus.FILLED
    assert len(broker.fills(SYMBOL, datetime.now(UTC) - timedelta(minutes=1))) >= 1


def test_an_answer_that_is_held_is_waited_for_no_longer_than_promised(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_connection, "READ_S", 0.5)
    broker = account.broker
    broker.set_leverage(SYMBOL, 10)
    wanted = request(broker, Side.LONG, "held", away="0.02")
    account.switch(hold_answer_s={SUBMIT_ORDER.path: 60})
    started = time.monotonic()
    with pytest.raises(BrokerUnknown):
        broker.submit(wanted)
    assert 0.5 <= time.monotonic() - started < 10
    assert broker.order(SYMBOL, wanted.client_order_id) is not None
    account.switch(hold_answer_s={})


def test_an_order_sent_to_an_exchange_that_is_away_is_unknown_and_absent(account: Account) -> None:
    broker = account.broker
    broker.set_leverage(SYMBOL, 10)
    wanted = request(broker, Side.LONG, "away", away="0.02")
    account.switch(answer_503=1)
    with pytest.raises(BrokerUnknown):
        broker.submit(wanted)
    assert broker.order(SYMBOL, wanted.client_order_id) is None


def test_a_limit_that_bites_may_be_tried_again_and_a_block_may_not(account: Account) -> None:
    broker = account.broker
    broker.set_leverage(SYMBOL, 10)
    wanted = request(broker, Side.LONG, "limited", away="0.02")
    account.switch(answer_429=1)
    with pytest.raises(BrokerRejected) as caught:
        broker.submit(wanted)
    assert caught.value.try_again
    account.switch(answer_418=1)
    with pytest.raises(BrokerRejected) as caught:
        broker.cancel(SYMBOL, wanted.client_order_id)
    assert not caught.value.try_again
    with pytest.raises(BrokerUnavailable, match="blocked"):
        broker.all_positions()


def test_a_protection_whose_answer_is_lost_is_read_back(account: Account) -> None:
    broker = account.broker
    enter(broker, Side.LONG)
    account.switch(drop_answers={SUBMIT_PROTECTION.path: 1})
    name, trigger = client_order_id(Role.STOP, "lost"), behind(broker, Side.LONG, "0.03")
    with pytest.raises(BrokerUnknown):
        broker.protect(SYMBOL, Side.LONG, ProtectionKind.STOP, trigger, name)
    assert [each.client_order_id for each in broker.all_protections().rows] == [name]


def test_a_stop_the_exchange_will_not_take_is_unknown_and_none_is_read_back(account: Account) -> None:
    broker = account.broker
    enter(broker, Side.LONG)
    account.switch(refuse_stops=True)
    with pytest.raises(BrokerUnknown, match="40012"):
        broker.protect(SYMBOL, Side.LONG, ProtectionKind.STOP, behind(broker, Side.LONG, "0.03"), "tv3s0001")
    assert broker.all_protections().rows == []


def test_a_read_outlasts_a_short_outage_and_says_a_long_one(account: Account) -> None:
    broker = account.broker
    account.switch(answer_503=2)
    assert broker.all_positions().rows == []
    account.switch(reject={POSITIONS.path: 30014})
    with pytest.raises(BrokerUnavailable):
        broker.all_positions()


def test_a_refused_cancel_is_said(account: Account) -> None:
    broker = account.broker
    account.switch(reject={CANCEL_ORDER.path: 40027})
    with pytest.raises(BrokerRejected, match="40027"):
        broker.cancel(SYMBOL, "tv3e0001")


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (replace(PLAY, secret="wrong"), "30005"),
        (replace(PLAY, memo="wrong"), "30005"),
        (replace(PLAY, key="nobody"), "30002"),
        (Credentials(PLAY_KEYS[1].key, PLAY_KEYS[1].secret, PLAY_KEYS[1].memo), "30012"),
    ],
    ids=["secret", "memo", "key", "read only"],
)
def test_wrong_credentials_are_refused_by_name(account: Account, credentials: Credentials, code: str) -> None:
    stranger = Account(account.address, account.clock, credentials)
    with pytest.raises(BrokerRejected) as caught:
        stranger.broker.set_leverage(SYMBOL, 10)
    assert caught.value.code == code
    stranger.close()


@pytest.mark.parametrize("skew_ms", [-90_000, 90_000])
def test_a_clock_that_is_off_is_refused_and_nothing_is_placed(account: Account, skew_ms: int) -> None:
    account.switch(clock_skew_ms=skew_ms)
    with pytest.raises(BrokerRejected, match="30007"):
        account.broker.set_leverage(SYMBOL, 10)


def test_ten_orders_at_once_are_within_the_exchanges_limits(account: Account) -> None:
    broker = account.broker
    broker.set_leverage(SYMBOL, 10)
    wanted = [request(broker, Side.LONG, str(n), away="0.02", size=Decimal(1)) for n in range(10)]
    faults: list[Exception] = []

    def place(n: int) -> None:
        try:
            broker.submit(wanted[n])
        except Exception as fault:  # told by the assertion below; an opening order waits for no far slot
            faults.append(fault)

    threads = [threading.Thread(target=place, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert faults == []
    settle(lambda: len(broker.all_orders().rows) == 10)


def test_the_settings_play_keys_are_the_simulators_own() -> None:
    key = PLAY_KEYS[0]
    ours = (settings.BITMART_API_KEY, settings.BITMART_SECRET_KEY, settings.BITMART_API_MEMO)
    assert ours == (key.key, key.secret, key.memo)


@pytest.mark.parametrize("measured_before", [False, True])
def test_an_exchange_whose_clock_is_ahead_shows_its_newest_fills(
    account: Account, measured_before: bool
) -> None:
    """Also where its clock ran ahead after we measured it last."""
    broker = account.broker
    if measured_before:
        broker.fills(SYMBOL, datetime.now(UTC) - timedelta(minutes=1))
    account.clock.push(30)
    enter(broker, Side.LONG)
    assert broker.fills(SYMBOL, datetime.now(UTC) - timedelta(minutes=1))
