"""Where a page of a list ended, as a text that callers hand back and need not understand.

A cursor names the question it belongs to, by a short digest, and the sort values of the
last row of the page. It holds no secret and opens nothing: whatever is in it is checked
like any other parameter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from shelter_pipeline.domain.errors import RefusedError

LONGEST_CURSOR = 300  # characters
_LARGEST = 2**63 - 1
_DIGEST_BYTES = 6


class BadCursorError(RefusedError):
    """A cursor that is none of ours, or that belongs to another question."""

    default_reason = "bad-cursor"


class _Place(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    question: str
    values: list[int | float | str]


def make_cursor(question: Mapping[str, Any], values: Sequence[int | float | datetime]) -> str:
    """The cursor of a page that ended with these sort values; `question` is all that was asked but the page."""
    place = _Place(_digest(question), [_plain(value) for value in values])
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(cursor: str, question: Mapping[str, Any], *kinds: type) -> tuple[Any, ...]:
    """The sort values in a cursor of this question, one of each of `kinds`: int, float or datetime.

    Raises BadCursorError for anything else, and never another error, whatever the text.
    """
    place = _decode(cursor)
    if place.question != _digest(question):
        raise BadCursorError(
            "the cursor in `after` belongs to another question: ask for the next page with the same path, filters"
            " and order as for the page that gave it"
        )
    if len(place.values) != len(kinds):
        raise _unreadable()
    return tuple(_value(value, kind) for value, kind in zip(place.values, kinds, strict=True))


def _decode(cursor: str) -> _Place:
    if len(cursor) > LONGEST_CURSOR:
        raise _unreadable()
    try:
        raw = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        return msgspec.json.decode(raw, type=_Place)
    except (ValueError, binascii.Error, RecursionError):  # msgspec's errors are ValueErrors
        raise _unreadable() from None


def _value(value: float | str, kind: type) -> Any:
    if kind is int and type(value) is int and 0 <= value <= _LARGEST:
        return value
    if kind is float and type(value) in (int, float) and math.isfinite(float(value)):
        return float(value)
    if kind is datetime and isinstance(value, str):
        return _moment(value)
    raise _unreadable()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise _unreadable()
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unreadable() from None


def _plain(value: float | datetime) -> int | float | str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _digest(question: Mapping[str, Any]) -> str:
    asked = sorted((name, str(value)) for name, value in question.items() if value is not None)
    return hashlib.blake2b(msgspec.json.encode(asked), digest_size=_DIGEST_BYTES).hexdigest()


def _unreadable() -> BadCursorError:
    return BadCursorError(
        "the cursor in `after` is not one that this API gave; leave it out to begin with the first page"
    )
