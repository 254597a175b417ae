"""Lists in a real browser: thousands of rows that are searched and sorted in place, and all of it without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from shelter_pipeline_tests.support.api import ApiUnderTest, an_own_api
from shelter_pipeline_tests.support.browser import keep_screenshot, open_page
from shelter_pipeline_tests.support.crowds import a_crowd
from shelter_pipeline_tests.support.postgres import PostgresForTests

ORGANIZATIONS = "/browse/organizations"
PAGES = ("organizations", "organizations/crowd-7", "losses", "at-risk", "queue", "nodes", "activity")


@pytest.fixture(scope="module")
def crowd(postgres: PostgresForTests) -> Iterator[ApiUnderTest]:
    """Three thousand organizations."""
    with an_own_api(postgres) as api:
        a_crowd(api.workplace.catalog, organizations=3000, datasets=3000)
        assert api.get("/stats/overview").status_code == 200
        yield api


def complaints_of(page: Page) -> list[str]:
    """What the browser complains of from now on: errors, refused scripts and styles."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def first_name(page: Page) -> str:
    return page.locator("tbody th a").first.inner_text()


def test_one_types_and_sorts_among_thousands_without_leaving_the_page(crowd: ApiUnderTest) -> None:
    with open_page(width=1280) as page:
        complaints = complaints_of(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "part=" in request.url else None)
        page.goto(crowd.url + ORGANIZATIONS)
        page.evaluate("window.stayed = true")
        field = page.get_by_role("searchbox")

        field.press_sequentially("geological survey 29", delay=20)
        expect(page.locator("[data-count]")).to_contain_text("with “geological survey 29”")
        expect(page.locator("tbody tr").first).to_contain_text("Geological Survey")
        assert len(asked) < len("geological survey 29")
        expect(page.get_by_role("status")).to_contain_text("organizations with")
        assert "q=geological+survey+29" in page.url
        expect(field).to_be_focused()

        page.get_by_role("link", name="Organization", exact=True).click()
        expect(page.locator("th[data-column=name]")).to_have_attribute("aria-sort", "ascending")
        expect(page.locator("th[data-column=name] a")).to_be_focused()
        assert "sort=name" in page.url
        assert "part=" not in page.url
        rising = first_name(page)
        page.keyboard.press("Enter")
        expect(page.locator("th[data-column=name]")).to_have_attribute("aria-sort", "descending")
        assert first_name(page) != rising

        field.fill("")
        expect(page.locator("[data-count]")).to_contain_text("3,000 organizations")
        assert urlsplit(page.url).query == "sort=-name"
        page.locator("a[rel=next]").click()
        expect(page.locator("[data-count]")).to_contain_text("page 2 of 60")
        assert page.evaluate("window.stayed") is True
        page.go_back()
        expect(page.locator("[data-count]")).to_contain_text("page 1 of 60")
        assert complaints == []


def test_of_answers_that_overtake_each_other_the_last_question_is_shown(crowd: ApiUnderTest) -> None:
    with open_page() as page:
        held: list[str] = []

        def hold_the_first(route: object) -> None:
            held.append(route.request.url)  # type: ignore[attr-defined]
            if len(held) == 1:
                page.wait_for_timeout(1200)
            route.continue_()  # type: ignore[attr-defined]

        page.goto(crowd.url + ORGANIZATIONS)
        page.route(re.compile("part=results"), hold_the_first)
        field = page.get_by_role("searchbox")
        field.fill("forest")
        page.wait_for_timeout(300)
        field.fill("ocean")

        expect(page.locator("tbody tr").first).to_contain_text("Ocean")
        page.wait_for_timeout(1500)
        expect(page.locator("tbody tr").first).to_contain_text("Ocean")


def test_who_skips_to_the_content_by_keyboard_stays_there(crowd: ApiUnderTest) -> None:
    with open_page() as page:
        page.goto(crowd.url + ORGANIZATIONS)
        page.evaluate("window.stayed = true")

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.go_back()

        page.wait_for_timeout(300)
        assert page.evaluate("window.stayed")


def test_the_same_works_without_scripts(crowd: ApiUnderTest) -> None:
    with open_page() as page:
        browser = page.context.browser
        assert browser is not None
        plain = browser.new_page(java_script_enabled=False)
        plain.goto(crowd.url + ORGANIZATIONS)
        plain.get_by_role("searchbox").fill("ocean office")
        plain.get_by_role("button", name="Search").click()
        assert "Ocean Office" in first_name(plain)
        plain.locator("th[data-column=bytes] a").click()
        assert "sort=-bytes" in plain.url
        assert "q=ocean+office" in plain.url
        plain.locator("a[rel=next]").click()
        assert "page 2 of" in plain.locator("[data-count]").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lists_are_for_everybody_and_fit_a_phone(crowd: ApiUnderTest, scheme: str) -> None:
    with open_page(width=360, height=800) as page:
        complaints, barriers = complaints_of(page), {}
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in PAGES:
            page.goto(f"{crowd.url}/browse/{path}")
            assert page.evaluate("document.documentElement.scrollWidth") == 360, path
            if (found := Axe().run(page)).violations_count:
                barriers[path] = found.generate_report()
            keep_screenshot(page, f"{path.replace('/', '-')}-{scheme}")
        assert complaints == []
        assert barriers == {}
