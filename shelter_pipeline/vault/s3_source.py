"""A file on this machine that is to be sent to S3, and what it takes to send it: slices and digests."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.vault.partial import LocalPartial, storing

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A file that stands still on this machine, with its digest; small ones may be in memory."""

    sha256: str
    size: int
    data: bytes | None
    path: Path | None

    @classmethod
    def of(cls, partial: LocalPartial) -> Source:
        """What a partial holds now."""
        if partial.path is None:
            return cls(partial.sha256, partial.size, partial.read_head(partial.size), None)
        partial.flush()
        return cls(partial.sha256, partial.size, None, partial.path)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A descriptor of the file, for positioned reads by any number of threads."""
        assert self.path is not None  # noqa: S101 - it is asked of files only
        with storing("read a file to be sent"):
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def checksum_of(data: bytes) -> str:
    """The SHA-256 of `data` as S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def checksum_named(sha256: str) -> str:
    """A SHA-256 in hex as S3 writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def file_slice(descriptor: int, offset: int, length: int) -> BinaryIO:
    """Some bytes of a file as a file of its own, which other readers of the descriptor do not move."""
    return cast("BinaryIO", _FileSlice(descriptor, offset, length))


def hashed(descriptor: int, offset: int, length: int, also: Any = None, algorithm: str = "sha256") -> Any:
    """The hash of some bytes of a file, which `also` is updated with too."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    end = offset + length
    while offset < end:
        with storing("read a file to be sent"):
            data = os.pread(descriptor, min(_READ_BYTES, end - offset), offset)
        if not data:
            raise TransientError("a file became shorter before it was sent", reason="store-failed")
        digest.update(data)
        if also is not None:
            also.update(data)
        offset += len(data)
    return digest


class _FileSlice(io.RawIOBase):
    """Some bytes of a file as a file of its own, without a position in common with other readers."""

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        super().__init__()
        self._descriptor, self._offset, self._length = descriptor, offset, length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._length - self._position)
        count = left if size is None or size < 0 else min(size, left)
        data = os.pread(self._descriptor, count, self._offset + self._position)
        self._position += len(data)
        return data

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)
