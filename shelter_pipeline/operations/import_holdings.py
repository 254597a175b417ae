"""Inventories of other archives: which URLs somebody else says to hold, so that scarcity can be told.

A line that cannot be used is refused by its number and never ends the import; a hash or
a date that cannot be read is left out and counted, and nothing is made up in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from shelter_pipeline.catalog.holdings import Holding, holdings_of, merge_holdings
from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.outside_files import (
    Lines,
    Refusals,
    UnusableRowError,
    outside_lines,
    plain,
    read_table,
)
from shelter_pipeline.operations.score_assets import rescore_after
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.fields import Notes, moment

_SPELLINGS = {
    "url": ("url", "originalurl", "sourceurl"),
    "holder": ("holder", "archive", "heldby"),
    "date": ("date", "heldat", "archivedat", "timestamp"),
    "hash": ("hash", "sha256", "checksum", "digest"),
}
_COLUMNS = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_SHA256 = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})\Z", re.IGNORECASE)
_BASIC_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T?([0-9]{2})([0-9]{2})([0-9]{2})Z?)?\Z")
_JSON_ENDINGS, _CSV_ENDINGS = {".json", ".jsonl", ".ndjson"}, {".csv", ".tsv"}
_ABSENT = (None, "")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # there was no web to hold
_CLOCKS_DIFFER = timedelta(days=1)
_LONGEST_HOLDER = 200
_STEP = 10_000

Entry = tuple[int, Mapping[str, Any]]  # the line it begins on, and its fields as written

Progress = Callable[[int, int | None], None]


@dataclass(slots=True)
class Left:
    """What was not taken over: lines refused, and of the others what could not be read."""

    refusals: Refusals = field(default_factory=Refusals)
    hashes: int = 0
    dates: int = 0


def import_holdings(
    workplace: Workplace,
    path: Path,
    *,
    holder: str | None = None,
    progress: Progress = lambda _done, _total: None,
) -> dict[str, Any]:
    """Keep what an inventory (CSV or JSON lines, plain or gzip) says; `holder` stands where a line names none.

    Returns `{rows, new, renewed, known, refused, hashes_dropped, dates_dropped, holders,
    matched_assets, notes, refusals}`: rows as read; new, renewed and known as distinct URLs
    by holder. Raises SetupError for a file or a holder that cannot be used; then nothing
    has changed.
    """
    left = Left()
    default = None if holder is None else holder_name(holder)
    with outside_lines(path) as (lines, notes):
        entries = _entries(lines, path, left.refusals, holder_needed=default is None)
        counts = merge_holdings(
            workplace.catalog, read_holdings(entries, default, left, progress), source=path.name
        )
    if counts.matched_assets and (counts.new or counts.renewed):
        rescore_after(workplace, "the import")
    return {
        "rows": counts.rows + left.refusals.count,
        "new": counts.new,
        "renewed": counts.renewed,
        "known": counts.known,
        "refused": left.refusals.count,
        "hashes_dropped": left.hashes,
        "dates_dropped": left.dates,
        "holders": counts.holders,
        "matched_assets": counts.matched_assets,
        "notes": notes,
        "refusals": left.refusals.first,
    }


def look_up_holdings(workplace: Workplace, url: str) -> dict[str, Any]:
    """Who says to hold a URL: `{url, holders: [{holder, held_at, sha256, source}]}`. RefusedError if it is none."""
    parsed = parse_url(url)
    return {"url": parsed.text, "holders": holdings_of(workplace.catalog, parsed)}


def holder_name(name: str) -> str:
    """A holder's name with single spaces. SetupError if it is none."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_HOLDER or not name.isprintable():
        raise SetupError(f"{name[:40]!r} is no name for a holder: 1 to {_LONGEST_HOLDER} characters")
    return name


def read_holdings(
    entries: Iterable[Entry],
    default_holder: str | None,
    left: Left,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[Holding]:
    """The usable entries of an inventory; what is not taken over goes to `left`."""
    latest = datetime.now(UTC) + _CLOCKS_DIFFER
    done = 0
    for done, (line, entry) in enumerate(entries, 1):
        try:
            yield _holding(entry, default_holder, latest, left)
        except (UnusableRowError, RefusedError, SetupError) as error:
            left.refusals.add(line, str(error))
        if done % _STEP == 0:
            progress(done, None)
    progress(done, None)


def _holding(entry: Mapping[str, Any], default_holder: str | None, latest: datetime, left: Left) -> Holding:
    written = entry.get("url")
    if not isinstance(written, str):
        raise UnusableRowError("there is no url")
    url = parse_url(written)
    holder = entry.get("holder") or default_holder
    if not isinstance(holder, str):
        raise UnusableRowError("there is no holder")
    name = holder if holder is default_holder else holder_name(holder)
    sha256, held_at = _sha256(entry.get("hash")), held_since(entry.get("date"), latest)
    left.hashes += sha256 is None and entry.get("hash") not in _ABSENT
    left.dates += held_at is None and entry.get("date") not in _ABSENT
    return Holding(url.text, url.digest, name, sha256, held_at)


def _sha256(value: object) -> str | None:
    found = _SHA256.match(value.strip()) if isinstance(value, str) else None
    return found[1].lower() if found else None


def held_since(value: Any, latest: datetime) -> datetime | None:
    """An ISO 8601 date, a year, or the digits of a web archive's timestamp; None if unreadable or not yet come."""
    return _moment(str(value).strip(), latest) if isinstance(value, str | int) else None


@lru_cache(maxsize=10_000)  # an inventory is made on few days
def _moment(written: str, latest: datetime) -> datetime | None:
    if digits := _BASIC_DATE.match(written):
        day, time = "-".join(digits.groups()[:3]), digits.groups()[3:]
        written = f"{day}T{':'.join(time)}" if all(time) else day
    found = moment(written, "date", Notes())
    return found if found and _EARLIEST <= found <= latest else None


def _entries(lines: Lines, path: Path, refusals: Refusals, *, holder_needed: bool) -> Iterator[Entry]:
    first = lines.peek().lstrip()
    endings = {suffix.lower() for suffix in path.suffixes}
    if first.startswith("["):
        raise SetupError(f"{path} is one JSON document; an inventory in JSON has one object a line")
    if first and (endings & _JSON_ENDINGS or (first.startswith("{") and not endings & _CSV_ENDINGS)):
        return _json_entries(lines, refusals)
    needed = ("url", "holder") if holder_needed else ("url",)
    table = read_table(lines, path, _COLUMNS, needed, refusals)
    places = table.columns.items()
    return ((line, {name: cells[place] for name, place in places}) for line, cells in table.rows)


def _json_entries(lines: Lines, refusals: Refusals) -> Iterator[Entry]:
    for line in lines:
        lines.begin()
        if not line.strip():
            continue
        try:
            found = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            refusals.add(lines.number, f"not JSON: {error}")
            continue
        if isinstance(found, dict):
            yield lines.number, _known_fields(found)
        else:
            refusals.add(lines.number, "not a JSON object")


def _known_fields(found: Mapping[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for key, value in found.items():
        name = _column(key)
        if name is not None and value not in _ABSENT:
            entry.setdefault(name, value)
    return entry


@lru_cache(maxsize=1000)
def _column(key: str) -> str | None:
    return _COLUMNS.get(plain(key))
