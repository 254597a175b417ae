"""Runs whose machine is gone: they are marked as failed, so that nothing hangs and their work goes to others.

A launcher sees a process that dies, as long as somebody is left on the machine to say so.
Of a machine that loses its power or its network nobody says anything: what its worker last
said is in the catalog.
"""

import dagster as dg

from shelter_pipeline.catalog.fleet import SilentRun
from shelter_pipeline.operations.fleet import give_up_runs, lost_runs
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.orchestration.jobs import IN_FLIGHT


def fail_lost_runs(instance: dg.DagsterInstance, workplace: Workplace) -> int:
    """Mark the runs as failed whose worker has fallen silent; returns how many.

    Who listens to failures gives back what a run held, and Dagster retries what is no batch.
    """
    lost = lost_runs(workplace)
    if not lost:
        return 0
    failed = [silent for silent in lost if _fail(instance, silent)]
    give_up_runs(workplace, [silent.run_id for silent in lost])
    return len(failed)


def _fail(instance: dg.DagsterInstance, silent: SilentRun) -> bool:
    run = instance.get_run_by_id(silent.run_id)
    if run is None or run.status not in IN_FLIGHT:
        return False
    instance.report_run_failed(
        run,
        f"The worker {silent.worker} has not been heard of for {silent.silent_seconds:.0f} seconds: its machine,"
        " its network or its process is gone. What this run had not ended is given to others; what it saved is kept.",
    )
    return True
