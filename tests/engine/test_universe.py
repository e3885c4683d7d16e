"""Which contracts belong to a profile's universe: every filter at its edge, and why the others do not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.profile.universe_settings import UniverseSettings
from apps.engine.universe import (
    TEXTS,
    Blacklisting,
    EmptyUniverse,
    exclusion_text,
    explicit_universe,
    universe,
)
from apps.engine.values.contract import UnknownSymbol
from apps.engine.values.reason import Reason
from tests.rooms.builders import T0, contract

NOW = T0
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
TOP, MID = Decimal(8_000_001), Decimal(8_000_000)


def named(turnovers: dict[str, int | Decimal], **settings: Any) -> tuple[list[str], dict[str, str]]:
    """Members, and symbol → reason of the others."""
    listed = [contract(symbol, turnover_24h=Decimal(value)) for symbol, value in turnovers.items()]
    decided = universe(listed, UniverseSettings(**settings), {}, NOW)
    return list(decided.members), {symbol: each.reason.value for symbol, each in decided.excluded.items()}


@pytest.mark.parametrize(
    ("changes", "reason", "text"),
    [
        ({"status": "Delisted"}, "contract_not_tradable", "status Delisted, not Trading"),
        ({"quote": "USDC"}, "other_settle_currency", "settles in USDC, not in USDT"),
        ({"expires_at": NOW + 90 * DAY}, "not_perpetual", "expires at 2027-01-31 08:00 UTC"),
        ({"listed_at": NOW - 1000 * HOUR}, None, ""),
        (
            {"listed_at": NOW - 1000 * HOUR + SECOND},
            "listed_too_recently",
            "listed 999 h < 1,000 h",
        ),
        ({"listed_at": None}, None, ""),
        ({"delist_at": NOW + 7 * DAY + SECOND}, None, ""),
        (
            {"delist_at": NOW + 7 * DAY},
            "delisting_soon",
            "delisted at 2026-11-09 08:00 UTC, within 7 days",
        ),
        (
            {"turnover_24h": Decimal(900_000)},
            "turnover_too_low",
            "turnover 900,000 < 1,500,000",
        ),
        ({"turnover_24h": Decimal(1_499_999)}, "turnover_too_low", "turnover 1,499,999 < 1,500,000"),
        (
            {"turnover_24h": Decimal(1_500_000)},
            "beyond_mid_n",
            "turnover 1,500,000 <= 8,000,000 is rank 1 of MID, mid_n 0",
        ),
        ({"turnover_24h": MID}, "beyond_mid_n", "turnover 8,000,000 <= 8,000,000 is rank 1 of MID, mid_n 0"),
        ({"turnover_24h": TOP}, None, ""),
    ],
)
def test_a_filter_takes_a_contract_up_to_its_edge_and_names_itself_and_the_numbers_beyond(
    changes: dict[str, Any], reason: str | None, text: str
) -> None:
    decided = universe([contract(**changes)], UniverseSettings(), {}, NOW)
    assert decided.contracts == 1
    if reason is None:
        assert (decided.members, decided.excluded) == (("BTCUSDT",), {})
        return
    refusal = decided.excluded["BTCUSDT"]
    assert decided.members == ()
    assert (refusal.reason.value, exclusion_text(refusal)) == (reason, text)


@pytest.mark.parametrize(("ends_at", "is_member"), [(NOW, True), (NOW + SECOND, False)])
def test_a_blacklisted_contract_is_out_until_its_entry_ends(ends_at: Any, is_member: bool) -> None:
    blacklisted = {"BTCUSDT": Blacklisting(ends_at, "thin book")}
    decided = universe([contract(), contract("ETHUSDT")], UniverseSettings(), blacklisted, NOW)
    assert ("BTCUSDT" in decided.members) is is_member
    assert "ETHUSDT" in decided.members
    if not is_member:
        assert exclusion_text(decided.excluded["BTCUSDT"]) == "until 2026-11-02 08:00 UTC: thin book"


def test_of_each_tier_the_largest_are_taken_and_the_rest_know_their_rank() -> None:
    turnovers = {
        "AUSDT": 9_000_000,
        "BUSDT": 11_000_000,
        "CUSDT": 10_000_000,
        "DUSDT": MID,
        "EUSDT": 2_000_000,
    }
    members, excluded = named(turnovers, top_n=2, mid_n=1)
    assert members == ["BUSDT", "CUSDT", "DUSDT"]
    assert excluded == {"AUSDT": "beyond_top_n", "EUSDT": "beyond_mid_n"}
    listed = [contract(symbol, turnover_24h=Decimal(value)) for symbol, value in turnovers.items()]
    decided = universe(listed, UniverseSettings(top_n=2, mid_n=1), {}, NOW)
    assert exclusion_text(decided.excluded["AUSDT"]) == "turnover 9,000,000 is rank 3 of TOP, top_n 2"


def test_equal_turnovers_are_ranked_by_name_whatever_the_order_they_come_in() -> None:
    assert named({"BUSDT": TOP, "AUSDT": TOP}, top_n=1) == named({"AUSDT": TOP, "BUSDT": TOP}, top_n=1)
    assert named({"BUSDT": TOP, "AUSDT": TOP}, top_n=1)[0] == ["AUSDT"]


def test_the_numbers_of_the_profile_are_the_ones_that_count() -> None:
    members, _ = named({"AUSDT": 10}, min_turnover_usdt=0, top_turnover_usdt=0)
    assert members == ["AUSDT"]
    young = contract(listed_at=NOW - HOUR, delist_at=NOW + DAY)
    lenient = UniverseSettings(min_listed_h=1, min_delist_days=0)
    assert universe([young], lenient, {}, NOW).members == ("BTCUSDT",)


def test_an_empty_universe_is_a_fault_that_counts_the_reasons() -> None:
    decided = universe(
        [contract("AUSDT", turnover_24h=Decimal(1)), contract("BUSDT", status="Delisted")],
        UniverseSettings(),
        {},
        NOW,
    )
    with pytest.raises(EmptyUniverse, match=r"none of 2 stored contracts .*1 turnover_too_low") as fault:
        decided.require_members("regular")
    assert "universe of regular" in str(fault.value)
    with pytest.raises(EmptyUniverse, match="sync_contracts"):
        universe([], UniverseSettings(), {}, NOW).require_members("regular")


def test_named_symbols_pass_every_filter_and_leave_out_all_others() -> None:
    listed = [contract("AUSDT", status="Delisted"), contract("BUSDT"), contract("CUSDT")]
    decided = explicit_universe(listed, ["CUSDT", "AUSDT", "CUSDT"])
    assert decided.members == ("AUSDT", "CUSDT")
    assert {symbol: exclusion_text(each) for symbol, each in decided.excluded.items()} == {
        "BUSDT": "MTF_SYMBOLS_TO_WATCH names 2 others"
    }
    with pytest.raises(UnknownSymbol, match="nearest: 'AUSDT'"):
        explicit_universe(listed, ["AUSD"])


def test_every_reason_to_leave_a_contract_out_has_its_text() -> None:
    members = list(Reason)
    ours = members[members.index(Reason.NOT_IN_WATCH_LIST) : members.index(Reason.BEYOND_MID_N) + 1]
    assert {*ours, Reason.CONTRACT_NOT_TRADABLE} == set(TEXTS)
