"""Directory listings as web servers write them: Apache, nginx, IIS, lighttpd, Python and their like.

What is common to all is used: one link an entry, with a date and a size in the text beside
it. Entries never leave the listed directory: parent links, sort links and links elsewhere
are dropped, and so is a path that climbs by `..` in any spelling.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import join_url, parse_url
from shelter_pipeline.portals.encoding import decode, mend_text

# Bounded everywhere: a hostile page must not make a pattern search in circles.
_LINK = re.compile(r"<a\b([^<>]{0,4000})>", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,500}>")
_TITLE = re.compile(r"<(?:title|h1|h2)\b[^<>]{0,300}>\s*([^<]{0,500})", re.IGNORECASE)
_TITLE_OF_LISTING = re.compile(
    r"index of |directory listing (?:for|of)|directory: |listing of /", re.IGNORECASE
)
_PARENT = re.compile(r"\[?(?:to )?parent directory\]?", re.IGNORECASE)
_BESIDE = 2000  # characters of markup beside a link in which its date and size stand
_LONGEST_NAME = 4000
_HEAD = 5000

_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)  # noqa: SIM905
}
_ISO = re.compile(
    r"\b([0-9]{4})-([0-9]{2}|[A-Z][a-z]{2})-([0-9]{2})[ T]+([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
)
_DAY_FIRST = re.compile(r"\b([0-9]{2})-([A-Z][a-z]{2})-([0-9]{4})\s+([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
_US = re.compile(
    r"\b([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})\s+([0-9]{1,2}):([0-9]{2})\s*([AP]M)?", re.IGNORECASE
)
_DATES = (_ISO, _DAY_FIRST, _US)
_SIZE = re.compile(r"(?:^|\s)([0-9][0-9,]*(?:\.[0-9]+)?)\s*([KMGTP])?i?B?(?:ytes)?(?=\s|$)", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
_NOON = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `size` is in bytes and as round as the listing rounds it: an estimate, never a promise.

    `modified` is the server's own clock, taken as UTC because listings do not say.
    """

    url: str
    name: str
    is_directory: bool
    size: int | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    """A link with its label, and the plain text between it and the links around it."""

    href: str
    label: str
    before: str
    after: str


def is_listing(body: bytes) -> bool:
    """Whether a page is a server's own listing of a directory."""
    head = decode(body[:_HEAD])[0]
    title = _TITLE.search(head)
    return bool((title and _TITLE_OF_LISTING.match(title[1].strip())) or _PARENT.search(head))


def parse_listing(body: bytes, url: str) -> list[Entry]:
    """The entries of the listing at `url`, each once, in its order; none if the page is no listing."""
    if not is_listing(body):
        return []
    base = _directory_of(url)
    found: dict[str, _Link] = {}
    for link in _links(mend_text(decode(body)[0])):
        target = None if _PARENT.fullmatch(link.label) else _inside(base, link.href)
        if target is not None:
            found.setdefault(target, link)
    # IIS writes date and size before the name, every other server after it; the last entry tells.
    dates_first = bool(found) and not _date_in(next(reversed(found.values())).after)
    return [
        _entry(base, target, link.before if dates_first else link.after) for target, link in found.items()
    ]


def _directory_of(url: str) -> str:
    text = parse_url(url).text
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/"


def _links(page: str) -> Iterator[_Link]:
    links = list(_LINK.finditer(page))
    previous_end = 0
    for index, link in enumerate(links):
        next_start = links[index + 1].start() if index + 1 < len(links) else len(page)
        inner = page[link.end() : min(next_start, link.end() + _LONGEST_NAME + _BESIDE)]
        label, _, after = inner.partition("</")
        if href := _HREF.search(link[1]):
            written = html.unescape(next(group for group in href.groups() if group is not None))
            before = page[max(previous_end, link.start() - _BESIDE) : link.start()]
            yield _Link(written, _plain(label), _plain(before), _plain("<" + after))
        previous_end = link.end()


def _plain(fragment: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", fragment.replace("&nbsp;", " "))).split())


def _inside(base: str, href: str) -> str | None:
    """The entry's URL if the link stays in the directory; sorting and parent links do not."""
    if not href or href[0] in "?#" or href.startswith("//"):
        return None
    try:
        target = join_url(base, href.replace(" ", "%20"))
    except RefusedError:
        return None
    text = target.text.partition("?")[0]
    below = text.removeprefix(base)
    if below == text or not below or any(part in (".", "..") for part in unquote(below).split("/")):
        return None
    return target.text


def _entry(base: str, url: str, beside: str) -> Entry:
    path = url.partition("?")[0]
    name = unquote(path.removeprefix(base)).rstrip("/")
    is_directory = path.endswith("/")
    modified, rest = _split_date(beside)
    return Entry(url, name, is_directory, None if is_directory else _size(rest), modified)


def _date_in(text: str) -> bool:
    return any(pattern.search(text) for pattern in _DATES)


def _split_date(text: str) -> tuple[datetime | None, str]:
    """The date in the text beside a link, and what comes after it, where the size stands."""
    for pattern in _DATES:
        if match := pattern.search(text):
            try:
                return _moment(pattern, match), text[match.end() :]
            except (ValueError, KeyError):
                return None, text[match.end() :]
    return None, text


def _moment(pattern: re.Pattern[str], match: re.Match[str]) -> datetime:
    one, two, three, hour, minute = (match[index] for index in range(1, 6))
    if pattern is _US:
        hours = (
            int(hour) % _NOON + (_NOON if (match[6] or "").upper() == "PM" else 0) if match[6] else int(hour)
        )
        return datetime(int(three), int(one), int(two), hours, int(minute), tzinfo=UTC)
    month = int(two) if two.isdecimal() else _MONTHS[two.lower()]
    year, day = (one, three) if pattern is _ISO else (three, one)
    return datetime(int(year), month, int(day), int(hour), int(minute), int(match[6] or 0), tzinfo=UTC)


def _size(text: str) -> int | None:
    match = _SIZE.search(text)
    if match is None:
        return None
    return round(float(match[1].replace(",", "")) * _UNITS[(match[2] or "").lower()])
