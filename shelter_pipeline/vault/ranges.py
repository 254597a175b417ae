"""A part of a blob, in pieces: all the bytes that were asked for, or an error, and never fewer.

Memory stays at one piece, whatever the range. What is read is not verified: a digest
speaks of the whole, so whoever reads the whole may hash it, and a part is the medium's word.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self

from shelter_pipeline.domain.errors import DamagedError, TransientError

_PIECE_BYTES = 256 * 1024


class BlobRange(Iterator[bytes]):
    """The next `count` bytes of `body`, which is closed at their end, on an error, or with the block.

    Raises DamagedError `mismatch` if the blob ends before them, TransientError `store-failed`
    if the medium cannot read them.
    """

    def __init__(self, body: BinaryIO, count: int, name: str) -> None:
        self._body, self._left, self._name = body, count, name

    def __next__(self) -> bytes:
        if not self._left:
            self.close()
            raise StopIteration
        try:
            piece = self._body.read(min(self._left, _PIECE_BYTES))
        except OSError as error:
            self.close()
            raise TransientError(f"could not read {self._name}: {error}", reason="store-failed") from error
        except BaseException:
            self.close()
            raise
        if not piece:
            self.close()
            raise DamagedError(f"{self._name} is {self._left} bytes shorter than it was", reason="mismatch")
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Give the file or the connection back; there is nothing more to be read."""
        self._left = 0
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def checked_range(first: int, last: int) -> int:
    """How many bytes `first` to `last` are, both included. Raises ValueError if they are none."""
    if not 0 <= first <= last:
        raise ValueError(f"{first} to {last} is no range of bytes")
    return last - first + 1
