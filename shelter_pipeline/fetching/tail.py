"""The last bytes of a stream of any length, kept by reference: no byte is copied until somebody asks."""

from __future__ import annotations

from collections import deque


class Tail:
    """Remembers the last `count` bytes written, and at most one piece more."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes, which must not change afterwards."""
        self._pieces.append(data)
        self._size += len(data)
        while self._size - len(self._pieces[0]) >= self._count:
            self._size -= len(self._pieces.popleft())

    def read(self) -> bytes:
        """The last bytes, fewer if there were fewer."""
        return b"".join(self._pieces)[-self._count :]
