"""Reading one field of a catalogue record, whatever its publisher put there.

Every helper returns a value that can be stored (no NUL, no lone surrogate, in range) or
None, and says in a note what it could not take as it stood. None of them raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from shelter_pipeline.domain.records import Json, Note, canonical_json

PREFERRED_LANGUAGES = ("en", "en-us", "en-gb")
LARGEST_INTEGER = 2**63 - 1
_VALUE_SHOWN = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NAME_KEYS = ("name", "prefLabel", "title", "display_name", "fn", "label", "@value", "@id")
_FREQUENCY = re.compile(r"R[0-9]*/P", re.IGNORECASE)
_YEAR = re.compile(r"[12][0-9]{3}\Z")
_MONTH = re.compile(r"[12][0-9]{3}-[0-9]{2}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?\Z", re.DOTALL)
_DAY_LENGTH = len("2025-07-17")
_LONG_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")
_BYTES = re.compile(r"([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)\s*(b|bytes?|octets?)?\Z", re.IGNORECASE)
_LIST_SEPARATOR = re.compile(r"\s*[;,]\s*")
_HEX = re.compile(r"[0-9a-f]+\Z")
_ALGORITHM_OF_LENGTH = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_LENGTH_OF_ALGORITHM = {name: length for length, name in _ALGORITHM_OF_LENGTH.items()}


class Notes:
    """The notes taken while one record is read."""

    def __init__(self, start: Iterable[Note] = ()) -> None:
        self._notes = list(start)

    def add(self, field: str, problem: str, value: Json = "") -> None:
        """Note a problem, with the beginning of the value as evidence."""
        shown = (
            value
            if isinstance(value, str)
            else canonical_json(value)[: 4 * _VALUE_SHOWN].decode("utf-8", "ignore")
        )
        note = Note(field, problem, _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", shown[:_VALUE_SHOWN]))
        if note not in self._notes:
            self._notes.append(note)

    def taken(self) -> tuple[Note, ...]:
        """Everything noted, in order."""
        return tuple(self._notes)


def clean(value: str, field: str, notes: Notes) -> str:
    """The string without what no database or file can hold: NUL is dropped, lone surrogates replaced."""
    if (value.isascii() and "\x00" not in value) or not _UNSTORABLE.search(value):
        return value
    if "\x00" in value:
        notes.add(field, "NUL characters were dropped", value)
        value = value.replace("\x00", "")
    if _UNSTORABLE.search(value):
        notes.add(field, "half a surrogate pair was replaced by U+FFFD", value)
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)


def text(value: Json, field: str, notes: Notes) -> str | None:
    """The text of a field, stripped; None when there is none. Of several languages, English or the first."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value.isascii() or "\x00" in value:
            value = clean(value, field, notes)
        return value.strip() or None
    if isinstance(value, bool):
        notes.add(field, "a truth value stands where text belongs", value)
        return "true" if value else "false"
    if isinstance(value, int | float):
        notes.add(field, "a number stands where text belongs", value)
        return str(value)
    if isinstance(value, dict):
        return _text_of_object(value, field, notes)
    items = [item for item in value if item not in (None, "", [], {})]
    if len(items) > 1:
        notes.add(field, "a list stands where one text belongs; its first is used", value)
    return text(items[0], field, notes) if items else None


def _text_of_object(value: dict[str, Json], field: str, notes: Notes) -> str | None:
    for key in _NAME_KEYS:
        if isinstance(value.get(key), str | int | float | dict):
            return text(value[key], field, notes)
    spoken = in_preferred_language(value)
    if spoken is None and value and not all(item in (None, "", [], {}) for item in value.values()):
        notes.add(field, "an object without a name stands where text belongs", value)
    return text(spoken, field, notes)


def in_preferred_language(value: dict[str, Json]) -> Json:
    """What a language map such as `{"de": ..., "en": ...}` says in English, else in its first language."""
    by_language = {key.lower(): item for key, item in value.items() if isinstance(item, str | list) and item}
    for language in PREFERRED_LANGUAGES:
        if language in by_language:
            return by_language[language]
    return next(iter(by_language.values()), None)


