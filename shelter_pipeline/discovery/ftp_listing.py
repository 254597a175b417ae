"""Directories of FTP servers: what their listings lead to.

The door gives a directory as `text/x-ftp-listing` (`fetching.ftp_page`); anything else that
comes from an ftp URL is a file. Entries are below the listed directory or nowhere: a name
with a slash or a control character, `.` and `..` are dropped. A name's own bytes go into
its URL, so that what is listed in another encoding than UTF-8 is asked for as it was listed.

Where a listing does not tell files from directories (NLST, links), a name with an extension
is a file, and any other leads, without a slash at its end, to a page that may turn out to be
a file; `ONLY_LISTINGS` goes with that request, so that only the news of it comes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from posixpath import normpath
from types import MappingProxyType
from urllib.parse import quote_from_bytes

from shelter_pipeline.discovery.ftp_lines import Entry, Sort, entries
from shelter_pipeline.discovery.leads import NO_HEADERS, Lead, Reading, Reply, To, What
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url
from shelter_pipeline.fetching.ftp_paths import LISTING_TYPE
from shelter_pipeline.portals.encoding import mend_text

# Sent with a request for what may be a directory: a file is then told of, and not sent.
ONLY_LISTINGS: Mapping[str, str] = MappingProxyType({"Accept": LISTING_TYPE})

_HERE_AND_ABOVE = (b".", b"..")
_UNFIT_IN_TARGET = re.compile(rb"[\x00-\x1f\x7f\\:]")
_UNFIT = re.compile(rb"[\x00-\x1f\x7f/\\]")
# The rule of `classify`, and pages too: no server makes them on request here.
_NAMED_AS_FILE = re.compile(rb"[^/]*[^./]\.(?:[a-z7][a-z0-9]{0,4}|geojson|htmlx|xhtml|shtml)", re.IGNORECASE)
# Those that `parse_url` leaves alone, but % and ; which mean something in an ftp URL.
_SAFE = "!$&'()*+,=:@-._~"
_LONGEST_FORM = 10
_DIGITS_OF_A_LENGTH = 19


def read_ftp_listing(reply: Reply, url: Url) -> Reading:
    """What the reply to an ftp URL leads to: what a directory lists, or the file itself.

    Sizes are those of the listing, dates UTC as far as the listing says. `digest` covers
    name, kind, size and date of all entries, so it is that of a directory met again through
    a link. A listing of which no line can be read has the outcome `wrong-type`. Never raises.
    """
    form = listing_form(reply.head.get("content-type"))
    if form is None:
        return _file_itself(reply, url)
    now = _date(reply.head.get("date"))
    if form == "mlst":
        return _file_told(reply, url)
    place = _place_of(url)
    survey = _Survey()
    for entry in entries(reply.body, form, now):
        survey.take(entry, place)
    if survey.unread and not survey.read:
        return Reading(
            What.LISTING,
            outcome="wrong-type",
            detail="no line of the listing can be read",
            notes=survey.notes(),
        )
    is_cut = _parameter(reply.head.get("content-type"), "cut") is not None
    return Reading(
        What.LISTING,
        _leads(entries(reply.body, form, now), place),
        digest=survey.digest.digest() if survey.listed else b"",
        notes=survey.notes(is_cut=is_cut),
    )


def listing_form(content_type: str | None) -> str | None:
    """The command by which a listing came, in small letters, `mlst` for a file; None if it is no listing."""
    return _parameter(content_type, "form")


def _place_of(url: Url) -> str:
    """The URL of the listed directory, with a slash at its end, whichever way it was asked for."""
    text = url.text[:-3] if url.text[-3:].upper() == "%2F" else url.text
    return text if text.endswith("/") else text + "/"


@dataclass(slots=True)
class _Survey:
    """All entries in a few numbers, for the digest and the notes."""

    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    read: int = 0
    listed: int = 0
    unread: int = 0
    unfit: int = 0
    links: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    def take(self, entry: Entry | bytes, place: str) -> None:
        if isinstance(entry, bytes):
            self.unread += 1
            self.examples.setdefault("unread", repr(entry)[1:])
            return
        self.read += 1
        if entry.name in _HERE_AND_ABOVE:
            return
        if not _is_fit(entry.name, place):
            self.unfit += 1
            self.examples.setdefault("unfit", repr(entry.name[:80])[1:])
            return
        self.listed += 1
        self.digest.update(b"%s\0%s\0" % (entry.name, entry.sort.encode()))
        self.digest.update(f"{entry.size} {entry.modified}\n".encode())
        if _to(entry) is None:
            self.links += 1
            self.examples.setdefault("links", repr(entry.name[:80] + b" -> " + entry.target[:80])[1:])

    def notes(self, *, is_cut: bool = False) -> tuple[str, ...]:
        """What was passed over, each kind with its first example."""
        kinds = (
            (self.unread, "lines name neither a file nor a directory, the first", "unread"),
            (self.unfit, "names cannot be asked for, the first", "unfit"),
            (self.links, "links lead out of the directory and were not followed, the first", "links"),
        )
        notes = [f"{number} {words}: {self.examples[key]}" for number, words, key in kinds if number]
        return (*notes, *(["the server says that it left entries out of the listing"] if is_cut else []))


def _leads(found: Iterator[Entry | bytes], place: str) -> Iterator[Lead]:
    for entry in found:
        if isinstance(entry, bytes) or not _is_fit(entry.name, place):
            continue
        to = _to(entry)
        if to is not None:
            yield _lead(entry, to, place)


def _lead(entry: Entry, to: To, place: str) -> Lead:
    is_told = entry.sort in (Sort.FILE, Sort.DIRECTORY)
    return Lead(
        place + quote_from_bytes(entry.name, _SAFE) + ("/" if entry.sort is Sort.DIRECTORY else ""),
        to,
        "symlink" if entry.sort is Sort.LINK else "listing",
        label=mend_text(entry.name.decode("utf-8", "surrogateescape")),
        media_type=entry.media_type,
        size=entry.size if to is To.FILE else None,
        modified=entry.modified,
        headers=NO_HEADERS if is_told or to is To.FILE else ONLY_LISTINGS,
    )


def _is_fit(name: bytes, place: str) -> bool:
    if not name or name in _HERE_AND_ABOVE or _UNFIT.search(name):
        return False
    # Most names are short enough however they are written.
    return len(place) + 3 * len(name) < MAX_URL_LENGTH or (
        len(place) + len(quote_from_bytes(name, _SAFE)) < MAX_URL_LENGTH
    )


def _to(entry: Entry) -> To | None:
    """Where an entry leads to; a link that may be a directory is followed only below the one that lists it."""
    if entry.sort is Sort.FILE:
        return To.FILE
    if entry.sort is Sort.DIRECTORY:
        return To.DIRECTORY
    if _NAMED_AS_FILE.fullmatch(entry.name) or _NAMED_AS_FILE.fullmatch(entry.target.rpartition(b"/")[2]):
        return To.FILE
    return To.DIRECTORY if entry.sort is Sort.UNTOLD or _is_below(entry.target) else None


def _is_below(target: bytes) -> bool:
    """Whether what is written of a link's target stays below the directory that lists it."""
    if not target or target.startswith(b"/") or _UNFIT_IN_TARGET.search(target):
        return False
    return normpath(target).split(b"/", 1)[0] not in _HERE_AND_ABOVE


def _file_told(reply: Reply, url: Url) -> Reading:
    """A file of which only the facts came."""
    entry = next((each for each in entries(reply.body, "mlst", None) if isinstance(each, Entry)), None)
    size, modified = (entry.size, entry.modified) if entry is not None else (None, None)
    return Reading(What.FILE, (Lead(url.text, To.FILE, "listing", size=size, modified=modified),))


def _file_itself(reply: Reply, url: Url) -> Reading:
    length = reply.head.get("content-length") or ""
    size = int(length) if length.isdecimal() and len(length) < _DIGITS_OF_A_LENGTH else len(reply.body)
    modified = _date(reply.head.get("last-modified"))
    return Reading(What.FILE, (Lead(url.text, To.FILE, "listing", size=size, modified=modified),))


def _parameter(content_type: str | None, name: str) -> str | None:
    """A parameter of a listing's media type; None if there is none, or it is no listing."""
    kind, *parameters = (content_type or "").lower().split(";")
    if kind.strip() != LISTING_TYPE:
        return None
    found = (parameter.partition("=") for parameter in parameters)
    return next((value.strip()[:_LONGEST_FORM] for key, _, value in found if key.strip() == name), None)


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
