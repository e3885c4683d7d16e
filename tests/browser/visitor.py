"""Somebody who opens pages and hears everything the browser complains about."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page, Response, expect

PASSWORD = "correct horse battery staple"
DESK = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


class Visitor:
    """`faults` collects console errors, exceptions of scripts, and answers of 400 and above."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.faults: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("response", self._answered)

    def open(self, address: str) -> None:
        """Open `address`; it must answer 200 and nothing on it may complain."""
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == 200, f"{address} answered {answer.status}"
        self.expect_silence(address)

    def expect_silence(self, where: str) -> None:
        assert self.faults == [], f"{where}: {self.faults}"

    def expect_text(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def log_in(self, name: str, password: str) -> None:
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", password)
        self.page.get_by_role("button", name="Log in").click()

    def take_over(self, session: str) -> None:
        """Go on in a session opened elsewhere."""
        self.page.context.add_cookies([{"name": "sessionid", "value": session, "url": self.url}])

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text}")

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400:
            self.faults.append(f"{answer.status} {answer.url}")