def listed(value: Json, field: str, notes: Notes) -> list[Any]:
    """A list field as a list: null is empty, one value alone is a list of it."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return value
    if not isinstance(value, dict | str):
        notes.add(field, "neither a list nor an object", value)
        return []
    notes.add(field, "one value stands where a list belongs", "")
    return [value]


def texts(value: Json, field: str, notes: Notes) -> tuple[str, ...]:
    """Keywords and themes: each once, in order; a string of several is split at commas and semicolons."""
    if isinstance(value, dict) and not any(key in value for key in _NAME_KEYS):
        value = in_preferred_language(value)
    if isinstance(value, str):
        value = _split(value, field, notes)
    found = (text(item, field, notes) for item in listed(value, field, notes))
    return tuple(dict.fromkeys(item for item in found if item))


def _split(value: str, field: str, notes: Notes) -> list[str]:
    parts = [part for part in _LIST_SEPARATOR.split(value.strip()) if part]
    if parts:
        notes.add(field, "one string stands where a list belongs", value)
    return parts


def moment(value: Json, field: str, notes: Notes) -> datetime | None:
    """An ISO 8601 date or time, with zone; without one it is UTC, as CKAN and DCAT mean it.

    A year or month alone becomes its first day, with a note. What is not a date (a
    frequency such as `R/P1W`, an interval, another notation) is None with a note.
    """
    if isinstance(value, dict):
        value = value.get("@value")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    written = value.strip() if isinstance(value, str) else ""
    if len(written) < _DAY_LENGTH and (_YEAR.match(written) or _MONTH.match(written)):
        notes.add(field, "an imprecise date: taken as its first day", written)
        written = (written + "-01-01")[:10]
    found = _iso(written)
    if found is None:
        what = "a frequency, not a date" if _FREQUENCY.match(written) else "not a date that can be read"
        notes.add(field, what, value)
    return found


def _iso(written: str) -> datetime | None:
    if not _DATE.match(written):
        return None
    try:
        found = datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", written) if "." in written else written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def size(value: Json, field: str, notes: Notes) -> int | None:
    """A claimed count of bytes ("12323", "42 octets"); None with a note for anything rounder."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str) and len(value) < _VALUE_SHOWN and (match := _BYTES.match(value.strip())):
        number = int(match[1].replace(",", ""))
    if number is None or not 0 <= number <= LARGEST_INTEGER:
        notes.add(field, "not a count of bytes", value)
        return None
    return number


def count(value: Json, field: str, notes: Notes) -> int | None:
    """A non-negative whole number, or None with a note."""
    if value is None:
        return None
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    if whole and 0 <= value <= LARGEST_INTEGER:
        return int(value)
    notes.add(field, "not a count", value)
    return None


def checksum(algorithm: Json, value: Json, field: str, notes: Notes) -> str | None:
    """`algorithm:hex` of a claimed checksum; the algorithm of a bare one is told by its length.

    The algorithm may be a name ("SHA-256") or an SPDX identifier (".../checksumAlgorithm_sha256").
    """
    written = text(value, field, notes)
    if written is None:
        return None
    name, _, digits = written.lower().rpartition(":")
    name = name or (text(algorithm, field, notes) or "").lower()
    name = re.split(r"[_#/]", name)[-1].replace("-", "")
    if _HEX.match(digits) and (not name or _LENGTH_OF_ALGORITHM.get(name, len(digits)) == len(digits)):
        name = name or _ALGORITHM_OF_LENGTH.get(len(digits), "")
        if name:
            return f"{name}:{digits}"
    notes.add(field, "not a checksum of a known kind", written)
    return None


def unfold(value: Json) -> Json:
    """The list or object that a string holds as JSON; any other value as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return inner if isinstance(inner, dict | list) else value
    return value


def named_parts(value: Json, field: str, notes: Notes) -> Iterator[str]:
    """The readable parts of a place or licence: strings as they are, objects by name, else as JSON."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and not any(isinstance(item.get(key), str) for key in _NAME_KEYS):
            yield clean(canonical_json(item).decode(), field, notes)
        elif (part := text(item, field, notes)) is not None:
            yield part
