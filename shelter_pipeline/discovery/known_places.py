"""Places on the web that are known by the shape of their URLs, looked up before anything is compared.

Web services answer questions and are no files; repositories are landing pages under a
persistent identifier; some addresses hand out files without looking like it. A row is found
by a host, a segment of the path, a parameter or an extension, so that a table of any length
costs a few look-ups for a URL, and its expressions are tried only where they may hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

# Of half a million resources that many hosts are kept in mind.
_REMEMBERED = 4096
# The conditions by which a row is looked up, in the order of preference.
KEYS = ("hosts", "segments", "parameters", "extensions")
_ANY_HOST_BELOW = ".*"
_NONE: frozenset[str] = frozenset()
_NOTHING: tuple[int, ...] = ()


class Kind(StrEnum):
    """What one URL leads to."""

    FILE = "file"
    ARCHIVE = "archive"
    DIRECTORY = "directory"
    WEB_PAGE = "web-page"
    SERVICE = "service"
    REPOSITORY = "repository"
    CODE = "code"
    LOGIN_WALL = "login-wall"
    INVALID = "invalid"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Place:
    """One row: all conditions that it has must hold. `unless` is what makes it hold no longer."""

    rule: str
    kind: Kind
    hosts: frozenset[str] = (
        _NONE  # a name stands for all below it; `api.*` for every host with that first label
    )
    segments: frozenset[str] = _NONE  # lower case
    parameters: frozenset[str] = _NONE  # lower case
    extensions: frozenset[str] = _NONE  # lower case
    path: re.Pattern[str] | None = None
    query: re.Pattern[str] | None = None
    format: str = ""
    fragment: str = ""  # the parameter that stands for what the page shows by its fragment
    unless: Literal["", "file", "declared"] = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The row that a URL fits, with the rule and the format that its expressions made out."""

    kind: Kind
    rule: str
    format: str
    fragment: str


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a URL that rows are held against, in normal form; `extension` only if it makes a file."""

    host: str
    path: str
    query: str
    ending: str = ""  # the extension of the last segment, lower case, whatever it is
    extension: str | None = None
    declared: bool = False  # whether the catalogue names a format of files


class Places:
    """A table of places, made once and never changed. The first row that fits decides."""

    def __init__(self, rows: Iterable[Place]) -> None:
        self.rows = tuple(rows)
        self._by_host = self._index("hosts")
        self._by_segment = self._index("segments")
        self._by_parameter = self._index("parameters")
        self._by_extension = self._index("extensions")
        self._of_host = lru_cache(_REMEMBERED)(self._rows_of_host)

    def find(self, address: Address) -> Found | None:
        """The first row that fits, if one does."""
        for number in self._candidates(address):
            if (found := _fit(self.rows[number], address)) is not None:
                return found
        return None

    def _index(self, name: str) -> Mapping[str, tuple[int, ...]]:
        """Rows by the words of this condition, where it is the first that they have."""
        index: dict[str, tuple[int, ...]] = {}
        for number, row in enumerate(self.rows):
            if name == next(key for key in KEYS if getattr(row, key)):
                for word in getattr(row, name):
                    index[word] = (*index.get(word, ()), number)
        return MappingProxyType(index)

    def _candidates(self, address: Address) -> list[int]:
        numbers = list(self._of_host(address.host))
        segments = address.path.lower().split("/")
        if not self._by_segment.keys().isdisjoint(segments):
            for segment in set(segments):
                numbers += self._by_segment.get(segment, _NOTHING)
        if address.query:
            for name in _names(address.query):
                numbers += self._by_parameter.get(name, _NOTHING)
        if address.ending:
            numbers += self._by_extension.get(address.ending, _NOTHING)
        return sorted(numbers) if len(numbers) > 1 else numbers

    def _rows_of_host(self, host: str) -> tuple[int, ...]:
        return tuple(number for name in host_names(host) for number in self._by_host.get(name, _NOTHING))


def host_names(host: str) -> tuple[str, ...]:
    """The names by which a table may mean a host: itself, all above it, and its first label for any domain.

    Numbers at the end of that label do not count: `wms2.example.gov` is `wms.*` too.
    """
    labels = host.split(".")
    above = tuple(".".join(labels[start:]) for start in range(len(labels)))
    first = {labels[0] + _ANY_HOST_BELOW, labels[0].rstrip("0123456789") + _ANY_HOST_BELOW}
    return (*above, *(first if len(labels) > 1 else ()))


def _names(query: str) -> set[str]:
    return {part.partition("=")[0] for part in query.lower().split("&")}


def _fit(row: Place, address: Address) -> Found | None:
    if row.unless and (address.extension or (row.unless == "declared" and address.declared)):
        return None
    if not _has_other_words(row, address):
        return None
    path = row.path.search(address.path) if row.path else None
    query = row.query.search(address.query) if row.query else None
    if (row.path and not path) or (row.query and not query):
        return None
    said = _said(path) | _said(query)
    return Found(row.kind, said.get("rule", row.rule), said.get("format", row.format), row.fragment)


def _has_other_words(row: Place, address: Address) -> bool:
    if row.segments and row.segments.isdisjoint(address.path.lower().split("/")):
        return False
    if row.parameters and row.parameters.isdisjoint(_names(address.query)):
        return False
    return not row.extensions or address.ending in row.extensions


def _said(match: re.Match[str] | None) -> dict[str, str]:
    """What the groups of an expression made out: of several formats, the one that took part."""
    if match is None:
        return {}
    return {name.rstrip("0123456789"): value.lower() for name, value in match.groupdict().items() if value}
