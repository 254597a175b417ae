"""One contestant of the database part, in a process of its own: `python -m benchmarks.contestant NAME ...`.

Records are read and parsed outside the clock, a group at a time; inside it is only what
the contestant does to have the group committed. What was stored is then counted and
digested, so that nobody wins by storing less.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.editions import Edition
from benchmarks.measuring import Cost, Postgres, Stopwatch, as_dict
from benchmarks.peers import PEERS
from benchmarks.rows import Owner, Rows, records_of, rows_of
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import end_harvest, open_harvest, record_group
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline.catalog.portals import PortalRow, add_portal, ensure_organizations
from shelter_pipeline.domain.records import DatasetRecord, OrganizationRecord

OURS = "ours"
PASSES = ("first", "unchanged", "changed")
GROUP = 5000  # SHELTER_HARVEST_GROUP_RECORDS as it comes
# Of what every contestant must have stored alike. Ids and times are everybody's own.
_DIGEST = """
WITH digests AS (
    SELECT hashtextextended(concat_ws('|', identifier, title, description, publisher, keywords, issued, modified,
                                      license, spatial, temporal, notes, raw, record_hash), 0) AS digest
      FROM dataset
    UNION ALL
    SELECT hashtextextended(concat_ws('|', identifier, key, position, role, url, resource.name,
                                      resource.description, format, media_type, size, checksum), 0)
      FROM resource JOIN dataset ON dataset.id = resource.dataset_id
    UNION ALL
    SELECT hashtextextended(concat_ws('|', identifier, harvest_id, popularity), 0)
      FROM sighting JOIN dataset ON dataset.id = sighting.dataset_id
)
SELECT (SELECT count(*) FROM dataset), (SELECT count(*) FROM resource), (SELECT count(*) FROM sighting),
       (SELECT sum(digest::numeric) FROM digests)
"""


class Bench:
    """An empty catalog with the portal and its organizations in it, and the edition to be loaded."""

    def __init__(self, url: str, folder: Path, datasets: int, postgres: Postgres) -> None:
        self.catalog = Catalog(url)
        migrate(self.catalog)
        self.portal: PortalRow = add_portal(self.catalog, "datagov", "http://127.0.0.1:9")
        self._edition, self._datasets = Edition(folder, "datagov"), datasets
        self._postgres = postgres
        known = [
            OrganizationRecord(one.slug, one.name, one.kind) for one in self._edition.shape.organizations
        ]
        with self.catalog.begin() as connection:
            self._organizations = ensure_organizations(connection, self.portal, known)

    def settle(self) -> None:
        """Let what others left to be written be written before the clock starts."""
        with self.catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("CHECKPOINT"))

    def groups(self, *, changed: bool = False) -> Iterator[tuple[int, list[DatasetRecord]]]:
        """The position of each group and its records."""
        for first in range(0, self._datasets, GROUP):
            last = min(first + GROUP, self._datasets)
            yield first, records_of(self._edition, first, last, changed=changed)

    def ours(self, *, changed: bool = False) -> Cost:
        """One whole harvest through the catalog's own door."""
        self.settle()
        watch = Stopwatch(self._postgres)
        with watch.running():
            harvest = open_harvest(self.catalog, self.portal, mode="full", since=None, resume_hours=0)
        for first, records in self.groups(changed=changed):
            with watch.running():
                record_group(
                    self.catalog,
                    self.portal,
                    harvest,
                    records,
                    cursor=str(first),
                    requests=1,
                    changed_until=None,
                )
        with watch.running():
            end_harvest(self.catalog, harvest, verdict="complete", message=None)
        return watch.stop()

    def theirs(self, name: str) -> Cost:
        """The first load by a peer."""
        peer = next(peer for peer in PEERS if peer.name == name)
        harvest = open_harvest(self.catalog, self.portal, mode="full", since=None, resume_hours=0)
        owner = Owner(self.portal.id, harvest.id, self._organizations)
        store = peer.begin(self.catalog.engine)
        self.settle()
        watch = Stopwatch(self._postgres)
        for first, records in self.groups():
            rows: Rows = rows_of(records, first, owner)
            with watch.running():
                store(rows)
        return watch.stop()

    def stored(self) -> dict[str, Any]:
        """How many rows there are, and a digest of all of them."""
        with self.catalog.begin() as connection:
            datasets, resources, sightings, digest = connection.execute(sa.text(_DIGEST)).one()
        return {
            "datasets": datasets,
            "resources": resources,
            "sightings": sightings,
            "rows": datasets + resources + sightings,
            "digest": str(digest),
        }


def main() -> None:
    """Run one contestant and print what it cost and what it stored, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[OURS, *(peer.name for peer in PEERS)])
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--datasets", type=int, required=True)
    parser.add_argument("--postmaster", type=int, required=True)
    asked = parser.parse_args()
    bench = Bench(asked.url, asked.folder, asked.datasets, Postgres(asked.postmaster))
    if asked.name != OURS:
        costs = {"first": bench.theirs(asked.name)}
        stored = bench.stored()
    else:
        costs = {"first": bench.ours()}
        stored = bench.stored()  # before later harvests put their number into the sightings
        costs |= {"unchanged": bench.ours(), "changed": bench.ours(changed=True)}
    print(json.dumps({"stored": stored, "costs": {name: as_dict(cost) for name, cost in costs.items()}}))


if __name__ == "__main__":
    main()
