"""Our numbers as ids of CKAN's form, for what has no id that is unique of its own.

They are UUIDs of version 8, which is for such uses (RFC 9562, section 5.8): a prefix that
is ours, the kind, and the number.
"""

from __future__ import annotations

from enum import IntEnum

_DIGITS = 12


class Kind(IntEnum):
    """What a number counts."""

    RESOURCE = 0
    FILE = 1
    ORGANIZATION = 2
    TAG = 3
    DATASET = 4


def own_id(kind: Kind, number: int) -> str:
    """The id of the thing with this number.

    >>> own_id(Kind.DATASET, 12)
    '7368656c-7465-8204-8000-00000000000c'
    """
    return f"{_prefix(kind)}{number:0{_DIGITS}x}"


def number_in(kind: Kind, identity: str) -> int | None:
    """The number that an id of ours stands for; None for any other text."""
    digits = identity.lower().removeprefix(_prefix(kind))
    if len(digits) != _DIGITS or len(identity) == _DIGITS or not digits.isascii() or not digits.isalnum():
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


def _prefix(kind: Kind) -> str:
    return f"7368656c-7465-82{kind:02d}-8000-"
