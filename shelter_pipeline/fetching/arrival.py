"""The end of a fetch: a capture, or whole bytes that become one once the store has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.verdicts import verdict_of
from shelter_pipeline.fetching.capture import Capture, Promise, shown
from shelter_pipeline.fetching.content import Finding
from shelter_pipeline.fetching.exchange import Trace
from shelter_pipeline.fetching.replies import media_type_of
from shelter_pipeline.vault.store import Blob, Partial


@dataclass(slots=True)
class Fetch:
    """One fetch under way: what was asked for, its evidence and its clock."""

    url: str
    promise: Promise
    total_seconds: float
    headers: Mapping[str, str]
    progress: Callable[[int], None] | None = None
    cancelled: Callable[[], bool] | None = None
    trace: Trace = field(default_factory=Trace)
    began: float = field(default_factory=time.monotonic)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def left_seconds(self) -> float:
        """What is left of the total deadline."""
        return self.total_seconds - (time.monotonic() - self.began)

    def check_cancelled(self) -> None:
        """Raises TransientError `interrupted` once the fetch is no longer wanted."""
        if self.cancelled is not None and self.cancelled():
            raise TransientError("the transfer was cancelled", reason="interrupted")

    def failed(self, error: ShelterError) -> Capture:
        """The capture of a fetch that ended in an error."""
        later = error.retry_after_seconds if isinstance(error, TransientError) else None
        return self.capture(error.reason, str(error), retry_after_seconds=later)

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
        """What came of it, for this reason."""
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
            media_type=_shown(media_type_of(head)),
            etag=_shown(head.get("etag") if head else None),
            last_modified=_shown(head.get("last-modified") if head else None),
            flags=(*trace.flags, *flags),
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            retry_after_seconds=retry_after_seconds,
            address=trace.address,
            timing=trace.timing,
        )


def _shown(value: str | None) -> str | None:
    return None if value is None else shown(value)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Either `capture` is there already, or `partial` waits to be published, or kept apart for its `finding`.

    Who has done so hears the capture from `kept`.
    """

    fetch: Fetch
    capture: Capture | None = None
    partial: Partial | None = None
    finding: Finding | None = None
    flags: tuple[str, ...] = ()

    def kept(self, outcome: Blob | ShelterError) -> Capture:
        """The capture, now that the store has the bytes or could not take them."""
        if isinstance(outcome, ShelterError):
            return self.fetch.failed(outcome)
        same = outcome.sha256 == self.fetch.promise.held_sha256
        finding = self.finding or Finding("unchanged" if same else "stored", "")
        return self.fetch.capture(
            finding.reason, finding.detail, sha256=outcome.sha256, size=outcome.size, flags=self.flags
        )
