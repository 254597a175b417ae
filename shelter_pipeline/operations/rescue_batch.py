"""Rescue one batch: claim, fetch, settle, until the ledger has nothing left of it for this run.

A failure is an outcome that is recorded, never an exception that ends the batch. Running a
batch again resumes it: what has a terminal verdict is not asked for.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing, suppress
from itertools import chain
from typing import Any

from shelter_pipeline.catalog.batches import (
    begin_batch,
    close_batch,
    expire_claims,
    find_batch,
    release_run,
    wanted_of_batch,
)
from shelter_pipeline.catalog.claims import know_store, release_claims
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.progress import batch_report, dataset_records, manifest_entries
from shelter_pipeline.catalog.work_queue import unqueue_assets
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.logs import logging_about, told
from shelter_pipeline.operations.batch_run import BatchResult, BatchRun, Progress
from shelter_pipeline.operations.node_work import queue_again
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.manifest import write_manifest
from shelter_pipeline.vault.store import BlobStore

__all__ = ["BatchResult", "rescue_batch"]

_log = logging.getLogger(__name__)

# How long the beginning of a file is kept for the next attempt.
_KEPT_SECONDS = 14 * 24 * 3600.0
# A full store is looked at again by the next run, a minute later at the soonest.
_FULL_REST_SECONDS = 60.0


def rescue_batch(
    workplace: Workplace,
    key: str,
    *,
    run_id: str,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> BatchResult:
    """Fetch, verify, store and record one batch under the name of `run_id`.

    `progress` is told the files settled and the bytes received so far; `stop` makes it take
    nothing new and give back what it has not begun. SetupError if there is no such batch.
    """
    with logging_about(batch=key, run=run_id):
        began = time.monotonic()
        result = _rescue(workplace, key, run_id, progress, stop or threading.Event())
        counts = {
            "settled": result.settled,
            "late": result.late,
            "leftover": result.leftover,
            "stored_bytes": result.stored_bytes,
            "seconds": round(time.monotonic() - began, 1),
            "reasons": dict(result.reasons),
        }
        _log.info("batch %s: %s", key, result.state, extra=told(**counts))
        return result


def _rescue(
    workplace: Workplace, key: str, run_id: str, progress: Progress | None, stop: threading.Event
) -> BatchResult:
    batch = workplace.patiently(find_batch, key)
    _log.info("batch %s begins, attempt %d of %d files", key, batch.attempt, batch.files)
    workplace.store.prepare()
    workplace.patiently(know_store, workplace.store.name)
    # What a killed run left half-written is older than any capture may last.
    workplace.store.sweep_partials(
        workplace.settings.fetch_total_deadline_seconds, kept_seconds=_KEPT_SECONDS
    )
    # What a dead run held is free once its lease is over, whether the reaper came by or not.
    workplace.patiently(expire_claims, max_asset_attempts=workplace.settings.asset_max_attempts)
    workplace.patiently(begin_batch, batch.id, run_id)
    _leave_to(workplace, batch.id, nodes=False)
    result = BatchResult(key)
    try:
        run = BatchRun(workplace, batch.id, run_id, result, progress=progress, stop=stop)
        run.work()
        workplace.patiently(release_claims, run_id)
        result.manifest = workplace.patiently(_keep_manifest, workplace.store, batch.id, key)
    except BaseException as error:
        _log.warning("batch %s was broken off: %s", key, str(error) or type(error).__name__)
        # If the catalog is away too, the leases run out by themselves; the cause is what must be seen.
        with suppress(ShelterError):
            release_run(workplace.catalog, run_id, max_attempts=workplace.settings.batch_max_attempts)
        raise
    closed = workplace.patiently(
        close_batch,
        batch.id,
        manifest=result.manifest,
        max_attempts=workplace.settings.batch_max_attempts,
        rest_seconds=_FULL_REST_SECONDS if result.short_of_room else 0.0,
    )
    _leave_to(workplace, batch.id, nodes=True)
    result.state, result.leftover = closed["state"], closed["leftover"]
    result.attempt, result.due_at = closed["attempt"], closed["not_before"]
    result.files = workplace.patiently(batch_report, batch.id)
    return result


def _leave_to(workplace: Workplace, batch_id: int, *, nodes: bool) -> None:
    """Take the batch's files out of the queue of nodes, or put back in what is left of them.

    The queue is a hint and looked after elsewhere too: where it cannot be told, nothing is lost.
    """
    with suppress(ShelterError):
        wanted = wanted_of_batch(workplace.catalog, batch_id)
        if nodes:
            queue_again(workplace, wanted)
        else:
            unqueue_assets(workplace.catalog, wanted)


def _keep_manifest(catalog: Catalog, store: BlobStore, batch_id: int, key: str) -> str | None:
    """Dataset records and the manifest of all runs so far go into the store, which outlives the database."""
    entries = manifest_entries(catalog, batch_id)
    first = next(entries, None)
    if first is None:
        return None
    with closing(dataset_records(catalog, batch_id)) as records:
        store.put_documents((f"records/{record[:2]}/{record}.json", raw.encode()) for record, raw in records)
    return write_manifest(store, key, (_plain(entry) for entry in chain([first], entries)))


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if name in ("started_at", "finished_at") else value
        for name, value in entry.items()
    }
