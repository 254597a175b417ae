"""The store: whether it is there, gives back what it is given, and keeps the promises that we rely on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from shelter_pipeline.domain.errors import DamagedError, SetupError, TransientError
from shelter_pipeline.domain.findings import Finding, failed, ok, skipped, warning
from shelter_pipeline.operations.doctor.clock import clock_finding
from shelter_pipeline.operations.open_store import s3_place_of
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.trial import foreign_folders, is_store, try_bucket, try_folder

_CHECK = "store"


def check_store(settings: Settings) -> Iterator[Finding]:
    """The store of the settings, tried with a probe that is removed."""
    if s3_place_of(settings) is None:
        yield from _folder(settings.store_path)
    else:
        yield from _bucket(settings)


def _folder(root: Path) -> Iterator[Finding]:
    if not is_store(root):
        yield _to_be_made(root)
        return
    foreign = foreign_folders(root)
    if foreign:
        yield failed(
            _CHECK,
            f"{', '.join(foreign)} of {root} is on another file system than partial: no file can be renamed into it",
            "Keep the whole store on one file system.",
        )
    try:
        try_folder(root)
    except (TransientError, DamagedError) as error:
        yield failed(
            _CHECK, str(error), "Look at the disk, its mount options and the rights of this account."
        )
        return
    yield ok(_CHECK, f"{root} takes a file, keeps it, gives it back")


def _to_be_made(root: Path) -> Finding:
    above = next(path for path in (root, *root.parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        return failed(
            _CHECK,
            f"{root} is not there and cannot be made in {above}",
            "Set SHELTER_STORE to a folder that can be.",
        )
    if root.is_dir() and any(root.iterdir()):
        return warning(
            _CHECK,
            f"{root} is not empty and no store: one would be made among what is there",
            "Set SHELTER_STORE to an empty folder, or mount the disk that holds the store.",
        )
    return skipped(_CHECK, f"{root} is not there yet; it is made when something is stored first")


def _bucket(settings: Settings) -> Iterator[Finding]:
    found = s3_place_of(settings)
    if found is None:
        return
    place, options = found
    try:
        trial = try_bucket(place, options)
    except (SetupError, TransientError, DamagedError) as error:
        yield failed(
            _CHECK,
            str(error),
            "Check SHELTER_S3_ENDPOINT_URL, the bucket, its rights, and the credentials of boto3.",
        )
        return
    yield ok(_CHECK, f"{place.name} takes an object, keeps it, gives it back")
    for sentence in trial.missing:
        yield warning(_CHECK, f"{place.name}: {sentence}", "Use a server or a version that does.")
    if trial.clock_offset_seconds is not None:
        yield clock_finding(f"the server of {place.name}", trial.clock_offset_seconds)
