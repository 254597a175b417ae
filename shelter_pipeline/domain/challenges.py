"""What a node must compute to show that it holds a file: a hash that takes the bytes themselves.

Both sides compute it: the server from its own copy, the node from what it says it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

Range = tuple[int, int]  # first and last byte, both within
NONCE_BYTES = 32
_RANGES = 8
_RANGE_BYTES = 64 * 1024


def challenge_answer(nonce: bytes, parts: Iterable[tuple[Range, Iterable[bytes]]]) -> str:
    """SHA-256 in hex over the nonce and, for each range, its bounds (8 bytes each, big-endian) and its bytes."""
    digest = hashlib.sha256(nonce)
    for (first, last), pieces in parts:
        digest.update(first.to_bytes(8, "big") + last.to_bytes(8, "big"))
        for piece in pieces:
            digest.update(piece)
    return digest.hexdigest()


def draw_ranges(size: int, below: Callable[[int], int]) -> list[Range]:
    """Some ranges of a file of `size` bytes: all of a small one, else eight of 64 KiB, two at its ends.

    `below(n)` draws a number from 0 to n - 1 that nobody can foresee. Who has lost a tenth of
    a file passes every second challenge, and ten in a row once in five hundred times.
    """
    if size <= _RANGES * _RANGE_BYTES:
        return [(0, size - 1)] if size else []
    last = size - _RANGE_BYTES
    starts = {0, last, *(below(last + 1) for _ in range(_RANGES - 2))}
    return [(start, start + _RANGE_BYTES - 1) for start in sorted(starts)]
