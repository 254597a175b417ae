"""One run of a batch while it works: claims go into the engine, captures come out of it and are settled.

Bytes are durable before a row says so, and a row is written before its claim is settled,
so a crash anywhere leaves at worst work to be done again. Asked to end, it begins nothing
new, lets what runs go on for a moment, leaves behind what can be continued, and settles
what has ended.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from shelter_pipeline.catalog.claims import ClaimedAsset, claim_batch
from shelter_pipeline.catalog.settling import CaptureRow, Settlement, settle_claims
from shelter_pipeline.dispatch.heartbeat import Heartbeat
from shelter_pipeline.dispatch.patience import patiently
from shelter_pipeline.dispatch.unbroken import unbroken
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.verdicts import Verdict, holds_file
from shelter_pipeline.fetching.capture import Capture, Promise
from shelter_pipeline.fetching.collecting import rarer_collections
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.operations.workplace import Workplace

Progress = Callable[[int, int], None]
Result = TypeVar("Result")

# Claims in hand: enough for every host of a mixed batch to have a file here, few enough for memory.
_IN_HAND = 2000
_LOOK_SECONDS = 0.5
# Settling a few costs the catalog as much as settling many.
_LINGER_SECONDS = 0.1
_CANCEL_SECONDS = 5.0
_ROOM_SECONDS = 60.0


@dataclass(slots=True)
class BatchResult:
    """What one run of a batch did. `leftover` files have no terminal verdict yet, and are due at `due_at`."""

    batch: str
    state: str = "running"
    attempt: int | None = None  # the next one, or the last if there is none
    due_at: datetime | None = None
    settled: int = 0
    late: int = 0
    stored_bytes: int = 0
    wire_bytes: int = 0
    requests: int = 0
    leftover: int = 0
    short_of_room: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    manifest: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)


class BatchRun:
    """The work on one batch under the name of one run."""

    def __init__(
        self,
        workplace: Workplace,
        batch_id: int,
        run_id: str,
        result: BatchResult,
        *,
        progress: Progress | None,
        stop: threading.Event,
    ) -> None:
        self._workplace = workplace
        self._batch_id = batch_id
        self._run_id = run_id
        self._result = result
        self._progress = progress
        self._stop = stop
        self._claims: dict[int, ClaimedAsset] = {}
        self._ended: list[tuple[ClaimedAsset, Capture]] = []  # and not settled yet
        self._exhausted = False
        self._patience_seconds = workplace.settings.lease_seconds

    def work(self) -> None:
        """Until the ledger has nothing left for this run, or until it is asked to stop."""
        workplace, settings = self._workplace, self._workplace.settings
        with (
            rarer_collections(),
            Heartbeat(workplace.catalog, lease_seconds=settings.lease_seconds) as heartbeat,
            Engine(
                workplace.downloader(),
                workplace.store,
                workplace.politeness,
                connections=settings.fetch_connections,
                lanes=settings.fetch_lanes or None,
            ) as engine,
        ):
            try:
                while not self._stop.is_set() and (engine.pending or self._may_claim()):
                    self._claim(engine, heartbeat)
                    self._settle(engine, heartbeat)
            except Exception:
                engine.cancel()
                raise
            except BaseException:  # asked to end, by a signal or by Dagster
                self._patience_seconds = _CANCEL_SECONDS
                with suppress(CatalogAwayError):  # the leases run out by themselves
                    self._wind_down(engine, heartbeat)
                raise
            self._wind_down(engine, heartbeat)

    def _may_claim(self) -> bool:
        return not self._exhausted and not self._result.short_of_room

    def _wind_down(self, engine: Engine, heartbeat: Heartbeat) -> None:
        engine.stop()
        until = time.monotonic() + self._workplace.settings.fetch_stop_seconds
        while (engine.pending or self._ended) and time.monotonic() < until:
            self._settle(engine, heartbeat)
        engine.cancel()
        until = time.monotonic() + _CANCEL_SECONDS
        while (engine.pending or self._ended) and time.monotonic() < until:
            self._settle(engine, heartbeat)

    def _claim(self, engine: Engine, heartbeat: Heartbeat) -> None:
        """More work, if less than half of what may be in hand is."""
        if not self._may_claim() or engine.pending > _IN_HAND // 2:
            return
        if not self._workplace.has_room():
            self._result.short_of_room = not engine.pending and not self._wait_for_room()
            return
        claims = self._ask_for_claims(_IN_HAND - engine.pending)
        self._exhausted = not claims
        with unbroken():
            heartbeat.watch(claim.token for claim in claims)
            for left, claim in zip(range(len(claims) - 1, -1, -1), claims, strict=True):
                self._claims[claim.token] = claim
                engine.fetch(
                    claim,
                    claim.url,
                    promise_of(claim),
                    cancelled=_lost(heartbeat, claim.token),
                    more=left > 0,
                )

    def _wait_for_room(self) -> bool:
        """Nothing runs and the store is nearly full: give it a minute, for others may make room."""
        until = time.monotonic() + _ROOM_SECONDS
        while time.monotonic() < until and not self._stop.wait(_LOOK_SECONDS):
            if self._workplace.has_room():
                return True
        return False

    def _ask_for_claims(self, limit: int) -> list[ClaimedAsset]:
        """Claims for this run; those whose answer got lost with the connection are found again."""
        lease_seconds = self._workplace.settings.lease_seconds
        asked = 0

        def ask() -> list[ClaimedAsset]:
            nonlocal asked
            asked += 1
            return claim_batch(
                self._workplace.catalog,
                self._batch_id,
                holder=self._run_id,
                limit=limit,
                lease_seconds=lease_seconds,
                known=list(self._claims) if asked > 1 else None,
            )

        return patiently(ask, for_seconds=lease_seconds)

    def _settle(self, engine: Engine, heartbeat: Heartbeat) -> None:
        """Record what has ended; waits a moment if nothing has."""
        with unbroken():
            self._ended += engine.results(_LOOK_SECONDS, linger_seconds=_LINGER_SECONDS)
        if self._ended:
            ours = self._record(self._ended)
            ended, self._ended = self._ended, []
            for claim, capture in ended:
                self._count(capture, is_ours=claim.token in ours)
                heartbeat.forget(claim.token)
                del self._claims[claim.token]
        if self._progress is not None:
            self._progress(self._result.settled, engine.wire_bytes)

    def _record(self, ended: Sequence[tuple[ClaimedAsset, Capture]]) -> set[int]:
        settings = self._workplace.settings
        settlements = [
            Settlement(
                claim,
                capture_row(capture),
                follow_up(
                    capture.reason,
                    claim.attempts,
                    max_attempts=settings.asset_max_attempts,
                    retry_after_seconds=capture.retry_after_seconds,
                ),
            )
            for claim, capture in ended
        ]
        return patiently(
            lambda: settle_claims(
                self._workplace.catalog,
                settlements,
                batch_id=self._batch_id,
                store=self._workplace.store.name,
            ),
            for_seconds=self._patience_seconds,
        )

    def _count(self, capture: Capture, *, is_ours: bool) -> None:
        result = self._result
        result.settled += is_ours
        result.late += not is_ours
        result.requests += capture.requests
        result.wire_bytes += capture.wire_bytes
        if is_ours:
            result.reasons[capture.reason] += 1
            if capture.verdict is Verdict.STORED:
                result.stored_bytes += capture.size or 0


def _lost(heartbeat: Heartbeat, token: int) -> Callable[[], bool]:
    return lambda: heartbeat.lost(token)


def promise_of(claim: ClaimedAsset) -> Promise:
    """What the catalogue claims of a file, and what we hold of it already."""
    return Promise(
        size=claim.expected_size,
        checksum=claim.checksum,
        format=claim.format,
        media_type=claim.media_type,
        etag=claim.etag,
        last_modified=claim.last_modified,
        held_sha256=claim.sha256,
        held_size=claim.held_size,
        accepted=frozenset(claim.accepted),
        rejected=frozenset(claim.rejected),
    )


def capture_row(capture: Capture) -> CaptureRow:
    """A capture as the catalog keeps it."""
    return CaptureRow(
        verdict=capture.verdict.value,
        reason=capture.reason,
        detail=capture.detail,
        final_url=capture.final_url,
        status=capture.status,
        heads=capture.heads(),
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
        held=holds_file(capture.verdict) and None not in (capture.size, capture.sha256),
    )
