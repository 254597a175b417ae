"""What an asset becomes after a verdict: held, put back, rested, given up. Pure arithmetic, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shelter_pipeline.domain.verdicts import REASONS, Next, retry_delay

LONGEST_RETRY_AFTER = timedelta(hours=24)
# After its last attempt a file rests this long and is then tried anew: no server's bad week is the end of it.
LONG_REST = timedelta(days=3)
# Our own troubles, and those of other files, are no failures of the file: it is never given up for them.
OUR_TROUBLES = frozenset({"no-space", "store-failed", "interrupted", "host-rests", "unproved"})
# One node's word: its place in the world may be the cause, or its will. The file goes to somebody else.
SHORTEST_NODE_REST = timedelta(minutes=1)
LONGEST_NODE_REST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The asset's next state, how long it rests (None: until something changes), and its failures so far."""

    state: str  # pending | held | failed
    rest: timedelta | None
    attempts: int


def follow_up(
    reason: str, attempts: int, *, max_attempts: int, retry_after_seconds: float | None = None
) -> FollowUp:
    """What follows a capture that ended for `reason` after `attempts` earlier failures in a row.

    A server's wish to be left alone is honoured up to a day. KeyError for an unknown reason.
    """
    entry = REASONS[reason]
    if entry.next is Next.KEEP:
        return FollowUp("held", entry.rest, 0)
    if entry.next is not Next.RETRY:
        return FollowUp("failed", entry.rest or None, attempts)
    if reason in OUR_TROUBLES:
        return FollowUp("pending", max(entry.rest, wished_rest(retry_after_seconds)), attempts)
    failures = attempts + 1
    if failures >= max_attempts:
        return FollowUp("failed", LONG_REST, 0)
    return FollowUp("pending", max(retry_delay(reason, failures), wished_rest(retry_after_seconds)), failures)


def follow_up_of_node(
    reason: str,
    attempts: int,
    *,
    witnesses: int,
    quorum: int,
    max_attempts: int,
    retry_after_seconds: float | None = None,
) -> FollowUp:
    """What follows a failure that a node reports, when `witnesses` independent nodes, itself included, say the same.

    From a `quorum` of them on it counts like a failure of our own. Before, nothing is final:
    the file rests for minutes, no attempt is counted, and somebody else tries.
    """
    if witnesses >= quorum:
        return follow_up(reason, attempts, max_attempts=max_attempts, retry_after_seconds=retry_after_seconds)
    rest = min(max(REASONS[reason].rest, SHORTEST_NODE_REST), LONGEST_NODE_REST)
    return FollowUp("pending", rest, attempts)


def wished_rest(seconds: float | None) -> timedelta:
    """A server's wish within 0 and its limit; servers wish for anything, and NaN is no wish."""
    if seconds is None or not seconds > 0:
        return timedelta(0)
    return timedelta(seconds=min(seconds, LONGEST_RETRY_AFTER.total_seconds()))
