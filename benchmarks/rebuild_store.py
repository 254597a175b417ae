"""How fast a catalog is rebuilt: a made-up store of many batches, rebuilt on an embedded PostgreSQL.

    python benchmarks/rebuild_store.py --lines 500000

Prints the lines of manifests a second, and the most memory that the rebuild took. The store
is written without syncs, because only reading it is measured; one file in four belongs to
another dataset.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shelter_pipeline.domain.records import canonical_json
from shelter_pipeline.embedded.postgres import EmbeddedPostgres
from shelter_pipeline.operations.rebuild_catalog import rebuild_catalog
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import load_settings
from shelter_pipeline.vault.local import LocalStore

FILES_A_BATCH = 500
FILES_A_DATASET = 4
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PORTAL = {"kind": "datagov", "url": "https://portal.example", "slug": "portal"}


class UnsyncedStore(LocalStore):
    """A store that is written fast and only here."""

    def put_document(self, name: str, data: bytes) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def add(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        folder = self.root / "blobs" / "sha256" / sha256[:2] / sha256[2:4]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / sha256).write_bytes(data)
        return sha256


def fill(store: UnsyncedStore, lines: int) -> int:
    """Batches until there are so many lines; returns how many lines there are."""
    from shelter_pipeline.vault.manifest import write_manifest

    written = number = 0
    while written < lines:
        entries = list(batch(store, number))
        write_manifest(store, f"org-{number % 100}.host.{number // 100 + 1}", entries, year=2026)
        written += len(entries)
        number += 1
    return written


def batch(store: UnsyncedStore, number: int) -> list[dict[str, Any]]:
    organization = {"slug": f"org-{number % 100}", "key": f"org-{number % 100}", "name": "Office"}
    planned = (BEGIN + timedelta(minutes=number)).isoformat()
    head = {"line": "batch", "portal": PORTAL, "organization": organization, "host": None, "attempt": 1}
    found: list[dict[str, Any]] = [
        head | {"number": number // 100 + 1, "files": FILES_A_BATCH, "bytes": 0, "planned_at": planned}
    ]
    captures = []
    for start in range(0, FILES_A_BATCH, FILES_A_DATASET):
        name = f"dataset-{number}-{start}"
        urls = [f"https://data{number % 50}.example/{number}/{start + n}.csv" for n in range(FILES_A_DATASET)]
        found.append(dataset(store, name, organization, urls, planned))
        for place, url in enumerate(urls):
            body = f"{url}\n".encode()
            at = (BEGIN + timedelta(minutes=number, seconds=start + place)).isoformat()
            facts = {
                "url": url,
                "kind": "csv",
                "sha256": store.add(body),
                "size": len(body),
                "reason": "stored",
            }
            found.append(
                facts
                | {"line": "asset", "state": "held", "captured_at": at, "found_at": planned, "attempts": 0}
            )
            captures.append(
                facts
                | {"verdict": "stored", "status": 200, "final_url": url, "started_at": at, "finished_at": at}
                | {"heads": {"request": [["Accept", "*/*"]] * 4, "response": [["Server", "nginx" * 5]] * 10}}
            )
    return found + captures


def dataset(
    store: UnsyncedStore, name: str, organization: dict[str, str], urls: list[str], seen: str
) -> dict[str, Any]:
    distributions = [{"downloadURL": url, "mediaType": "text/csv", "title": url} for url in urls]
    dcat = {
        "identifier": name,
        "title": name,
        "description": "About it. " * 100,
        "distribution": distributions,
    }
    data = canonical_json({"slug": name, "title": name, "organization": organization, "dcat": dcat})
    record = hashlib.sha256(data).hexdigest()
    store.put_document(f"records/{record[:2]}/{record}.json", data)
    from shelter_pipeline.portals.kept_records import read_kept_record

    resources = [
        {
            "key": one.key,
            "classified_as": "file",
            "rule": "ending",
            "outcome": "found",
            "outcome_detail": "",
            "discovered_at": seen,
            "links": 1,
            "assets": [{"url": one.url, "via": "direct", "path": []}],
        }
        for one in read_kept_record("datagov", data).resources
    ]
    return {
        "line": "dataset",
        "portal": PORTAL,
        "organization": organization,
        "identifier": name,
        "record": record,
        "first_seen_at": seen,
        "changed_at": seen,
        "resources": resources,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the store and the database are made, and removed")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="shelter-rebuild-", dir=options.folder))
    folder.chmod(0o755)
    try:
        began = time.monotonic()
        lines = fill(UnsyncedStore(folder / "store"), options.lines)
        print(f"a store of {lines} lines was made in {time.monotonic() - began:.0f} s", flush=True)
        print(json.dumps(measured(folder, lines)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measured(folder: Path, lines: int) -> dict[str, Any]:
    before = peak_mib()
    with EmbeddedPostgres(folder / "pg") as server:
        url = SecretStr(server.url("postgres", "postgresql+psycopg"))
        settings = load_settings(home=folder / "home", database_url=url, store=str(folder / "other"))
        with open_workplace(settings) as workplace:
            report = rebuild_catalog(workplace, LocalStore(folder / "store"), progress=printed())
    return {
        **{name: value for name, value in report.items() if not isinstance(value, list)},
        "lines_per_second": round(lines / report["seconds"]),
        "peak_mib": peak_mib(),
        "peak_mib_before": before,
    }


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def printed() -> Any:
    last = [0.0]
    lock = threading.Lock()

    def show(name: str, done: int) -> None:
        with lock:
            if time.monotonic() - last[0] > 5:
                last[0] = time.monotonic()
                print(f"{time.strftime('%H:%M:%S')} {name}: {done}, {peak_mib()} MiB", flush=True)

    return show


if __name__ == "__main__":
    main()
