"""XML of unknown origin, element by element, without a tree and without entities.

Expat reads it in pieces, so a document of any size costs no more than its longest text. A
document type declaration ends the reading: no listing has one, and every known attack by
entities needs one. What was read before a document breaks off, stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple
from xml.parsers import expat

_PIECE = 256 * 1024
_DEEPEST = 100
_LONGEST_TEXT = 20_000
_SNIFFED = 4096
_NO_ATTRIBUTES: Mapping[str, str] = {}
_DECLARED = re.compile(rb"""\s*<\?xml\b[^>]{0,200}?\bencoding\s{0,9}=\s{0,9}["']([\w.:-]{1,40})["']""")
# Characters that XML 1.0 does not have, as they stand and as references; object stores write them all the same.
_FORBIDDEN = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));",
    re.IGNORECASE,
)
_ROOT = re.compile(rb"(?>(?:\s|<\?[^>]*>|<!--.*?-->)*)<(?:[\w.-]+:)?([A-Za-z][\w.-]*)([^>]*)", re.DOTALL)


class Step(Enum):
    """What happens next in a document."""

    BEGIN = auto()  # of an element
    END = auto()  # of an element; the text is what stands directly before its end tag
    BREAK = auto()  # the document is not well-formed from here on; the text says why


class Event(NamedTuple):
    """One step; `name` is an element's name without its namespace. Its attributes come with both its ends."""

    step: Step
    name: str
    text: str = ""
    attributes: Mapping[str, str] = _NO_ATTRIBUTES


class Document(NamedTuple):
    """A document to be read. In one that `has_raw_bytes` each byte that is not UTF-8 becomes a surrogate (PEP 383)."""

    body: bytes
    has_raw_bytes: bool = False


class _StopError(Exception):
    """The document holds what no listing holds."""


def root_of(head: bytes) -> tuple[str, bytes]:
    """The name of the first element of a document that begins so, without its namespace, and its attributes."""
    match = _ROOT.match(head.removeprefix(b"\xef\xbb\xbf"))
    return (match[1].decode(), match[2]) if match else ("", b"")


def readable(body: bytes) -> Document:
    """The document as a parser can read it: what XML forbids replaced, bytes of no encoding left recognisable."""
    declared = _DECLARED.match(body[:_SNIFFED])
    if b"\x00" in body[:4] or (declared and declared[1].lower() not in (b"utf-8", b"us-ascii")):
        return Document(body)
    whole = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}".encode(), body)
    try:
        whole.decode()
    except UnicodeDecodeError:
        return Document(whole, has_raw_bytes=True)
    return Document(whole)


def events_in(document: Document) -> Iterator[Event]:
    """The steps of a document that is `readable`; the last one says BREAK if it ended before its end."""
    reader = _Reader(has_raw_bytes=document.has_raw_bytes)
    view = memoryview(document.body)
    for start in range(0, len(view), _PIECE):
        problem = reader.feed(bytes(view[start : start + _PIECE]), is_last=start + _PIECE >= len(view))
        yield from reader.taken
        reader.taken.clear()
        if problem:
            yield Event(Step.BREAK, "", problem)
            return


class _Reader:
    """Expat, with what it calls back for written down."""

    def __init__(self, *, has_raw_bytes: bool) -> None:
        self._has_raw_bytes = has_raw_bytes
        self.taken: list[Event] = []
        self._texts: list[str] = []
        self._length = 0
        self._open: list[Mapping[str, str]] = []
        # As Latin-1 every byte is a character, out of which the bytes are had again.
        self._parser = expat.ParserCreate("iso-8859-1" if has_raw_bytes else None, namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, piece: bytes, *, is_last: bool) -> str:
        """Read one piece; returns what is wrong with it, or nothing."""
        try:
            self._parser.Parse(piece, is_last)
        except (expat.ExpatError, _StopError, ValueError, LookupError) as error:
            return str(error)
        return ""

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise _StopError(f"elements are nested deeper than {_DEEPEST}")
        self._forget()
        self._open.append(
            {_local(key): self._as_written(value) for key, value in attributes.items()}
            if attributes
            else _NO_ATTRIBUTES
        )
        self.taken.append(Event(Step.BEGIN, _local(name), "", self._open[-1]))

    def _end(self, name: str) -> None:
        self.taken.append(
            Event(Step.END, _local(name), self._as_written("".join(self._texts)), self._open.pop())
        )
        self._forget()

    def _text(self, text: str) -> None:
        if self._length < _LONGEST_TEXT:
            self._texts.append(text)
            self._length += len(text)

    def _as_written(self, text: str) -> str:
        if not self._has_raw_bytes or text.isascii():
            return text
        try:
            return text.encode("iso-8859-1").decode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # it holds a reference to a character that is no byte
            return text

    def _forget(self) -> None:
        self._texts.clear()
        self._length = 0

    def _refuse(self, *_: object) -> None:
        raise _StopError("it has a document type declaration")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
