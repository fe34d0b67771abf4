#!/usr/bin/env python3
"""The pages of `baseline plan --format html` and `baseline report`, and the live page of a controller, read in a real
browser.

    page_run.py --pages FOLDER [--live FOLDER] [--screenshots FOLDER]

FOLDER is what the tests of `tests/it/cli/page.rs` leave in `BASELINE_PAGES`; the one of `--live` is where
`controller::live::a_page_for_a_browser` writes its addresses (`BASELINE_LIVE`).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from live_page import live
from program import Wrong, equal
from reader import DESKTOP, Reader, looks

PAGES = ["acme.html", "report.html", "hostile.html", "many.html"]
# The sandbox needs privileges that a container does not give, and nothing is to be asked of Google.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What a person walks through with the tab key before giving up: a walk that long is no fault of the page's.
TABS = 400

def filters(browser: Browser, path: Path) -> None:
    """The filter shows what is asked for, says how much that is, and lets go of it."""
    reader = Reader(browser, path, scheme="light", size=DESKTOP)
    page = reader.page
    rows, findings = reader.count(".grid tbody tr"), reader.count("[data-o]")
    page.get_by_label("Account", exact=True).fill("prod-pay")
    equal("rows of prod-payments", reader.count(".grid tbody tr"), 1)
    if not 0 < reader.count("[data-o]") < findings:
        raise Wrong(f"{reader.count('[data-o]')} of {findings} findings are of prod-payments")
    if "1 of" not in page.get_by_role("status").inner_text():
        raise Wrong("the filter does not say what it shows")
    page.get_by_label("Control", exact=True).fill("guardduty.detector")
    equal("columns", reader.count(".grid thead th"), 2)
    page.get_by_role("button", name="Clear").click()
    equal("rows after Clear", reader.count(".grid tbody tr"), rows)
    page.locator("#outcome").select_option(label="by hand")
    equal("findings by hand", reader.count("[data-o]"), reader.count("#by-hand article"))
    page.get_by_role("button", name="Clear").click()
    equal("findings after Clear", reader.count("[data-o]"), findings)
    page.get_by_label("Account", exact=True).fill("there is no such account")
    equal("rows of nobody", reader.count(".grid tbody tr"), 0)
    reader.done()


def finds_one_of_a_thousand(browser: Browser, path: Path) -> None:
    """A row that stands for hundreds is found by each name, and a link to a group opens it."""
    reader = Reader(browser, path, scheme="light", size=DESKTOP)
    page = reader.page
    page.get_by_label("Account", exact=True).fill("account-0999")
    equal("rows of account-0999", reader.count(".grid tbody tr"), 1)
    page.locator(".grid tbody th a:visible").first.click()
    names = page.locator("#groups details[open] li:visible")
    equal("the group, narrowed", [name.strip() for name in names.all_inner_texts()], ["account-0999 100000000998"])
    reader.done()


def keyboard(browser: Browser, path: Path) -> None:
    """The tab key reaches everything that can be used, in the order of the page, and every stop is seen."""
    reader = Reader(browser, path, scheme="light", size=DESKTOP)
    page = reader.page
    wanted = page.evaluate(
        """() => [...document.querySelectorAll('a[href], input, select, button, summary, [tabindex="0"]')]
             .filter((one) => one.checkVisibility({ visibilityProperty: true })).map((one, place) => {
               one.dataset.stop = place; return place; })"""
    )
    for expected in wanted[:TABS]:
        page.keyboard.press("Tab")
        stop, outline = page.evaluate(
            """() => [document.activeElement.dataset.stop,
                      getComputedStyle(document.activeElement).outlineStyle]"""
        )
        equal(f"stop {expected} of {len(wanted)}", stop, str(expected))
        if outline == "none":
            raise Wrong(f"the focus is not seen at stop {expected}")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    reader.page.reload()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    equal("what the skip link leads to", page.evaluate("document.activeElement.id"), "main")
    reader.done()


def without_script(browser: Browser, path: Path) -> None:
    """Everything is there, but for the filter, which would do nothing."""
    with_script = Reader(browser, path, scheme="light", size=DESKTOP)
    reader = Reader(browser, path, scheme="light", size=DESKTOP, script=False)
    equal("the filter", reader.count("#filter"), 0)
    for what in (".grid tbody tr", "article", "section"):
        equal(what, reader.count(what), with_script.count(what))
    with_script.done()
    reader.done()


def harmless(browser: Browser, path: Path) -> None:
    """Names that are markup are read as they are written, and nothing of them runs."""
    reader = Reader(browser, path, scheme="light", size=DESKTOP)
    text = reader.page.locator("main").inner_text()
    for name in ("<script>alert(1)</script>", "' onmouseover='alert(1)", "&lt;b&gt;", "evil\\u{202e}txt"):
        if name not in text:
            raise Wrong(f"{name} is not on the page")
    equal("images", reader.page.locator("img").count(), 0)
    equal("scripts", reader.page.locator("script").count(), 1)
    reader.page.evaluate("() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s) }")
    equal("a script that the policy does not name", reader.page.evaluate("window.ran"), None)
    reader.against = [said for said in reader.against if "Content Security Policy" not in said]
    reader.done()


def main() -> int:
    """Exits 0 when every page is as it should be."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--pages", type=Path, required=True, metavar="FOLDER")
    arguments.add_argument("--live", type=Path, metavar="FOLDER")
    arguments.add_argument("--screenshots", type=Path, metavar="FOLDER")
    given = arguments.parse_args()
    pages: Path = given.pages.resolve(strict=True)
    screenshots: Path = given.screenshots or pages
    screenshots.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed: apt-get install chromium", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            for name in PAGES:
                looks(browser, pages / name, Path(name).stem, screenshots)
            filters(browser, pages / "acme.html")
            finds_one_of_a_thousand(browser, pages / "many.html")
            keyboard(browser, pages / "report.html")
            without_script(browser, pages / "report.html")
            harmless(browser, pages / "hostile.html")
            if given.live:
                live(browser, given.live.resolve(strict=True), screenshots)
        except Wrong as wrong:
            print(f"FAILED {wrong}", file=sys.stderr)
            return 1
        finally:
            browser.close()
    print("the pages are as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
