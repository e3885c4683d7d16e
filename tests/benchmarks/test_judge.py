"""The judge of a campaign sees each kind of violation, and nothing where a rule was kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from benchmarks.campaign.history import Absence, Action, History, Moment, OurBooks, Sighting, SwitchOff
from benchmarks.campaign.judge import judge
from tests.benchmarks.market import (
    BTC,
    BY_HAND,
    books,
    fill,
    held,
    history,
    order,
    our_books,
    our_fill,
    our_order,
    our_position,
    position,
    stop,
)

OFF = SwitchOff("GLOBAL", set_at=98.5, cleared_at=130.0)
THEIRS = [order(1, BY_HAND), order(2, "hand000002", side=3, kind="market")]
THEIR_FILLS = [fill(11, BY_HAND, 100), fill(12, "hand000002", 160, side=3)]
LOCK = {"symbol": BTC, "decision_key": "decision", "locked_at": datetime.fromtimestamp(100, UTC)}
NONE_OF_OURS = OurBooks(orders=[], fills=[], positions=[], locks=[])
EARLIER = order(3, "tv3ebbb", filled=0, created_ms=99_000, updated_ms=99_500)
RESTING_BY_HAND = order(3, "hand000003", filled=0)


def rules(seen: History, ours: OurBooks | None = None) -> list[int]:
    return [each.rule for each in judge(seen, ours or our_books())]


def theirs(**changes: object) -> History:
    """The same long, opened and closed by hand."""
    unprotected = [replace(moment, protections=[]) for moment in held()]
    return history(unprotected, **({"orders": THEIRS, "fills": THEIR_FILLS, "plans": []} | changes))


def test_a_trade_that_kept_every_rule_breaks_none() -> None:
    assert judge(history(), our_books()) == []


@pytest.mark.parametrize("changes", [{"tranche": 0}, {"tranche": 1}])
def test_an_attempt_after_one_that_ended_and_another_tranche_break_no_rule(changes: dict[str, int]) -> None:
    beside = our_order("tv3ebbb", filled=Decimal(0), status="CANCELLED", **changes)
    assert rules(history(orders=[*books()["orders"], EARLIER]), our_books(orders=[our_order(), beside])) == []


def test_a_position_by_hand_needs_no_stop() -> None:
    assert rules(theirs(), NONE_OF_OURS) == []


BROKEN = {
    "two opening orders of one tranche at once": (
        1,
        history(orders=[*books()["orders"], EARLIER | {"updated_ms": 100_001}]),
        our_books(orders=[our_order(), our_order("tv3ebbb", filled=Decimal(0), status="CANCELLED")]),
    ),
    "a decision that opened more than it planned": (
        1,
        history(orders=[*books()["orders"], EARLIER | {"filled": 1}]),
        our_books(orders=[our_order(), our_order("tv3ebbb", filled=Decimal(1), tranche=1)]),
    ),
    "an opening order that we do not know": (
        1,
        history(orders=[*books()["orders"], order(3, "tv3eccc", filled=0)]),
        our_books(),
    ),
    "an order that we gave up and that arrived": (
        1,
        history(orders=[*books()["orders"], order(3, "tv3eccc", filled=0)]),
        our_books(
            orders=[
                our_order(),
                our_order("tv3eccc", decision_key="b", status="NEVER_ARRIVED", filled=Decimal(0)),
            ]
        ),
    ),
    "a target of ours without its position": (
        4,
        history(protections=[stop(kind="take_profit")]),
        our_books(),
    ),
    "an entry that rests in the end": (
        4,
        history(orders=[*books()["orders"], order(3, "tv3eccc", filled=0, state=2)]),
        our_books(orders=[our_order(), our_order("tv3eccc", decision_key="b", filled=Decimal(0))]),
    ),
    "a lock that stays": (4, history(), our_books(locks=[LOCK])),
    "a fill that we lost": (
        6,
        history(),
        our_books(fills=[our_fill("11", Decimal(100))]),
    ),
    "a fill at another price": (
        6,
        history(),
        our_books(fills=[our_fill("11", Decimal(99)), our_fill("12", Decimal(102))]),
    ),
    "a fill that the exchange does not have": (
        6,
        history(),
        our_books(fills=[*our_books().fills, our_fill("13", Decimal(1))]),
    ),
    "an order of another filled size": (6, history(), our_books(orders=[our_order(filled=Decimal(9))])),
    "a result that is a cent off": (
        6,
        history(),
        our_books(positions=[our_position(realised_usdt=Decimal("18.79"))]),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_a_rule_is_seen_as_that_rule_alone(case: str) -> None:
    rule, seen, ours = BROKEN[case]
    assert rules(seen, ours) == [rule]


def test_less_than_a_cent_of_difference_is_none() -> None:
    assert rules(history(), our_books(positions=[our_position(realised_usdt=Decimal("18.795"))])) == []


def test_a_rejected_attempt_beside_an_accepted_one_is_one_order() -> None:
    rejected = our_order("tv3ebbb", status="REJECTED", filled=Decimal(0))
    assert rules(history(), our_books(orders=[our_order(), rejected])) == []


@pytest.mark.parametrize(
    ("switch", "broken"),
    [
        (OFF, [3]),
        (replace(OFF, set_at=99.2), []),  # within the second that is allowed
        (replace(OFF, cleared_at=99.9), []),
        (replace(OFF, key=f"SYMBOL:{BTC}"), [3]),
        (replace(OFF, key="SYMBOL:ETHUSDT"), []),
    ],
)
def test_an_opening_order_more_than_a_second_after_a_kill_switch(
    switch: SwitchOff, broken: list[int]
) -> None:
    seen = history()
    seen.switches.append(switch)
    assert rules(seen) == broken


def test_a_clock_that_was_set_ahead_accuses_nobody() -> None:
    seen = history()
    seen.switches.append(replace(OFF, set_at=98.7))
    seen.sightings[1] = Sighting(at=99.9, skew_s=0.8)
    assert rules(seen) == []
    seen.sightings[1] = Sighting(at=100.2, skew_s=0.0)
    assert rules(seen) == [3]


TOUCHED = {
    "closed by us": theirs(
        orders=[order(1, BY_HAND), order(2, "tv3xaaa", side=3)],
        fills=[THEIR_FILLS[0], fill(12, "tv3xaaa", 160, side=3)],
    ),
    "closed by a stop of ours": theirs(
        orders=[order(1, BY_HAND), order(2, "PLAN_9", side=3)],
        fills=[THEIR_FILLS[0], fill(12, "PLAN_9", 160, side=3)],
        plans=[stop(state=4)],
    ),
    "protected by us": replace(theirs(), moments=held()),
    "their order cancelled": theirs(orders=[*THEIRS, RESTING_BY_HAND]),
    "their stop cancelled": replace(
        theirs(),
        moments=[
            Moment(100.0, True, [position()], [stop(9, "hand000004")]),
            Moment(101.0, True, [position()]),
        ],
    ),
}


@pytest.mark.parametrize("case", TOUCHED)
def test_what_is_done_to_those_by_hand_is_seen(case: str) -> None:
    broken = [each for each in judge(TOUCHED[case], NONE_OF_OURS) if each.rule == 5]
    assert len(broken) == 1
    assert BTC in broken[0].sentence


def test_what_they_do_themselves_is_no_violation() -> None:
    seen = theirs(orders=[*THEIRS, RESTING_BY_HAND])
    seen.hand_cancels.add("hand000003")
    fired = theirs(orders=[*THEIRS, order(3, "PLAN_9", side=3, kind="market")])
    fired.moments = [
        Moment(100.0, True, [position()], [stop(9, "hand000004")]),
        Moment(101.0, True, [position()]),
    ]
    assert rules(seen, NONE_OF_OURS) == rules(fired, NONE_OF_OURS) == []


@pytest.mark.parametrize(
    ("taken_by_switch", "absences", "broken"),
    [
        (True, [], [5]),
        (False, [Absence("watch", 100, 125, restarted=True)], [5]),
        (True, [Absence("watch", 100, 112, restarted=True)], [5]),
        (True, [Absence("watch", 100, 115, restarted=True)], []),
    ],
)
def test_what_the_dead_mans_switch_takes_counts_while_watch_could_have_disarmed_it(
    taken_by_switch: bool, absences: list[Absence], broken: list[int]
) -> None:
    taken = order(3, "hand000003", filled=0, updated_ms=125_000, cancelled_by_dead_man=taken_by_switch)
    seen = theirs(orders=[*THEIRS, taken])
    seen.absences += absences
    assert rules(seen, NONE_OF_OURS) == broken


def test_a_sentence_names_the_symbol_the_numbers_and_what_was_done_before() -> None:
    seen = history(held(naked=(110, 125)))
    seen.actions += [
        Action(105.0, "kill valkey"),
        Action(106.0, "by hand", attacks=False),
        Action(200.0, "much later"),
    ]
    [violation] = judge(seen, our_books())
    assert violation.rule == 2
    assert f"{BTC} long of 10 stood 15.0 s without" in violation.sentence
    assert "kill valkey" in violation.sentence
    assert "much later" not in violation.sentence
