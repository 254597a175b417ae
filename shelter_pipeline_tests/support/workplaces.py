"""A workplace of a test's own: real catalog, real store, a door that is open to loopback and to nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.settings import Settings, load_settings


def settings_for(catalog_url: str, store: Path, /, **changes: Any) -> Settings:
    """Settings under which a rescue of a portal on loopback wastes no time."""
    values: dict[str, Any] = {
        "home": store.parent / "home",
        "database_url": catalog_url,
        "dagster_database_url": catalog_url,  # not used here, and so not made
        "store": str(store),
        "allowed_networks": "127.0.0.0/8",
        "fetch_retry_delay_seconds": 0.01,
        "host_connections": 8,
    }
    return load_settings(**(values | changes))


@contextmanager
def a_workplace(catalog_url: str, store: Path, /, **changes: Any) -> Iterator[Workplace]:
    """The rooms over this catalog and a local store in this folder."""
    with open_workplace(settings_for(catalog_url, store, **changes)) as workplace:
        yield workplace
