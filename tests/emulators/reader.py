"""A page in a browser's window, and what is asked of every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from program import Wrong

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# A blank page as PNG is smaller than this.
BLANK_BYTES = 8_000


class Reader:
    """A page in a window of some size and colours, with whatever the browser had against it."""

    def __init__(
        self,
        browser: Browser,
        at: Path | str,
        *,
        scheme: str,
        size: dict[str, int],
        script: bool = True,
    ) -> None:
        url = at.as_uri() if isinstance(at, Path) else at
        context = browser.new_context(
            viewport=size,
            color_scheme=scheme,
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        self.page: Page = context.new_page()
        self.against: list[str] = []
        self.page.on("console", lambda said: self.against.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.against.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self._dialog(dialog))
        self.page.on("request", lambda asked: self._request(asked.url, at))
        self.page.goto(url)
        self.name = at.name if isinstance(at, Path) else url

    def _dialog(self, dialog: Any) -> None:
        self.against.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, url: str, at: Path | str) -> None:
        """A file asks for nothing beside itself, a served page for pages of its own server only."""
        asked = url.split("#")[0]
        mine = asked == at.as_uri() if isinstance(at, Path) else urlsplit(asked).netloc == urlsplit(at).netloc
        if not mine:
            self.against.append(f"asks for {url}")

    def done(self) -> None:
        """Raises `Wrong` with whatever the browser had against the page."""
        if self.against:
            raise Wrong("\n".join([f"{self.name}: the browser has this against it:", *self.against]))
        self.page.context.close()

    def count(self, what: str) -> int:
        """How many elements are seen."""
        return self.page.locator(f"{what}:visible").count()


def looks(browser: Browser, at: Path | str, stem: str, screenshots: Path) -> None:
    """Nothing in the console, no violation of accessibility rules, nothing wider than the window, in any colours."""
    for scheme in ("light", "dark"):
        for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
            reader = Reader(browser, at, scheme=scheme, size=size)
            shot = screenshots / f"{stem}-{name}-{scheme}.png"
            reader.page.screenshot(path=shot)
            if shot.stat().st_size < BLANK_BYTES:
                raise Wrong(f"{shot} is blank")
            wide = reader.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                raise Wrong(f"{stem} is {wide} pixels wider than a {name}")
            accessible(reader)
            reader.done()
    size = f"{at.stat().st_size:,} bytes, " if isinstance(at, Path) else ""
    print(f"  {stem}: {size}light and dark, desktop and phone", flush=True)


def accessible(reader: Reader) -> None:
    for details in reader.page.locator("details").all()[:20]:
        details.evaluate("one => { one.open = true }")
    found = Axe().run(reader.page)
    if found.violations_count:
        raise Wrong(f"{reader.name}: {found.generate_report()}")
