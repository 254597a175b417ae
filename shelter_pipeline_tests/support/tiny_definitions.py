"""The smallest Dagster code location with one of everything the stack has to deal with."""

from __future__ import annotations

import time

import dagster as dg


@dg.asset
def tiny() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"answer": 42})


@dg.asset
def slow() -> None:
    time.sleep(3600)


@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="tiny_parts"))
def parted() -> None:
    """Has a partition for each key that somebody adds."""


tiny_job = dg.define_asset_job("tiny_job", [tiny])
slow_job = dg.define_asset_job("slow_job", [slow])


@dg.sensor(job=tiny_job, minimum_interval_seconds=3600)
def tiny_sensor() -> dg.SkipReason:
    return dg.SkipReason("nothing to do")


tiny_schedule = dg.ScheduleDefinition(job=tiny_job, cron_schedule="0 0 1 1 *")

defs = dg.Definitions(
    assets=[tiny, slow, parted],
    jobs=[tiny_job, slow_job],
    sensors=[tiny_sensor],
    schedules=[tiny_schedule],
    executor=dg.in_process_executor,
)
