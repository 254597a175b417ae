"""Where a listing stands, and where its references lead: below it, above it, or somewhere else.

Only what is strictly below the listed directory is an entry. A reference that climbs by
`..` in any spelling is unfit, decoded once or several times over: servers and proxies do
not agree on how often they decode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from urllib.parse import quote, unquote_to_bytes, urlsplit

from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url, join_url

# Names that need no look. They begin with no dot, and no decoding of them, however often, makes a
# dot at their begin, a slash, a backslash, a zero byte or another escape.
_PLAIN = re.compile(
    r"(?:\./)?((?:[A-Za-z0-9_~]|%(?!0|2[5eEfF]|5[cC]|[cC]0)[0-9A-Fa-f]{2})"
    r"(?:[A-Za-z0-9_~!$'()*+,=@&.-]|%(?!0|2[5eEfF]|5[cC]|[cC]0)[0-9A-Fa-f]{2})*+/?)\Z"
)
# Paths of such names that stand for themselves in a URL, without any escape.
PLAIN_PATH = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9_~.-]*+(?:/[A-Za-z0-9_~][A-Za-z0-9_~.-]*+)*\Z")
# How servers spell the order of a listing: ?C=N;O=D, ?N=D, ?sort=name&order=asc.
SORTS = re.compile(r"[?&;](?:C=[NMSD]\b|[NMSD]=[AD]\b|O=[AD]\b|(?:sort|order)\w*=)", re.IGNORECASE)
_SWALLOWED = str.maketrans("", "", "\t\r\n")  # by every browser, anywhere in a reference
_AS_WRITTEN = "%/:@!$&'()*+,;=-._~?#[]|"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DECODINGS = 3
_SEPARATORS = re.compile(rb"[/\\]")
_OVERLONG_DOT = b"\xc0\xae"


class Where(Enum):
    """Where a reference leads, seen from the listed directory."""

    BELOW = auto()
    HERE = auto()  # the same directory: sorted otherwise, or a place in the page
    ABOVE = auto()
    ELSEWHERE = auto()
    UNFIT = auto()  # no URL, or one that no honest listing holds


@dataclass(frozen=True, slots=True)
class Place:
    """The directory that a page lists: `base` is its URL with the slash at the end, `path` the path of that.

    `reads_from` is what references are resolved against, which a page may set elsewhere;
    `latest` is after every date that a file of it can have.
    """

    page: Url
    base: str
    reads_from: str
    latest: datetime
    path: str

    @property
    def other_base(self) -> str:
        """The same directory by the other scheme of the web: servers behind a proxy do not know theirs."""
        scheme, rest = self.base.split(":", 1)
        return ("http:" if scheme == "https" else "https:") + rest

    def locate(self, reference: str) -> tuple[Where, str]:
        """Where a reference leads, and its URL in normal form (empty where that does not matter)."""
        if self.reads_from == self.base and (plain := _PLAIN.match(reference.removeprefix(self.path))):
            url = self.base + plain[1]
            return (Where.BELOW, url) if len(url) <= MAX_URL_LENGTH else (Where.UNFIT, "")
        reference = reference.translate(_SWALLOWED).strip()
        if not reference or reference[0] in "?#":
            return Where.HERE, reference
        try:
            # Raw bytes of a name stay the bytes that they are, whatever the page takes them for.
            target = join_url(self.reads_from, quote(reference, safe=_AS_WRITTEN, errors="surrogateescape"))
        except RefusedError:
            return (Where.ELSEWHERE if _SCHEME.match(reference) else Where.UNFIT), ""
        return self._seen(target.text)

    def _seen(self, url: str) -> tuple[Where, str]:
        if url.startswith(self.other_base):
            url = self.base + url[len(self.other_base) :]
        path, _, query = url.partition("?")
        if path in (self.base, self.page.text.partition("?")[0]):
            return Where.HERE, f"?{query}" if query else ""
        if not path.startswith(self.base):
            above = path.endswith("/") and self.base.startswith(path)
            return (Where.ABOVE if above else Where.ELSEWHERE), url
        below = path[len(self.base) :]
        if climbs(below) or has_empty_part(below):
            return Where.UNFIT, ""
        if query and path.endswith("/"):
            # A directory, to be sorted as this one is; whatever else is asked of one is no listing.
            return (Where.BELOW, path) if SORTS.search(f"?{query}") else (Where.UNFIT, "")
        return Where.BELOW, url

    def dated(self, moment: datetime | None) -> datetime | None:
        """A date that a file can have by the server's own clock."""
        return moment if moment is None or moment <= self.latest else None


def place_of(page: Url, latest: datetime) -> Place:
    """The directory in which a page stands: all of its URL up to the last slash of the path."""
    base = directory_of(page.text)
    return Place(page, base, base, latest, urlsplit(base).path)


def directory_of(url: str) -> str:
    """A URL in normal form up to the last slash of its path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/"


def climbs(path: str) -> bool:
    """Whether any part of a path is `.` or `..`, or holds a zero byte, however often it is percent-encoded."""
    decoded = path.encode(errors="surrogateescape")
    for _ in range(_DECODINGS):
        decoded = unquote_to_bytes(decoded)
        if b"\x00" in decoded or _OVERLONG_DOT in decoded:
            return True
        # What comes after `;` is a parameter to some servers (RFC 3986 section 3.3), and no part of the name.
        parts = (part.partition(b";")[0] for part in _SEPARATORS.split(decoded))
        if any(part in (b".", b"..") for part in parts):
            return True
    return False


def has_empty_part(path: str) -> bool:
    """Whether a path names the directory it is in once more (`a//b`), or hides a slash at its end."""
    decoded = unquote_to_bytes(path)
    return b"//" in decoded or decoded[:1] == b"/" or (decoded[-1:] == b"/" and not path.endswith("/"))
