"""What an analyst does in the Dagster UI of `shelter up`, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from shelter_pipeline.embedded.stack import ALL_PARTS, Stack
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.prepare import prepare_stack, settings_of
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.settings import Settings, load_settings
from shelter_pipeline_tests.support.browser import keep_screenshot, open_page
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.postgres import reachable_folder

pytestmark = [pytest.mark.browser, pytest.mark.stack]
expect.set_options(timeout=30_000)  # a machine may be busy, and a page is there when it is there
ASSETS = (
    "package_list",
    "resource_metadata",
    "source_records",
    "asset_probes",
    "priority_scores",
    "batch_plan",
    "download_batches",
    "organization_rescue",
    "rescue_overview",
    "portals",
    "publishers",
    "store",
    "volunteers",
)
ENDED = ("SUCCESS", "FAILURE", "CANCELED")

# As the UI writes it when all groups are opened by hand.
OPEN_GROUPS = "%2C".join(
    f"global%40global%3A{group}" for group in ("outside", "catalog", "rescue", "kept", "report")
)


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """Settings of a home of its own, from which loopback may be reached."""
    with reachable_folder() as folder:
        web, code, api = free_ports(3)
        yield load_settings(
            home=folder / "home",
            dagster_port=web,
            code_server_port=code,
            api_port=api,
            allowed_networks="127.0.0.0/8",
        )


@pytest.fixture(scope="module")
def stack(settings: Settings) -> Iterator[Stack]:
    """The whole embedded system."""
    with Stack(settings, ALL_PARTS) as started:
        started.start(lambda _: None)
        prepare_stack(started, settings)
        yield started


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page() as opened:
        opened.set_default_timeout(30_000)
        yield opened


def test_the_lineage_shows_every_asset_in_its_group(stack: Stack, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto(f"{stack.urls['dagster']}/asset-groups/?expanded={OPEN_GROUPS}")

    for asset in ASSETS:
        shown = asset if len(asset) < 18 else asset[:10]  # long names are shortened in the middle
        expect(page.get_by_text(shown).first).to_be_visible()
    keep_screenshot(page, "lineage")
    assert errors == []


def test_an_asset_is_materialized_by_a_click(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/priority_scores")

    page.get_by_role("button", name="Materialize").first.click()
    # Where assets before it have never been materialized, Dagster asks whether that is meant.
    asked = page.get_by_role("button", name="Confirm")
    launched = page.get_by_text("Launched run")
    expect(asked.or_(launched).first).to_be_visible()
    if asked.is_visible():
        asked.click()
    run = newest_run(stack)
    page.reload()  # the page shows the new metadata only when it is opened again

    expect(page.get_by_text("scores changed").first).to_be_visible()
    keep_screenshot(page, "materialized")
    assert run == {"status": "SUCCESS", "jobName": "__ASSET_JOB"}


def newest_run(stack: Stack) -> dict[str, str]:
    """The newest run that was started by hand, when it has ended."""
    question = "query { runsOrError(limit: 1) { ... on Runs { results { status jobName } } } }"
    while True:
        runs = stack.dagster.query(question)["runsOrError"]["results"]
        if runs and runs[0]["jobName"] == "__ASSET_JOB" and runs[0]["status"] in ENDED:
            return dict(runs[0])
        time.sleep(0.5)


@pytest.fixture(scope="module")
def refreshed(stack: Stack, settings: Settings) -> None:
    """The sample portal is refreshed by a run of Dagster's own."""
    with SamplePortal() as sample:
        with open_workplace(settings_of(stack, settings)) as workplace:
            add_portal(workplace, f"datagov:{sample.base_url}", slug="sample")
        stack.dagster.add_partitions("portal", ["sample"])
        run_id = stack.dagster.launch("refresh_portal", {"dagster/partition": "sample"})
        while stack.dagster.run_status(run_id) not in ENDED:
            time.sleep(0.5)
    assert stack.dagster.run_status(run_id) == "SUCCESS"


@pytest.mark.usefixtures("refreshed")
def test_a_harvest_shows_its_completeness_its_changes_and_a_chart(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/package_list?partition=sample&view=partitions")

    chart = page.locator("img[alt='Changes by organization']").first
    expect(chart).to_be_visible()
    assert chart.evaluate("image => image.naturalWidth") > 0  # it is drawn, not only named
    expect(page.get_by_text("(300 seen and 3 refused of 300)").first).to_be_visible()
    expect(page.get_by_role("cell", name="city-of-riverton").first).to_be_visible()
    chart.scroll_into_view_if_needed()
    keep_screenshot(page, "harvest")


@pytest.mark.usefixtures("refreshed")
def test_a_discovery_shows_what_links_became_and_how_many_pages_have_no_files(
    stack: Stack, page: Page
) -> None:
    page.set_viewport_size({"width": 1600, "height": 1500})

    page.goto(f"{stack.urls['dagster']}/assets/resource_metadata?partition=sample&view=partitions")

    expect(page.get_by_text("1 of 18 places that were read").first).to_be_visible()
    for cell in ("landing-page-only", "login-page", "directory", "service", "netcdf"):
        expect(page.get_by_role("cell", name=cell, exact=True).first).to_be_visible()
    keep_screenshot(page, "discovery")


def test_the_checks_of_a_harvest_are_there_to_be_looked_at(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/package_list?view=checks")

    for name in ("harvest_is_complete", "losses_within_breaker", "no_new_confirmed_losses"):
        expect(page.get_by_text(name).first).to_be_visible()
    keep_screenshot(page, "checks")


def test_the_default_portal_is_a_partition_to_choose(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/package_list?view=partitions")

    expect(page.get_by_text("catalog-data-gov").first).to_be_visible()


def test_the_descriptions_teach_what_the_button_does(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/batch_plan")

    expect(page.get_by_text("rescue this organization").first).to_be_visible()


@pytest.mark.usefixtures("refreshed")
def test_a_run_leads_to_the_pages_and_these_lead_back(stack: Stack, page: Page) -> None:
    run_id = stack.dagster.launch("overview", {})
    while stack.dagster.run_status(run_id) not in ENDED:
        time.sleep(0.5)
    page.set_viewport_size({"width": 1600, "height": 2000})

    page.goto(f"{stack.urls['dagster']}/assets/rescue_overview")

    for picture in ("Files by organization", "Organizations by verdict", "Files by priority"):
        drawn = page.locator(f"img[alt='{picture}']").first
        expect(drawn).to_be_visible()
        assert drawn.evaluate("image => image.naturalWidth") > 0
    expect(page.get_by_text("0 of 599 known files are held").first).to_be_visible()
    keep_screenshot(page, "overview-asset")
    leads_to = page.get_by_role("link", name=stack.urls["api"]).first.get_attribute("href")
    assert leads_to == f"{stack.urls['api']}/"
    page.goto(leads_to)
    expect(page.get_by_role("link", name="Dagster").first).to_have_attribute(
        "href", re.compile(re.escape(stack.urls["dagster"]))
    )


@pytest.mark.usefixtures("refreshed")
def test_what_is_outside_of_dagster_shows_what_was_seen_of_it(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/portals")

    expect(page.get_by_text("They are not ours.").first).to_be_visible()
