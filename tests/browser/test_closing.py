"""Positions closed by hand from their list, after being asked once more."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import User
from django.utils import timezone

from apps.engine import events
from apps.engine.values.position import PositionReport, PositionStatus, Side
from apps.orders import store as orders
from apps.orders.models import CloseRequest
from apps.switches.models import MtfSwitch
from tests.browser.visitor import PHONE, Visitor
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, plan, position

LIST = "/admin/orders/position/"


def hold(symbol: str, status: PositionStatus) -> None:
    held = position(plan(symbol), status, decision_key="" if status == PositionStatus.FOREIGN else "k")
    ledger().record([events.PositionOpened(symbol=symbol, at=at(3), position=held)])
    report = PositionReport(
        symbol, Side.LONG, held.size, held.entry_price, NOW, Decimal("101.5"), Decimal("12.3")
    )
    orders.PositionMarks(ACCOUNT).save([report], timezone.now())


def test_what_is_chosen_is_shown_with_its_result_asked_once_more_and_kept_with_its_author(
    visitor: Visitor,
) -> None:
    hold("BTCUSDT", PositionStatus.PROTECTED)
    hold("SOLUSDT", PositionStatus.FOREIGN)
    visitor.open(LIST)
    visitor.expect_text("+12.30 (")
    for symbol in ("BTCUSDT", "SOLUSDT"):
        row = visitor.page.locator("#result_list tr.data-row", has_text=symbol).first
        row.locator("input[name=_selected_action]").check()
    visitor.page.select_option("select[name=action]", "close_at_market")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Run").click()
    visitor.expect_text("Each keeps its stop until it is flat")
    visitor.page.set_viewport_size(PHONE)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    visitor.page.fill("textarea[name=reason]", "news at noon")
    visitor.page.get_by_label("Close also what we did not open").check()
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Close 2 positions at market").click()
    visitor.expect_text("BTCUSDT long is being closed")
    asked = CloseRequest.objects.filter(done_at=None).values_list("symbol", "asked_by", "reason", "foreign")
    assert set(asked) == {(symbol, "ada", "news at noon", True) for symbol in ("BTCUSDT", "SOLUSDT")}
    visitor.expect_silence("closing")


def test_everything_is_flattened_after_a_reason_with_global_off(visitor: Visitor) -> None:
    hold("BTCUSDT", PositionStatus.PROTECTED)
    hold("SOLUSDT", PositionStatus.FOREIGN)
    visitor.open(LIST)
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("link", name="Flatten: out of everything").click()
    visitor.expect_text("Open positions: 2. Entries that may still fill: 0.")
    visitor.page.fill("textarea[name=reason]", "the exchange is in trouble")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name=f"Flatten {ACCOUNT}").click()
    visitor.expect_text("GLOBAL is off; being closed: BTCUSDT long.")
    (request,) = CloseRequest.objects.filter(done_at=None)
    assert (request.symbol, request.asked_by, request.foreign) == ("BTCUSDT", "ada", False)
    switch = MtfSwitch.objects.get(switch_key="GLOBAL")
    assert (switch.is_on, switch.changed_by, switch.reason) == (False, "ada", "the exchange is in trouble")
    visitor.expect_silence("flattening")


def test_who_may_not_stop_what_opens_may_not_flatten(visitor: Visitor, ada: User) -> None:
    ada.is_superuser, ada.is_staff = False, True
    ada.save()
    answer = visitor.page.goto("/admin/orders/position/flatten/")
    assert answer is not None
    assert answer.status == 403
    assert not CloseRequest.objects.filter(done_at=None).exists()
