"""What a transfer shows of its host, for politeness to learn from."""

from __future__ import annotations

from datetime import UTC, datetime

from shelter_pipeline.fetching.politeness import Observation
from shelter_pipeline.fetching.replies import retry_after_seconds
from shelter_pipeline.fetching.transfer import Transfer


def observation(transfer: Transfer) -> Observation:
    """What a transfer that has ended showed of its host."""
    head = transfer.head
    timing = transfer.timing
    first_byte = timing.get("first_byte")
    connected = max(timing.get("connect", 0.0), timing.get("tls", 0.0))
    return Observation(
        status=head.status if head else None,
        first_byte_seconds=None if first_byte is None else max(first_byte - connected, 0.0),
        retry_after_seconds=retry_after_seconds(head.get("retry-after"), datetime.now(UTC)) if head else None,
        connect_failed=transfer.connect_failed,
    )
