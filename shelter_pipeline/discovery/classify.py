"""What a URL is, told from the URL and what its catalogue says of it, without asking anyone.

A path ending in `/` or `%2F` is a directory. An extension counts as a file type only if it
begins with a letter or 7 and has at most five characters (or is geojson, tar.Z, tar.z), and
is not aspx, htm, html, htmlx or shtml, or another page that a server makes on request;
everything else is a web page. Before that rule, tables of known services and repositories
are consulted; after it, the declared format and media type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from shelter_pipeline.discovery.asset_kinds import (
    AssetKind,
    kind_of_extension,
    kind_of_format,
    kind_of_media_type,
)
from shelter_pipeline.discovery.known_places import (
    repository_of,
    route_of,
    service_of_format,
    service_of_host,
    service_of_url,
)
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import Url, parse_url


class Kind(StrEnum):
    """What one URL leads to."""

    FILE = "file"
    ARCHIVE = "archive"
    DIRECTORY = "directory"
    WEB_PAGE = "web-page"
    SERVICE = "service"
    REPOSITORY = "repository"
    INVALID = "invalid"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict on one URL. `rule` is the slug of the rule that decided; `url` is its normal form."""

    kind: Kind
    asset_kind: str | None
    rule: str
    url: str | None
    problem: str = ""


# Pages a server makes on request. The first five are the original system's list.
PAGE_EXTENSIONS = frozenset(
    {"aspx", "htm", "html", "htmlx", "shtml"}
    | {"action", "asp", "cfm", "cfml", "cgi", "do", "jsp", "jspx", "php", "php3", "php5", "phtml", "xhtml"}
)
_LONG_EXTENSIONS = frozenset({"geojson", "tar.Z", "tar.z"})
_EXTENSION = re.compile(r"[A-Za-z7][A-Za-z0-9]{0,4}\Z")
_TWO_PART = re.compile(r"\.(tar\.(?:gz|bz2|xz|z))\Z", re.IGNORECASE)
_SEVERAL_URLS = re.compile(r"[,;|\s]\s*(?:https?|ftp)://", re.IGNORECASE)
_ROUTE_IN_FRAGMENT = re.compile(r"[!/]")
_HTML = frozenset(
    {"text/html", "application/xhtml+xml", "html", "htm", "web page", "webpage", "website", "web site"}
)


def classify(url: str | None, *, format: str | None = None, media_type: str | None = None) -> Classification:
    """What `url` is. Never raises: what cannot be a URL is INVALID, with the problem in words."""
    if url is None or not url.strip():
        return Classification(Kind.EMPTY, None, "empty", None, "there is no URL")
    if _SEVERAL_URLS.search(url.strip()):
        return Classification(Kind.INVALID, None, "several-urls", None, "several URLs stand in one field")
    try:
        parsed = parse_url(url)
    except RefusedError as error:
        return Classification(Kind.INVALID, None, error.reason, None, str(error))
    return _of_place(parsed) or _of_path(url, parsed, format, media_type)


def _of_place(url: Url) -> Classification | None:
    """Known routes to files, then known services, then known repositories."""
    query = urlsplit(url.text).query
    if (route := route_of(url.path)) is not None:
        rule, route_format = route
        return _file(kind_of_format(route_format), rule, url.text)
    name = url.host.rpartition(":")[0]
    has_file = extension_of(url.path) is not None
    if service := service_of_url(url.path, query) or (None if has_file else service_of_host(name)):
        return Classification(Kind.SERVICE, None, service, url.text)
    if repository := repository_of(name, url.path, has_file=has_file):
        return Classification(Kind.REPOSITORY, None, repository, url.text)
    return None


def _of_path(written: str, url: Url, format: str | None, media_type: str | None) -> Classification:
    fragment = written.partition("#")[2]
    if _ROUTE_IN_FRAGMENT.match(fragment):
        return Classification(Kind.WEB_PAGE, None, "page-in-fragment", url.text)
    if (extension := extension_of(url.path)) is not None:
        return _file(kind_of_extension(extension), "extension", url.text)
    if rule := service_of_format(format, media_type):
        return Classification(Kind.SERVICE, None, rule, url.text)
    if _is_directory(written, url):
        return Classification(Kind.DIRECTORY, None, "trailing-slash", url.text)
    return _of_declaration(url, format, media_type)


def _is_directory(written: str, url: Url) -> bool:
    if url.scheme == "ftp":  # FTP has no pages: what is no file is a directory
        return True
    path = urlsplit(written.strip()).path
    return path.endswith("/") or path.lower().endswith("%2f")


def _of_declaration(url: Url, format: str | None, media_type: str | None) -> Classification:
    """A URL that says nothing of itself is what its catalogue declares, else a web page."""
    declared = {text.partition(";")[0].strip().lower() for text in (format, media_type) if text}
    kind = kind_of_format(format) or kind_of_media_type(media_type)
    if kind is not None and not (declared & _HTML):
        rule = "declared-format" if kind_of_format(format) else "declared-media-type"
        return _file(kind, rule, url.text)
    last = unquote(url.path).rpartition("/")[2]
    rule = "page-extension" if "." in last else "no-extension"
    return Classification(Kind.WEB_PAGE, None, rule, url.text)


def _file(kind: AssetKind | None, rule: str, url: str) -> Classification:
    is_archive = kind is not None and kind.family == "archive"
    return Classification(Kind.ARCHIVE if is_archive else Kind.FILE, kind.slug if kind else None, rule, url)


def extension_of(path: str) -> str | None:
    """The extension that makes a URL's path a file, in its own case; None for a page or a directory."""
    last = unquote(path).rpartition("/")[2].partition(";")[0]
    stem, dot, extension = last.rpartition(".")
    if not (dot and stem):
        return None
    if two_part := _TWO_PART.search(last):
        return two_part[1]
    if extension in _LONG_EXTENSIONS or extension.lower() == "geojson":
        return extension
    if not _EXTENSION.match(extension) or extension.lower() in PAGE_EXTENSIONS:
        return None
    return extension
