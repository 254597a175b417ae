"""Pages as a browser would take them: what in them could act, or lead where no page of ours leads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

HOSTILE = (
    "<script>window.hacked = 1</script>",
    "\"><img src=x onerror='window.hacked = 1'>",
    "'><svg onload=window.hacked=1>",
    "</script><script>window.hacked = 1</script>",
    "</title><script>window.hacked = 1</script>",
    "</textarea></details><iframe src=javascript:alert(1)>",
    "{{ 7 * 7 }} {% raw %} {{ request.app }} ${7*7} #{7*7}",
    "javascript:alert(1)//",
    "\u202egnp.exe\u202c \u2066isolated\u2069 \u202b",
    "<!-- <style>*{display:none}</style>",
    "a" * 10_000,
    "\u0627\u0644\u0643\u0644 \u05e9\u05dc\u05d5\u05dd 😀👩\u200d👩\u200d👧",
    "line\u2028separators\u2029 \x01\x1b[31m red",
    "' onmouseover='window.hacked = 1' x='",
)
HOSTILE_URLS = (
    "javascript:window.hacked=1",
    "JaVaScRiPt:window.hacked=1",
    " javascript:window.hacked=1",
    "java\nscript:window.hacked=1",
    "data:text/html,<script>window.hacked=1</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    'https://e.example/"onmouseover="window.hacked=1',
    "https://e.example/" + "a" * 10_000,
    "https://e.example/\u202egnp.exe",
    "//e.example/x",
)
_LEADS = ("href", "src", "action", "formaction", "srcset", "poster", "data", "xlink:href")


def dangers_of(html: str) -> list[str]:
    """Everything in a page that is not of our making: scripts, handlers, styles, odd links, hidden directions."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [
        *reader.found,
        *(f"hidden {character!r}" for character in "\u202e\u202b\u2066\x01\x1b" if character in html),
    ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._data: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.found += _odd_attributes(tag, named)
        if tag in ("iframe", "object", "embed", "base", "style", "math"):
            self.found.append(f"<{tag}>")
        if tag == "script" and named.get("type") == "application/ld+json":
            self._data = []
        elif tag == "script" and not named.get("src", "").startswith("/static/"):
            self.found.append("a script of somebody else's")

    def handle_data(self, data: str) -> None:
        if self._data is not None:
            self._data.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._data is not None:
            try:
                json.loads("".join(self._data))
            except ValueError as error:
                self.found.append(f"broken data: {error}")
            self._data = None


def _odd_attributes(tag: str, named: dict[str, str]) -> Iterator[str]:
    for name, value in named.items():
        if name.startswith("on") or name == "style":
            yield f"<{tag} {name}>"
        if name in _LEADS and not _leads_well(value):
            yield f"<{tag} {name}={value[:60]!r}>"


def _leads_well(value: str) -> bool:
    if value.startswith(("/", "#", "?")):
        return not value.startswith("//")
    return urlsplit(value).scheme in ("http", "https", "ftp")
