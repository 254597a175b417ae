"""Whether this machine's worker is heard of; `python -m shelter_pipeline.fleet.heard` is a container's health check.

Exit code 0 if the catalog heard its beat a moment ago, 1 with a sentence if not. It asks the catalog and not the
process, because a worker that works without being heard has its runs given to others.
"""

from __future__ import annotations

import socket
import sys
from contextlib import closing

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.fleet import list_workers
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.fleet import BEAT_SECONDS
from shelter_pipeline.embedded.database import open_catalog
from shelter_pipeline.settings import Settings, load_settings

_MISSED_BEATS = 4


def silence(settings: Settings) -> float | None:
    """Seconds since the worker of these settings, or any of this host without a name, was heard; None if never.

    Raises SetupError when the catalog cannot be asked.
    """
    host = socket.gethostname()
    with open_catalog(settings) as url, closing(Catalog(url, pool_size=1)) as catalog:
        ours = [
            float(row["silent_seconds"])
            for row in list_workers(catalog)
            if row["host"] == host and settings.worker_name in ("", row["name"])
        ]
    return min(ours, default=None)


def main() -> int:
    try:
        silent = silence(load_settings())
    except ShelterError as error:
        print(f"the worker cannot be looked for: {error}", file=sys.stderr)  # noqa: T201 - a health check's output
        return 1
    if silent is None or silent > _MISSED_BEATS * BEAT_SECONDS:
        since = "ever" if silent is None else f"for {silent:.0f} s"
        print(f"this machine's worker has not been heard of {since}", file=sys.stderr)  # noqa: T201 - the same
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
