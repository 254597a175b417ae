"""Pages of datasets and files as people meet them, in a real browser: found, read, downloaded, and safe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from shelter_pipeline_tests.support.api import ApiUnderTest, an_own_api
from shelter_pipeline_tests.support.browser import keep_screenshot, open_page
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.held import hold
from shelter_pipeline_tests.support.hostile_catalog import a_hostile_catalog
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

pytestmark = pytest.mark.browser
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
RAIN = "https://data.example.gov/climate/rain-1950-2024.csv"
SNOW = "https://data.example.gov/climate/snow-depth.csv"
CONTENT = b"date,station,mm\n2024-01-01,Nome,3.2\n"


@pytest.fixture(scope="module")
def api(postgres: PostgresForTests) -> Iterator[ApiUnderTest]:
    """A catalog with a rescued dataset that its portal has dropped, and another one that waits."""
    with an_own_api(postgres) as running:
        _fill(running)
        yield running


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page(width=1200) as opened:
        opened.set_default_timeout(20_000)
        yield opened


def _fill(api: ApiUnderTest) -> None:
    catalog = api.workplace.catalog
    portal = a_portal(catalog)
    for title, description in (
        ("Daily rainfall of Alaska", "Rain gauges measured the precipitation of every day at 212 stations."),
        (
            "Daily precipitation of Alaska, 1950 to 2024",
            (
                "Rain gauges measured the precipitation of every day at 214 stations."
                " Values are millimetres; gaps are empty."
                " Stations that moved by more than a kilometre have a new number."
                " Readings before 1972 were typed from paper."
            ),
        ),
    ):
        harvested(
            catalog,
            portal,
            [
                a_dataset(
                    "rain",
                    a_resource(RAIN, format="CSV", name="Precipitation, all stations"),
                    a_resource(SNOW, key="r2", position=1, format="CSV", name="Snow depth"),
                    title=title,
                    description=description,
                    keywords=("precipitation", "rain gauges", "Alaska", "climate"),
                    publisher="National Weather Archive",
                    landing_page="https://data.example.gov/dataset/rain",
                ),
                a_dataset("wind", a_resource("https://data.example.gov/wind.csv"), title="Winds aloft"),
            ],
        )
    discovered(catalog, portal)
    captured(catalog, RAIN, "stored", size=5)
    captured(catalog, SNOW, "not-found", status=404)
    blob = hold(api.workplace, CONTENT, url="https://files.example/the-same.csv")
    with catalog.begin() as connection:
        for text in (
            "UPDATE asset SET sha256 = :sha256, size = :size WHERE url = :rain",
            "UPDATE dataset SET state = 'absent', modified = '2025-01-20' WHERE slug = 'dataset-rain'",
            (
                "INSERT INTO loss (portal_id, dataset_id, kind, state, misses, suspected_at, decided_at)"
                " SELECT portal_id, id, 'delisted', 'confirmed', 3, '2026-02-03', now() FROM dataset"
                "  WHERE slug = 'dataset-rain'"
            ),
        ):
            parameters = {"sha256": blob.sha256, "size": blob.size, "rain": RAIN} if ":" in text else {}
            connection.execute(sa.text(text), parameters)


def troubles_of(page: Page) -> list[str]:
    """What the browser complains of from now on; a violated policy is one of them."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("dialog", lambda dialog: (found.append(f"a dialog: {dialog.message}"), dialog.dismiss())[0])
    return found


def test_a_researcher_finds_a_dataset_that_is_gone_and_downloads_what_its_portal_sent(
    api: ApiUnderTest, page: Page
) -> None:
    troubles = troubles_of(page)
    page.goto(f"{api.url}/browse/datasets")

    page.get_by_role("searchbox").type("gaug")
    expect(page.locator("[data-results] mark").first).to_have_text("gauges")
    expect(page).to_have_url(f"{api.url}/browse/datasets?q=gaug")
    keep_screenshot(page, "datasets-search")
    page.get_by_role("link", name="Daily precipitation of Alaska").click()

    expect(page.get_by_text("Lost upstream.")).to_be_visible()
    keep_screenshot(page, "dataset")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download rain-1950-2024.csv").click()
    assert download.value.path().read_bytes() == CONTENT
    assert download.value.suggested_filename == "rain-1950-2024.csv"
    page.get_by_role("link", name="rain-1950-2024.csv", exact=True).click()
    expect(page.get_by_role("heading", name="Every attempt at it")).to_be_visible()
    keep_screenshot(page, "file")
    assert troubles == []


def test_the_check_of_accessibility_finds_what_is_wrong(page: Page) -> None:
    page.set_content("<img src='/x.png'><p>no language, no title</p>")

    assert {one["id"] for one in Axe().run(page, options=RULES).response["violations"]} >= {"image-alt"}


def test_nobody_is_kept_out_by_colours_size_or_keyboard(api: ApiUnderTest, page: Page) -> None:
    [rain] = api.get("/datasets", params={"slug": "dataset-rain"}).json()["items"]
    [file] = api.get("/assets", params={"url": RAIN}).json()["items"]
    [version] = api.get(f"/datasets/{rain['id']}").json()["replaced"]
    paths = (
        "/browse/datasets",
        "/browse/datasets?q=rain",
        f"/browse/datasets/{rain['id']}",
        f"/browse/datasets/{rain['id']}/files",
        f"/browse/datasets/{rain['id']}/versions/{version['id']}",
        f"/browse/files/{file['id']}",
        "/browse/datasets/999999",
    )
    axe, found = Axe(), []

    for path in paths:
        page.goto(api.url + path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": 1200, "height": 900})
            results = axe.run(page, options=RULES)
            found += [
                (path, scheme, one["id"], one["nodes"][0]["html"]) for one in results.response["violations"]
            ]
            page.set_viewport_size({"width": 360, "height": 800})
            if page.evaluate("document.documentElement.scrollWidth") > 360:
                found.append((path, scheme, "wider than a phone", ""))
        page.emulate_media(color_scheme="dark" if "files/" in path else "light")
        keep_screenshot(page, f"phone{path.replace('/', '-').replace('?', '-')}")

    assert found == []


def test_what_others_wrote_does_nothing_in_a_browser(postgres: PostgresForTests, page: Page) -> None:
    with an_own_api(postgres) as api:
        ids = a_hostile_catalog(api.workplace.catalog)
        troubles = troubles_of(page)

        for path in ("/browse/datasets?q=window", *(f"/browse/datasets/{one}" for one in ids[:14])):
            page.goto(api.url + path)
            for details in page.locator("summary").all()[:3]:
                details.click()
            file = page.locator("a.name").first
            if file.count():
                file.click()
                assert page.locator("h1").count() == 1
            assert page.evaluate("window.hacked") is None, path
        page.goto(f"{api.url}/browse/datasets")
        page.get_by_role("searchbox").fill("<img src=x onerror=window.hacked=1>")
        expect(page.locator("[data-count]")).to_contain_text("dataset")

        assert page.evaluate("window.hacked") is None
        assert troubles == []
