"""Harvests of a portal of data.gov's size against a local server: ours, our peers', and raw COPY, in one run.

Every contestant runs in a process of its own, on the same PostgreSQL with the settings of
the embedded default (fsync on), each in a database of its own. Run it as
`python -m benchmarks.harvest`; `benchmarks/README.md` says what each number means.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.editions import write_edition
from benchmarks.measuring import Postgres, Ran, as_dict, machine, run_program
from benchmarks.report import INCREMENT, show
from benchmarks.shape import Size
from shelter_pipeline.embedded.postgres import EmbeddedPostgres

OURS = "ours"
# By name only: what they need is imported in the process that runs them.
ROW_PEERS = ("copy", "copy-binary", "copy-bare", "executemany", "orm", "pandas", "pandas-multi")
FULL_SIZE = frozenset({"copy", "copy-binary", "copy-bare"})
PEERS = (*ROW_PEERS, "ckanapi")
_READS = 64


@dataclass(slots=True)
class Lab:
    """What all measurements share: the sizes, the server of pages, the database server, the results so far."""

    sizes: argparse.Namespace
    folder: Path
    site: str
    postgres: EmbeddedPostgres
    meter: Postgres
    results: dict[str, Any] = field(default_factory=dict)

    def database(self, name: str) -> str:
        """A new database, as its URL."""
        self.postgres.ensure_database(name)
        return self.postgres.url(name, "postgresql")

    def settle(self) -> None:
        """Write out what the contestant before left behind."""
        with psycopg.connect(self.postgres.url("postgres", "postgresql"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def shelter(self, database: str, *arguments: str) -> Ran:
        """A `shelter` command as an operator runs it, on one database."""
        self.settle()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
        environment |= {
            "SHELTER_HOME": str(self.folder / "home"),
            "SHELTER_DATABASE_URL": database,
            "SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
        return run_program(
            [sys.executable, "-m", "shelter_pipeline.cli", *arguments], environment, self.meter
        )


def say(sentence: str) -> None:
    """Progress, apart from the result."""
    print(sentence, file=sys.stderr, flush=True)


def measure_server(lab: Lab) -> None:
    """What the server of pages gives to a reader that only throws away: it must not be what limits anybody."""
    host = urlsplit(lab.site).netloc
    begun, used = time.perf_counter(), _server_seconds(host)
    connection = http.client.HTTPConnection(host)
    pages, read, after = 0, 0, ""
    while pages < _READS:
        connection.request("GET", f"/search?per_page=1000{after}")
        body = connection.getresponse().read()
        pages, read = pages + 1, read + len(body)
        position = body.rfind(b'"after":"', max(0, len(body) - 400))
        if position < 0:
            break
        after = "&after=" + body[position + 9 :].split(b'"', 1)[0].decode()
    connection.close()
    wall = time.perf_counter() - begun
    lab.results["server"] = {
        "pages": pages,
        "pages_per_second": round(pages / wall, 1),
        "megabytes_per_second": round(read / wall / 1e6, 1),
        "cpu_ms_per_page": round((_server_seconds(host) - used) / pages * 1000, 2),
    }


def _server_seconds(host: str) -> float:
    return float(_ask(host, "/-/seconds"))


def _ask(host: str, path: str) -> Any:
    connection = http.client.HTTPConnection(host)
    connection.request("GET", path)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def measure_harvests(lab: Lab) -> None:
    """Our code through the doors of production, on all three kinds of portal."""
    datagov, document = f"datagov:{lab.site}", f"dcat_us:{lab.site}/data.json"
    ckan = f"ckan:{lab.site}/first-{lab.sizes.ckan_datasets}"
    plan = (
        ("data.gov, first load", "datagov", datagov, "full", "first"),
        ("data.gov, unchanged", "datagov", datagov, "full", "first"),
        (INCREMENT, "datagov", datagov, "increment", "first"),
        ("data.gov, 1 % changed", "datagov", datagov, "full", "changed"),
        ("DCAT-US document", "document", document, "full", "first"),
        ("CKAN, first load", "ckan", ckan, "full", "first"),
    )
    runs: list[dict[str, Any]] = []
    for title, database, portal, mode, edition in plan:
        say(f"harvest: {title}")
        _ask(urlsplit(lab.site).netloc, f"/-/{edition}")
        ran = lab.shelter(lab.database(database), "harvest", "--portal", portal, "--mode", mode, "--json")
        report = json.loads(ran.output)
        counted = {
            name: report.get(name) for name in ("verdict", "seen", "new", "changed", "unchanged", "resources")
        }
        runs.append({"run": title, **counted, **as_dict(ran.cost), "peak_bytes": ran.peak_bytes})
    lab.results["harvests"] = runs


def measure_loading(lab: Lab, names: list[str]) -> None:
    """The database part alone: ours and the peers, the fast ones at full size, all at the peers' size."""
    sizes = lab.sizes
    sample = min(sizes.peer_datasets, sizes.datasets)
    plan = [(OURS, sizes.datasets), *((name, sizes.datasets) for name in names if name in FULL_SIZE)]
    if sample != sizes.datasets:
        plan += [(OURS, sample), *((name, sample) for name in names if name in FULL_SIZE)]
    plan += [(name, sample) for name in names if name in ROW_PEERS and name not in FULL_SIZE]
    loads: list[dict[str, Any]] = []
    for number, (name, datasets) in enumerate(plan):
        say(f"loading: {name}, {datasets} datasets")
        command = [sys.executable, "-m", "benchmarks.contestant", name]
        command += ["--url", lab.database(f"load_{number}"), "--folder", str(lab.folder)]
        command += ["--datasets", str(datasets), "--postmaster", str(lab.meter.postmaster)]
        ran = run_program(command, os.environ)
        loads.append({"contestant": name, **json.loads(ran.output), "peak_bytes": ran.peak_bytes})
        _drop(lab, f"load_{number}")
    lab.results["loading"] = loads


