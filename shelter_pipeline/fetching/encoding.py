"""Encoded bodies: the wire bytes are what is kept, and unfolding them only proves that they are whole.

No HTTP client looks for the trailer of a gzip body, so a body cut in half with an honest
length passes everywhere. Here the CRC and length of every member (RFC 1952) must come,
and what unfolds is counted, never stored, and capped in size and in ratio.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable

from shelter_pipeline.domain.errors import DamagedError, PermanentError

GZIP_MAGIC = b"\x1f\x8b"
MAX_RATIO = 200
# Below this size no ratio is suspicious: a small file of zeros folds a thousand times.
_FREE_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_KNOWN = {
    "gzip": "gzip",
    "x-gzip": "gzip",
    "deflate": "deflate",
    "br": "br",
    "zstd": "zstd",
    "compress": "compress",
}
_NO_ENCODING = frozenset({"", "identity", "none", "binary"})
_SLUG = re.compile(r"[^a-z0-9]+")


def encodings_of(values: Iterable[str]) -> tuple[str, ...]:
    """The content codings a reply declares, normalised, in the order they were applied; empty for none."""
    names = [part.strip().lower() for value in values for part in value.split(",")]
    return tuple(_KNOWN.get(name, _SLUG.sub("-", name)[:20]) for name in names if name not in _NO_ENCODING)


class Inflater:
    """Unfolds a gzip body as it streams by, members one after another, in bounded memory."""

    def __init__(
        self, *, max_bytes: int, max_ratio: int = MAX_RATIO, out: Callable[[bytes], object] | None = None
    ) -> None:
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._out = out
        self._member = zlib.decompressobj(wbits=31)
        self._fed = 0
        self.size = 0
        self.surplus = False

    def feed(self, data: bytes) -> None:
        """Take the next wire bytes. Raises DamagedError `bad-encoding`, PermanentError `too-large`."""
        self._fed += len(data)
        while data and not self.surplus:
            if self._member.eof:
                if not GZIP_MAGIC.startswith(data[:2]):
                    self.surplus = True  # zero padding, or anything else after the last trailer
                    return
                self._member = zlib.decompressobj(wbits=31)
            data = self._unfold(data)

    def close(self) -> None:
        """The body has ended. Raises DamagedError `truncated-encoding` if a trailer is missing."""
        while not self._member.eof:
            before = self.size
            self._unfold(b"")
            if self.size == before:
                break
        if not self._member.eof:
            raise DamagedError(
                f"the gzip body ends after {self._fed} bytes without its trailer", reason="truncated-encoding"
            )

    def _unfold(self, data: bytes) -> bytes:
        try:
            piece = self._member.decompress(data, _PIECE_BYTES)
        except zlib.error as error:
            raise DamagedError(f"the gzip body cannot be read: {error}", reason="bad-encoding") from error
        self._count(piece)
        if self._out is not None:
            self._out(piece)
        return self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def _count(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise PermanentError(f"the body unfolds to more than {self._max_bytes} bytes", reason="too-large")
        if self.size > _FREE_BYTES and self.size > self._max_ratio * self._fed:
            raise DamagedError(
                f"{self._fed} bytes unfold to more than {self._max_ratio} times as many",
                reason="bad-encoding",
            )
