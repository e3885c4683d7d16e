"""Who may come in."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests.browser.visitor import PASSWORD, Visitor


def test_the_root_leads_through_the_login_to_the_overview(stranger: Visitor, ada: User, rows: None) -> None:
    stranger.open("/")
    stranger.log_in("ada", PASSWORD)
    stranger.page.wait_for_url("**/admin/")
    stranger.expect_text("Where each symbol stands")
    stranger.expect_silence("the login")


def test_a_wrong_password_is_refused_in_words(stranger: Visitor, ada: User) -> None:
    stranger.open("/admin/login/")
    stranger.log_in("ada", "wrong")
    stranger.expect_text("Please enter the correct username and password")


@pytest.mark.parametrize("address", ["/admin/audit/mtfaudit/", "/api/docs/"])
def test_a_page_asked_for_before_the_login_opens_after_it(
    address: str, stranger: Visitor, ada: User, rows: None
) -> None:
    stranger.open(address)
    assert "/admin/login/" in stranger.page.url
    stranger.log_in("ada", PASSWORD)
    stranger.page.wait_for_url(f"**{address}")
    stranger.page.wait_for_load_state("networkidle")
    stranger.expect_silence(address)
