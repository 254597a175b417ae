"""Did the source really send what a node says it sent? An upload shows that a node has the bytes, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum


class Finding(StrEnum):
    """How a node's word about a source ended."""

    CONFIRMED = "confirmed"  # somebody else got the same bytes
    CONTRADICTED = (
        "contradicted"  # other bytes, of which the source says that they are older than the node's visit
    )
    CHANGED = "changed"  # other bytes, which the source says are newer
    DIFFERS = "differs"  # other bytes, and no word about their age


@dataclass(frozen=True, slots=True)
class Visit:
    """What was got from a source: the hash, the source's own `Last-Modified`, and when the visit began."""

    sha256: str
    last_modified: str | None
    began_at: datetime


def compare(node: Visit, other: Visit) -> Finding:
    """What a later visit by somebody independent says of the node's.

    Only the source's own word that nothing changed since before the node came makes other
    bytes a contradiction: files made anew for each request, and caches that hand out an
    older version, are no lie of whoever reports them.
    """
    if other.sha256 == node.sha256:
        return Finding.CONFIRMED
    changed_at = http_date(other.last_modified)
    if changed_at is None:
        return Finding.DIFFERS
    if changed_at >= node.began_at.replace(microsecond=0):
        return Finding.CHANGED
    seen = http_date(node.last_modified)
    return Finding.DIFFERS if seen is not None and seen > changed_at else Finding.CONTRADICTED


def http_date(text: str | None) -> datetime | None:
    """The moment of an HTTP date (RFC 9110, 5.6.7), in UTC; None for anything else.

    >>> http_date("Thu, 01 Jan 2026 00:00:00 GMT").isoformat()
    '2026-01-01T00:00:00+00:00'
    """
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
