"""A page in a browser's window, and what is asked of every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from program import Wrong

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# A blank page as PNG is smaller than this.
BLANK_BYTES = 8_000


class Reader:
    """A page in a window of some size and colours, with whatever the browser had against it."""

    def __init__(self, browser: Browser, path: Path, *, scheme: str, size: dict[str, int], script: bool = True) -> None:
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
        self.page.on("request", lambda asked: self._request(asked.url, path))
        self.page.goto(path.as_uri())
        self.name = path.name

    def _dialog(self, dialog: Any) -> None:
        self.against.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, url: str, path: Path) -> None:
        if url.split("#")[0] != path.as_uri():
            self.against.append(f"asks for {url}")

    def done(self) -> None:
        """Raises `Wrong` with whatever the browser had against the page."""
        if self.against:
            raise Wrong("\n".join([f"{self.name}: the browser has this against it:", *self.against]))
        self.page.context.close()

    def count(self, what: str) -> int:
        """How many elements are seen."""
        return self.page.locator(f"{what}:visible").count()


def looks(browser: Browser, path: Path, screenshots: Path) -> None:
    """Nothing in the console, no violation of accessibility rules, nothing wider than the window, in any colours."""
    for scheme in ("light", "dark"):
        for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
            reader = Reader(browser, path, scheme=scheme, size=size)
            shot = screenshots / f"{path.stem}-{name}-{scheme}.png"
            reader.page.screenshot(path=shot)
            if shot.stat().st_size < BLANK_BYTES:
                raise Wrong(f"{shot} is blank")
            wide = reader.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                raise Wrong(f"{path.name} is {wide} pixels wider than a {name}")
            accessible(reader)
            reader.done()
    print(f"  {path.name}: {path.stat().st_size:,} bytes, light and dark, desktop and phone", flush=True)


def accessible(reader: Reader) -> None:
    for details in reader.page.locator("details").all()[:20]:
        details.evaluate("one => { one.open = true }")
    found = Axe().run(reader.page)
    if found.violations_count:
        raise Wrong(f"{reader.name}: {found.generate_report()}")
