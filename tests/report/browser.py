"""A headless Chromium that talks to nobody, and its screenshots."""

import os
import shutil
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
SHOTS = os.environ.get("RECONCILER_SCREENSHOTS")
"""A folder in which to keep the screenshots, for the docs."""


def shoot(page, name, *, element=None):
    """Take a screenshot of the window or of one element, and insist that something is on it."""
    data = page.locator(element).screenshot() if element else page.screenshot(full_page=False)
    assert len(data) > 12_000
    if SHOTS:
        (Path(SHOTS) / f"{name}.png").write_bytes(data)
