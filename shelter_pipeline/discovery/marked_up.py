"""Downloads that a page marks up in its own elements: microdata (HTML Standard, section 5) and RDFa Lite.

A scope is an element with `itemscope` or `typeof`; its properties are gathered until the
element ends, and then it says what it is: schema.org's contentUrl, DCAT's downloadURL and
accessURL, with the format, size and name beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shelter_pipeline.discovery import download_terms as terms
from shelter_pipeline.discovery.statements import Means, Statement, bytes_in

_KNOWN = frozenset({*terms.FILE, *terms.ACCESS, *terms.FORMAT, *terms.SIZE, *terms.NAME, "url"})
_TARGETS = ("href", "src", "data", "resource", "content", "value")
_LONGEST_TEXT = 8000
_MOST_SCOPES = 200


@dataclass(slots=True)
class _Scope:
    depth: int
    why: str
    type: str
    properties: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Text:
    """A property whose value is the text of its element."""

    depth: int
    name: str
    scope: _Scope
    parts: list[str] = field(default_factory=list)
    length: int = 0


class Scopes:
    """The scopes that are open where the page is being read."""

    def __init__(self) -> None:
        self._open: list[_Scope] = []
        self._text: _Text | None = None

    def enter(self, depth: int, attributes: dict[str, str]) -> None:
        """An element begins: it may be a property of the scope round it, and a scope itself."""
        for name, why in (("itemprop", "microdata"), ("property", "rdfa"), ("rel", "rdfa")):
            if name in attributes and self._open:
                self._read_property(depth, attributes[name], why, attributes)
        why = "microdata" if "itemscope" in attributes else "rdfa" if "typeof" in attributes else ""
        if why and len(self._open) < _MOST_SCOPES:
            of_type = attributes.get("itemtype") or attributes.get("typeof") or ""
            self._open.append(_Scope(depth, why, of_type[:_LONGEST_TEXT].lower()))

    def read(self, text: str) -> None:
        """Text of the page, for a property that is waiting for it."""
        if self._text is not None and self._text.length < _LONGEST_TEXT:
            self._text.parts.append(text)
            self._text.length += len(text)

    def leave(self, depth: int) -> list[Statement]:
        """An element ended (0: the page): what the scopes that end with it say."""
        if self._text is not None and self._text.depth >= depth:
            text, self._text = self._text, None
            _add(text.scope, text.name, " ".join("".join(text.parts).split())[:_LONGEST_TEXT])
        ended: list[Statement] = []
        while self._open and self._open[-1].depth >= depth:
            ended += _said_by(self._open.pop())
        return ended

    def _read_property(self, depth: int, names: str, why: str, attributes: dict[str, str]) -> None:
        scope = self._open[-1]
        if scope.why != why:
            return
        for written in names[:_LONGEST_TEXT].split():
            name = terms.last_part(written)
            if name not in _KNOWN:
                continue
            value = next((attributes[key] for key in _TARGETS if attributes.get(key)), None)
            if value is not None and not (name in terms.NAME and "content" not in attributes):
                _add(scope, name, value)
            elif self._text is None:
                self._text = _Text(depth, name, scope)


def _add(scope: _Scope, name: str, value: str) -> None:
    values = scope.properties.setdefault(name, [])
    if value and len(value) <= _LONGEST_TEXT and len(values) < _MOST_SCOPES:
        values.append(value)


def _said_by(scope: _Scope) -> list[Statement]:
    if terms.is_no_data(scope.type):
        return []
    urls = [(url, Means.FILE) for name in terms.FILE for url in scope.properties.get(name, ())]
    urls += [(url, Means.ACCESS) for name in terms.ACCESS for url in scope.properties.get(name, ())]
    if not urls and terms.is_download(scope.type):
        urls = [(url, Means.ACCESS) for url in scope.properties.get("url", ())]
    size = bytes_in(_first(scope, terms.SIZE)) if len(urls) == 1 else None
    return [
        Statement(
            url, scope.why, _first(scope, terms.NAME) or "", _first(scope, terms.FORMAT), size, means=means
        )
        for url, means in urls
    ]


def _first(scope: _Scope, names: tuple[str, ...]) -> str | None:
    return next((scope.properties[name][0] for name in names if scope.properties.get(name)), None)
