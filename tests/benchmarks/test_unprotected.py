"""Which seconds without a stop count, and which are an outage reported beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.campaign.history import Absence, History, Moment
from benchmarks.campaign.unprotected import MEMORY_S, Naked, naked_stretches, violations
from tests.benchmarks.market import held, history, stop

NAKED = (110, 125)


def stretch(seen: History) -> Naked:
    [only] = naked_stretches(seen)
    return only


def test_ten_seconds_are_allowed_and_more_are_not() -> None:
    assert not list(violations(history(held(naked=(110, 120)))))
    assert len(list(violations(history(held(naked=(110, 121)))))) == 1


def test_a_stop_that_covers_less_or_the_other_side_is_none() -> None:
    for wrong in (stop(category=1, size=9), stop(side=2), stop(kind="take_profit"), stop(symbol="ETHUSDT")):
        seen = history([replace(moment, protections=[wrong]) for moment in held()])
        assert stretch(seen).counted_s == 59
    enough = [replace(moment, protections=[stop(category=1, size=10)]) for moment in held()]
    assert naked_stretches(history(enough)) == []


def test_two_short_stretches_are_not_one_long_one() -> None:
    moments = held(until=130, naked=(105, 112)) + held(130, naked=(130, 138))
    assert [each.counted_s for each in naked_stretches(history(moments))] == [7.0, 8.0]


@pytest.mark.parametrize(
    ("why", "switches"),
    [
        ("refused", {"refuse_stops": True}),
        ("refused", {"answer_429": 2}),
        ("refused", {"answer_418": 1}),
        ("refused", {"answer_503": 1}),
        ("refused", {"reject": {"/contract/private/submit-tp-sl-order": 40011}}),
        ("late", {"latency_ms": 3000}),
        ("late", {"route_latency_ms": {"/contract/private/submit-tp-sl-order": 3500}}),
    ],
)
def test_an_exchange_that_can_take_no_stop_is_an_outage(why: str, switches: dict[str, Any]) -> None:
    naked = stretch(history(held(naked=NAKED, **switches)))
    assert naked.counted_s == 0
    assert naked.excused_s == {why: 15.0}


@pytest.mark.parametrize(
    "switches",
    [
        {"lag_lists_s": {"/contract/private/position-v2": 10}},
        {"empty_lists": {"/contract/private/current-plan-order": 3}},
        {"garble_rows": {"/contract/private/position-v2 * current_amount": "?"}},
        {"user_silence": True},
        {"latency_ms": 1500},
        {"drop_answers": {"/contract/private/submit-tp-sl-order": 1}},
        {"hold_answer_s": {"/contract/private/submit-order": 8}},
    ],
)
def test_an_exchange_that_lies_or_is_slow_is_no_excuse(switches: dict[str, Any]) -> None:
    assert stretch(history(held(naked=NAKED, **switches))).counted_s == 15


def test_while_the_exchange_does_not_answer_nothing_counts() -> None:
    moments = [
        Moment(moment.at, answered=False) if 112 <= moment.at < 122 else moment
        for moment in held(naked=NAKED)
    ]
    naked = stretch(history(moments))
    assert naked.counted_s == 4
    assert naked.excused_s == {"exchange": 11.0}


def test_a_database_that_is_away_excuses_until_memory_takes_over() -> None:
    seen = history(held(naked=NAKED))
    seen.absences.append(Absence("postgres", 110, 124))
    assert stretch(seen).counted_s == 15 - MEMORY_S


def test_a_watch_that_was_killed_has_no_memory_while_the_database_is_away() -> None:
    seen = history(held(naked=NAKED))
    seen.absences += [Absence("postgres", 110, 124), Absence("watch", 112, 113, restarted=True)]
    assert stretch(seen).counted_s == 1


def test_a_watch_is_excused_while_it_is_away_and_no_longer() -> None:
    seen = history(held(naked=NAKED))
    seen.absences.append(Absence("watch", 111, 114))
    naked = stretch(seen)
    assert naked.counted_s == 12
    assert naked.excused_s == {"watch": 3.0}


def test_others_that_are_away_excuse_nothing() -> None:
    seen = history(held(naked=NAKED))
    seen.absences += [Absence(who, 110, 125) for who in ("valkey", "worker-exchange", "simulator")]
    assert stretch(seen).counted_s == 15


def test_overlapping_outages_are_taken_off_once() -> None:
    seen = history(held(naked=NAKED))
    seen.absences += [Absence("watch", 111, 116), Absence("postgres", 113, 118)]
    assert stretch(seen).counted_s == 15 - 6.5
