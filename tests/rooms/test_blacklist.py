"""Faults in a row blacklist a contract for a while; people lift it; both are written down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.audit.models import OperatorAction
from apps.market import blacklist, store
from apps.market.blacklist import MOST_FAULTS, PAUSE, WITHIN, FaultKind
from apps.market.models import Contract, ContractFault
from tests.rooms.builders import T0, contract

pytestmark = pytest.mark.django_db

STEP = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _contracts() -> None:
    store.save_contracts([contract("BTCUSDT"), contract("ETHUSDT")], T0)


def fail(
    count: int, symbol: str = "BTCUSDT", kind: FaultKind = FaultKind.ENTRY, step: timedelta = STEP
) -> list:
    """What each of so many faults returned."""
    return [blacklist.count_fault(symbol, kind, "code 40037", T0 + n * step) for n in range(count)]


def test_the_fifth_fault_in_a_row_blacklists_the_contract_for_four_hours_in_the_systems_name() -> None:
    last = T0 + (MOST_FAULTS - 1) * STEP
    assert fail(MOST_FAULTS) == [None] * (MOST_FAULTS - 1) + [last + PAUSE]
    assert {symbol: (each.until, each.reason) for symbol, each in blacklist.standing(last).items()} == {
        "BTCUSDT": (last + PAUSE, "5 entry faults in a row, the last: code 40037")
    }
    assert blacklist.standing(last + PAUSE) == {}
    action = OperatorAction.objects.get()
    assert (action.actor, action.action, action.target) == ("system", "blacklisted", "BTCUSDT")
    assert not ContractFault.objects.exists()


def test_faults_count_by_symbol_and_kind() -> None:
    fail(MOST_FAULTS - 1)
    fail(MOST_FAULTS - 1, symbol="ETHUSDT")
    fail(MOST_FAULTS - 1, kind=FaultKind.JUDGE)
    assert blacklist.standing(T0) == {}


def test_a_success_ends_the_row() -> None:
    fail(MOST_FAULTS - 1)
    blacklist.forget_faults(FaultKind.JUDGE, symbols=["BTCUSDT"])
    assert blacklist.faulty_symbols(FaultKind.ENTRY) == {"BTCUSDT"}
    blacklist.forget_faults(FaultKind.ENTRY, symbols=["BTCUSDT"])
    assert fail(MOST_FAULTS - 1) == [None] * (MOST_FAULTS - 1)


def test_faults_that_are_spread_over_more_than_an_hour_are_no_row() -> None:
    assert fail(3 * MOST_FAULTS, step=WITHIN / (MOST_FAULTS - 1)) == [None] * (3 * MOST_FAULTS)


def test_a_fault_of_a_contract_that_is_not_stored_blacklists_nothing() -> None:
    assert fail(MOST_FAULTS, symbol="GONEUSDT") == [None] * MOST_FAULTS


def test_a_person_lifts_it_with_a_reason_which_is_kept_with_the_name() -> None:
    fail(MOST_FAULTS)
    fail(2)
    with pytest.raises(blacklist.ReasonMissing):
        blacklist.set_entry(["BTCUSDT"], until=None, reason=" ", actor="ada")
    assert blacklist.set_entry(["BTCUSDT", "ETHUSDT"], until=None, reason="fixed", actor="ada") == 1
    assert blacklist.standing(T0) == {}
    assert not ContractFault.objects.exists()
    newest = OperatorAction.objects.order_by("id").last()
    assert newest is not None
    assert (newest.actor, newest.action, newest.target, newest.reason) == (
        "ada",
        "blacklist_lifted",
        "BTCUSDT",
        "fixed",
    )
    row = Contract.objects.get(symbol="BTCUSDT")
    assert (row.blacklisted_until, row.blacklisted_by) == (None, "ada")


def test_a_sync_of_the_contracts_is_no_change_of_the_blacklist() -> None:
    fail(MOST_FAULTS)
    store.save_contracts([contract("BTCUSDT"), contract("ETHUSDT")], T0)
    assert OperatorAction.objects.count() == 1
    assert set(blacklist.standing(T0)) == {"BTCUSDT"}
