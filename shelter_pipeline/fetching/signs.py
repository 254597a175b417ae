"""What can be seen of a file: patterns in its text, signatures in its bytes, and a few computed signs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from shelter_pipeline.fetching.kinds import TEXTS, Beginnings, Kind, Signature
from shelter_pipeline.fetching.sizes import size_contradicts

Where = Literal["start", "text", "titles"]

_BEFORE_MARKUP = re.compile(r"(?:\s|<\?xml[^>]{0,400}>|<!--.*?-->)*", re.DOTALL)
_TITLES = re.compile(
    r"<(?:title|h1|h2)\b[^>]{0,400}>(.{0,400}?)(?:</(?:title|h1|h2)|\Z)", re.IGNORECASE | re.DOTALL
)
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
# Of a text of single bytes, a stray zero is a slip; of the zeros of UTF-16 nearly all stand on one side.
_STRAY_ZEROS = 0.002
_ONE_SIDED = 0.95
_UTF16_LEAST = 0.2


@dataclass(frozen=True, slots=True)
class Sign:
    """Something a rule looks for: a pattern in a place of the text, or first bytes."""

    pattern: re.Pattern[str] | None
    where: Where = "start"
    signatures: tuple[Signature, ...] = ()
    beginnings: Beginnings = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "beginnings", Beginnings(self.signatures))


@dataclass(frozen=True)
class Signs:
    """A whole file as rules see it, with what was promised of it.

    `sizes` are in bytes: the file's as it is looked at, then any other that it may be known by. `head` are
    the first bytes (64 KiB will do), `tail` the last ones if they are known. `promised` are the kinds it may
    be of, `catalogue_size` and `held_size` the sizes of the catalogue and of the version we hold.
    """

    head: bytes
    sizes: tuple[int, ...]
    promised: tuple[Kind, ...] = ()
    tail: bytes | None = None
    catalogue_size: int | None = None
    held_size: int | None = None

    @property
    def size(self) -> int:
        """Bytes of the file as it is kept, or as it was unfolded to be looked at."""
        return self.sizes[0]

    @cached_property
    def text(self) -> str:
        """The first bytes as text: UTF-16 and UTF-8 by their byte order marks, else a character a byte."""
        for mark, encoding in _MARKS:
            if self.head.startswith(mark):
                return self.head[len(mark) :].decode(encoding, "replace")
        wide = _utf16_of(self.head)
        return self.head.decode(wide, "replace") if wide else self.head.decode("latin-1")

    @cached_property
    def start(self) -> int:
        """Where the text begins, after white space, comments and XML declarations."""
        found = _BEFORE_MARKUP.match(self.text)
        return found.end() if found else 0

    @cached_property
    def titles(self) -> str:
        """The titles and first headings of a page."""
        return " ".join(match[1] for match in _TITLES.finditer(self.text))

    def shows(self, name: str, signs: Mapping[str, Sign]) -> bool:
        """Whether the file shows this sign."""
        if name in COMPUTED:
            return COMPUTED[name](self, signs)
        sign = signs[name]
        if sign.pattern is None:
            return sign.beginnings.fit(self.head)
        if sign.where == "start":
            return sign.pattern.match(self.text, self.start) is not None
        return sign.pattern.search(self.text if sign.where == "text" else self.titles) is not None


def _is_binary(arrival: Signs) -> bool:
    """Bytes that are no text in any encoding: zero bytes that are neither stray nor those of UTF-16."""
    head = arrival.head
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return False
    return head.count(0) > _STRAY_ZEROS * len(head) and _utf16_of(head) is None


def _utf16_of(head: bytes) -> str | None:
    zeros = head.count(0)
    if zeros < max(_UTF16_LEAST * len(head), 2):
        return None
    odd = head[1::2].count(0) / zeros
    return "utf-16-le" if odd >= _ONE_SIDED else "utf-16-be" if odd <= 1 - _ONE_SIDED else None


def _is_other_kind(arrival: Signs, signs: Mapping[str, Sign]) -> bool:
    """No kind that was promised fits."""
    return not any(_fits(arrival, kind, signs) for kind in arrival.promised)


def _fits(arrival: Signs, kind: Kind, signs: Mapping[str, Sign]) -> bool:
    if kind.family == "signature":
        return kind.is_known_by(arrival.head, arrival.text)
    if kind.family not in TEXTS or arrival.shows("packed", signs):
        return True
    if arrival.shows("document", signs) or _is_binary(arrival):
        return False
    return kind.family != "json" or arrival.shows("json-start", signs)


def _is_cut_short(arrival: Signs, signs: Mapping[str, Sign]) -> bool:
    """A kind that was promised begins and lacks its end, and nothing else that was promised fits."""
    cut = [kind for kind in arrival.promised if kind.is_cut_short(arrival.head, arrival.tail, arrival.size)]
    return bool(cut) and not any(
        _fits(arrival, kind, signs)
        for kind in arrival.promised
        if kind not in cut and kind.family not in TEXTS
    )


def _contradicts(arrival: Signs, _: Mapping[str, Sign]) -> bool:
    promised = arrival.catalogue_size
    return promised is not None and all(size_contradicts(promised, size) for size in arrival.sizes)


COMPUTED: dict[str, Callable[[Signs, Mapping[str, Sign]], bool]] = {
    "other-kind": _is_other_kind,
    "binary": lambda arrival, _: _is_binary(arrival),
    "cut-short": _is_cut_short,
    "no-bytes": lambda arrival, _: not arrival.size and arrival.catalogue_size != 0,
    "size-contradicts": _contradicts,
}
