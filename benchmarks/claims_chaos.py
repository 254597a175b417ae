"""Workers that claim and settle, killed, stopped for longer than their leases, their database restarted under them.

Every worker is a process that asks for files as a node does, works on each for a moment and
settles it. In the end every file has been settled once, by who held its lease then, and all
that came late is evidence. The full figures are those of the project's promises: 60 kills,
100 stops, 20 restarts in a minute. Run it as `python -m benchmarks.claims_chaos`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import sqlalchemy as sa

from benchmarks.claims_catalog import fill
from shelter_pipeline.catalog.claims import know_store
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline.embedded.postgres import EmbeddedPostgres

LEASE_SECONDS = 0.4
WORKERS = 4
_WORK_SECONDS = 0.01
_AWAY_SECONDS = 60.0  # how long a worker waits for its database
_IDLE_SECONDS = 6.0  # without anything to do it ends: longer than what others hold can last
_LONGEST_SECONDS = 600.0
_FIGURES = """
SELECT (SELECT count(*) FROM asset) AS files,
       (SELECT count(DISTINCT asset_id) FROM claim WHERE state = 'settled' AND outcome = 'not-found') AS settled,
       (SELECT count(*) FROM (SELECT asset_id FROM capture WHERE NOT late GROUP BY asset_id HAVING count(*) > 1) AS two)
           AS settled_twice,
       (SELECT count(*) FROM capture WHERE late) AS late,
       (SELECT count(*) FROM claim WHERE state = 'expired') AS expired,
       (SELECT count(*) FROM claim WHERE state = 'held') AS held,
       (SELECT count(*) FROM capture JOIN claim USING (token)
         WHERE NOT capture.late AND (claim.state <> 'settled' OR claim.node_id IS DISTINCT FROM capture.node_id))
           AS settled_by_others
"""


def work(name: str) -> None:
    """One worker: claim, work, settle, until nothing has been left for a while, whatever happens to the database."""
    from shelter_pipeline.catalog.nodes import know_node
    from shelter_pipeline.dispatch.patience import patiently
    from shelter_pipeline.operations.node_reports import Report, settle_reports
    from shelter_pipeline.operations.node_work import Wishes, allocate_work, housekeep
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.settings import load_settings

    with open_workplace(load_settings(), migrated=False) as workplace:
        node = patiently(lambda: know_node(workplace.catalog, name), for_seconds=_AWAY_SECONDS)
        print("ready", flush=True)
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < _IDLE_SECONDS:
            patiently(lambda: housekeep(workplace), for_seconds=_AWAY_SECONDS)
            items = patiently(
                lambda: allocate_work(workplace, node, Wishes(10**12, limit=5)), for_seconds=_AWAY_SECONDS
            )
            for item in items:
                idle_since = time.monotonic()
                time.sleep(_WORK_SECONDS)
                said = Report(item.asset_id, item.token, "permanent", "not-found")
                patiently(
                    lambda said=said: settle_reports(workplace, node, [said]),  # type: ignore[misc]
                    for_seconds=_AWAY_SECONDS,
                )
            time.sleep(0.02)


class Crew:
    """Workers that are replaced when they are killed; whatever is left of them at the end of the block is gone."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._hired = 0
        self.running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.running:
            self._end(worker)

    def hire(self, count: int) -> None:
        """So many more, at work when this returns."""
        hired = []
        for _ in range(count):
            self._hired += 1
            program = [sys.executable, "-m", "benchmarks.claims_chaos", "--work", f"worker-{self._hired}"]
            hired.append(subprocess.Popen(program, env=self._environment, stdout=subprocess.PIPE, text=True))
        self.running += hired
        for worker in hired:
            if worker.stdout is None or worker.stdout.readline() != "ready\n":
                sys.exit("a worker did not start")

    def kill(self) -> None:
        """End one at once, and hire another."""
        self._end(self.running.pop(random.randrange(len(self.running))))
        self.hire(1)

    def stop(self, count: int) -> None:
        """Let some sleep through two leases, and wake up."""
        sleepers = random.sample(self.running, count)
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGSTOP)
        time.sleep(2.5 * LEASE_SECONDS)
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGCONT)

    def _end(self, worker: subprocess.Popen[str]) -> None:
        worker.kill()
        worker.communicate()

    def finish(self) -> list[int]:
        """Wait until all have ended by themselves; their exit codes."""
        return [worker.wait(_LONGEST_SECONDS) for worker in self.running]


def strike_down(server: EmbeddedPostgres) -> None:
    """End the server as `pg_ctl stop -m immediate` does, and start it again."""
    postmaster = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
    postmaster.send_signal(signal.SIGQUIT)
    postmaster.wait(30)
    server.stop()
    server.start()


def run(folder: Path, *, files: int, kills: int, stops: int, restarts: int) -> dict[str, int]:
    """Everything in turn, over one catalog; returns what came of it."""
    with EmbeddedPostgres(folder / "home") as server:
        server.ensure_database("chaos")
        url = server.url("chaos")
        catalog = Catalog(url)
        migrate(catalog)
        fill(catalog, files)
        know_store(catalog, "test")
        environment = _environment(folder, url)
        with Crew(environment) as crew:
            crew.hire(WORKERS)
            for _ in range(kills):
                time.sleep(random.uniform(0.0, 0.4))
                crew.kill()
            for _ in range(-(-stops // (WORKERS - 1))):
                crew.stop(WORKERS - 1)
            for _ in range(restarts):
                begun = time.monotonic()
                strike_down(server)
                time.sleep(max(60 / 20 - (time.monotonic() - begun), 0.0))
            ended = crew.finish()
        with catalog.begin() as connection:
            found = dict(connection.execute(sa.text(_FIGURES)).mappings().one())
        catalog.close()
    return found | {"failed_workers": sum(code != 0 for code in ended)}


def _environment(folder: Path, url: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
    return clean | {
        "SHELTER_HOME": str(folder / "work"),
        "SHELTER_DATABASE_URL": url,
        "SHELTER_LEASE_SECONDS": str(LEASE_SECONDS),
        "SHELTER_HOST_CONNECTIONS": "50",
        "SHELTER_ASSET_MAX_ATTEMPTS": "1000",
    }


def main() -> int:
    """Run, print what came of it; 1 if anything was lost or done twice."""
    parser = argparse.ArgumentParser(prog="benchmarks.claims_chaos", description=__doc__)
    for name, usual in (("files", 6000), ("kills", 60), ("stops", 100), ("restarts", 20)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="shelter-chaos-")).resolve()
    folder.chmod(0o755)
    try:
        found = run(
            folder, files=options.files, kills=options.kills, stops=options.stops, restarts=options.restarts
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found))
    return 0 if is_right(found) else 1


def is_right(found: dict[str, int]) -> bool:
    """Whether every file was settled once, by its owner, and no worker was lost but those that were killed."""
    wrong = ("settled_twice", "settled_by_others", "held", "failed_workers")
    return found["settled"] == found["files"] and not any(found[name] for name in wrong)


if __name__ == "__main__":
    sys.exit(main())
