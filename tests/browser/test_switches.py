"""Kill switches turned by hand in the list."""

from __future__ import annotations

from playwright.sync_api import Locator

from apps.audit.models import OperatorAction
from apps.switches.store import off_switches
from tests.browser.visitor import Visitor

LIST = "/admin/switches/mtfswitch/"


def row_of(visitor: Visitor, key: str) -> Locator:
    return visitor.page.locator("#result_list tr.data-row", has_text=key)


def turn(visitor: Visitor, key: str) -> None:
    row_of(visitor, key).locator("input[name$=is_on]").click()


def save(visitor: Visitor) -> None:
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Save", exact=True).click()


def test_a_switch_turned_off_with_a_reason_is_kept_with_its_author(visitor: Visitor) -> None:
    visitor.open(LIST)
    turn(visitor, "GLOBAL")
    row_of(visitor, "GLOBAL").locator("input[name$=reason]").fill("exchange maintenance")
    save(visitor)
    visitor.expect_text("1 kill switch was changed successfully")
    assert "stopped" in row_of(visitor, "GLOBAL").inner_text().lower()
    assert off_switches()["GLOBAL"] == "exchange maintenance"
    action = OperatorAction.objects.get(target="GLOBAL", action="switch_off")
    assert (action.actor, action.reason) == ("ada", "exchange maintenance")


def test_a_switch_turned_off_without_a_new_reason_is_refused_before_the_eyes(visitor: Visitor) -> None:
    visitor.open(LIST)
    turn(visitor, "GLOBAL")
    save(visitor)
    visitor.expect_text("This is the old reason. Say why you change it now.")
    row_of(visitor, "GLOBAL").locator("input[name$=reason]").fill("")
    save(visitor)
    visitor.expect_text("Say why: the reason is kept with your name.")
    assert "GLOBAL" not in off_switches()


def test_a_bulk_change_asks_why_and_says_how_many(visitor: Visitor) -> None:
    visitor.open(LIST)
    for key in ("GLOBAL", "SYMBOL:BTCUSDT"):
        row_of(visitor, key).locator("input.action-select").check()
    visitor.page.select_option("select[name=action]", "turn_off_1h")
    visitor.page.get_by_role("button", name="Run").click()
    visitor.page.fill("textarea[name=reason]", "weekend")
    visitor.page.get_by_role("button", name="Turn off for 1 h: 2 switches").click()
    visitor.expect_text("2 switches turned off until")
    assert off_switches() == {"GLOBAL": "weekend", "SYMBOL:BTCUSDT": "weekend"}


def test_a_misspelt_symbol_is_refused_with_the_nearest(visitor: Visitor) -> None:
    visitor.open(f"{LIST}add/")
    visitor.page.fill("#id_switch_key", "SYMBOL:ETHUSD")
    visitor.page.fill("#id_reason", "noise")
    save(visitor)
    visitor.expect_text("unknown symbol 'ETHUSD'; nearest: 'ETHUSDT'")
    assert "SYMBOL:ETHUSD" not in off_switches()
