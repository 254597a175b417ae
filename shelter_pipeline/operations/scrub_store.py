"""Re-reading a store: what `shelter scrub` promises."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.scrubs import note_scrub
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.open_store import find_store
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.scrub import scrub


def scrub_store(text: str | None, settings: Settings) -> dict[str, Any]:
    """Counts and lists of what is ok, damaged, missing and extra; damaged blobs are moved, none deleted.

    `text` names a folder or a place on S3, None the store of the settings. Raises
    SetupError if there is no store: an empty report would read like a proof.
    """
    store, threads = find_store(text, settings)
    report = scrub(store, threads=threads)
    return {
        "ok": report.ok,
        "damaged": len(report.damaged),
        "missing": len(report.missing),
        "extra": len(report.extra),
        "unlisted": report.unlisted,
        "bytes_read": report.bytes_read,
        "damaged_files": report.damaged,
        "missing_files": report.missing,
        "extra_files": report.extra,
        "quarantined": report.quarantined,
    }


def note_if_known(settings: Settings, result: dict[str, Any]) -> list[str]:
    """Keep the result of a scrub of the settings' store in its catalog; a sentence if that cannot be done.

    What was read is worth having without the catalog, which may be what is broken.
    """
    try:
        with open_workplace(settings) as workplace:
            note_scrub(workplace.catalog, workplace.store.name, result)
    except ShelterError as error:
        return [f"the catalog does not know of this scrub, and nobody is told: {error}"]
    return []
