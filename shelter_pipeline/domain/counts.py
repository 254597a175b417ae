"""Counts by name, in the order in which people want to read them."""

from __future__ import annotations

from collections.abc import Mapping


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The greatest first, those that are equal by name.

    >>> most_first({"gone": 1, "empty": 3, "dead": 1})
    [('empty', 3), ('dead', 1), ('gone', 1)]
    """
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
