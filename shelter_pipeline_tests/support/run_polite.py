"""A process that asks hosts politely, many threads at once: waits for a line, visits its URLs, says how many.

python -m shelter_pipeline_tests.support.run_polite DATABASE_URL THREADS LEASE_SECONDS TIMES URL...
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.host_ledger import HostLedger
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.local_site import open_door


def main() -> None:
    database_url, threads, lease_seconds, times, *urls = sys.argv[1:]
    catalog = Catalog(database_url)
    ledger = HostLedger(catalog, lease_seconds=float(lease_seconds))
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
