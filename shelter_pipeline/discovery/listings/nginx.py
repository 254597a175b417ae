"""The listings that nginx writes for programs: `autoindex_format json` and `xml`.

Sizes are exact and times are said to be UTC. An answer is a listing only if every part of
it has the form that nginx gives it: JSON and XML that merely resemble it are somebody's data.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from urllib.parse import quote

import msgspec

from shelter_pipeline.discovery.leads import Reading, What
from shelter_pipeline.discovery.listings.entries import Entry, survey_of
from shelter_pipeline.discovery.listings.measures import exact_size, moment_in, within_reason
from shelter_pipeline.discovery.listings.place import Place, Where
from shelter_pipeline.discovery.listings.xml_stream import Event, Step, events_in, readable

ROOT = "list"
_KINDS = frozenset({"file", "directory", "other"})
_NOTHING = b"[\r\n]"  # an empty directory; other empty lists may be anybody's
_SNIFFED = 100  # steps of a document that have to look like nginx's


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One object of the JSON form."""

    name: str
    type: str
    mtime: str
    size: int | None = None


_ROWS = msgspec.json.Decoder(list[_Row])


def read_nginx_json(body: bytes, place: Place) -> Reading | None:
    """What a listing in JSON lists; None for any other JSON."""
    if body.strip() == _NOTHING and place.page.text == place.base:
        return Reading(What.LISTING)
    try:
        rows = _rows_of(body)
    except (ValueError, RecursionError):
        return None
    if not rows or not all(row.type in _KINDS and moment_in(row.mtime) for row in rows[:_SNIFFED]):
        return None

    def entries(passed_over: Counter[str]) -> Iterator[Entry]:
        for row in rows:
            yield from _entry(place, row, passed_over)

    return _reading(entries)


def _rows_of(body: bytes) -> list[_Row]:
    try:
        return _ROWS.decode(body)
    except UnicodeDecodeError:
        # A name that is not UTF-8 stands as its bytes, which stay recognisable and go into its URL.
        return msgspec.convert(json.loads(body.decode("utf-8", "surrogateescape")), list[_Row])


def read_nginx_xml(body: bytes, place: Place) -> Reading | None:
    """What a listing in XML lists; `body` is a document whose root is `ROOT`. None for other such documents."""
    document = readable(body)
    begun = [event for event in islice(events_in(document), _SNIFFED) if event.step is Step.BEGIN]
    if begun[:1] != [Event(Step.BEGIN, ROOT)]:
        return None
    if any(event.name not in _KINDS or "mtime" not in event.attributes for event in begun[1:]):
        return None

    def entries(passed_over: Counter[str]) -> Iterator[Entry]:
        for step, name, text, attributes in events_in(document):
            if step is Step.BREAK:
                passed_over[f"the listing breaks off: {text}"] = 1
            elif step is Step.END and name in _KINDS:
                size = exact_size(attributes.get("size", ""))
                yield from _entry(place, _Row(text, name, attributes.get("mtime", ""), size), passed_over)

    return _reading(entries)


def _entry(place: Place, row: _Row, passed_over: Counter[str]) -> Iterator[Entry]:
    """The entry of a row, if it has one."""
    if row.type == "other":
        passed_over["neither file nor directory"] += 1
        return
    is_directory = row.type == "directory"
    written = quote(row.name, safe="", errors="surrogateescape") + ("/" if is_directory else "")
    where, url = place.locate(written)
    if where is not Where.BELOW:
        passed_over["no name of a file"] += 1
        return
    size = None if is_directory or row.size is None else within_reason(row.size)
    yield Entry(url, url[len(place.base) :], is_directory, size, place.dated(moment_in(row.mtime)))


def _reading(entries: Callable[[Counter[str]], Iterator[Entry]]) -> Reading:
    passed_over: Counter[str] = Counter()
    survey = survey_of(lambda: entries(passed_over), passed_over)
    return Reading(What.LISTING, survey.leads(), digest=survey.digest, notes=survey.notes)
