"""What the tests of report pages share."""

import pytest

from tests.browser import chromium


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    with chromium() as started:
        yield started
