"""The store that a text names: a folder of this machine, or a place on S3."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.store import BlobStore

if TYPE_CHECKING:
    from shelter_pipeline.vault.s3 import S3Store
    from shelter_pipeline.vault.s3_client import S3Options, S3Place

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def open_store(text: str | None, settings: Settings) -> BlobStore:
    """The store for writing; None means that of the settings. A folder is made if it is missing, a bucket is not.

    Nothing is asked of an S3 server before something is asked of the store; `prepare` does
    so at once. Raises SetupError `bad-store` for a text that names no store, or a folder
    that cannot be used.
    """
    where = text or settings.store
    return _on_s3(where, settings) if _has_scheme(where) else LocalStore(_folder(where, settings))


def find_store(text: str | None, settings: Settings) -> tuple[LocalStore | S3Store, int]:
    """A store that is there already, and how many of its files to read at once; nothing is made for it.

    Raises SetupError `bad-store` if there is none: an empty report would read like a proof.
    """
    where = text or settings.store
    if _has_scheme(where):
        store = _on_s3(where, settings)
        if store.is_empty():
            raise SetupError(f"{store.name} holds no store", reason="bad-store")
        return store, settings.s3_connections
    folder = _folder(where, settings)
    if not (folder / "blobs").is_dir():
        raise SetupError(f"{folder} holds no store", reason="bad-store")
    return LocalStore(folder), os.cpu_count() or 1


def _has_scheme(where: str) -> bool:
    return bool(_SCHEME.match(where))


def _folder(where: str, settings: Settings) -> Path:
    return Path(where).expanduser().absolute() if where else settings.store_path


def s3_place_of(settings: Settings) -> tuple[S3Place, S3Options] | None:
    """Where on S3 the settings' store is and how it is spoken to; None if it is a folder. Raises SetupError."""
    return _s3(settings.store, settings) if _has_scheme(settings.store) else None


def _on_s3(where: str, settings: Settings) -> S3Store:
    # Here, because it takes half a second, which no command with a folder should have to wait.
    from shelter_pipeline.vault.s3 import S3Store

    place, options = _s3(where, settings)
    return S3Store(place, settings.scratch_path, options)


def _s3(where: str, settings: Settings) -> tuple[S3Place, S3Options]:
    from shelter_pipeline.vault.s3_client import S3Options, S3Place

    options = S3Options(
        endpoint_url=settings.s3_endpoint_url or None,
        region=settings.s3_region or None,
        path_style=settings.s3_path_style,
        connections=settings.s3_connections,
        timeout_seconds=settings.s3_timeout_seconds,
        max_attempts=settings.s3_max_attempts,
    )
    return S3Place.parse(where), options
