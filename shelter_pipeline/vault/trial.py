"""Trying a store out: whether it gives back what is put into it, and keeps the promises that we rely on.

Nothing that was saved is touched. What is put is small, has a name of its own and is
removed; in a folder it is a partial, which a sweep would remove if we could not.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.vault.durability import sync_folder
from shelter_pipeline.vault.partial import storing
from shelter_pipeline.vault.store import FOLDERS

if TYPE_CHECKING:
    from shelter_pipeline.vault.s3_client import S3Options, S3Place

_PATIENCE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class BucketTrial:
    """What a bucket lacks of what we rely on, in sentences, and by how much our clock is ahead of its server's."""

    missing: tuple[str, ...]
    clock_offset_seconds: float | None


def is_store(root: Path) -> bool:
    """Whether a store is there already."""
    return (root / "blobs").is_dir()


def try_folder(root: Path) -> None:
    """Write, sync, read, rename and remove a file where files arrive.

    Raises TransientError `no-space` or `store-failed`, DamagedError if it comes back as something else.
    """
    body = uuid.uuid4().bytes
    begun = root / "partial" / f"trial-{body.hex()}.part"
    ended = begun.with_name(f"trial-{body.hex()}.done.part")
    with storing(f"write to {root}"):
        try:
            with begun.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            begun.rename(ended)
            sync_folder(ended.parent)
            if ended.read_bytes() != body:
                raise DamagedError(f"{root} gives back other bytes than were written", reason="mismatch")
        finally:
            begun.unlink(missing_ok=True)
            ended.unlink(missing_ok=True)


def foreign_folders(root: Path) -> list[str]:
    """Folders of a store on another file system than where its files arrive: nothing can be renamed into them."""
    home = (root / "partial").stat().st_dev
    return [name for name in FOLDERS if (root / name).is_dir() and (root / name).stat().st_dev != home]


def try_bucket(place: S3Place, options: S3Options) -> BucketTrial:
    """Put, read and remove an object, and see whether conditions and checksums are honoured.

    Raises SetupError if we are refused, S3Error if the server fails, DamagedError if it gives back something else.
    """
    # Here, because boto3 takes half a second, which nobody with a folder should have to wait.
    from shelter_pipeline.vault.s3_bucket import Bucket
    from shelter_pipeline.vault.s3_capabilities import find_capabilities
    from shelter_pipeline.vault.s3_client import connect
    from shelter_pipeline.vault.s3_source import checksum_of

    bucket = Bucket(
        connect(replace(options, timeout_seconds=_PATIENCE_SECONDS, max_attempts=1, connections=1)), place
    )
    capabilities = find_capabilities(bucket)
    body = uuid.uuid4().bytes
    location = f"probe/{body.hex()}"
    bucket.put(location, body, checksum_of(body), if_absent=False)
    try:
        with bucket.open(location) as file:
            if file.read() != body:
                raise DamagedError(f"{place.name} gives back other bytes than were put", reason="mismatch")
    finally:
        bucket.delete(location)
    theirs = bucket.exists()
    # Their clock is told in whole seconds.
    offset = (datetime.now(UTC) - theirs).total_seconds() if theirs else None
    return BucketTrial(capabilities.sentences, offset)
