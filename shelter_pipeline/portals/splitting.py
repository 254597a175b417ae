"""A page of JSON that cannot be parsed as a whole, cut into its members, each of which is parsed alone.

One record nested 100,000 deep must not cost the 999 that stand beside it: only the
member at fault is unreadable, and what it says of itself in plain strings is kept.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.encoding import decode, mend_text
from shelter_pipeline.portals.fields import Notes, clean
from shelter_pipeline.portals.reading import parse_json
from shelter_pipeline.portals.scanning import BrokenError, CutError, Scanner

_SHOWN_BYTES = 500
_LONGEST_STRING_BYTES = 8192
_WALKED_BYTES = 1024 * 1024
_MARK = b"\xef\xbb\xbf"
_OPEN, _CLOSE, _LIST, _END_OF_LIST, _QUOTE = b'{}[]"'


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A member of a page that cannot be parsed: why, how it begins, and its own strings by their keys."""

    problem: str
    shown: str = ""
    strings: dict[str, str] = field(default_factory=dict)


def parse_page(body: bytes, list_name: str, largest_bytes: int) -> tuple[Json, bool]:
    """As `parse_json`; an object that it cannot parse is given with the items of `list_name` parsed one by one.

    What cannot be parsed even then, and an item larger than `largest_bytes`, is an `Unreadable`
    in its place. Raises as `parse_json` for any other body.
    """
    if len(body) > largest_bytes and (value := _in_parts(body, list_name, largest_bytes)) is not None:
        return value
    try:
        return parse_json(body)
    except PermanentError:
        if (value := _in_parts(body, list_name, largest_bytes)) is None:
            raise
        return value


def _in_parts(body: bytes, list_name: str, largest_bytes: int) -> tuple[Json, bool] | None:
    """None for what is no object that could be cut."""
    try:
        return _Parts(_in_utf_8(body), largest_bytes).object(list_name)
    except (CutError, BrokenError):
        return None


def _in_utf_8(body: bytes) -> bytes:
    if json.detect_encoding(body[:4]).startswith("utf-8"):
        return body.removeprefix(_MARK)
    return decode(body)[0].encode("utf-8", "replace")


class _Parts:
    """The members of one text, found by their brackets."""

    def __init__(self, text: bytes, largest_bytes: int) -> None:
        self._text = text
        self._largest = largest_bytes
        self._scanner = Scanner(text)
        self._is_undecoded = False

    def object(self, list_name: str) -> tuple[dict[str, Json], bool]:
        """The object that the text is. Raises CutError or BrokenError if it is none."""
        value: dict[str, Json] = {}
        start = self._scanner.after_space(0)
        for name, at, end in _members(self._scanner, start):
            is_list = name == list_name and self._scanner.byte(at) == _LIST
            value[name] = list(self._items(at)) if is_list else self._parsed(at, end)
        self._scanner.expect_end(self._scanner.value_end(start))
        return value, self._is_undecoded

    def _items(self, start: int) -> Iterator[Json]:
        position = start + 1
        while self._scanner.byte(at := self._scanner.after_separators(position)) != _END_OF_LIST:
            position = self._scanner.value_end(at)
            yield self._parsed(at, position)

    def _parsed(self, start: int, end: int) -> Json:
        if end - start > self._largest:
            return self._unreadable(start, end, f"larger than {self._largest} bytes")
        try:
            value, undecoded = parse_json(self._text[start:end])
        except ShelterError as error:
            return self._unreadable(start, end, str(error))
        self._is_undecoded = self._is_undecoded or undecoded
        return value

    def _unreadable(self, start: int, end: int, problem: str) -> Unreadable:
        shown = self._text[start : min(end, start + _SHOWN_BYTES)].decode("utf-8", "replace")
        shown = shown.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return Unreadable(problem, shown, strings_of(self._text, start, end))


def strings_of(text: bytes | mmap.mmap, start: int, end: int) -> dict[str, str]:
    """The short strings among the first members of the object from `start` to `end`, though it cannot be parsed."""
    found: dict[str, str] = {}
    piece = text[start : min(end, start + _WALKED_BYTES)]
    scanner = Scanner(piece)
    try:
        for name, at, until in _members(scanner, 0):
            if scanner.byte(at) == _QUOTE and until - at <= _LONGEST_STRING_BYTES:
                value, _ = parse_json(piece[at:until])
                found.setdefault(name, clean(mend_text(value), name, Notes()))
    except (CutError, BrokenError, ShelterError):
        pass  # what was found stands
    return found


def _members(scanner: Scanner, start: int) -> Iterator[tuple[str, int, int]]:
    """The key of each member of the object at `start`, and from where to where its value stands."""
    if scanner.byte(start) != _OPEN:
        raise BrokenError(start, "no object")
    position = start + 1
    while scanner.byte(position := scanner.after_separators(position)) != _CLOSE:
        name, at = scanner.key(position)
        position = scanner.value_end(at)
        yield name, at, position
