"""Directory listings as web servers write them in HTML: Apache, nginx, IIS, lighttpd and their like.

What is common to all is used: one link an entry, with a date and a size beside it. A page
is a listing by what it is built of: a heading that names the directory, a link to the one
above, links that sort, rows with dates and sizes. No word alone makes it one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from shelter_pipeline.discovery.leads import Lead, Reading, To, What
from shelter_pipeline.discovery.listings.entries import Entry, Survey, survey_of
from shelter_pipeline.discovery.listings.links import (
    Link,
    after,
    as_utf8,
    before,
    label_of,
    links_in,
    marks_directory,
    plain,
)
from shelter_pipeline.discovery.listings.measures import measures_in
from shelter_pipeline.discovery.listings.place import SORTS, Place, Where, directory_of
from shelter_pipeline.discovery.listings.thredds import READER
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import join_url

_HEAD = 64 * 1024  # bytes in which a page says what it is
_TAIL = 64 * 1024
_HEADING = re.compile(rb"<(?:title|h1|h2|h3)\b[^<>]{0,300}>([^<]{0,1000})", re.IGNORECASE)
_NAMES_A_DIRECTORY = re.compile(
    r"(?:index of|directory listing (?:for|of)|directory:?|listing of|contents of|folder listing:?) "
    r"\[?(?:/|~|\./|(?:https?|ftp)://)",
    re.IGNORECASE,
)
_NAMED_BY_IIS = re.compile(r"[\w.:\[\]-]+ - /")
_PARENT = re.compile(
    r"(?:\[?(?:to |up to |go to )?parent directory\]?/?|\.\./?|up to higher level directory|go up|up to \[.{0,500}\])",
    re.IGNORECASE,
)
_BASE = re.compile(
    rb"""<base\b[^<>]{0,1000}?\bhref\s{0,20}=\s{0,20}["']?([^"'<>\s]{1,4000})""", re.IGNORECASE
)
# Servers of OPeNDAP show pages for people, with a link for each protocol, and write the same
# as a catalogue beside it, where what can be downloaded is told from what cannot.
_THREDDS = re.compile(rb"tdsCat\.css|TdsStaticCatalog|thredds", re.IGNORECASE)
_THREDDS_LINK = re.compile(rb"\.html\?dataset=|catalog\.html", re.IGNORECASE)
_HYRAX = re.compile(rb"<title>\s{0,20}OPeNDAP Hyrax: Contents of", re.IGNORECASE)
_SORT_LINKS = 2


@dataclass(slots=True)
class _Tally:
    """The links of a page by where they lead."""

    above: int = 0
    to_parent: int = 0
    sorting: int = 0
    elsewhere: int = 0
    unfit: int = 0


@dataclass(frozen=True, slots=True)
class _Page:
    """A page in a place. `text_of` gives what stands beside a link on the side where this server writes it."""

    place: Place
    body: bytes
    text_of: Callable[[bytes, Link], str] = after
    tally: _Tally = field(default_factory=_Tally)

    def entries(self) -> Iterator[Entry]:
        """Every link that leads below the directory; those of one entry in a row are one."""
        held: Entry | None = None
        for link in links_in(self.body):
            entry = self._entry(link)
            if entry is None:
                continue
            if held is not None and held.name == entry.name:
                if held.size is None and held.modified is None:
                    held = entry
                continue
            if held is not None:
                yield held
            held = entry
        if held is not None:
            yield held

    def _entry(self, link: Link) -> Entry | None:
        where, url = self.place.locate(link.reference)
        if where is not Where.BELOW:
            self._count(where, url, link)
            return None
        is_directory = url.endswith("/")
        if not is_directory and "?" not in url and marks_directory(self.body, link):
            is_directory, url = True, url + "/"
        size, modified = measures_in(self.text_of(self.body, link))
        if modified is not None:
            modified = self.place.dated(modified)
        return Entry(url, url[len(self.place.base) :], is_directory, None if is_directory else size, modified)

    def _count(self, where: Where, url: str, link: Link) -> None:
        tally = self.tally
        if where is Where.HERE:
            tally.sorting += SORTS.search(url) is not None
        elif where is Where.ABOVE:
            tally.above += 1
            tally.to_parent += _PARENT.fullmatch(label_of(self.body, link)) is not None
        elif where is Where.ELSEWHERE:
            tally.elsewhere += 1
        else:
            tally.unfit += 1


def read_html(body: bytes, place: Place) -> Reading | None:
    """What a page of HTML lists, or None if it is no listing of a directory."""
    body = as_utf8(body)
    if (catalog := _catalog_beside(body, place)) is not None:
        return Reading(What.LISTING, (Lead(catalog, To.MORE, "listing", reader=READER),))
    place = replace(place, reads_from=_base_of(body, place))
    side = before if _measures_come_first(body, place) else after
    page = _Page(place, body, side)
    survey = survey_of(page.entries, Counter())
    if not _is_listing(survey, page.tally, named=_is_named(body)):
        return None
    if page.tally.elsewhere:
        survey.passed_over["leads out of the directory"] = page.tally.elsewhere
    if page.tally.unfit:
        survey.passed_over["no name of a file"] = page.tally.unfit
    return Reading(What.LISTING, survey.leads(), digest=survey.digest, notes=survey.notes)


def _is_listing(survey: Survey, links: _Tally, *, named: bool) -> bool:
    """Whether a page is built like a listing; the less its heading says, the more its rows have to."""
    sorts = links.sorting >= _SORT_LINKS
    mostly_dated = survey.entries > 0 and 2 * survey.dated >= survey.entries
    if named:
        return bool(links.above or sorts or mostly_dated or not links.elsewhere)
    measured = survey.sized > 0 or survey.directories == survey.entries
    return mostly_dated and measured and bool(links.to_parent or sorts)


def _is_named(body: bytes) -> bool:
    headings = (plain(match[1]) for match in _HEADING.finditer(body, 0, _HEAD))
    return any(_NAMES_A_DIRECTORY.match(heading) or _NAMED_BY_IIS.match(heading) for heading in headings)


def _base_of(body: bytes, place: Place) -> str:
    """What references are resolved against: the page's `<base>`, if it is one of its own server."""
    if match := _BASE.search(body, 0, _HEAD):
        try:
            base = join_url(place.page.text, match[1].decode("utf-8", "replace"))
        except RefusedError:
            return place.base
        if base.host == place.page.host and base.scheme == place.page.scheme:
            return directory_of(base.text)
    return place.base


def _measures_come_first(body: bytes, place: Place) -> bool:
    """IIS writes date and size before the name, every other server after it; the last entry tells."""
    start = max(0, len(body) - _TAIL)
    tail = body[start:]
    last = None
    for link in links_in(tail):
        if place.locate(link.reference)[0] is Where.BELOW:
            last = link
    if last is None or measures_in(after(tail, last)).modified is not None:
        return False
    return measures_in(before(tail, last)).modified is not None


def _catalog_beside(body: bytes, place: Place) -> str | None:
    """The URL of the THREDDS catalogue that a page for people is made of."""
    head = body[:_HEAD]
    if _HYRAX.search(head):
        return place.base + "catalog.xml"
    parts = urlsplit(place.page.text)
    if not parts.path.endswith(".html") or not (_THREDDS.search(head) and _THREDDS_LINK.search(head)):
        return None
    return parts._replace(path=parts.path.removesuffix("html") + "xml").geturl()
