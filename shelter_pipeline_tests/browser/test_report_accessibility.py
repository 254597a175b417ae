"""Reports and the page that lists them, as axe-core and a keyboard meet them."""

from __future__ import annotations

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe

from shelter_pipeline.operations.kept_reports import store_report
from shelter_pipeline_tests.api.conftest import api
from shelter_pipeline_tests.api.shelves import a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.browser import keep_screenshot, open_page

__all__ = ["api"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_reports_are_accessible_and_shown_by_the_api_without_a_complaint(
    api: ApiUnderTest, scheme: str
) -> None:
    a_shelf(api.workplace.catalog)
    store_report(api.workplace)
    said: list[str] = []

    with open_page(width=360) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{api.url}/browse/reports")
        widths = [page.evaluate("document.documentElement.scrollWidth")]
        page.get_by_role("link", name="Read it").click()
        keep_screenshot(page, f"report-{scheme}")
        html = requests.get(page.url, timeout=20).text
        # In a page of its own that has no policy, for axe is a script.
        page.goto("about:blank")
        page.set_content(html.replace("Content-Security-Policy", "X-Was-Policy"))
        widths.append(page.evaluate("document.documentElement.scrollWidth"))
        faults = [fault["id"] for fault in Axe().run(page).response["violations"]]

    assert said == []
    assert widths == [360, 360]
    assert faults == []
