"""The kinds of work that machines of a fleet take, each from a queue of its own."""

from __future__ import annotations

from typing import Final

DOWNLOADS: Final = "downloads"  # batches: long, and most of all there is
CATALOG: Final = "catalog"  # harvests, discovery, scores, plans, reports: what downloads depend on
UPKEEP: Final = "upkeep"  # fixity, source records, proofs, audits: nobody waits for them
BY_HAND: Final = "dagster"  # runs that carry no tag of a queue, such as those started from the asset graph
QUEUES: Final = (DOWNLOADS, CATALOG, UPKEEP, BY_HAND)
QUEUE_TAG: Final = "dagster-celery/queue"
# Of a worker that is alive, at most so many seconds pass between two beats; thrice that long is silence.
BEAT_SECONDS: Final = 15.0
SILENT_SECONDS: Final = 3 * BEAT_SECONDS
# S3 refuses what is signed by a clock that is a quarter of an hour off; certificates end and logs lie before.
MOST_CLOCK_OFFSET_SECONDS: Final = 300.0


def clock_is_wrong(offset_seconds: float) -> bool:
    """Whether a machine whose clock is so far from the database's would only spoil what it takes."""
    return abs(offset_seconds) > MOST_CLOCK_OFFSET_SECONDS


def beat_seconds(silent_seconds: float) -> float:
    """How often a worker says that it is there, where so long a silence means that its runs are lost.

    >>> beat_seconds(600), beat_seconds(6)
    (15.0, 2.0)
    """
    return min(BEAT_SECONDS, silent_seconds / 3)
