"""A door, a store and a downloader with limits short enough for tests."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from shelter_pipeline.fetching.door import Door, Limits
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.vault.local import LocalStore

LOOPBACK = (ip_network("127.0.0.0/8"),)
USER_AGENT = "Shelter-tests/1 (+https://example.org/)"
SHORT = Limits(
    connect_seconds=2,
    head_seconds=5,
    total_seconds=10,
    stall_window_seconds=2,
    min_bytes_per_second=200,
    max_bytes=1_000_000,
    max_redirects=5,
)


def door(**limits: Any) -> Door:
    return Door(replace(SHORT, **limits), allowed_networks=LOOPBACK, user_agent=USER_AGENT)


def downloader(store: LocalStore, *, max_attempts: int = 2, **limits: Any) -> Downloader:
    return Downloader(door(**limits), store, max_attempts=max_attempts, retry_delay_seconds=0.01)


def files_in(root: Path, *folders: str) -> list[Path]:
    """Every file below these folders of a store, or below its root."""
    tops = [root / folder for folder in folders] or [root]
    return sorted(path for top in tops for path in top.rglob("*") if path.is_file())
