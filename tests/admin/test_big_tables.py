"""Tables of millions are browsed without counting them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.admin_base.table import EXACT_BELOW, EstimatedPaginator, planned_rows
from apps.audit import store as audit
from apps.audit.models import MtfAudit
from tests.rooms.builders import audit_row

pytestmark = pytest.mark.django_db

BIG = [
    "audit_mtfaudit",
    "audit_tradelifecycleevent",
    "audit_tradezoneevent",
    "market_kline",
    "mtf_mtfrun",
    "orders_exchangeorder",
    "orders_fill",
    "orders_orderplan",
    "orders_position",
    "signals_indicatorsnapshot",
    "signals_signal",
]


@pytest.mark.parametrize("table", BIG)
@pytest.mark.parametrize("query", [{}, {"q": "BTCUSDT", "p": "2"}], ids=["plain", "search, page 2"])
def test_a_list_neither_counts_nor_looks_for_distinct_values(
    table: str, query: dict[str, str], root: Client, rows: None
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert root.get(reverse(f"admin:{table}_changelist"), query).status_code == 200
    queries = [entry["sql"].upper() for entry in seen.captured_queries]
    assert any("EXPLAIN" in sql for sql in queries)
    assert not [sql for sql in queries if "COUNT(" in sql or "DISTINCT" in sql]


def make_rows(count: int, symbol: str = "BTCUSDT") -> None:
    audit.save_rows(audit_row(symbol=symbol) for _ in range(count))


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mtf_audit")


def test_few_results_are_counted_exactly() -> None:
    make_rows(120)
    analyze()
    paginator = EstimatedPaginator(MtfAudit.objects.order_by("-id"), 50)
    assert (paginator.count, paginator.num_pages) == (120, 3)


def test_many_results_are_estimated_and_every_page_with_rows_opens() -> None:
    make_rows(EXACT_BELOW + 500)
    analyze()
    paginator = EstimatedPaginator(MtfAudit.objects.order_by("-id"), 50)
    assert paginator.count == pytest.approx(EXACT_BELOW + 500, rel=0.1)  # ANALYZE samples
    assert len(paginator.page(paginator.num_pages + 100)) == 0
    assert len(paginator.page(50)) == 50


def test_a_stale_estimate_hides_nothing_that_was_counted() -> None:
    make_rows(EXACT_BELOW + 300)
    analyze()
    make_rows(EXACT_BELOW + 200, "ETHUSDT")
    wanted = MtfAudit.objects.filter(symbol="ETHUSDT").order_by("-id")
    assert planned_rows(wanted) < EXACT_BELOW
    assert EstimatedPaginator(wanted, 50).count > EXACT_BELOW
