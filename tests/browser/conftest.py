"""A real browser before a real server; without Debian's chromium these proofs are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from playwright.sync_api import Browser, sync_playwright
from pytest_django.live_server_helper import LiveServer

from apps.switches.store import set_switch
from tests.browser.visitor import PASSWORD, Visitor
from tests.rooms.fill import fill

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(
                pytest.mark.skipif(
                    not CHROMIUM.exists(), reason=f"{CHROMIUM} is absent; ./run test --all installs it"
                )
            )


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for the folder. Playwright's synchronous door keeps an event loop running in this thread,
    where Django refuses its ORM; nothing here awaits, so it is allowed as long as the browser lives."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def rows(transactional_db: None) -> None:
    """A row in every table; a flush after each test takes what migrations had put there, too."""
    fill(datetime.now(UTC))
    Group.objects.get_or_create(name="operator")
    crontab, _ = CrontabSchedule.objects.get_or_create(minute="*")
    PeriodicTask.objects.get_or_create(
        name="minute", defaults={"task": "apps.live.tasks.judge_minute", "crontab": crontab}
    )
    set_switch("GLOBAL", is_on=True, reason="first start", actor="migration")


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def stranger(browser: Browser, live_server: LiveServer) -> Iterator[Visitor]:
    """Somebody before the admin, not logged in."""
    with browser.new_context(base_url=live_server.url) as context:
        yield Visitor(context.new_page(), live_server.url)


@pytest.fixture
def visitor(stranger: Visitor, ada: User, rows: None) -> Visitor:
    """ada, logged in, with rows in every table."""
    client = Client()
    client.force_login(ada)
    stranger.take_over(client.cookies["sessionid"].value)
    return stranger
