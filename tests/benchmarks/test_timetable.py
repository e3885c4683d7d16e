"""The timetable of a campaign: repeatable, bounded, and everything comes before anything comes twice."""

from __future__ import annotations

import pytest

from apps.exchange.simulator.server.faults import Faults
from benchmarks.campaign.timetable import HEALTHY, LONGEST_PAUSE_S, ORDERS, TRANSPORT, Disturbance, timetable

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
SEEDS = range(20)


def planned(seed: int, seconds: float = 600) -> list[Disturbance]:
    return timetable(seed, seconds, SYMBOLS)


def test_a_seed_is_one_timetable_and_another_seed_another() -> None:
    assert planned(1) == planned(1)
    assert planned(1) != planned(2)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_ends_within_the_campaign_and_pauses_are_short(seed: int) -> None:
    for each in planned(seed, 90):
        assert 0 <= each.begins_s <= each.ends_s
        if each.kind in ("fault", "pause", "kill"):
            assert each.ends_s <= 90
        if each.kind == "pause":
            assert each.ends_s - each.begins_s <= LONGEST_PAUSE_S


@pytest.mark.parametrize("seed", SEEDS)
def test_the_simulator_takes_every_switch_and_each_is_set_back(seed: int) -> None:
    for each in planned(seed):
        faults = Faults()
        faults.switch(each.faults)
        if each.kind == "fault":
            assert faults != Faults()
            faults.switch(each.healthy)
            assert faults == Faults()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_switch_is_set_by_two_at_a_time(seed: int) -> None:
    """The first to end would end the other."""
    until: dict[str, float] = {}
    for each in planned(seed):
        for name in each.faults:
            assert each.begins_s >= until.get(name, 0)
            until[name] = each.ends_s


def test_every_fault_kill_and_pause_comes_in_a_long_campaign() -> None:
    names = {(each.kind, each.name) for each in planned(3)}
    assert {fault.name for fault in (*TRANSPORT, *ORDERS)} <= {
        name for kind, name in names if kind == "fault"
    }
    for name in ("watch", "worker-exchange", "simulator", "valkey", "postgres", "postgres-backend"):
        assert {("kill", name), ("pause", name)} <= names


def test_there_are_quiet_gaps() -> None:
    busy = sorted((each.begins_s, each.ends_s) for each in planned(4) if each.kind in ("fault", "pause"))
    gaps, end = [], 0.0
    for begins_s, ends_s in busy:
        gaps.append(begins_s - end)
        end = max(end, ends_s)
    assert sum(gap >= 6 for gap in gaps) >= 5


def test_what_calms_the_exchange_is_what_it_starts_with() -> None:
    faults = Faults()
    faults.switch(HEALTHY)
    assert faults == Faults()
