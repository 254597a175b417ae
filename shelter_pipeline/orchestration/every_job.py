"""Every job there is: what the code location shows, and what is watched for runs that fail."""

from __future__ import annotations

from shelter_pipeline.orchestration.checks import audit_job
from shelter_pipeline.orchestration.jobs import asset_jobs, fixity
from shelter_pipeline.orchestration.node_proofs import node_proofs
from shelter_pipeline.orchestration.overview_asset import show_overview
from shelter_pipeline.orchestration.retention import retention
from shelter_pipeline.orchestration.verdicts import renew_verdicts
from shelter_pipeline.orchestration.weekly_report import rescue_report

EVERY_JOB = (
    *asset_jobs,
    show_overview,
    audit_job,
    fixity,
    node_proofs,
    retention,
    renew_verdicts,
    rescue_report,
)
