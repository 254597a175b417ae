"""A door, a store, a downloader and a whole `shelter fetch` with limits short enough for tests."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from shelter_pipeline.fetching.door import Door, Limits
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.operations.fetch_url import fetch_url
from shelter_pipeline.settings import Settings, load_settings
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
# The same limits as an operator would set them.
SHORT_SETTINGS = {
    "allowed_networks": "127.0.0.0/8",
    "user_agent": USER_AGENT,
    "fetch_connect_timeout_seconds": 2,
    "fetch_head_timeout_seconds": 5,
    "fetch_total_deadline_seconds": 10,
    "fetch_stall_window_seconds": 2,
    "fetch_min_bytes_per_second": 200,
    "fetch_max_bytes": 1_000_000,
    "fetch_max_redirects": 5,
    "fetch_max_attempts": 2,
    "fetch_retry_delay_seconds": 0.01,
}


def door(**limits: Any) -> Door:
    return Door(replace(SHORT, **limits), allowed_networks=LOOPBACK, user_agent=USER_AGENT)


def downloader(store: LocalStore, *, max_attempts: int = 2, **limits: Any) -> Downloader:
    return Downloader(door(**limits), store, max_attempts=max_attempts, retry_delay_seconds=0.01)


def short_settings(**changes: Any) -> Settings:
    return load_settings(**(SHORT_SETTINGS | changes))


def fetched(url: str, store_dir: Path, **changes: Any) -> dict[str, Any]:
    """What `shelter fetch URL --json` would print, under short limits."""
    return fetch_url(url, settings=short_settings(**changes), store=str(store_dir))


def files_in(root: Path, *folders: str) -> list[Path]:
    """Every file below these folders of a store, or below its root."""
    tops = [root / folder for folder in folders] or [root]
    return sorted(path for top in tops for path in top.rglob("*") if path.is_file())


def bodies_in(root: Path) -> list[Path]:
    """Every body that a store keeps: as a blob, half received, or as a suspect that is more than nothing."""
    suspects = [path for path in files_in(root, "suspect") if path.stat().st_size]
    return [*files_in(root, "blobs", "partial"), *suspects]
