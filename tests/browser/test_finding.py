"""From a question to its rows: filters and links."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.audit import store as audit
from tests.browser.visitor import Visitor
from tests.rooms.builders import RUN, audit_row

AUDIT = "/admin/audit/mtfaudit/"
OTHER_RUN = "99999999-2222-3333-4444-555555555555"


@pytest.fixture
def more_rows(rows: None) -> None:
    now = datetime.now(UTC)
    audit.save_rows(
        [
            audit_row(symbol="ETHUSDT", cause="execution_side_mismatch", created_at=now, run_id=OTHER_RUN),
            audit_row(symbol="BTCUSDT", cause="execution_side_mismatch", created_at=now, run_id=OTHER_RUN),
        ]
    )


def shown(visitor: Visitor) -> list[tuple[str, str]]:
    """Symbol and cause of the rows on the page."""
    rows = visitor.page.locator("#result_list tr.data-row").all()
    return sorted(
        (row.locator(".field-of_symbol").inner_text(), row.locator(".field-coloured_cause").inner_text())
        for row in rows
    )


def test_the_audit_is_narrowed_by_symbol_and_cause(visitor: Visitor, more_rows: None) -> None:
    visitor.open(AUDIT)
    assert len(shown(visitor)) == 3
    visitor.page.fill("#searchbar", "btcusdt")
    visitor.page.press("#searchbar", "Enter")
    visitor.page.wait_for_url("**q=btcusdt**")
    assert {symbol for symbol, _ in shown(visitor)} == {"BTCUSDT"}
    visitor.page.get_by_text("Filters filter_list").click()
    visitor.page.get_by_label("By cause").fill("execution_side_mismatch")
    visitor.page.get_by_role("button", name="Apply Filters").click()
    visitor.page.wait_for_url("**cause=execution_side_mismatch**")
    assert shown(visitor) == [("BTCUSDT", "execution_side_mismatch")]
    visitor.expect_silence("the filtered audit")


def test_a_run_leads_to_its_audit_rows_and_an_audit_row_to_its_run(visitor: Visitor, more_rows: None) -> None:
    visitor.open("/admin/mtf/mtfrun/")
    visitor.page.locator(".field-audit a").click()
    visitor.page.wait_for_url(f"**run_id={RUN}")
    assert shown(visitor) == [("BTCUSDT", "READY")]
    visitor.page.locator(".field-run a").click()
    visitor.page.wait_for_url("**/mtfrun/**")
    assert visitor.page.locator("#result_list tr.data-row").count() == 1
