"""Opens a page in a real browser and says whether the planted script ran; without one, looks for it in the text."""

import importlib.util
import os
import shutil

from .reports import SCRIPT, TITLE

CHROMIUM = shutil.which("chromium")


def has_browser():
    """Return whether pages are opened in a browser here."""
    return bool(CHROMIUM and importlib.util.find_spec("playwright"))


def script_ran(path):
    """Return whether the script of `reports.py` runs as the page at `path` is opened."""
    if not has_browser():
        return SCRIPT in path.read_text(errors="replace")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
        page.goto(path.absolute().as_uri(), wait_until="domcontentloaded")
        page.wait_for_timeout(500)  # a picture's onerror comes later than the page
        return page.title() == TITLE