def _drop(lab: Lab, name: str) -> None:
    with psycopg.connect(lab.postgres.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def measure_ckanapi(lab: Lab) -> None:
    """`ckanapi dump datasets --all` of a smaller portal, into a file; ours of the same, into the catalog."""
    beside = Path(sys.executable).parent
    program = shutil.which("ckanapi", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        say("ckanapi is not installed: pip install --group bench")
        return
    _ask(urlsplit(lab.site).netloc, "/-/first")
    datasets = min(lab.sizes.peer_datasets, lab.sizes.ckan_datasets)
    portal, target = f"{lab.site}/first-{datasets}", lab.folder / "dump.jsonl"
    say(f"ckanapi: {datasets} datasets")
    command = [program, "dump", "datasets", "--all", "-q", "-r", portal, "-O", str(target)]
    # It starts workers by its own name.
    path = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"
    theirs = run_program(command, {**os.environ, "NO_PROXY": "127.0.0.1", "PATH": path})
    with target.open("rb") as dump:
        dumped = sum(1 for _ in dump)
    ours = lab.shelter(lab.database("ckanapi"), "harvest", "--portal", f"ckan:{portal}", "--json")
    lab.results["ckanapi"] = [
        {
            "contestant": "ckanapi",
            "datasets": dumped,
            **as_dict(theirs.cost),
            "peak_bytes": theirs.peak_bytes,
        },
        {"contestant": OURS, "datasets": json.loads(ours.output)["seen"], "wall": round(ours.cost.wall, 3)},
    ]


@contextmanager
def open_lab(sizes: argparse.Namespace) -> Iterator[Lab]:
    """The generated editions, the server that gives them and a PostgreSQL, for the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="shelter-bench-", dir=sizes.folder)).resolve()
    folder.chmod(0o755)  # the server's account has to reach its own folder in it
    size = Size(sizes.datasets, sizes.resources)
    try:
        say("generating pages")
        write_edition(folder, "datagov", size)
        share = sizes.resources / sizes.datasets
        write_edition(folder, "ckan", Size(sizes.ckan_datasets, round(sizes.ckan_datasets * share)))
        length, most = sizes.document_megabytes * 1_000_000, sizes.document_megabytes * 1000
        write_edition(folder, "dcat_us", Size(most, round(most * share)), up_to_bytes=length)
        with _serving(folder) as site, EmbeddedPostgres(folder / "home") as postgres:
            postmaster = int((postgres.data / "postmaster.pid").read_text().split()[0])
            yield Lab(sizes, folder, site, postgres, Postgres(postmaster))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = (server.stdout.readline() if server.stdout else "").strip()
            if not url:
                raise RuntimeError(f"{' '.join(command)} did not come up")
            yield url
        finally:
            server.kill()


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The sizes and what is to be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=526_000)
    parser.add_argument("--resources", type=int, default=2_000_000)
    parser.add_argument("--peers", default="all", help=f"all, none, or names: {', '.join(PEERS)}")
    parser.add_argument("--peer-datasets", type=int, default=20_000, help="what slow peers load")
    parser.add_argument(
        "--ckan-datasets", type=int, help="size of the CKAN portal; default: --datasets, at most 100,000"
    )
    parser.add_argument("--document-megabytes", type=int, default=120, help="size of the DCAT-US document")
    parser.add_argument("--folder", help="where pages and database are put meanwhile; default: the system's")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="keep results here, step by step; what is in it is not done again",
    )
    sizes = parser.parse_args(arguments)
    chosen = {"all": list(PEERS), "none": []}.get(sizes.peers, sizes.peers.split(","))
    if unknown := set(chosen) - set(PEERS):
        parser.error(f"--peers: there is no {', '.join(sorted(unknown))}; known are {', '.join(PEERS)}")
    if sizes.datasets < 1 or sizes.resources < 1:
        parser.error("--datasets and --resources must be positive")
    sizes.peers = chosen
    sizes.ckan_datasets = sizes.ckan_datasets or min(sizes.datasets, 100_000)
    return sizes


def main() -> None:
    """Measure, print, and write down what was asked for."""
    sizes = parse()
    steps: dict[str, Callable[[Lab], None]] = {
        "server": measure_server,
        "harvests": measure_harvests,
        "loading": lambda lab: measure_loading(lab, sizes.peers),
        "ckanapi": measure_ckanapi,
    }
    if "ckanapi" not in sizes.peers:
        del steps["ckanapi"]
    with open_lab(sizes) as lab:
        with psycopg.connect(lab.postgres.url("postgres", "postgresql")) as connection:
            version = str(connection.info.parameter_status("server_version"))
        measured = {name: value for name, value in vars(sizes).items() if name not in ("json", "folder")}
        lab.results.update(_earlier(sizes.json, measured), machine=machine(version), sizes=measured)
        for name, measure in steps.items():
            if name not in lab.results:
                measure(lab)
                _keep(sizes.json, lab.results)
        results = lab.results
    show(results)


def _earlier(file: Path | None, sizes: dict[str, Any]) -> dict[str, Any]:
    """What an earlier run of these sizes has measured before it was broken off."""
    if file is None or not file.exists():
        return {}
    earlier: dict[str, Any] = json.loads(file.read_text())
    return earlier if earlier.get("sizes") == sizes else {}


def _keep(file: Path | None, results: dict[str, Any]) -> None:
    if file is not None:
        file.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
