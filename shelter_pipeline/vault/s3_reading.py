"""Reading an object as a file, to its end or to an error: a connection that breaks is not an end.

What broke off is asked for again from the next byte on, of the same version only, as long
as each attempt brings something.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from shelter_pipeline.vault.s3_client import S3Error, asking

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_ATTEMPTS = 3


class Reply(Protocol):
    """The body of a reply, as boto3 hands it out."""

    def read(self, amt: int | None = None, /) -> bytes:
        """The next bytes; none at the end."""

    def close(self) -> None:
        """Give the connection back."""


# From an offset on, and of the version with this ETag: a reply as boto3's `get_object` gives it.
Get = Callable[[int, "str | None"], dict[str, Any]]


class ObjectReader(io.RawIOBase):
    """The bytes of an object in order. Raises S3Error; `is_absent` on opening if there is no object."""

    def __init__(self, get: Get, name: str) -> None:
        super().__init__()
        self._get, self._name = get, name
        self._position = 0
        reply = get(0, None)
        self._size, self._etag = int(reply["ContentLength"]), str(reply["ETag"])
        self._body: Reply | None = reply["Body"]

    def readable(self) -> bool:
        """It is for reading, and for nothing else."""
        return True

    def tell(self) -> int:
        """How many bytes have been read."""
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """The next bytes, none only at the object's end. Raises S3Error when it cannot be read on."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._position)
        if not wanted:
            return 0
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                data = self._read(wanted)
            except S3Error:
                self._drop()
                if attempt == _ATTEMPTS:
                    raise
            else:
                break
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Give the connection back."""
        self._drop()
        super().close()

    def _read(self, count: int) -> bytes:
        if self._body is None:
            self._body = self._get(self._position, self._etag)["Body"]
        with asking(f"read {self._name}"):
            data = self._body.read(count)
        if not data:
            raise S3Error(f"{self._name} broke off at byte {self._position} of {self._size}")
        return data

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
