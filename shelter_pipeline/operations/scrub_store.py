"""Re-reading a local store: what `shelter scrub` promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.scrub import scrub


def scrub_store(store_dir: Path) -> dict[str, Any]:
    """Counts and lists of what is ok, damaged, missing and extra; damaged blobs are moved, none deleted.

    Raises SetupError if there is no store in the folder: an empty report would read like a proof.
    """
    if not (store_dir / "blobs").is_dir():
        raise SetupError(f"{store_dir} holds no store", reason="bad-store")
    report = scrub(LocalStore(store_dir))
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
