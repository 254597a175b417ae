"""Publishing many files for the price of a few: two syncs for all of them instead of two each.

The order is that of a single file: written and synced before it is renamed, renamed and
synced before anybody is told. Until the second sync has returned no blob of the group
counts as held, and a crash before it leaves partials, or whole files under their names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial as bind
from pathlib import Path
from typing import TypeVar

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.vault.durability import sync_file_system
from shelter_pipeline.vault.folders import DurableFolders
from shelter_pipeline.vault.partial import LocalPartial, storing
from shelter_pipeline.vault.store import Blob, digest_path

Result = TypeVar("Result")


def publish_group(
    root: Path, folders: DurableFolders, partials: Sequence[LocalPartial]
) -> list[Blob | TransientError]:
    """Publish all that can be published; each has its own outcome, in the order given."""
    try:
        # Opened before the writes: a descriptor is told of the errors that come after it. Of what was written
        # earlier the partials' own descriptors are told, whoever has heard of it meanwhile.
        with storing("open the store"):
            descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return _publish(descriptor, root, folders, partials)
        finally:
            os.close(descriptor)
    except TransientError as error:
        return [error for _ in partials]


def _publish(
    descriptor: int, root: Path, folders: DurableFolders, partials: Sequence[LocalPartial]
) -> list[Blob | TransientError]:
    paths = [_outcome(bind(partial.finish, sync=False)) for partial in partials]
    with storing("sync the store"):
        sync_file_system(descriptor)
    top, made = str(root), set[str]()

    def rename(partial: LocalPartial, path: str) -> Blob:
        # Texts and not Paths: this is done for every small file.
        sha256 = partial.sha256
        location = f"blobs/{digest_path(sha256)}"
        folder = f"{top}/{location[: -len(sha256) - 1]}"
        with storing(f"publish {location}"):
            partial.check_written()
            folders.make_for_now(folder)
            os.replace(path, f"{top}/{location}")  # noqa: PTH105
        made.add(folder)
        return Blob(sha256, partial.size, location)

    blobs = [
        path if isinstance(path, TransientError) else _outcome(bind(rename, partial, path))
        for partial, path in zip(partials, paths, strict=True)
    ]
    with storing("sync the store"):
        sync_file_system(descriptor)
    folders.note_synced(made)
    for partial, blob in zip(partials, blobs, strict=True):
        if isinstance(blob, Blob):
            partial.published()
    return blobs


def _outcome(step: Callable[[], Result]) -> Result | TransientError:
    try:
        return step()
    except TransientError as error:
        return error
