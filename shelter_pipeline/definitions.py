"""The Dagster code location: `build_defs` puts it together, `defs` is what Dagster loads."""

from __future__ import annotations

from typing import Any

import dagster as dg

from shelter_pipeline.orchestration.alerts import alert_sensor
from shelter_pipeline.orchestration.catalog_assets import (
    asset_probes,
    package_list,
    priority_scores,
    resource_metadata,
    source_records,
)
from shelter_pipeline.orchestration.checks import checks
from shelter_pipeline.orchestration.every_job import EVERY_JOB
from shelter_pipeline.orchestration.guide import told
from shelter_pipeline.orchestration.outside_assets import outside_assets
from shelter_pipeline.orchestration.overview_asset import rescue_overview
from shelter_pipeline.orchestration.rescue_assets import batch_plan, download_batches, organization_rescue
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.schedules import schedules
from shelter_pipeline.orchestration.sensors import sensors


def build_defs(**overrides: Any) -> dg.Definitions:
    """The whole code location; `overrides` replace resources by name, as tests do with `workplaces`."""
    return dg.Definitions(
        assets=[
            package_list,
            resource_metadata,
            source_records,
            asset_probes,
            priority_scores,
            batch_plan,
            download_batches,
            organization_rescue,
            rescue_overview,
            *outside_assets,
        ],
        asset_checks=list(checks),
        jobs=list(EVERY_JOB),
        schedules=list(schedules),
        sensors=[*sensors, alert_sensor],
        resources={"workplaces": _workplaces(), **overrides},
        # Runs started by hand in the UI use this one too: a process a step costs seconds.
        executor=dg.in_process_executor,
    )


def _workplaces() -> dg.ResourceDefinition:
    """The resource with its description, which an object alone has no place for."""
    return dg.ResourceDefinition.hardcoded_resource(Workplaces(), description=told("workplaces"))


defs = build_defs()
