"""Everything that bounds one transfer, in one value: no number that limits a server stands anywhere else."""

from __future__ import annotations

from dataclasses import dataclass

from shelter_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may take. Times are seconds, sizes bytes.

    `connect_seconds` covers name, TCP and TLS of one hop; `head_seconds` runs from the
    sent request to the end of the head; `total_seconds` covers all hops. The least rate
    counts from the sent request, head included, so a silent server is cut after the
    window however the deadlines are set.
    """

    connect_seconds: float
    head_seconds: float
    total_seconds: float
    stall_window_seconds: float
    min_bytes_per_second: int
    max_bytes: int
    max_redirects: int
    max_head_bytes: int = 256 * 1024
    max_headers: int = 200

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits an operator has set."""
        return cls(
            connect_seconds=settings.fetch_connect_timeout_seconds,
            head_seconds=settings.fetch_head_timeout_seconds,
            total_seconds=settings.fetch_total_deadline_seconds,
            stall_window_seconds=settings.fetch_stall_window_seconds,
            min_bytes_per_second=settings.fetch_min_bytes_per_second,
            max_bytes=settings.fetch_max_bytes,
            max_redirects=settings.fetch_max_redirects,
        )
