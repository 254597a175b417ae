"""The overview in a real browser: drawn, live, and whole without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.upkeep import refresh_counts
from shelter_pipeline_tests.api.shelves import WAITING, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.browser import keep_screenshot, open_page
from shelter_pipeline_tests.support.captures import captured

pytestmark = pytest.mark.browser


@pytest.fixture
def api(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """The API over a small shelf that was counted."""
    a_shelf(catalog)
    captured(catalog, WAITING, "connection-lost", days_ago=3)
    with an_api(catalog_url, tmp_path / "store") as running:
        refresh_counts(running.workplace)
        yield running


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, in words."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes'][:3]]}"
        for one in found.response["violations"]
    ]


def test_the_overview_is_drawn_and_changes_while_one_looks(api: ApiUnderTest, catalog: Catalog) -> None:
    with open_page(width=1280) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(api.url)
        expect(page.locator("#live-held")).to_have_text("1")
        expect(page.locator("#live")).to_have_class("live on")
        expect(page.locator(".chart canvas")).to_have_count(1)
        entries = page.locator("#live-activity li")
        before = entries.count()

        captured(catalog, WAITING, "stored", size=2_000_000)

        expect(page.locator("#live-held")).to_have_text("2", timeout=20_000)
        expect(entries).to_have_count(before + 1)
        expect(entries.first).to_contain_text("Winds aloft")
        expect(entries.first).to_contain_text("2.0 MB")

        page.get_by_role("button", name="Bytes stored").press("Enter")
        expect(page.get_by_role("button", name="Bytes stored")).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".chart canvas")).to_have_count(1)
        keep_screenshot(page, "overview")
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        keep_screenshot(page, "overview-dark")
        assert violations(page) == []
        page.set_viewport_size({"width": 360, "height": 800})
        assert not scrolls_sideways(page)
        keep_screenshot(page, "overview-phone")
        assert complaints == []


def test_the_overview_is_whole_without_scripts(api: ApiUnderTest) -> None:
    with open_page() as scripted:
        assert scripted.context.browser is not None
        page = scripted.context.browser.new_context(java_script_enabled=False).new_page()
        page.goto(api.url)

        expect(page.get_by_role("heading", level=1)).to_contain_text("1 of 3 files")
        page.get_by_text("The figures as a table").click()
        expect(page.get_by_role("row", name="1.2 kB").first).to_be_visible()
        expect(page.locator("#live-activity")).to_contain_text("Daily rainfall of Alaska")
        expect(page.locator("#live-state")).to_contain_text("Counted 20")
