"""A real headless Chromium, where there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing is looked up or sent but what a page asks for.
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """The path of an installed Chromium; None if there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextmanager
def open_page(*, width: int = 1600, height: int = 900) -> Iterator[Page]:
    """A page in a browser of its own; skips the test, saying so, where no Chromium is installed."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*_ARGUMENTS, *sandbox])
        page = browser.new_page(viewport={"width": width, "height": height})
        yield page
        browser.close()


def keep_screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page for people, as CI artifacts."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png")
