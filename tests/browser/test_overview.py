"""The first page renews itself, and says when it cannot."""

from __future__ import annotations

from playwright.sync_api import expect

from apps.switches.store import set_switch
from tests.browser.visitor import Visitor

RENEWED_AFTER_MS = 11_000


def opened(visitor: Visitor) -> None:
    visitor.page.clock.install()
    visitor.open("/admin/")


def test_it_shows_a_switch_turned_elsewhere_without_being_asked(visitor: Visitor) -> None:
    opened(visitor)
    set_switch("GLOBAL", is_on=False, reason="the exchange is down", actor="ada")
    assert visitor.page.get_by_text("the exchange is down").count() == 0
    visitor.page.clock.run_for(RENEWED_AFTER_MS)
    visitor.expect_text("the exchange is down")
    visitor.expect_silence("the renewed overview")


def test_it_says_when_the_server_does_not_answer_and_stops_saying_so(visitor: Visitor) -> None:
    opened(visitor)
    lost = visitor.page.locator("#lost")
    expect(lost).to_be_hidden()
    visitor.page.context.set_offline(True)
    visitor.page.clock.run_for(RENEWED_AFTER_MS)
    expect(lost).to_be_visible()
    visitor.page.context.set_offline(False)
    visitor.page.clock.run_for(RENEWED_AFTER_MS)
    expect(lost).to_be_hidden()


def test_it_leads_to_the_login_once_the_session_has_ended(visitor: Visitor) -> None:
    opened(visitor)
    visitor.page.context.clear_cookies()
    visitor.page.clock.run_for(RENEWED_AFTER_MS)
    visitor.page.wait_for_url("**/admin/login/**")
