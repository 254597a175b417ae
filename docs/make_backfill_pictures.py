"""Makes the pictures of the guide to backfills: in a slow rescue of the sample portal two organizations are asked for.

Everything is done as the guide says, in a browser. Run by `make pictures`, which makes the
README's pictures too.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from shelter_pipeline.catalog.progress import totals
from shelter_pipeline.embedded.dagster_client import DagsterClient
from shelter_pipeline.embedded.stack import Stack
from shelter_pipeline.operations.hosts import hosts_table, set_host
from shelter_pipeline.operations.ledger import add_portal, organization_keys
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.prepare import prepare_stack, settings_of
from shelter_pipeline.operations.report import report_organization
from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.browser import open_page

CHOSEN = ("epa-gov", "noaa-gov")
PICTURES = Path(__file__).parent / "pictures"
_SENSORS = ("download_sensor", "rescue_report_sensor", "lost_run_sensor", "reaper_sensor")
_GROWING = "assets/organization_rescue?partition=noaa-gov&view=partitions"
_PAGES = {
    "backfill-runs": "runs",
    "backfill-ticks": "locations/shelter_pipeline/sensors/download_sensor",
    "backfill-checks": "assets/download_batches?view=checks",
}
_FILE_DELAY_SECONDS = 0.5  # slow enough to be looked at
_SETTLED_MILLISECONDS = 5000
_SHORT_MILLISECONDS = 700
_LONGEST_SECONDS = 300.0


def make_backfill_pictures() -> None:
    """Write `backfill-*.png`."""
    with tempfile.TemporaryDirectory(prefix="shelter-pictures-") as folder:
        Path(folder).chmod(0o755)
        settings = load_settings(
            home=Path(folder) / "home",
            allowed_networks="127.0.0.0/8",
            batch_max_files=20,
            report_every_seconds=15,
        )
        with SamplePortal() as sample, Stack(settings) as stack:
            stack.start(lambda _: None)
            prepare_stack(stack, settings)
            with open_workplace(settings_of(stack, settings)) as workplace:
                begin(stack, workplace, sample.base_url)
                with open_page(width=1600, height=900) as page:
                    choose_and_launch(page, stack.urls["dagster"])
                    follow(page, stack, workplace)


def begin(stack: Stack, workplace: Workplace, portal: str) -> None:
    """A rescue that nobody has asked for is under way, slowly."""
    add_portal(workplace, f"datagov:{portal}", slug="sample")
    stack.dagster.add_partitions("portal", ["sample"])
    run(stack.dagster, "refresh_portal", {"dagster/partition": "sample"})
    for host in hosts_table(workplace, limit=100):
        set_host(
            workplace,
            host["host"],
            delay_seconds=_FILE_DELAY_SECONDS,
            connections=1,
            robots=None,
            why=None,
            who=None,
        )
    for organization in organization_keys(workplace):
        plan_organization(workplace, organization, urgent=False)
    stack.dagster.switch_on_automation(_SENSORS)
    await_that(lambda: totals(workplace.catalog)["held_files"] > 0)


def choose_and_launch(page: Page, url: str) -> None:
    """What the guide says to click, with a picture of the choice."""
    page.goto(f"{url}/assets/batch_plan")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("Select a partition or create one").click()
    for name in CHOSEN:
        page.keyboard.type(name)
        page.wait_for_timeout(_SHORT_MILLISECONDS)
        page.locator(f"[class*=menu] >> text={name}").first.click()
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.wait_for_timeout(_SHORT_MILLISECONDS)
    page.screenshot(path=PICTURES / "backfill-choose.png")
    page.get_by_text("Partition selection").click()
    page.get_by_role("button", name="Launch backfill").click()
    page.get_by_text("Launch runs to materialize").wait_for(state="detached")


def follow(page: Page, stack: Stack, workplace: Workplace) -> None:
    """Pictures of the backfill while it is in progress, and of what is seen of it elsewhere."""
    held = report_organization(workplace, CHOSEN[1])["held_files"]
    await_that(lambda: report_organization(workplace, CHOSEN[1])["held_files"] >= held + 30)
    run(stack.dagster, "audit", {})
    url = stack.urls["dagster"]
    for name, path in {**_PAGES, "backfill-progress": _GROWING}.items():
        page.goto(f"{url}/{path}")
        page.wait_for_timeout(_SETTLED_MILLISECONDS)
        page.screenshot(path=PICTURES / f"{name}.png")


def run(dagster: DagsterClient, job: str, tags: dict[str, str]) -> None:
    """One run, to its end."""
    run_id = dagster.launch(job, tags)
    await_that(lambda: dagster.run_status(run_id) in ("SUCCESS", "FAILURE", "CANCELED"))


def await_that(comes: Callable[[], bool]) -> None:
    """Wait until it is so. TimeoutError after five minutes."""
    until = time.monotonic() + _LONGEST_SECONDS
    while not comes():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(1)


if __name__ == "__main__":
    make_backfill_pictures()
