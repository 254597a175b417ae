"""Encoded bodies: the wire bytes are what is kept, and unfolding them only proves that they are whole.

No HTTP client looks for the trailer of a gzip body, so a body cut in half with an honest
length passes everywhere. Here every coding must come to its end and every checksum it has
must hold; what unfolds is counted, never stored, and capped in size and in ratio.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from shelter_pipeline.domain.errors import DamagedError, PermanentError
from shelter_pipeline.fetching.codings import Coding, memory_mib_of

MAX_RATIO = 200
# Below this size no ratio is suspicious: a small file of zeros folds a thousand times.
_FREE_BYTES = 64 * 1024 * 1024
# Codings may lie in one another, each with a window of its own.
_MAX_MEMORY_MIB = 26
_ALIASES = {"x-gzip": "gzip", "x-compress": "compress"}
_NO_ENCODING = frozenset({"", "identity", "none", "binary"})
_SLUG = re.compile(r"[^a-z0-9]+")


def encodings_of(values: Iterable[str]) -> tuple[str, ...]:
    """The content codings a reply declares, normalised, in the order they were applied; empty for none."""
    names = [part.strip().lower() for value in values for part in value.split(",")]
    return tuple(_ALIASES.get(name, _SLUG.sub("-", name)[:20]) for name in names if name not in _NO_ENCODING)


def decoder_of(
    encodings: tuple[str, ...], *, max_bytes: int, out: Callable[[bytes], object] | None = None
) -> Inflater | None:
    """What unfolds a body of these codings; None if there are none, or if one of them cannot be checked.

    `max_bytes` caps what it may unfold to; `out` is given that, piece by piece.
    """
    memory = [memory_mib_of(name) for name in encodings]
    known = [mib for mib in memory if mib is not None]
    if not memory or len(known) < len(memory) or sum(known) > _MAX_MEMORY_MIB:
        return None
    return Inflater(encodings, max_bytes=max_bytes, out=out)


class Inflater:
    """Unfolds a body as it streams by, one coding after another, in bounded memory."""

    def __init__(
        self,
        encodings: tuple[str, ...],
        *,
        max_bytes: int,
        max_ratio: int = MAX_RATIO,
        out: Callable[[bytes], object] | None = None,
    ) -> None:
        self._codings = [Coding(name) for name in reversed(encodings)]  # the last applied comes off first
        self._sizes = [0] * len(encodings)
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._out = out
        self._fed = 0

    @property
    def size(self) -> int:
        """How many bytes it has unfolded to so far."""
        return self._sizes[-1]

    @property
    def surplus(self) -> bool:
        """Whether something follows the end of the data, which is let pass."""
        return any(coding.surplus for coding in self._codings)

    def feed(self, data: bytes) -> None:
        """Take the next wire bytes. Raises DamagedError `bad-encoding`, PermanentError `too-large`."""
        self._fed += len(data)
        self._pour(data, 0)

    def close(self) -> None:
        """The body has ended. Raises DamagedError `truncated-encoding` if the end of a coding is missing."""
        for coding in self._codings:
            if not coding.whole:
                raise DamagedError(
                    f"the {coding.name} body ends after {self._fed} bytes without its end",
                    reason="truncated-encoding",
                )

    def _pour(self, data: bytes, depth: int) -> None:
        for piece in self._codings[depth].unfold(data):
            self._count(len(piece), depth)
            if depth + 1 < len(self._codings):
                self._pour(piece, depth + 1)
            elif self._out is not None:
                self._out(piece)

    def _count(self, unfolded: int, depth: int) -> None:
        self._sizes[depth] += unfolded
        size = self._sizes[depth]
        if size > self._max_bytes:
            raise PermanentError(f"the body unfolds to more than {self._max_bytes} bytes", reason="too-large")
        if size > _FREE_BYTES and size > self._max_ratio * self._fed:
            raise DamagedError(
                f"{self._fed} bytes unfold to more than {self._max_ratio} times as many",
                reason="bad-encoding",
            )
