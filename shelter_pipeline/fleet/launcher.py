"""Dagster's launcher for a fleet: that of dagster-celery, told what it cannot know of our runs.

A run that a person ends is shown as cancelled and not as failed; and a run is called dead only
for what is known, a task that failed, and not for what the results do not say: a machine that is
gone is noticed by its silence (`orchestration/lost_runs.py`).
"""

from __future__ import annotations

import time

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

_TAG_SECONDS = 3.0


class FleetRunLauncher(CeleryRunLauncher):
    """Runs become tasks of the workers; configured as `CeleryRunLauncher` is."""

    def terminate(self, run_id: str) -> bool:
        """Have the worker interrupt the run, or drop it unbegun; False if there is none to interrupt."""
        run = self._launched(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        if run.status != dg.DagsterRunStatus.CANCELING:
            self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    def _launched(self, run_id: str) -> dg.DagsterRun | None:
        """The run, with the tag of its task: a warm worker begins it before the launcher has written that down."""
        until = time.monotonic() + _TAG_SECONDS
        while True:
            run = self._instance.get_run_by_id(run_id)
            if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG in run.tags:
                return run
            if time.monotonic() > until:
                return run
            time.sleep(0.1)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """FAILED where the task did; RUNNING where nothing is known against it."""
        if DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        health = super().check_run_worker_health(run)
        if health.status == WorkerStatus.UNKNOWN:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return health
