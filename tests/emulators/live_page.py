"""The live page of a running controller, as a person reads it."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

from program import Wrong, equal
from reader import DESKTOP, Reader, looks

# The controller has looked at every account within this, and the page asks again every ten seconds.
SECONDS = 120
TOKEN = "0123456789abcdef0123456789abcdef"
# Switched off by somebody while the page is read.
DRIFTS, MANUAL, HOSTILE = "100000000009", "100000000003", "<b>evil\\u{202e}&"


def live(browser: Browser, folder: Path, screenshots: Path) -> None:
    """Everything that is asked of the static page, and that it is live."""
    within("the controller to listen", (folder / "guarded").exists)
    url, guarded = (folder / "open").read_text(), (folder / "guarded").read_text()
    within("all accounts to be seen", lambda: "have been looked at so far" not in fetch(url) and "</b> in sync" in fetch(url))
    # Until what was made for the first time holds, and the page is quiet.
    within("everything to be put right", lambda: 'aria-label="to change"' not in fetch(url))
    looks(browser, url + "/", "live", screenshots)
    looks(browser, f"{url}/accounts/{MANUAL}", "live-account", screenshots)
    narrows(browser, url)
    one_account(browser, url)
    without_script(browser, url)
    is_live(browser, url, folder, screenshots)
    signs_in(browser, guarded, screenshots)
    says_when_nobody_answers(browser, url, folder)


def fetch(url: str) -> str:
    """The page as it stands."""
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own address
        return answer.read().decode()


def within(what: str, is_so: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Waits, and gives up."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise Wrong(f"waited {seconds} s for {what}")
        time.sleep(0.2)


def open_page(browser: Browser, url: str, *, script: bool = True) -> Reader:
    return Reader(browser, url, scheme="light", size=DESKTOP, script=script)


def narrows(browser: Browser, url: str) -> None:
    """The filter finds one account, whatever its row stands for, and keeps doing so when the page is fresh."""
    reader = open_page(browser, url + "/")
    page = reader.page
    page.get_by_label("Account", exact=True).fill("account-10")
    equal("rows of account-10", reader.count(".grid tbody tr"), 1)
    page.get_by_label("Account", exact=True).fill("")
    page.locator("#outcome").select_option(label="by hand")
    if reader.count("#needs tbody tr") != 1:
        raise Wrong("one thing is to be done by hand")
    if HOSTILE not in page.locator("main").inner_text():
        raise Wrong(f"{HOSTILE} is not on the page")
    reader.done()


def one_account(browser: Browser, url: str) -> None:
    """From a cell that somebody has to do something about to the task, by keyboard."""
    reader = open_page(browser, url + "/")
    page = reader.page
    page.locator("#needs tbody a").first.click()
    if page.locator("#groups details[open]").count() == 0 and "/accounts/" not in page.url:
        raise Wrong("what needs somebody leads nowhere")
    page.goto(f"{url}/accounts/{MANUAL}#iam.root-user")
    text = page.locator("main").inner_text()
    for said in ("Drifted: ManualTask", "By hand", "guardduty.detector"):
        if said not in text:
            raise Wrong(f"{said} is not on the page of an account")
    equal("steps of the task", page.locator("#by-hand article ol").count() > 0, True)
    page.keyboard.press("Tab")
    page.get_by_role("link", name="All accounts").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(url + "/")
    reader.done()


def without_script(browser: Browser, url: str) -> None:
    """Everything is there, as of when it was asked for."""
    reader = open_page(browser, url + "/", script=False)
    equal("the filter", reader.count("#filter"), 0)
    for what in (".grid tbody tr", "#needs tbody tr", "#signed tbody tr"):
        if reader.count(what) == 0:
            raise Wrong(f"{what}: none without script")
    reader.done()


def is_live(browser: Browser, url: str, folder: Path, screenshots: Path) -> None:
    """What happens appears without reloading, and whoever reads is left where they are."""
    reader = open_page(browser, url + "/")
    page = reader.page
    page.evaluate("window.here = 1")
    page.get_by_label("Account", exact=True).fill("account")
    page.locator(".grid").evaluate("grid => { grid.parentElement.scrollTop = 40 }")
    page.locator("#accounts tbody a").first.focus()
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    (folder / "drift").touch()
    page.get_by_text("user/jo").first.wait_for(timeout=180_000, state="attached")
    equal("the page was not loaded again", page.evaluate("window.here"), 1)
    equal("what was typed", page.get_by_label("Account", exact=True).input_value(), "account")
    equal("where the focus is", page.evaluate("document.activeElement.getAttribute('href')"), focused)
    if "Live: as of" not in page.locator("#live").inner_text():
        raise Wrong("the page does not say that it is live")
    drift = page.locator("#drift").inner_text()
    for said in ("guardduty.detector", "true → false", "192.0.2.66", "put right at"):
        if said not in drift:
            raise Wrong(f"{said} is not in the drift: {drift}")
    page.locator("#drift").scroll_into_view_if_needed()
    page.screenshot(path=screenshots / "live-drift.png")
    reader.done()


def signs_in(browser: Browser, url: str, screenshots: Path) -> None:
    """A wrong token is told, the right one shows the page, and a script cannot read the cookie."""
    for scheme in ("light", "dark"):
        reader = Reader(browser, url + "/", scheme=scheme, size=DESKTOP)
        page = reader.page
        page.screenshot(path=screenshots / f"live-login-{scheme}.png")
        page.get_by_label("Token").fill("not-the-token-not-the-token")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Accounts and controls").wait_for()
        equal("what a script sees of the cookie", page.evaluate("document.cookie"), "")
        # The browser tells of the refusals, which are meant.
        reader.against = [said for said in reader.against if "401" not in said]
        reader.done()


def says_when_nobody_answers(browser: Browser, url: str, folder: Path) -> None:
    """What stands there may be old, and says so."""
    reader = open_page(browser, url + "/")
    page = reader.page
    page.get_by_text("Live: as of").wait_for()
    (folder / "stop").touch()
    page.get_by_text("has not answered since").wait_for(timeout=90_000)
    reader.against = [said for said in reader.against if "ERR_CONNECTION" not in said]
    reader.done()
