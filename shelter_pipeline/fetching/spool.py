"""A reply's body on its way to whoever wants it: unfolded as it comes, its beginning remembered."""

from __future__ import annotations

from collections.abc import Callable

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.fetching.encoding import Inflater, decoder_of, encodings_of
from shelter_pipeline.fetching.framing import Head

_START_BYTES = 64 * 1024


class Spool:
    """Hands a body on piece by piece. Raises DamagedError for an encoding that cannot be unfolded."""

    def __init__(self, sink: Callable[[bytes], object], max_bytes: int) -> None:
        self.start = bytearray()  # the first 64 KiB
        self._sink = sink
        self._max_bytes = max_bytes
        self._inflater: Inflater | None = None
        self._fed = False

    def begin(self, head: Head) -> None:
        """The reply whose body follows. Raises DamagedError `bad-encoding`."""
        encodings = encodings_of(head.get_all("content-encoding"))
        self._inflater = decoder_of(encodings, max_bytes=self._max_bytes, out=self._keep)
        if encodings and self._inflater is None:
            raise DamagedError(
                f"the encoding {', '.join(encodings)} was not asked for and cannot be unfolded",
                reason="bad-encoding",
            )

    def receive(self, data: bytes) -> None:
        """The next wire bytes. Raises as `Inflater.feed`."""
        if self._inflater is None:
            self._keep(data)
        else:
            self._fed = True
            self._inflater.feed(data)

    def end(self) -> None:
        """The body is whole. Raises as `Inflater.close`; an empty body has nothing to unfold."""
        if self._inflater is not None and self._fed:
            self._inflater.close()

    def _keep(self, data: bytes) -> None:
        self.start.extend(data[: max(_START_BYTES - len(self.start), 0)])
        self._sink(data)
