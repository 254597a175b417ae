"""What every store does before bytes are its own: they wait in a folder of this machine, in `LocalPartial`s."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from shelter_pipeline.domain.errors import DamagedError, TransientError
from shelter_pipeline.vault.keeping import Kept
from shelter_pipeline.vault.partial import LocalPartial
from shelter_pipeline.vault.store import Blob, Partial, digest_path
from shelter_pipeline.vault.sweep import sweep

_COPY_BYTES = 1024 * 1024
_RESERVE_PARTS = 20


class SpoolingStore(ABC):
    """The half of a store that is the same wherever the blobs stand; `partials` is the folder, and is there."""

    def __init__(self, partials: Path) -> None:
        self._partials = partials
        self._kept = Kept(partials)

    def partial(self, key: str | None = None) -> LocalPartial:
        """A new partial, to be published or discarded; with a `key`, what was kept under it is taken up."""
        return LocalPartial(self._partials, key=key, kept=self._kept)

    def keeps(self, key: str) -> bool:
        """Whether something may have been kept under this key, which is costly to take up."""
        return key in self._kept

    @contextmanager
    def receive(self, key: str | None = None) -> Iterator[LocalPartial]:
        """A new partial for a block, discarded at its end unless it was published or kept."""
        partial = self.partial(key)
        try:
            yield partial
        finally:
            partial.discard()

    def publish(self, partial: Partial, *, expected_size: int | None = None) -> Blob:
        """Make the bytes durable under their digest; on error nothing torn is visible, and it may be done again."""
        if expected_size is not None and partial.size != expected_size:
            raise TransientError(f"{partial.size} of {expected_size} bytes arrived", reason="wrong-length")
        return self._publish(partial, "blobs")

    def keep_suspect(self, partial: Partial) -> Blob:
        """Make the bytes durable apart from the blobs."""
        return self._publish(partial, "suspect")

    def accept_suspect(self, sha256: str) -> Blob:
        """Publish a copy of bytes that were kept apart, hashed anew; the evidence stays where it is.

        Raises FileNotFoundError if there is no such evidence, DamagedError `mismatch` if it has rotted.
        """
        evidence = f"suspect/{digest_path(sha256)}"
        with self.receive() as partial:
            with self._open_evidence(evidence) as source:
                while piece := source.read(_COPY_BYTES):
                    partial.write(piece)
            if partial.sha256 != sha256:
                raise DamagedError(f"{evidence} is not what it was any more", reason="mismatch")
            return self.publish(partial)

    def room_bytes(self, reserve_bytes: int = 0) -> int | None:
        """Room that is left where bytes arrive, for those who are not root; None where that is not known.

        Less the reserve, which is a twentieth of the file system at most: a small one is not all reserve.
        """
        with suppress(OSError):
            room = os.statvfs(self._partials)
            reserve = min(reserve_bytes, room.f_blocks * room.f_frsize // _RESERVE_PARTS)
            return room.f_bavail * room.f_frsize - reserve
        return None

    def sweep_partials(self, older_than_seconds: float, *, kept_seconds: float | None = None) -> int:
        """Remove partials last written longer ago than that and in nobody's hands; returns how many."""
        swept = sweep(self._partials, older_than_seconds, kept_seconds=kept_seconds)
        self._kept.look_again()
        return swept

    def _outcome(self, partial: Partial) -> Blob | TransientError:
        """A blob, or what kept it from becoming one."""
        try:
            return self._publish(partial, "blobs")
        except TransientError as error:
            return error

    @abstractmethod
    def _publish(self, partial: Partial, kind: str) -> Blob:
        """Make the bytes durable below the folder `kind`."""

    @abstractmethod
    def _open_evidence(self, location: str) -> BinaryIO:
        """Bytes that were kept apart, for reading. Raises FileNotFoundError."""
