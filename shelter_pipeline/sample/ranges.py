"""Which part of a file a request asks for: RFC 9110, 13 (conditions) and 14 (ranges), for one range.

A request for several ranges, or for a range in words that cannot be read, is answered as
if it had asked for no range, as the standard allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `start` up to `stop`, and the status that says so (200, 206, 304, 416)."""

    status: int
    start: int
    stop: int


def requested_part(headers: Message, size: int, etag: str, last_modified: str) -> Part:
    """What to send of a file of `size` bytes that has these validators."""
    if _is_known(headers, etag, last_modified):
        return Part(304, 0, 0)
    match = _RANGE.match(headers.get("Range", "").strip())
    condition = headers.get("If-Range")
    if not match or match.group(0) == "bytes=-" or (condition and condition not in (etag, last_modified)):
        return Part(200, 0, size)
    return _part(match.group(1), match.group(2), size)


def _is_known(headers: Message, etag: str, last_modified: str) -> bool:
    known = headers.get("If-None-Match")
    if known is not None:
        names = {name.strip().removeprefix("W/") for name in known.split(",")}
        return etag in names or "*" in names
    return bool(headers.get("If-Modified-Since") == last_modified)


def _part(first: str, last: str, size: int) -> Part:
    start = int(first) if first else max(size - int(last), 0)
    stop = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < start:
        return Part(200, 0, size)
    return Part(206, start, stop) if start < stop else Part(416, 0, 0)
