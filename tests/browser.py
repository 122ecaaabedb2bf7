"""Debian's Chromium, driven by Playwright: a page that records everything that it does without a click."""

from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"
FLAGS = "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update"


@contextmanager
def chromium():
    """Yield a running browser."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright to drive chromium with")
    arguments = [f"--{flag}" for flag in (*FLAGS.split(), "disable-sync")]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@contextmanager
def new_tab(browser, allowed=lambda url: True, headers=None):
    """Yield a page in a new session.

    `page.events` is the list of dialogs, console messages, errors and requests, as they come.

    - allowed: says of an address whether it may be fetched; what may not is noted and goes nowhere
    - headers: sent with every request
    """
    page = browser.new_page(extra_http_headers=headers)
    page.set_default_timeout(120_000)
    page.events = []
    page.route("**/*", lambda route: route.continue_() if allowed(route.request.url) else route.abort())
    page.on("dialog", lambda dialog: (page.events.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: page.events.append(message.text))
    page.on("pageerror", lambda error: page.events.append(str(error)))
    page.on("request", lambda request: page.events.append(request.url))
    page.on("popup", lambda popup: page.events.append(f"popup {popup.url}"))
    yield page
    page.close()
