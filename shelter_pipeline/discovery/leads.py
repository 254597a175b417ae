"""What one page says: the files it leads to, the pages behind it, and what kind of page it is.

Whoever reads a page (a listing, a landing page, a repository's record) answers with a
`Reading`. Readers are pure: they get a reply and ask for nothing; what should be asked
next is a lead. Whether a lead is followed is not theirs to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from shelter_pipeline.domain.urls import Url
from shelter_pipeline.portals.protocol import Reply

__all__ = ["NO_HEADERS", "Family", "Lead", "Reading", "Reply", "To", "What"]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class To(StrEnum):
    """What a lead leads to."""

    FILE = "file"  # an asset
    DIRECTORY = "directory"  # a level below the page: counts against the depth of directories
    PAGE = "page"  # another page about the same thing: counts against the hops between pages
    MORE = "more"  # the rest of the same page (the next part of a listing): neither deeper nor farther


class What(StrEnum):
    """What a page turned out to be."""

    LISTING = "listing"  # of a directory
    LANDING = "landing-page"  # HTML about the data
    RECORD = "record"  # a repository's or service's machine-readable answer
    FILE = "file"  # no page at all: the file itself
    LOGIN = "login-wall"
    PROCESSING = "processing"  # the server is still making it: ask again later


@dataclass(frozen=True, slots=True)
class Lead:
    """Something that a page leads to, and how the page gave it.

    `url` is in normal form (`domain.urls`). `why` is the slug of what made it a lead, for
    people: listing, json-ld, link, meta, anchor, or the name of a family's rule. `size` in
    bytes is an estimate, as round as the page rounds it, unless `promised`: then it is exact
    and may be held against the file. `reader` names who reads the page behind it, and is
    empty where the page itself will tell; `headers` are sent with that request.
    """

    url: str
    to: To
    why: str
    label: str = ""
    asset_kind: str | None = None
    format: str | None = None
    media_type: str | None = None
    size: int | None = None
    promised: bool = False
    checksum: str | None = None  # `algorithm:hex`, as promised by a repository
    modified: datetime | None = None
    reader: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one page says. `leads` may be an iterator: it is read once, and never all held in memory.

    `outcome` is the reason slug (docs/reasons.md) of a page that settles the matter by itself:
    `login-page`, `processing`, `service`, `landing-page-only` …; empty where the leads decide.
    `digest` tells two readings with the same entries: a directory that lists just what one above it
    lists is a loop.
    """

    what: What
    leads: Iterable[Lead] = ()
    outcome: str = ""
    detail: str = ""
    digest: bytes = b""
    notes: tuple[str, ...] = field(default=())  # what was passed over, in words, bounded


class Family(Protocol):
    """A kind of place whose files are found by rule: a repository with an API, a service with an export."""

    @property
    def slug(self) -> str: ...

    def enter(self, url: Url) -> Reading | None:
        """What the URL alone tells: files, or the pages of its API to be read. None if it is none of ours."""

    def read(self, reply: Reply, url: Url) -> Reading:
        """What a successful reply to a lead of ours says. Raises ShelterError for one that says nothing."""
