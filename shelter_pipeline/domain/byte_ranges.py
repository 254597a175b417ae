"""Which bytes a request wants of a representation that never changes, by RFC 9110, sections 13 and 14.

Pure decisions over header texts. What cannot be read is ignored where the RFC wants it
ignored; nothing here raises. The only validator is one strong entity-tag, and the date
is that of the whole's first storing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

_UNIT = re.compile(r"\s*bytes\s*=", re.IGNORECASE)
_SPEC = re.compile(r"(\d*)\s*-\s*(\d*)\Z", re.ASCII)
_LONGEST = 4096  # characters; a longer header asks for more pieces than anybody needs
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class Answer(Enum):
    """How a request is answered where it is not with a part."""

    WHOLE = "whole"
    UNSATISFIABLE = "unsatisfiable"  # 416
    NOT_MODIFIED = "not modified"  # 304
    FAILED = "failed"  # 412


@dataclass(frozen=True, slots=True)
class Conditions:
    """The headers of one request that decide what it gets; None where there is none."""

    range: str | None = None
    if_range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None


def answer_to(asked: Conditions, *, tag: str, modified: datetime, size: int) -> Answer | Part:
    """What a GET gets; `tag` is the entity-tag with its quotes (section 13.2.2 gives the order)."""
    if asked.if_match is not None:
        if not _lists(asked.if_match, tag, weak=False):
            return Answer.FAILED
    elif (until := _date(asked.if_unmodified_since)) is not None and _seconds(modified) > until:
        return Answer.FAILED
    if asked.if_none_match is not None:
        if _lists(asked.if_none_match, tag, weak=True):
            return Answer.NOT_MODIFIED
    elif (since := _date(asked.if_modified_since)) is not None and _seconds(modified) <= since:
        return Answer.NOT_MODIFIED
    if asked.range is None or not _is_of_this(asked.if_range, tag, modified):
        return Answer.WHOLE
    return part_of(asked.range, size)


def part_of(text: str, size: int) -> Answer | Part:
    """What a Range header asks for of `size` bytes.

    Ranges that touch are one; several that do not are answered with the whole, as
    section 14.2 allows, and so is every header that cannot be read.
    """
    unit = _UNIT.match(text)
    if unit is None or len(text) > _LONGEST:
        return Answer.WHOLE
    specs = [spec for piece in text[unit.end() :].split(",") if (spec := piece.strip())]
    found = [_SPEC.match(spec) for spec in specs]
    bounds = [(match[1], match[2]) for match in found if match]
    if not specs or len(bounds) < len(specs) or any(_is_none(*pair) for pair in bounds):
        return Answer.WHOLE
    parts = [part for pair in bounds if (part := _within(*pair, size)) is not None]
    return _joined(parts) if parts else Answer.UNSATISFIABLE


def _is_none(first: str, last: str) -> bool:
    """Whether this is no range at all: it names no end, or runs backwards."""
    return not (first or last) or bool(first and last and _number(last) < _number(first))


def _within(first: str, last: str, size: int) -> Part | None:
    if not first:
        count = min(_number(last), size)
        return Part(size - count, size - 1) if count else None
    start = _number(first)
    end = min(_number(last), size - 1) if last else size - 1
    return Part(start, end) if start < size else None


def _joined(parts: list[Part]) -> Answer | Part:
    parts.sort(key=lambda part: part.first)
    joined = parts[0]
    for part in parts[1:]:
        if part.first > joined.last + 1:
            return Answer.WHOLE
        joined = Part(joined.first, max(joined.last, part.last))
    return joined


def _number(digits: str) -> int:
    # A header is bounded, but thousands of digits are slow, and no file is so large.
    return int(digits) if len(digits) < 20 else 10**19  # noqa: PLR2004


def _lists(text: str, tag: str, *, weak: bool) -> bool:
    """Whether a list of entity-tags, or a star, names ours; a weak tag does only in the `weak` comparison."""
    if text.strip() == "*":
        return True
    return any(found == tag and (weak or not is_weak) for is_weak, found in _TAG.findall(text))


def _is_of_this(if_range: str | None, tag: str, modified: datetime) -> bool:
    if if_range is None:
        return True
    if '"' in if_range:
        return if_range.strip() == tag
    return _date(if_range) == _seconds(modified)


def _seconds(moment: datetime) -> datetime:
    """A moment as HTTP dates count it."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _date(text: str | None) -> datetime | None:
    """An HTTP date; None for no date, which is as if there were no header."""
    try:
        found = parsedate_to_datetime(text) if text else None
        return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
    except (ValueError, OverflowError):
        return None
