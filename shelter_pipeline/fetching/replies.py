"""What a reply's head alone decides: its status, its range, its validators, when to come back.

Pure functions of a head and, where a date is compared, of the time given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from shelter_pipeline.domain.errors import DamagedError, PermanentError, ShelterError, TransientError
from shelter_pipeline.fetching.framing import Head

LONGEST_RETRY_AFTER_SECONDS = 24 * 3600.0
_WHOLE = frozenset({200, 203})
_PERMANENT = {
    401: "login-required",
    403: "forbidden",
    404: "not-found",
    407: "login-required",
    410: "gone",
    451: "legal",
}
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})\Z", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class ContentRange:
    """`Content-Range: bytes first-last/total` (RFC 9110 14.4)."""

    first: int
    last: int
    total: int


def error_of_status(head: Head, now: datetime) -> ShelterError | None:
    """The verdict of a status to a plain request; None if a whole body follows."""
    status = head.status
    message = f"the server answered {status}"
    if status in _WHOLE:
        return None
    if status in (204, 205):
        return ShelterError(f"{message}, which holds no file", reason="empty")
    if status == 206:  # noqa: PLR2004
        return DamagedError(
            "a part of the file arrived though all of it was asked for", reason="head-invalid"
        )
    later = retry_after_seconds(head.get("retry-after"), now)
    reason = _transient_reason(status, asks_to_wait=later is not None)
    if reason is not None:
        return TransientError(message, reason=reason, retry_after_seconds=later)
    return PermanentError(message, reason=_PERMANENT.get(status, "http-status"))


def _transient_reason(status: int, *, asks_to_wait: bool) -> str | None:
    if status == 429 or (status == 503 and asks_to_wait):  # noqa: PLR2004
        return "rate-limited"
    if status == 202:  # noqa: PLR2004
        return "processing"
    return "server-error" if 500 <= status <= 599 else None  # noqa: PLR2004


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110 10.2.3), at most a day; None for what is not one.

    A date in the past means now. Signs, fractions and words are ignored.
    """
    if value is None:
        return None
    if _SECONDS.match(value):
        return min(float(value[:20]), LONGEST_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_SECONDS)


def strong_etag(head: Head) -> str | None:
    """The entity tag if it is one, well formed and strong: the only validator a resume is built on."""
    etag = head.get("etag")
    if etag is None or len(etag) < 2 or not (etag[0] == etag[-1] == '"') or '"' in etag[1:-1]:  # noqa: PLR2004
        return None
    return etag if etag.isprintable() and etag.isascii() else None


def content_range(head: Head) -> ContentRange | None:
    """The one range of a 206, None if it is absent, open, contradictory or not bytes."""
    values = head.get_all("content-range")
    match = _CONTENT_RANGE.match(values[0]) if len(values) == 1 else None
    if match is None:
        return None
    found = ContentRange(int(match[1]), int(match[2]), int(match[3]))
    return found if found.first <= found.last < found.total else None


def continues(head: Head, *, offset: int, etag: str, total: int | None, length: int | None) -> bool:
    """Whether a 206 is exactly the rest of what we hold: same version, from our end to the file's end."""
    found = content_range(head)
    return (
        found is not None
        and found.first == offset
        and found.last == found.total - 1
        and total in (None, found.total)
        and length in (None, found.total - offset)
        and strong_etag(head) == etag
        and head.get("content-encoding") is None
    )


def media_type_of(head: Head | None) -> str | None:
    """`type/subtype` of the Content-Type, lower-case, without parameters."""
    value = head.get("content-type") if head else None
    return (value.partition(";")[0].strip().lower() or None) if value else None
