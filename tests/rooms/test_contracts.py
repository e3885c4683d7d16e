"""The venue's list as last synced, and the one venue a database belongs to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from apps.market import store
from apps.market.models import Contract
from tests.rooms.builders import T0, contract

pytestmark = pytest.mark.django_db


def test_every_value_of_a_contract_comes_back() -> None:
    saved = contract()
    store.save_contracts([saved], T0)
    (row,) = store.contracts()
    assert {name: getattr(row, name) for name in saved.__slots__} == {
        name: getattr(saved, name) for name in saved.__slots__
    }
    assert row.synced_at == T0


def test_a_contract_gone_from_the_list_is_delisted_and_comes_back_when_listed_again() -> None:
    store.save_contracts([contract("BTCUSDT"), contract("ETHUSDT")], T0)
    store.save_contracts([contract("BTCUSDT")], T0 + timedelta(hours=1))
    assert {row.symbol: row.status for row in store.contracts()} == {
        "BTCUSDT": "Trading",
        "ETHUSDT": store.DELISTED,
    }
    store.save_contracts([contract("ETHUSDT"), contract("BTCUSDT")], T0 + timedelta(hours=2))
    assert {row.status for row in store.contracts()} == {"Trading"}


def test_an_empty_list_is_refused_and_delists_nothing() -> None:
    store.save_contracts([contract()], T0)
    with pytest.raises(ValueError, match="no contract"):
        store.save_contracts([], T0)
    assert [row.status for row in store.contracts()] == ["Trading"]


def test_a_sync_leaves_the_operators_blacklist_alone() -> None:
    store.save_contracts([contract()], T0)
    Contract.objects.update(blacklist_reason="thin book", blacklisted_until=T0)
    store.save_contracts([contract(last_price=Decimal("7"))], T0)
    (row,) = store.contracts()
    assert (row.last_price, row.blacklist_reason, row.blacklisted_until) == (Decimal("7"), "thin book", T0)


def test_the_database_refuses_a_contract_without_a_tick() -> None:
    store.save_contracts([contract()], T0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Contract.objects.update(tick_size=0)


def test_a_database_belongs_to_its_first_venue() -> None:
    store.stamp_venue("simulator")
    store.stamp_venue("simulator")
    with pytest.raises(store.VenueMismatch, match=r"simulator.*bitmart"):
        store.stamp_venue("bitmart")
