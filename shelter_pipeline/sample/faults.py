"""What a path of the sample's file servers does when it is asked, and how a rescue of it must end.

One table for both: the server acts by it, the expectations count by it, so the two
cannot drift apart. The reasons are slugs of `domain.verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Does(StrEnum):
    """What stands at a path."""

    SERVE = "serve"  # the file, with strong ETag and ranges
    CHUNKED = "chunked"  # the file as an export made on the fly: no length, no ETag, no ranges
    BUSY_ONCE = "busy-once"  # 503 with Retry-After: 1 to the first GET, then the file
    DROP_ONCE = "drop-once"  # the first reply breaks at half the file; it can be resumed
    REDIRECT = "redirect"  # to `target`, with `status`
    NOT_FOUND = "not-found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    ERROR = "error"  # 500, always
    HTML = "html"  # a web page, whatever the name promises
    LOGIN = "login"  # a page that asks for a password
    EMPTY = "empty"  # 200 and no bytes
    CUT_SHORT = "cut-short"  # announces the whole file and always sends half
    LISTING = "listing"  # a directory: leads to `links`; with a `target`, a symbolic link to that directory
    LANDING = "landing"  # a page about a dataset: leads to `links`
    WALL = "wall"  # a page about a dataset that asks for a password first
    BUCKET = "bucket"  # an object store's listing of `links`, in two parts
    CATALOG = "catalog"  # a THREDDS catalogue of `links`
    DEPOSIT = "deposit"  # a repository's own list of `links`
    RECORD = "record"  # a metadata record, itself a file, that leads to `links`
    SERVICE = "service"  # a web map service's capabilities
    PAGE = "page"  # a page of the site itself that no dataset lists


# How the capture of a file must end when it is not held. What is not here is held, or no file.
FAILURES = {
    Does.NOT_FOUND: "not-found",
    Does.GONE: "gone",
    Does.FORBIDDEN: "forbidden",
    Does.ERROR: "server-error",
    Does.HTML: "html-instead",
    Does.LOGIN: "login-page",
    Does.EMPTY: "empty",
    Does.CUT_SHORT: "wrong-length",
}
HELD = frozenset({Does.SERVE, Does.CHUNKED, Does.BUSY_ONCE, Does.DROP_ONCE})
MAX_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Spot:
    """One path and what stands there; `size` is in bytes, about (see `content_of`)."""

    path: str
    does: Does = Does.SERVE
    size: int = 0
    title: str = ""
    target: str = ""  # of a redirect: a path here, or a URL elsewhere; of a listing: the path of another
    status: int = 302
    links: tuple[str, ...] = ()  # paths that a listing, a page or a record leads to
    structured: tuple[str, ...] = ()  # paths that a landing page names in its JSON-LD only
    children: tuple[str, ...] = ()  # directories below a listing or behind a page
    type: str = ""  # media type, where the extension says nothing
