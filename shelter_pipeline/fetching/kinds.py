"""Kinds of files and how they are known: by first and last bytes, by a text, or by a family of which little is known.

Values only; which kinds there are stands in `content_rules.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Family = Literal["page", "text", "json", "markup", "opaque", "signature"]
TEXTS: frozenset[Family] = frozenset({"text", "json", "markup"})


@dataclass(frozen=True, slots=True)
class Signature:
    """First bytes, `starts`, at one of the offsets; and last bytes, `ends`, within so many of the end if it has any."""

    starts: tuple[bytes, ...]
    at: tuple[int, ...] = (0,)
    anywhere_before: int = 0
    ends: tuple[bytes, ...] = ()
    within: int = 0

    def begins(self, head: bytes) -> bool:
        """Whether the first bytes are these."""
        if self.anywhere_before:
            return any(0 <= head.find(start) < self.anywhere_before for start in self.starts)
        return any(head.startswith(self.starts, offset) for offset in self.at)

    def lacks_its_end(self, tail: bytes | None, size: int) -> bool:
        """Whether the last bytes are known, enough of them, and hold no end."""
        if tail is None or len(tail) < min(self.within, size):
            return False
        last = tail[-self.within :] if self.within else b""
        return bool(self.ends) and not any(end in last for end in self.ends)


class Beginnings:
    """Several signatures, asked at once: nearly all stand at the first byte."""

    def __init__(self, signatures: Iterable[Signature]) -> None:
        known = tuple(signatures)
        plain = [one for one in known if one.at == (0,) and not one.anywhere_before]
        self._plain = tuple(start for one in plain for start in one.starts)
        self._others = tuple(one for one in known if one not in plain)

    def fit(self, head: bytes) -> bool:
        """Whether the first bytes are of any of them."""
        return head.startswith(self._plain) or any(one.begins(head) for one in self._others)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. `names` are what catalogues and URLs call it: formats, extensions, media subtypes."""

    name: str
    names: frozenset[str]
    family: Family
    signatures: tuple[Signature, ...] = ()
    begins: re.Pattern[str] | None = None
    _beginnings: Beginnings = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_beginnings", Beginnings(self.signatures))

    def is_known_by(self, head: bytes, text: str) -> bool:
        """Whether the first bytes prove this kind; never for one of which only the family is known."""
        return self._beginnings.fit(head) or bool(self.begins and self.begins.search(text[:2000]))

    def is_cut_short(self, head: bytes, tail: bytes | None, size: int) -> bool:
        """Whether the file begins as this kind and every signature it begins with lacks its end."""
        begun = [signature for signature in self.signatures if signature.begins(head)]
        return bool(begun) and all(signature.lacks_its_end(tail, size) for signature in begun)
