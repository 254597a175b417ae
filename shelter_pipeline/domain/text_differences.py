"""Two texts side by side, word by word: what stayed, what went, what came, and nothing of what is far from a change."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_AROUND = 60  # characters of what stayed that are shown beside a change
_LONGEST = 2000  # of either text; the comparison takes the square of it at worst
_TOO_DIFFERENT = 0.3


class Piece(NamedTuple):
    """A stretch of text; `gap` stands for what stayed and is not shown."""

    kind: Literal["same", "removed", "added", "gap"]
    text: str


def compare_texts(before: str, after: str) -> list[Piece]:
    """What has to go from `before` and to come so that it becomes `after`; texts are compared up to 2,000 characters.

    Texts with little in common are shown one after the other, whole.

    >>> [piece.text for piece in compare_texts("rain in May", "rain in June") if piece.kind != "same"]
    ['May', 'June']
    """
    before, after = before[:_LONGEST], after[:_LONGEST]
    if before == after:
        return [Piece("same", before)] if before else []
    one, other = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < _TOO_DIFFERENT:
        return [piece for piece in (Piece("removed", before), Piece("added", after)) if piece.text]
    pieces: list[Piece] = []
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind == "equal":
            pieces += _shortened("".join(one[first:last]), starts=first == 0, ends=last == len(one))
            continue
        removed, added = "".join(one[first:last]), "".join(other[begin:end])
        pieces += [piece for piece in (Piece("removed", removed), Piece("added", added)) if piece.text]
    return pieces


def _shortened(text: str, *, starts: bool, ends: bool) -> list[Piece]:
    """What stayed, but for what is far from the changes around it."""
    head = "" if starts else text[:_AROUND]
    tail = "" if ends else text[-_AROUND:]
    if len(text) <= len(head) + len(tail) + _AROUND:
        return [Piece("same", text)]
    shown = (Piece("same", head), Piece("gap", "…"), Piece("same", tail))
    return [piece for piece in shown if piece.text]
