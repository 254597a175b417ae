"""One batch, run by one worker after another."""

from __future__ import annotations

import time
from pathlib import Path

from shelter_pipeline.catalog.batches import find_batch
from shelter_pipeline.catalog.claims import claim_batch
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.workplaces import a_workplace


def planned(workplace: Workplace, sample: SamplePortal, organization: str) -> str:
    """The key of the one batch of an organization of the sample portal."""
    slug = add_portal(workplace, f"datagov:{sample.base_url}").slug
    harvest_portal(workplace, slug)
    discover_resources(workplace, slug)
    (key,) = plan_organization(workplace, organization, urgent=False)["new"]
    return str(key)


def test_what_a_dead_run_held_is_taken_up_as_soon_as_its_lease_is_over(
    catalog_url: str, tmp_path: Path
) -> None:
    with SamplePortal() as sample, a_workplace(catalog_url, tmp_path / "store") as workplace:
        key = planned(workplace, sample, "hhs-gov")
        batch = find_batch(workplace.catalog, key)
        held = claim_batch(workplace.catalog, batch.id, holder="dead", limit=1000, lease_seconds=0.2)
        time.sleep(0.3)

        result = rescue_batch(workplace, key, run_id="next")

        assert len(held) == result.settled == sample.expectations.by_organization["hhs-gov"].expected_files
        assert (result.state, result.leftover) == ("done", 0)


def test_a_batch_that_another_run_works_on_is_left_to_it(catalog_url: str, tmp_path: Path) -> None:
    with SamplePortal() as sample, a_workplace(catalog_url, tmp_path / "store") as workplace:
        key = planned(workplace, sample, "hhs-gov")
        batch = find_batch(workplace.catalog, key)
        claim_batch(workplace.catalog, batch.id, holder="alive", limit=1000, lease_seconds=60)
        asked = len(sample.requests)

        result = rescue_batch(workplace, key, run_id="second")

        assert (result.state, result.settled) == ("running", 0)
        assert len(sample.requests) == asked
