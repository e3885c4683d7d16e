from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from tests.factories import (
    NOON,
    ContractFactory,
    IndicatorSnapshotFactory,
    KlineFactory,
    MtfAuditFactory,
    MtfRunFactory,
    SignalFactory,
    ValidationCacheFactory,
)

SERIES = "symbol=BTCUSDT&timeframe=1m"


def walk(client: APIClient, address: str, limit: int) -> list[list[dict[str, Any]]]:
    """Every page from the first to the last."""
    pages, parameters = [], {"limit": str(limit)}
    while True:
        joint = "&" if "?" in address else "?"
        page = client.get(f"{address}{joint}{urlencode(parameters)}").json()
        pages.append(page["results"])
        if page["next"] is None:
            return pages
        parameters["cursor"] = page["next"]


def minute(n: int) -> datetime:
    return NOON + timedelta(minutes=n)


@pytest.mark.parametrize(
    ("make", "address", "key", "newest_first"),
    [
        (
            lambda n: MtfAuditFactory.create(created_at=NOON + timedelta(minutes=n // 3)),
            reverse("api:audit"),
            "id",
            True,
        ),
        (
            lambda n: MtfRunFactory.create(minute=NOON + timedelta(minutes=n)),
            reverse("api:runs"),
            "minute",
            True,
        ),
        (
            lambda n: KlineFactory.create(),
            f"{reverse('api:klines')}?{SERIES}",
            "open_time",
            True,
        ),
        (
            lambda n: IndicatorSnapshotFactory.create(),
            f"{reverse('api:indicators')}?{SERIES}",
            "kline_time",
            True,
        ),
        (
            lambda n: SignalFactory.create(),
            reverse("api:signals"),
            "kline_time",
            True,
        ),
        (lambda n: ContractFactory.create(symbol=f"C{n}USDT"), reverse("api:contracts"), "symbol", False),
        (lambda n: ValidationCacheFactory.create(symbol=f"C{n}USDT"), reverse("api:states"), "symbol", False),
    ],
)
def test_pages_together_hold_every_row_once_and_in_order(
    make: Callable[[int], object], address: str, key: str, newest_first: bool, reader: APIClient
) -> None:
    for n in range(7):
        make(n)
    pages = walk(reader, address, 3)
    assert [len(page) for page in pages] == [3, 3, 1]
    keys = [row[key] for page in pages for row in page]
    assert keys == sorted(set(keys), reverse=newest_first)
    assert len(set(keys)) == 7


def test_rows_of_one_instant_do_not_get_lost_between_pages(reader: APIClient) -> None:
    written = {MtfAuditFactory.create(symbol=f"C{n}USDT").pk for n in range(20)}
    pages = walk(reader, reverse("api:audit"), 6)
    assert {row["id"] for page in pages for row in page} == written
    assert sum(map(len, pages)) == 20


def test_a_row_written_meanwhile_moves_no_other_row_to_another_page(reader: APIClient) -> None:
    for n in range(4):
        MtfAuditFactory.create(created_at=NOON + timedelta(minutes=n))
    first = reader.get(reverse("api:audit") + "?limit=2").json()
    MtfAuditFactory.create(created_at=NOON + timedelta(hours=1))
    second = reader.get(reverse("api:audit"), {"limit": 2, "cursor": first["next"]}).json()
    times = [row["created_at"] for row in first["results"] + second["results"]]
    assert times == [f"2026-06-01T12:0{n}:00Z" for n in (3, 2, 1, 0)]
    assert second["next"] is None


@pytest.mark.parametrize(
    "address",
    [reverse("api:audit"), reverse("api:runs"), reverse("api:signals"), f"{reverse('api:klines')}?{SERIES}"],
)
def test_no_list_counts_its_rows(address: str, reader: APIClient) -> None:
    with CaptureQueriesContext(connection) as queries:
        reader.get(address)
    assert not [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("cursor=", "cursor"),
        ("cursor=nonsense", "cursor"),
        ("cursor=2026-06-01T12:00:00~7", "cursor"),
        ("cursor=2026-06-01T12:00:00%2B00:00~-1", "cursor"),
        ("cursor=2026-06-01T12:00:00%2B00:00~" + "9" * 30, "cursor"),
        ("cursor=0001-01-01T00:00:00%2B23:59~1", "cursor"),
        ("cursor=a%00~1", "cursor"),
        ("symbol=%00", "symbol"),
        ("symbol=", "symbol"),
        ("run_id=7", "run_id"),
        ("since=yesterday", "since"),
        ("since=0001-01-01T00:00:00%2B23:59", "since"),
        ("timeframe=7m", "timeframe"),
        ("format=xml", "format"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(given: str, field: str, reader: APIClient) -> None:
    refused = reader.get(f"{reverse('api:audit')}?{given}")
    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])


@pytest.mark.parametrize("hostile", ["' OR 1=1 --", "%", "😀", "\u202eTDSU", "../..", "{{7*7}}", "a" * 64])
def test_a_hostile_filter_finds_nothing_and_breaks_nothing(hostile: str, reader: APIClient) -> None:
    MtfAuditFactory.create()
    answer = reader.get(reverse("api:audit"), {"symbol": hostile})
    assert (answer.status_code, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("symbol=ETHUSDT", ["b"]),
        ("profile=regular", ["c"]),
        ("step=size", ["d"]),
        ("timeframe=5m", ["b"]),
        ("cause=NO_KLINES", ["c"]),
        ("since=2026-06-01T12:02:00Z", ["d", "c"]),
        ("until=2026-06-01T12:02:00Z", ["b", "a"]),
        ("since=2026-06-01T12:01:00Z&until=2026-06-01T12:02:00Z", ["b"]),
        ("run_id=0b6f1c9e-5f0c-4b62-9c0a-3a1b7f3f5a11", ["a"]),
        ("symbol=ETHUSDT&profile=regular", []),
    ],
)
def test_the_audit_is_filtered(given: str, found: list[str], reader: APIClient) -> None:
    changes: list[dict[str, Any]] = [
        {"run_id": "0b6f1c9e-5f0c-4b62-9c0a-3a1b7f3f5a11"},
        {"symbol": "ETHUSDT", "timeframe": "5m"},
        {"profile": "regular", "cause": "NO_KLINES"},
        {"step": "size"},
    ]
    for n, (name, changed) in enumerate(zip("abcd", changes, strict=True)):
        MtfAuditFactory.create(created_at=NOON + timedelta(minutes=n), details={"name": name}, **changed)
    results = reader.get(f"{reverse('api:audit')}?{given}").json()["results"]
    assert [row["details"]["name"] for row in results] == found


@pytest.mark.parametrize("address", [reverse("api:klines"), reverse("api:indicators")])
def test_candles_and_indicators_are_asked_for_by_series(address: str, reader: APIClient) -> None:
    assert set(reader.get(address).json()["details"]) == {"symbol", "timeframe"}


def test_prices_are_told_exactly_as_they_are_stored(reader: APIClient) -> None:
    KlineFactory.create(open_time=NOON)
    [candle] = reader.get(f"{reverse('api:klines')}?{SERIES}").json()["results"]
    assert (candle["open_price"], candle["volume"]) == ("104000.500000000000", "1.250000000000")
    assert (candle["open_time"], candle["source"]) == ("2026-06-01T12:00:00Z", "WS")


def test_states_tell_the_standing_outcome_of_each_timeframe(reader: APIClient) -> None:
    ValidationCacheFactory.create()
    ValidationCacheFactory.create(symbol="ETHUSDT")
    [state] = reader.get(reverse("api:states") + "?symbol=BTCUSDT&profile=scalper_micro").json()["results"]
    assert (state["timeframe"], state["phase"], state["side"], state["outcome"]) == (
        "1m",
        "execution",
        "LONG",
        "valid",
    )
