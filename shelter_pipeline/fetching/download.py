"""One file, whole and proved in the vault, or a verdict that says why not.

A fetch never raises for what a server does: each end is a `Capture`. Bytes are published
only after the transfer, the encoding, the checksum and the content all agree; what is
whole but not the thing is kept apart as evidence, and everything else leaves no trace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shelter_pipeline.domain.errors import SetupError, ShelterError, TransientError
from shelter_pipeline.domain.verdicts import verdict_of
from shelter_pipeline.fetching.body import Body
from shelter_pipeline.fetching.capture import Capture, Promise
from shelter_pipeline.fetching.door import NO_HEADERS, Door, Trace
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.replies import media_type_of
from shelter_pipeline.fetching.retry import pause_before_retry
from shelter_pipeline.vault.store import BlobStore

__all__ = ["Capture", "Downloader", "Promise"]

_NO_PROMISE = Promise()
_BREATH_SECONDS = 0.5  # how often a pause looks whether it was cancelled


@dataclass(slots=True)
class _Fetch:
    """One fetch under way: its evidence and its clock."""

    url: str
    promise: Promise
    progress: Callable[[int], None] | None
    cancelled: Callable[[], bool] | None
    total_seconds: float
    headers: Mapping[str, str]
    trace: Trace = field(default_factory=Trace)
    began: float = field(default_factory=time.monotonic)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def left_seconds(self) -> float:
        return self.total_seconds - (time.monotonic() - self.began)

    def check_cancelled(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise TransientError("the transfer was cancelled", reason="interrupted")

    def capture(
        self,
        reason: str,
        detail: str = "",
        *,
        sha256: str | None = None,
        size: int | None = None,
        flags: tuple[str, ...] = (),
        retry_after_seconds: float | None = None,
    ) -> Capture:
        trace = self.trace
        head = trace.head
        return Capture(
            url=self.url,
            final_url=trace.final_url or self.url,
            verdict=verdict_of(reason),
            reason=reason,
            detail=detail,
            status=head.status if head else None,
            request_headers=trace.request_headers,
            response_headers=head.headers if head else (),
            hops=tuple(trace.hops),
            wire_bytes=trace.wire_bytes,
            requests=trace.requests,
            sha256=sha256,
            size=size,
            media_type=media_type_of(head),
            etag=head.get("etag") if head else None,
            last_modified=head.get("last-modified") if head else None,
            flags=(*trace.flags, *flags),
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            retry_after_seconds=retry_after_seconds,
        )


class Downloader:
    """Fetches through one door into one store. Safe to share between threads."""

    def __init__(
        self,
        door: Door,
        store: BlobStore,
        *,
        max_attempts: int,
        retry_delay_seconds: float,
        politeness: Politeness | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._door = door
        self._store = store
        self._max_attempts = max_attempts
        self._retry_delay_seconds = retry_delay_seconds
        self._politeness = politeness
        self._sleep = sleep

    def fetch(
        self,
        url: str,
        promise: Promise = _NO_PROMISE,
        *,
        progress: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Capture:
        """Ask for `url` until it is held, unchanged, or has clearly failed.

        `progress` is told how many bytes of the file are here, and again from a smaller
        number if it has to begin anew. `cancelled` is asked at least once a second and
        ends the fetch as transient `interrupted`. The total deadline covers all attempts.
        `headers` go with every request to the URL's own host.
        Raises SetupError only.
        """
        fetch = _Fetch(url, promise, progress, cancelled, self._door.limits.total_seconds, headers)
        try:
            with self._store.receive() as partial:
                body = Body(url, promise, partial, self._door.limits)
                self._bring(fetch, body)
                return self._settle(fetch, body)
        except SetupError:
            raise
        except ShelterError as error:
            later = error.retry_after_seconds if isinstance(error, TransientError) else None
            return fetch.capture(error.reason, str(error), retry_after_seconds=later)

    def _bring(self, fetch: _Fetch, body: Body) -> None:
        """Attempt after attempt until the body has come to its end. Raises the last attempt's error."""
        attempt = 1
        while True:
            try:
                self._attempt(fetch, body)
            except ShelterError as error:
                pause = pause_before_retry(
                    error,
                    attempt,
                    max_attempts=self._max_attempts,
                    first_delay_seconds=self._retry_delay_seconds,
                    left_seconds=fetch.left_seconds,
                )
                if pause is None:
                    raise
                self._rest(pause, fetch)
                attempt += 1
            else:
                return

    def _attempt(self, fetch: _Fetch, body: Body) -> None:
        fetch.check_cancelled()
        headers, limits = body.next_request(max(fetch.left_seconds, 0.001))

        def sink(data: bytes) -> None:
            body.write(data)
            if fetch.progress is not None:
                fetch.progress(body.partial.size)

        self._door.exchange(
            fetch.url,
            headers={**fetch.headers, **headers},
            on_head=body.accept,
            sink=sink,
            limits=limits,
            tick=fetch.check_cancelled if fetch.cancelled is not None else None,
            turn=self._politeness.turn if self._politeness is not None else None,
            trace=fetch.trace,
        )

    def _rest(self, seconds: float, fetch: _Fetch) -> None:
        while seconds > 0:
            fetch.check_cancelled()
            step = min(seconds, _BREATH_SECONDS)
            self._sleep(step)
            seconds -= step

    def _settle(self, fetch: _Fetch, body: Body) -> Capture:
        """Publish, keep apart or drop what came, by what it turned out to be."""
        if body.not_modified:
            held = fetch.promise.held_sha256
            return fetch.capture(
                "unchanged", "the server says so (304)", sha256=held, size=self._size_of(held)
            )
        try:
            body.check_whole()
        except ShelterError as error:
            if error.reason != "mismatch":
                raise
            return self._kept_apart(fetch, body, error.reason, str(error))
        finding = body.finding()
        if finding is not None:
            return self._kept_apart(fetch, body, finding.reason, finding.detail)
        blob = self._store.publish(body.partial, expected_size=body.total)
        same = blob.sha256 == fetch.promise.held_sha256
        reason = "unchanged" if same else "stored"
        return fetch.capture(reason, sha256=blob.sha256, size=blob.size, flags=body.flags())

    def _size_of(self, sha256: str | None) -> int | None:
        with suppress(OSError):
            return self._store.size_of(sha256) if sha256 else None
        return None

    def _kept_apart(self, fetch: _Fetch, body: Body, reason: str, detail: str) -> Capture:
        blob = self._store.keep_suspect(body.partial)
        return fetch.capture(reason, detail, sha256=blob.sha256, size=blob.size, flags=body.flags())
