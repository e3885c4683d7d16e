"""Zone, price, stop and target, case by case."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.engine.enter.entry_price import ZoneRefusal, distance_refusal, entry_zone, limit_price
from apps.engine.enter.exit_price import Stop, Target, stop_level, stop_price, target_price
from apps.engine.events import ZoneCategory
from apps.engine.values.plan import Zone
from apps.engine.values.position import Side
from apps.engine.values.reason import Refusal
from apps.engine.values.timeframe import Timeframe
from tests.engine.trade_builder import NOW, D, contract, entry_of, features, observation, quote

LONG, SHORT = Side.LONG, Side.SHORT
TICK = D("0.1")
WIDE = Zone(D(49_000), D(51_000), D(50_000), "sma21", D(120), NOW)


def zone_of(side: Side = LONG, of: Any = None, **rule: Any) -> Zone:
    base = entry_of().zone.model_dump()
    entry = entry_of(zone={**{name: _plain(value) for name, value in base.items()}, **rule})
    zone = entry_zone(observation(features=of or features()), contract(), entry, side, NOW)
    assert isinstance(zone, Zone), zone
    return zone


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize(
    ("rule", "low", "high"),
    [
        ({}, "49958", "50042"),
        ({"k_atr": 0.01}, "49975", "50025"),
        ({"k_atr": 10.0}, "49300", "50700"),
        ({"bias": 0.5}, "49937", "50021"),
        ({"k_atr": 0.3501}, "49957.9", "50042.1"),
    ],
    ids=["by the atr", "at least w_min", "at most w_max", "moved down", "rounded outward"],
)
def test_a_zone_is_the_anchor_and_its_half_width(rule: dict[str, Any], low: str, high: str) -> None:
    zone = zone_of(**rule)
    assert (zone.low, zone.high) == (D(low), D(high))


def test_a_short_s_zone_is_moved_up() -> None:
    zone = zone_of(SHORT, bias=0.5)
    assert (zone.low, zone.high) == (D(49_979), D(50_063))


def test_the_other_anchor_stands_in() -> None:
    zone = zone_of(of=features(sma21=None, vwap=40_000.0))
    assert (zone.anchor_name, zone.anchor) == ("vwap", D(40_000))


@pytest.mark.parametrize(
    ("mark", "category"),
    [
        ("50500", None),
        ("51625", ZoneCategory.CLOSE_TO_THRESHOLD),
        ("51700", ZoneCategory.MODERATE_GAP),
        ("52000", ZoneCategory.FAR_OUTSIDE),
    ],
)
def test_how_far_the_market_is_from_the_zone(mark: str, category: ZoneCategory | None) -> None:
    refusal = distance_refusal(WIDE, quote(mark=mark), entry_of())
    assert (refusal and refusal.category) == category


@pytest.mark.parametrize(
    ("side", "bid", "ask", "mark", "price"),
    [
        (LONG, "50000.0", "50000.1", "50000", "50000.0"),
        (LONG, "50000.0", "50000.5", "50000", "50000.1"),
        (LONG, "51500.0", "51500.5", "51500", "51000.0"),
        (LONG, "50000.0", "50000.5", "49740", "49988.7"),
        (SHORT, "50000.0", "50000.1", "50000", "50000.1"),
        (SHORT, "50000.0", "50000.5", "50000", "50000.4"),
        (SHORT, "48500.0", "48500.5", "48500", "49000.0"),
        (SHORT, "50000.0", "50000.5", "50260", "50008.7"),
    ],
)
def test_a_limit_entry_joins_or_betters_the_book_within_zone_and_reach(
    side: Side, bid: str, ask: str, mark: str, price: str
) -> None:
    entry = (
        entry_of(max_deviation_pct=0.5) if mark not in ("51500", "48500") else entry_of(max_deviation_pct=5)
    )
    assert limit_price(WIDE, quote(bid, ask, mark), entry, side, TICK) == D(price)


@pytest.mark.parametrize(
    ("side", "bid", "ask", "mark"),
    [
        (LONG, "48000.0", "48000.1", "48000"),
        (LONG, "48999.8", "48999.9", "49000"),
        (LONG, "50000.0", "50000.1", "50300"),
        (SHORT, "52000.0", "52000.1", "52000"),
        (SHORT, "50000.0", "50000.1", "49700"),
    ],
)
def test_a_price_outside_zone_or_reach_is_none(side: Side, bid: str, ask: str, mark: str) -> None:
    assert isinstance(limit_price(WIDE, quote(bid, ask, mark), entry_of(), side, TICK), ZoneRefusal)


LEVELS = {
    "pivot": D(50_100),
    "s1": D(49_700),
    "s2": D(49_400),
    "s3": D(48_000),
    "r1": D(50_400),
    "r2": D(50_600),
}


@pytest.mark.parametrize(
    ("side", "policy", "level"),
    [
        (LONG, "nearest", "s1"),
        (LONG, "strongest", "s2"),
        (LONG, "s3", "s3"),
        (LONG, "r1", None),
        (LONG, "pivot", None),
        (SHORT, "nearest", "pivot"),
        (SHORT, "strongest", "r2"),
        (SHORT, "s1", "r1"),
        (SHORT, "pivot", "pivot"),
        (SHORT, "s6", None),
    ],
)
def test_which_pivot_a_stop_is_laid_behind(side: Side, policy: str, level: str | None) -> None:
    price = stop_level(LEVELS, D(50_000), side, policy)
    assert (price and price[0]) == level


def stop(side: Side = LONG, atr: str | None = "100", **entry: Any) -> Stop | Refusal:
    number = None if atr is None else D(atr)
    return stop_price(D(50_000), side, entry_of(**entry), number, LEVELS, quote(), TICK)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({}, Stop(D("49600.0"), "atr")),
        ({"side": SHORT}, Stop(D("50400.0"), "atr")),
        ({"atr": "100.01"}, Stop(D("49599.9"), "atr")),
        ({"side": SHORT, "atr": "100.01"}, Stop(D("50400.1"), "atr")),
        ({"atr": "20"}, Stop(D("49750.0"), "minimum_distance")),
        ({"stop_from": "pivot"}, Stop(D("49550.9"), "s1")),
        ({"stop_from": "pivot", "side": SHORT}, Stop(D("50250.3"), "pivot")),
        ({"stop_from": "pivot", "pivot_sl_policy": "s3"}, Stop(D("49600.0"), "atr")),
        ({"stop_from": "pivot", "atr": None}, Stop(D("49550.9"), "s1")),
    ],
)
def test_where_the_stop_lies(case: dict[str, Any], expected: Stop) -> None:
    assert stop(**case) == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({}, Target(D("50720.0"), "r_multiple")),
        ({"r1": D(50_700)}, Target(D("50720.0"), "r_multiple")),
        ({"r1": D(50_900)}, Target(D("50849.1"), "r1")),
        ({"r1": D(50_740)}, Target(D("50689.2"), "r1")),
        ({"r1": D(51_000)}, Target(D("50720.0"), "r_multiple")),
        ({"r1": D(51_000), "r2": D(50_900)}, Target(D("50849.1"), "r2")),
    ],
    ids=["no pivot", "one before it", "one beyond", "one just beyond", "one too far", "the nearest beyond"],
)
def test_where_a_long_s_target_lies(levels: dict[str, Decimal], expected: Target) -> None:
    assert target_price(D(50_000), D(49_600), LONG, entry_of(), levels, TICK) == expected


def test_a_short_s_target_is_rounded_up_toward_its_entry() -> None:
    price = target_price(D(50_000), D("50400.1"), SHORT, entry_of(), {}, TICK)
    assert price == Target(D("49279.9"), "r_multiple")


def test_a_feature_crosses_into_money_as_its_shortest_text_and_what_is_not_a_number_is_missing() -> None:
    of = observation(
        features={Timeframe.M1: {"a": 0.1, "b": float("nan"), "c": None, "d": 3, "e": float("inf")}}
    )
    numbers = [of.number(Timeframe.M1, name) for name in "abcdef"]
    assert numbers == [D("0.1"), None, None, D(3), None, None]
    assert of.number(Timeframe.H4, "a") is None
