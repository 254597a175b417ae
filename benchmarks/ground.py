"""Where a benchmark of the catalog stands: a PostgreSQL of its own with an empty catalog, gone afterwards."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.measuring import Postgres, Ran, as_dict, machine, run_program
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline.embedded.postgres import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Ground:
    """A folder with room, the catalog's URL, and what its server costs."""

    folder: Path
    url: str
    meter: Postgres

    def machine(self) -> dict[str, Any]:
        """What it is measured on."""
        with psycopg.connect(self.url) as connection:
            (version,) = connection.execute("SHOW server_version").fetchone() or ("",)
        return machine(str(version))

    def timed(self, work: Callable[[], object]) -> dict[str, float]:
        """Seconds of the clock, and of the processors that PostgreSQL had for itself."""
        begun, before = time.perf_counter(), self.meter.seconds()
        work()
        return {
            "wall": round(time.perf_counter() - begun, 2),
            "postgres": round(self.meter.seconds() - before, 2),
        }

    def run_part(self, module: str, part: str) -> dict[str, Any]:
        """What a contestant (`python -m MODULE --part PART`, a process of its own) tells last, and its costs."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
        environment = clean | {
            "SHELTER_HOME": str(self.folder / "home"),
            "SHELTER_DATABASE_URL": self.url,
            "SHELTER_DAGSTER_DATABASE_URL": self.url,
            "TMPDIR": str(self.folder),
        }
        ran: Ran = run_program([sys.executable, "-m", module, "--part", part], environment, self.meter)
        told: dict[str, Any] = json.loads(ran.output.splitlines()[-1])
        return {**told, **as_dict(ran.cost), "peak_bytes": ran.peak_bytes}


@contextmanager
def a_ground(database: str, parent: Path | None) -> Iterator[Ground]:
    """An empty catalog in a database of this name; everything lies below `parent`, else where temporary files do."""
    with tempfile.TemporaryDirectory(prefix="shelter-bench-", dir=parent) as made:
        folder = Path(made).resolve()
        folder.chmod(0o755)  # the server's account has to reach its own folder in it
        with EmbeddedPostgres(folder / "home") as postgres:
            postgres.ensure_database(database)
            url = postgres.url(database, "postgresql")
            with closing(Catalog(url)) as catalog:
                migrate(catalog)
            yield Ground(
                folder, url, Postgres(int((postgres.data / "postmaster.pid").read_text().split()[0]))
            )


def concluded(results: dict[str, Any], kept: Path | None, show: Callable[[dict[str, Any]], bool]) -> int:
    """Keep the results where that is wanted, and show them: the exit code, 1 if a goal is missed."""
    if kept:
        kept.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if show(results) else 1
