"""Rescue one batch: claim, fetch, settle, until the ledger has nothing left of it for this run.

A failure is an outcome that is recorded, never an exception that ends the batch. The
order is blob, then row, then claim, so a crash anywhere leaves at worst work to be done
again. Running a batch again resumes it: what has a terminal verdict is not asked for.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shelter_pipeline.catalog.batches import (
    begin_batch,
    close_batch,
    expire_claims,
    find_batch,
    release_run,
)
from shelter_pipeline.catalog.claims import (
    CaptureRow,
    ClaimedAsset,
    claim_batch,
    know_store,
    release_claims,
    settle_claim,
)
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.progress import batch_report, dataset_records, manifest_entries
from shelter_pipeline.dispatch.heartbeat import Heartbeat
from shelter_pipeline.dispatch.patience import patiently
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.verdicts import Verdict
from shelter_pipeline.fetching.download import Capture, Downloader, Promise
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.manifest import write_manifest
from shelter_pipeline.vault.store import BlobStore

Progress = Callable[[int, int], None]
Result = TypeVar("Result")


@dataclass(slots=True)
class BatchResult:
    """What one run of a batch did. `leftover` files have no terminal verdict yet."""

    batch: str
    state: str = "running"
    settled: int = 0
    late: int = 0
    stored_bytes: int = 0
    wire_bytes: int = 0
    requests: int = 0
    leftover: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    manifest: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)


def rescue_batch(
    workplace: Workplace,
    key: str,
    *,
    run_id: str,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> BatchResult:
    """Fetch, verify, store and record one batch under the name of `run_id`.

    `progress` is told files and wire bytes settled so far; `stop` makes it take nothing
    new and give back what it has not begun. SetupError if there is no such batch.
    """
    batch = _patiently(workplace, find_batch, key)
    _patiently(workplace, know_store, workplace.store.name)
    # What a killed run left half-written is older than any capture may last.
    workplace.store.sweep_partials(workplace.settings.fetch_total_deadline_seconds)
    # What a dead run held is free once its lease is over, whether the reaper came by or not.
    _patiently(workplace, expire_claims, max_asset_attempts=workplace.settings.asset_max_attempts)
    _patiently(workplace, begin_batch, batch.id, run_id)
    result = BatchResult(key)
    try:
        _fetch_all(workplace, batch.id, run_id, result, progress, stop or threading.Event())
        _patiently(workplace, release_claims, run_id)
        result.manifest = _patiently(workplace, _keep_manifest, workplace.store, batch.id, key)
    except BaseException:
        # If the catalog is away too, the leases run out by themselves; the cause is what must be seen.
        with suppress(ShelterError):
            release_run(workplace.catalog, run_id, max_attempts=workplace.settings.batch_max_attempts)
        raise
    closed = _patiently(
        workplace,
        close_batch,
        batch.id,
        manifest=result.manifest,
        max_attempts=workplace.settings.batch_max_attempts,
    )
    result.state, result.leftover = closed["state"], closed["leftover"]
    result.files = _patiently(workplace, batch_report, batch.id)
    return result


def _fetch_all(
    workplace: Workplace,
    batch_id: int,
    run_id: str,
    result: BatchResult,
    progress: Progress | None,
    stop: threading.Event,
) -> None:
    settings = workplace.settings
    downloader = Downloader(
        workplace.door,
        workplace.store,
        max_attempts=settings.fetch_max_attempts,
        retry_delay_seconds=settings.fetch_retry_delay_seconds,
        politeness=workplace.politeness,
    )
    threads = settings.fetch_threads
    over = threading.Event()
    with (
        Heartbeat(workplace.catalog, lease_seconds=settings.lease_seconds) as heartbeat,
        ThreadPoolExecutor(threads, "fetch") as pool,
        _set_at_end(over),  # an error does not wait for the downloads under way
    ):
        running: dict[Future[Capture], ClaimedAsset] = {}
        exhausted = False
        while running or not (exhausted or stop.is_set()):
            if not exhausted and not stop.is_set() and len(running) < threads:
                claims = _claim(
                    workplace, batch_id, run_id, 2 * threads - len(running), list(running.values())
                )
                exhausted = not claims
                heartbeat.watch(claim.token for claim in claims)
                running.update(
                    {
                        pool.submit(
                            _fetch, downloader, claim, _cancelled(heartbeat, claim.token, stop, over)
                        ): claim
                        for claim in claims
                    }
                )
            done, _ = wait(running, return_when=FIRST_COMPLETED, timeout=1.0)
            for future in done:
                claim = running.pop(future)
                _settle(workplace, batch_id, claim, future.result(), result)
                heartbeat.forget(claim.token)
                if progress:
                    progress(result.settled, result.wire_bytes)


def _claim(
    workplace: Workplace, batch_id: int, run_id: str, limit: int, known: list[ClaimedAsset]
) -> list[ClaimedAsset]:
    """More work for this run; a claim whose answer got lost with the connection is found again."""
    settings = workplace.settings
    asked = 0

    def ask() -> list[ClaimedAsset]:
        nonlocal asked
        asked += 1
        return claim_batch(
            workplace.catalog,
            batch_id,
            holder=run_id,
            limit=limit,
            lease_seconds=settings.lease_seconds,
            known=[claim.token for claim in known] if asked > 1 else None,
        )

    return patiently(ask, for_seconds=settings.lease_seconds)


def _patiently(workplace: Workplace, ask: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """One question to the catalog, repeated for up to a lease while it is away."""
    return patiently(
        lambda: ask(workplace.catalog, *arguments, **named), for_seconds=workplace.settings.lease_seconds
    )


@contextmanager
def _set_at_end(event: threading.Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()


def _cancelled(heartbeat: Heartbeat, token: int, *events: threading.Event) -> Callable[[], bool]:
    return lambda: any(event.is_set() for event in events) or heartbeat.lost(token)


def _fetch(downloader: Downloader, claim: ClaimedAsset, cancelled: Callable[[], bool]) -> Capture:
    promise = Promise(
        size=claim.expected_size,
        checksum=claim.checksum,
        format=claim.format,
        media_type=claim.media_type,
        etag=claim.etag,
        last_modified=claim.last_modified,
        held_sha256=claim.sha256,
    )
    return downloader.fetch(claim.url, promise, cancelled=cancelled)


def _settle(
    workplace: Workplace, batch_id: int, claim: ClaimedAsset, capture: Capture, result: BatchResult
) -> None:
    after = follow_up(
        capture.reason,
        claim.attempts,
        max_attempts=workplace.settings.asset_max_attempts,
        retry_after_seconds=capture.retry_after_seconds,
    )
    ours = _patiently(
        workplace,
        settle_claim,
        claim,
        capture_row(capture),
        after,
        batch_id=batch_id,
        store=workplace.store.name,
    )
    result.settled += ours
    result.late += not ours
    result.requests += capture.requests
    result.wire_bytes += capture.wire_bytes
    if ours:
        result.reasons[capture.reason] += 1
        if capture.verdict is Verdict.STORED:
            result.stored_bytes += capture.size or 0


def capture_row(capture: Capture) -> CaptureRow:
    """A capture as the catalog keeps it."""
    held = capture.verdict in (Verdict.STORED, Verdict.UNCHANGED) and capture.size is not None
    return CaptureRow(
        verdict=capture.verdict.value,
        reason=capture.reason,
        detail=capture.detail,
        final_url=capture.final_url,
        status=capture.status,
        heads={
            "request": [list(pair) for pair in capture.request_headers],
            "response": [list(pair) for pair in capture.response_headers],
            "hops": [
                {"url": hop.url, "status": hop.status, "location": hop.location} for hop in capture.hops
            ],
        },
        flags=capture.flags,
        requests=capture.requests,
        wire_bytes=capture.wire_bytes,
        sha256=capture.sha256,
        size=capture.size,
        media_type=capture.media_type,
        etag=capture.etag,
        last_modified=capture.last_modified,
        started_at=capture.started_at.isoformat(),
        finished_at=capture.finished_at.isoformat(),
        held=held and capture.sha256 is not None,
    )


def _keep_manifest(catalog: Catalog, store: BlobStore, batch_id: int, key: str) -> str | None:
    """Dataset records and the manifest of all runs so far go into the store, which outlives the database."""
    entries = manifest_entries(catalog, batch_id)
    if not entries:
        return None
    with closing(dataset_records(catalog, batch_id)) as records:
        for record, raw in records:
            store.put_document(f"records/{record[:2]}/{record}.json", raw.encode())
    return write_manifest(store, key, [_plain(entry) for entry in entries])


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if name in ("started_at", "finished_at") else value
        for name, value in entry.items()
    }
