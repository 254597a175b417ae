"""Removing what crashed writers left half-written, and nothing that anybody works on."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from shelter_pipeline.vault.keeping import DATA, NOTE, is_in_use


def sweep(folder: Path, older_than_seconds: float, *, kept_seconds: float | None = None) -> int:
    """Remove partials last written longer ago than that; returns how many, notes not counted.

    What was kept to be taken up may be `kept_seconds` old, which is `older_than_seconds`
    unless it is given.
    """
    now = time.time()
    oldest, oldest_kept = now - older_than_seconds, now - (kept_seconds or older_than_seconds)
    swept = 0
    for path in sorted(folder.iterdir(), reverse=True):  # a .part before its .json
        with suppress(FileNotFoundError):  # its own writer was quicker
            if path.suffix == NOTE:
                _sweep_note(path, oldest)
            elif path.lstat().st_mtime <= (oldest_kept if _is_kept(path) else oldest):
                swept += _remove(path)
    return swept


def _is_kept(path: Path) -> bool:
    return path.suffix == DATA and path.with_suffix(NOTE).exists()


def _remove(path: Path) -> bool:
    if path.suffix == DATA:
        if is_in_use(path):
            return False
        path.with_suffix(NOTE).unlink(missing_ok=True)
    path.unlink()
    return True


def _sweep_note(path: Path, oldest: float) -> None:
    """A note goes with its bytes; one without any was left by a writer that died between the two."""
    if not path.with_suffix(DATA).exists() and path.lstat().st_mtime <= oldest:
        path.unlink()
