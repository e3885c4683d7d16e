"""Every page of the admin in a real browser: it opens, nothing complains, and it fits a phone."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.urls import reverse

from apps.audit import store as audit
from apps.audit.models import MtfAudit
from tests.admin.places import SHOWN, made_by_people, place
from tests.browser.visitor import DESK, PHONE, Visitor
from tests.rooms.builders import audit_row

WIDER_THAN_SCREEN = "document.documentElement.scrollWidth > window.innerWidth"


def pages(model: type[Model]) -> list[str]:
    """The list, the newest row, and the form to add where people may."""
    row = model._default_manager.order_by("-pk").first()
    assert row is not None, "the test has no row here"
    form = [place(model, "add")] if made_by_people(model) else []
    return [place(model, "changelist"), place(model, "change", row.pk), *form]


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_the_pages_of_every_table_open_in_silence_and_fit_a_phone(
    model: type[Model], visitor: Visitor
) -> None:
    for size in (DESK, PHONE):
        visitor.page.set_viewport_size(size)
        for address in pages(model):
            visitor.open(address)
            assert not visitor.page.evaluate(WIDER_THAN_SCREEN), f"{address} scrolls sideways"


@pytest.mark.parametrize("address", ["/admin/", "/admin/password_change/"])
def test_the_pages_beside_the_tables_do_too(address: str, visitor: Visitor) -> None:
    visitor.open(address)
    visitor.page.set_viewport_size(PHONE)
    visitor.open(address)
    assert not visitor.page.evaluate(WIDER_THAN_SCREEN), f"{address} scrolls sideways"


def test_the_conditions_of_a_verdict_scroll_inside_the_page_of_a_phone(visitor: Visitor) -> None:
    leaf = {
        "side": "short",
        "role": "filter",
        "condition": "macd_line_cross_down_with_hysteresis",
        "text": "crossed_below(macd_hist / close, 3e-05, within=3)",
        "left": -0.0009495929,
        "right": 3e-05,
        "held": False,
    }
    judged = {"timeframe": "1h", "phase": "context", "outcome": "neutral", "reason": None, "leaves": [leaf]}
    audit.save_rows([audit_row(symbol="SOLUSDT", details={"verdict": {"timeframes": [judged]}})])
    visitor.page.set_viewport_size(PHONE)
    visitor.open(place(MtfAudit, "change", MtfAudit.objects.get(symbol="SOLUSDT").pk))
    visitor.expect_text("crossed_below(macd_hist / close, 3e-05, within=3)")
    assert not visitor.page.evaluate(WIDER_THAN_SCREEN)


def test_the_interactive_api_documentation_lists_every_address_on_a_phone_too(visitor: Visitor) -> None:
    visitor.page.set_viewport_size(PHONE)
    visitor.open(reverse("api:docs"))
    visitor.expect_text(reverse("api:run-now"))
    assert not visitor.page.evaluate(WIDER_THAN_SCREEN)
    visitor.expect_silence("the documentation")


def test_a_list_without_rows_says_so(visitor: Visitor) -> None:
    visitor.open("/admin/audit/mtfaudit/?cause=no_such_cause")
    visitor.expect_text("Nothing matches")
    MtfAudit.objects.all().delete()
    visitor.open("/admin/audit/mtfaudit/")
    visitor.expect_text("Nothing here yet")


def test_a_page_beside_the_admin_finds_the_favicon_too(visitor: Visitor) -> None:
    visitor.open("/favicon.ico")
    assert visitor.page.url.endswith("icon.svg")
