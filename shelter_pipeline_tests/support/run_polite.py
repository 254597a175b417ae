"""A process that asks hosts politely, many threads at once: waits for a line, visits its URLs, says how many.

python -m shelter_pipeline_tests.support.run_polite DATABASE_URL THREADS LEASE_SECONDS LEDGER_PAUSE_SECONDS TIMES URL...
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.host_ledger import HostLedger
from shelter_pipeline.domain.host_sharing import Grants, Wishes
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.local_site import open_door


class SlowLedger(HostLedger):
    """The ledger of a database that is far away: a pause before each answer, and one until it is heard."""

    def __init__(self, catalog: Catalog, lease_seconds: float, pause_seconds: float) -> None:
        super().__init__(catalog, lease_seconds=lease_seconds)
        self._pause_seconds = pause_seconds

    def settle(self, wishes: Wishes) -> Grants:
        """As the ledger, later."""
        time.sleep(self._pause_seconds)
        grants = super().settle(wishes)
        time.sleep(self._pause_seconds)
        return grants


def main() -> None:
    database_url, threads, lease_seconds, pause_seconds, times, *urls = sys.argv[1:]
    catalog = Catalog(database_url)
    ledger = SlowLedger(catalog, float(lease_seconds), float(pause_seconds))
    settings = load_settings(allowed_networks="127.0.0.0/8")
    with Politeness.of(settings, ledger) as politeness:
        door = PoliteDoor(open_door(), politeness)

        def visit(url: str) -> None:
            door.read(url)

        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        with ThreadPoolExecutor(int(threads)) as pool:
            visited = list(pool.map(visit, urls * int(times)))
    catalog.close()
    sys.stdout.write(f"{len(visited)}\n")


if __name__ == "__main__":
    main()
