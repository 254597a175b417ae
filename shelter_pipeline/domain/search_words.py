"""What people type into a search, taken apart: whole words, and the beginning of the one they are still typing."""

from __future__ import annotations

import re
from typing import NamedTuple

_SHORTEST_PREFIX = 3  # shorter ones are the beginning of everything
_PREFIX = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


class Looked(NamedTuple):
    """Words in the syntax of web searches (`"a phrase"`, `-not`, `or`), and a beginning or an empty text."""

    words: str
    prefix: str


class Marked(NamedTuple):
    """A plain text, and where in it the words that were looked for stand: first character and the one after."""

    text: str
    marks: list[tuple[int, int]]


def take_apart(typed: str) -> Looked:
    """The last word is taken as a beginning, so that results come while it is typed.

    Not so within quotes, after a minus, beside an `or`, and when a space follows it.
    """
    before, _, last = typed.rpartition(" ")
    plain = _PREFIX.fullmatch(last) is not None and len(last) >= _SHORTEST_PREFIX
    whole = typed.count('"') % 2 or "or" in typed.lower().split()
    return Looked(before, last) if plain and not whole else Looked(typed, "")


def read_marks(text: str, begin: str, end: str) -> Marked:
    """The text without the characters `begin` and `end`, and the stretches between them."""
    plain: list[str] = []
    marks: list[tuple[int, int]] = []
    at = 0
    for piece in re.split(f"({re.escape(begin)}|{re.escape(end)})", text):
        if piece == begin:
            marks.append((at, at))
        elif piece == end:
            if marks:
                marks[-1] = (marks[-1][0], at)
        else:
            plain.append(piece)
            at += len(piece)
    return Marked("".join(plain), [mark for mark in marks if mark[0] < mark[1]])
