"""The styles, scripts and pictures of pages, each at a path that changes with its bytes: it may be kept for ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PREFIX = "/static/"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_NAMES = (
    "style.css",
    "report.css",
    "live.js",
    "charts.js",
    "search.js",
    "icon.svg",
    "vendor/uplot.js",
    "vendor/uplot.css",
)
_DIGEST_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Static:
    """A file as it is served."""

    content: bytes
    media_type: str


def static_url(name: str) -> str:
    """The path under which this very version of a file is served. KeyError if there is none of this name."""
    return _urls()[name]


def static_text(name: str) -> str:
    """The file as text, for pages that carry their styles and scripts within them."""
    return _all()[_urls()[name]].content.decode()


def static_file(path: str) -> Static | None:
    """What is served at this path; None if nothing is, or a version that is not this one."""
    return _all().get(path)


@cache
def _urls() -> dict[str, str]:
    return {name: path for path, name, _ in _found()}


@cache
def _all() -> dict[str, Static]:
    return {path: Static(content, _TYPES[name[name.rindex(".") :]]) for path, name, content in _found()}


@cache
def _found() -> list[tuple[str, str, bytes]]:
    folder = files(__package__) / "static"
    contents = ((name, folder.joinpath(*name.split("/")).read_bytes()) for name in _NAMES)
    return [
        (f"{PREFIX}{hashlib.sha256(content).hexdigest()[:_DIGEST_LETTERS]}/{name}", name, content)
        for name, content in contents
    ]
