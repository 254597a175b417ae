"""What an analyst does in the Dagster UI of `shelter up`, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from shelter_pipeline.embedded.stack import Stack
from shelter_pipeline.operations.prepare import prepare_stack
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.browser import keep_screenshot, open_page
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.postgres import reachable_folder

pytestmark = [pytest.mark.browser, pytest.mark.stack]
ASSETS = (
    "package_list",
    "resource_metadata",
    "priority_scores",
    "batch_plan",
    "download_batches",
    "organization_rescue",
)

# As the UI writes it when both groups are opened by hand.
OPEN_GROUPS = "global%40global%3Acatalog%2Cglobal%40global%3Arescue"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The whole embedded system on a home of its own."""
    with reachable_folder() as folder:
        web, code = free_ports(2)
        settings = load_settings(home=folder / "home", dagster_port=web, code_server_port=code)
        with Stack(settings) as started:
            started.start(lambda _: None)
            prepare_stack(started, settings)
            yield started


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page() as opened:
        opened.set_default_timeout(30_000)
        yield opened


def test_the_lineage_shows_the_six_assets_in_their_groups(stack: Stack, page: Page) -> None:
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
    # The assets before it have never been materialized here; Dagster asks whether that is meant.
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Never materialized")).to_have_count(0, timeout=60_000)
    page.reload()  # the page shows the new metadata only when it is opened again

    expect(page.get_by_text("scores changed").first).to_be_visible()
    keep_screenshot(page, "materialized")
    runs = stack.dagster.query(
        "query { runsOrError(limit: 1) { ... on Runs { results { status jobName } } } }"
    )
    assert runs["runsOrError"]["results"][0]["status"] == "SUCCESS"


def test_the_default_portal_is_a_partition_to_choose(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/package_list?view=partitions")

    expect(page.get_by_text("catalog-data-gov").first).to_be_visible()


def test_the_descriptions_teach_what_the_button_does(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.urls['dagster']}/assets/batch_plan")

    expect(page.get_by_text("rescue this organization").first).to_be_visible()
