"""What a night does before the downloads, in one process: harvest a portal, look at its links, score, plan.

python -m shelter_pipeline_tests.support.run_plan PORTAL ORGANIZATION... prints the keys of the planned batches.
"""

from __future__ import annotations

import sys

from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import load_settings


def main() -> None:
    portal, *organizations = sys.argv[1:]
    with open_workplace(load_settings(), migrated=False) as workplace:
        slug = add_portal(workplace, portal).slug
        harvest_portal(workplace, slug)
        discover_resources(workplace, slug)
        score_all(workplace)
        for organization in organizations:
            for key in plan_organization(workplace, organization, urgent=False)["new"]:
                sys.stdout.write(f"{key}\n")


if __name__ == "__main__":
    main()
