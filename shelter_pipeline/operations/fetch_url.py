"""One URL through the real engine into a store: what `shelter fetch` promises.

The store alone remembers: the capture is written as a manifest of its own, and the next
fetch of the same URL asks the server only whether it changed, provided that the blob is
still there and its end was verified the last time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

from shelter_pipeline.domain.errors import DamagedError, TransientError
from shelter_pipeline.domain.verdicts import Verdict, holds_file, verdict_of
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.download import Capture, Downloader, Promise
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.operations.open_store import open_store
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.manifest import read_manifests, write_manifest
from shelter_pipeline.vault.store import BlobStore


def fetch_url(
    url: str, *, settings: Settings, store: str, progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Fetch once and say how it ended: verdict, reason, sha256, size, requests, flags, final_url.

    `progress` is told how many bytes of the file are here. Raises SetupError if the store
    cannot be used.
    """
    kept = open_store(store, settings)
    kept.prepare()
    batch_key = f"fetch-{hashlib.sha256(url.encode(errors='surrogatepass')).hexdigest()[:32]}"
    with Politeness.of(settings) as politeness, closing(RobotsBook.of(settings, politeness)) as robots:
        downloader = Downloader(
            Door.of(settings),
            kept,
            max_attempts=settings.fetch_max_attempts,
            retry_delay_seconds=settings.fetch_retry_delay_seconds,
            politeness=politeness,
            rules=content_rules(settings.content_rules),
            robots=robots,
        )
        capture = downloader.fetch(url, _held(kept, batch_key), progress=progress)
    capture = _written_down(kept, batch_key, capture)
    return {
        "verdict": capture.verdict.value,
        "reason": capture.reason,
        "sha256": capture.sha256,
        "size": capture.size,
        "requests": capture.requests,
        "flags": list(capture.flags),
        "final_url": capture.final_url,
    }


def _written_down(store: BlobStore, batch_key: str, capture: Capture) -> Capture:
    """The capture, once the store remembers it; what it cannot remember has not been saved, for whoever looks later."""
    entry = {**capture.facts(), "datasets": []}
    try:
        write_manifest(store, batch_key, [entry], year=capture.started_at.year)
    except TransientError as error:
        return replace(
            capture,
            verdict=verdict_of(error.reason),
            reason=error.reason,
            detail=str(error),
            sha256=None,
            size=None,
        )
    return capture


def _held(store: BlobStore, batch_key: str) -> Promise:
    """What the store still holds of this URL, as the condition of the next request."""
    try:
        entries = [entry for manifest in read_manifests(store, batch_key) for entry in manifest.entries]
    except DamagedError:  # a scrub reports it; for a fetch it means that nothing is known to be held
        return Promise()
    held = [entry for entry in entries if entry["sha256"] and holds_file(Verdict(entry["verdict"]))]
    if not held:
        return Promise()
    latest = max(held, key=lambda entry: datetime.fromisoformat(entry["finished_at"]))
    sha256: str = latest["sha256"]
    if store.size_of(sha256) != latest["size"]:
        return Promise()
    if "length-unverified" in latest["flags"]:
        return Promise(held_sha256=sha256, held_size=latest["size"])  # only all the bytes again can verify it
    return Promise(
        etag=latest["etag"],
        last_modified=latest["last_modified"],
        held_sha256=sha256,
        held_size=latest["size"],
    )
