"""What a node must compute to show that it holds a file: a hash that takes the bytes themselves.

Both sides compute it: the server from its own copy, the node from what it says it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

Range = tuple[int, int]  # first and last byte, both within
NONCE_BYTES = 32


def challenge_answer(nonce: bytes, parts: Iterable[tuple[Range, Iterable[bytes]]]) -> str:
    """SHA-256 in hex over the nonce and, for each range, its bounds (8 bytes each, big-endian) and its bytes."""
    digest = hashlib.sha256(nonce)
    for (first, last), pieces in parts:
        digest.update(first.to_bytes(8, "big") + last.to_bytes(8, "big"))
        for piece in pieces:
            digest.update(piece)
    return digest.hexdigest()
