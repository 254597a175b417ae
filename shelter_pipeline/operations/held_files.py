"""Handing out held bytes by their digest: what is known of them, and the bytes, whole only if they still are.

The digest is computed again while the whole is handed out, and the last piece is kept
back until it is known: bytes that have rotted end in an error and never as a whole file.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shelter_pipeline.catalog.blobs import BlobRow, copies_of, find_blob
from shelter_pipeline.domain.byte_ranges import Part
from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.domain.filenames import extension_for, filename_of, safe_filename, usable_media_type
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.ranges import BlobRange

_log = logging.getLogger(__name__)
_DIGITS_OF_A_NAME = 16


@dataclass(frozen=True, slots=True)
class HeldFile:
    """Bytes that the catalog counts as held; `media_type` may stand in a header, `filename` in a file system."""

    sha256: str
    size: int
    media_type: str
    stored_at: datetime
    filename: str
    filenames: tuple[str, ...]
    dataset_ids: tuple[int, ...]

    def named(self, wanted: str | None) -> str:
        """The name to save it under: the wanted one if the file has that name anywhere, else its own.

        Nobody can make a link of ours that saves rescued bytes as a program.
        """
        clean = safe_filename(wanted or "")
        return clean if clean in self.filenames else self.filename


def find_file(workplace: Workplace, sha256: str) -> HeldFile | None:
    """The held file of this digest; None if it is unknown, or kept apart as evidence only."""
    row = find_blob(workplace.catalog, sha256)
    if row is None:
        return None
    names = tuple(sorted({filename_of(url, row.media_type) for url in row.urls}))
    own = names[0] if names else row.sha256[:_DIGITS_OF_A_NAME] + extension_for(row.media_type)
    return HeldFile(
        row.sha256,
        row.size,
        usable_media_type(row.media_type),
        row.first_stored_at,
        own,
        names,
        row.dataset_ids,
    )


def describe_file(workplace: Workplace, sha256: str) -> dict[str, Any] | None:
    """What is known of a held file and its copies, for people; None as `find_file`."""
    row = find_blob(workplace.catalog, sha256)
    return None if row is None else _described(row) | {"copies": copies_of(workplace.catalog, sha256)}


def stands_whole(workplace: Workplace, file: HeldFile) -> bool:
    """Whether the store has it, with its size; TransientError if the store is away."""
    return workplace.store.size_of(file.sha256) == file.size


def open_part(workplace: Workplace, file: HeldFile, part: Part) -> BlobRange:
    """Some of the bytes, or all of them, as the medium gives them; all are to be read through `verified`.

    Raises as `BlobStore.read_range`.
    """
    return workplace.store.read_range(file.sha256, part.first, part.last)


def verified(pieces: BlobRange, file: HeldFile) -> Iterator[bytes]:
    """The same pieces, the last of them only once all are known to be the file. Raises DamagedError `mismatch`."""
    digest = hashlib.sha256()
    kept = b""
    for piece in pieces:
        if kept:
            yield kept
        digest.update(piece)
        kept = piece
    if digest.hexdigest() != file.sha256:
        _log.error(
            "the store holds other bytes in the place of %s: shelter scrub sets them aside", file.sha256
        )
        raise DamagedError(f"what stands in the place of {file.sha256} is not that file", reason="mismatch")
    yield kept


def _described(row: BlobRow) -> dict[str, Any]:
    return {
        "sha256": row.sha256,
        "size": row.size,
        "media_type": row.media_type,
        "first_stored_at": row.first_stored_at,
        "found_at": list(row.urls),
        "dataset_ids": list(row.dataset_ids),
    }
