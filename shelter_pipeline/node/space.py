"""A store that never takes more room than it was given, whatever arrives in it at once."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakSet

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.vault.keeping import Kept
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.partial import LocalPartial, own
from shelter_pipeline.vault.store import Blob, Partial, digest_path

_KEPT = ("blobs", "suspect", "quarantine")
_COUNT_AGAIN_BYTES = 32 * 1024 * 1024
_ABANDONED_SECONDS, _NOW_SECONDS = 3600.0, 0.001


class GivenSpace(LocalStore):
    """A local store within `given_bytes`: files, evidence and what is on its way count together.

    Used by one process alone, so that what it keeps is counted once and then followed.
    `reserve_bytes` stay free on the disk besides, for whoever else uses it.
    """

    def __init__(self, root: Path, *, given_bytes: int, reserve_bytes: int) -> None:
        super().__init__(root)
        self.given_bytes = given_bytes
        self._reserve_bytes = reserve_bytes
        self._counting = threading.RLock()
        self._arriving: WeakSet[LocalPartial] = WeakSet()
        self._kept_bytes = sum(self._bytes_at(place) for top in _KEPT for place in self.files_below(top))
        self._arrived = 0  # since room was last counted
        self._room = 0

    @property
    def kept_bytes(self) -> int:
        """What files and evidence take."""
        return self._kept_bytes

    @property
    def used_bytes(self) -> int:
        """What all takes, half-received files included."""
        with self._counting:
            arriving = list(self._arriving)
        theirs = {str(partial.path) for partial in arriving if partial.path}
        waiting = 0
        with suppress(OSError), os.scandir(self.root / "partial") as entries:
            for entry in entries:
                with suppress(OSError):  # published or removed meanwhile
                    waiting += 0 if entry.path in theirs else entry.stat(follow_symlinks=False).st_size
        return self._kept_bytes + waiting + sum(partial.size for partial in arriving)

    def left_bytes(self) -> int:
        """What may still arrive: within the given space, and without touching the reserve of the disk."""
        left = self.given_bytes - self.used_bytes
        with suppress(OSError):
            disk = os.statvfs(self.root)
            left = min(left, disk.f_bavail * disk.f_frsize - self._reserve_bytes)
        return left

    def room_bytes(self, reserve_bytes: int = 0) -> int | None:  # noqa: ARG002 - this store has its own
        """What may still arrive."""
        return self.left_bytes()

    @contextmanager
    def making_room(self, count: int) -> Iterator[None]:
        """`count` bytes more arrive in this block. Raises TransientError `no-space` if there is no room for them.

        Room is counted again only when as many bytes have arrived as there was room for.
        """
        with self._counting:
            if self._arrived + count > min(self._room, _COUNT_AGAIN_BYTES):
                self._room, self._arrived = self.left_bytes(), 0
                if count > self._room:
                    raise TransientError("the space that was given is used up", reason="no-space")
            self._arrived += count
            yield

    def partial(self, key: str | None = None) -> LocalPartial:
        """As every store, and counted while it arrives."""
        partial = _CountedPartial(self, self._partials, key, self._kept)
        with self._counting:
            self._arriving.add(partial)
        return partial

    def arrives_no_more(self, partial: LocalPartial) -> None:
        """Nothing more is written to it."""
        with self._counting:
            self._arriving.discard(partial)

    def publish_all(self, partials: Sequence[Partial]) -> list[Blob | TransientError]:
        """As every store, and counted."""
        before = [self._replaced(partial, "blobs") for partial in partials]
        outcomes = super().publish_all(partials)
        seen: set[str] = set()
        for partial, had, outcome in zip(partials, before, outcomes, strict=True):
            if isinstance(outcome, Blob):
                self._count(partial, 0 if outcome.sha256 in seen else outcome.size - had)
                seen.add(outcome.sha256)
        return outcomes

    def publish(self, partial: Partial, *, expected_size: int | None = None) -> Blob:
        """As every store, and counted."""
        had = self._replaced(partial, "blobs")
        blob = super().publish(partial, expected_size=expected_size)
        self._count(partial, blob.size - had)
        return blob

    def keep_suspect(self, partial: Partial) -> Blob:
        """As every store, and counted."""
        had = self._replaced(partial, "suspect")
        blob = super().keep_suspect(partial)
        self._count(partial, blob.size - had)
        return blob

    def forget_broken_off(self) -> int:
        """Remove what was kept of broken-off downloads and nobody works on; returns how many."""
        return self.sweep_partials(_ABANDONED_SECONDS, kept_seconds=_NOW_SECONDS)

    def _replaced(self, partial: Partial, kind: str) -> int:
        return self._bytes_at(f"{kind}/{digest_path(own(partial).sha256)}")

    def _count(self, partial: Partial, more: int) -> None:
        with self._counting:
            self._kept_bytes += more
            self._arriving.discard(own(partial))

    def _bytes_at(self, location: str) -> int:
        with suppress(OSError):
            found = (self.root / location).lstat()
            return found.st_size if stat.S_ISREG(found.st_mode) else 0
        return 0


class _CountedPartial(LocalPartial):
    """A partial that takes nothing for which there is no room."""

    def __init__(self, space: GivenSpace, folder: Path, key: str | None, kept: Kept) -> None:
        self._space = space
        super().__init__(folder, key=key, kept=kept)

    def write(self, data: bytes, /) -> None:
        """Append. Raises TransientError as every partial, and `no-space` at the end of the space given."""
        with self._space.making_room(len(data)):
            super().write(data)

    def discard(self) -> None:
        """Close; what was kept of it counts as the file that it is."""
        self._space.arrives_no_more(self)
        super().discard()
