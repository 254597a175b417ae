"""Saving many URLs from a local server: ours and our peers, side by side in one run.

Every contestant runs in a process of its own against the same nginx and the same files;
after each the files are counted and their sizes compared with what the server has. Run it
as `python -m benchmarks.fetching`; `benchmarks/README.md` says what each number means.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.fetching_peers import PEERS, Work, is_installed
from benchmarks.fetching_report import ENGINE, OURS, show
from benchmarks.fetching_site import FileSet, Site, can_wait, find_nginx, make_sets, serving
from benchmarks.measuring import Cost, Postgres, Ran, as_dict, machine, run_program
from shelter_pipeline.embedded.postgres import EmbeddedPostgres

SETS = ("small", "medium", "large", "latency")
_OURS = (sys.executable, "-m", "benchmarks.fetching_ours")
_EVERYTHING = str(10**15)
_HASHED_BYTES = 256 * 1024 * 1024


@dataclass(slots=True)
class Lab:
    """What all contestants share: a folder, the site, the database server, the results so far."""

    folder: Path
    site: Site
    postgres: EmbeddedPostgres
    meter: Postgres
    profile: bool
    results: dict[str, Any] = field(default_factory=dict)

    def environment(self, files: FileSet) -> dict[str, str]:
        """The settings of ours: a set in one batch, and one host as fast as it can."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
        one_host = files.hosts == 1
        return clean | {
            "SHELTER_HOME": str(self.folder / "home"),
            "SHELTER_STORE": str(self.folder / "store"),
            "SHELTER_DATABASE_URL": self.postgres.url(files.name, "postgresql"),
            "SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8",
            "SHELTER_FETCH_CONNECTIONS": str(files.connections),
            "SHELTER_STORE_RESERVE_BYTES": "0",
            "SHELTER_HOST_CONNECTIONS": str(files.connections if one_host else 2),
            "SHELTER_BATCH_MAX_FILES": _EVERYTHING,
            "SHELTER_BATCH_MAX_BYTES": _EVERYTHING,
            "SHELTER_BATCH_MIN_FILES": "1" if one_host else _EVERYTHING,
        }

    def run_ours(self, files: FileSet, *arguments: str) -> Ran:
        """A part of ours; what it prints while being profiled is shown."""
        profile = ["--profile"] if self.profile and arguments[0] != "prepare" else []
        ran = run_program(
            [*_OURS, arguments[0], *profile, *arguments[1:]], self.environment(files), self.meter
        )
        if profile:
            print(ran.output, flush=True)
        return ran


def say(sentence: str) -> None:
    """Progress, apart from the result."""
    print(sentence, file=sys.stderr, flush=True)


def measure_set(lab: Lab, files: FileSet, peers: list[str]) -> None:
    """One set, by ours and then by every peer that can do it."""
    lab.results["sets"][files.name] = {
        "files": len(files.names),
        "bytes": files.bytes,
        "hosts": files.hosts,
        "connections": files.connections,
        "runs": (runs := {}),
    }
    runs[OURS] = measure_batch(lab, files)
    runs[ENGINE] = measure_engine(lab, files)
    for name in peers:
        if files.hosts > 1 and not PEERS[name].many_hosts:
            say(f"{files.name}: {name} asks one host only")
            continue
        runs[name] = measure_peer(lab, files, name)


def measure_batch(lab: Lab, files: FileSet) -> dict[str, Any]:
    """Ours: harvested, discovered and planned outside the clock, then a worker's whole work on the batch."""
    say(f"{files.name}: {OURS}")
    lab.postgres.ensure_database(files.name)
    portal, organization = lab.site.portal(files), f"office-of-{files.name}"
    prepared = lab.run_ours(files, "prepare", "--portal", portal, "--organization", organization)
    _settle(lab)
    ran = lab.run_ours(files, "batch", *json.loads(prepared.output)["keys"])
    return _ours(lab, files, ran)


def measure_engine(lab: Lab, files: FileSet) -> dict[str, Any]:
    """Ours without a catalog: the same captures into the same kind of store."""
    say(f"{files.name}: {ENGINE}")
    urls = lab.folder / "engine.urls"
    urls.write_text("\n".join(lab.site.urls(files)))
    _settle(lab)
    return _ours(lab, files, lab.run_ours(files, "engine", str(urls)))


def _ours(lab: Lab, files: FileSet, ran: Ran) -> dict[str, Any]:
    result = json.loads(ran.output.splitlines()[-1])
    store = lab.folder / "store"
    held = Counter(path.stat().st_size for path in (store / "blobs").rglob("*") if path.is_file())
    right = (held & Counter(files.sizes)).total()
    put_aside(store)
    trouble = "" if right == len(files.names) else f"ended as {result['reasons']}"
    return _measured(ran, right, trouble) | {"start": result["start"]}


def measure_peer(lab: Lab, files: FileSet, name: str) -> dict[str, Any]:
    """A peer, into a folder of its own."""
    say(f"{files.name}: {name}")
    out = lab.folder / "out"
    out.mkdir()
    work = Work(lab.site.urls(files), files.connections, out, lab.folder)
    command = PEERS[name].command(work)
    _settle(lab)
    trouble, begun = "", time.perf_counter()
    try:
        ran = run_program(command, os.environ | {"NO_PROXY": "*"})
    except RuntimeError as error:
        trouble = str(error)[-500:]
        ran = Ran("", Cost(wall=time.perf_counter() - begun), 0)
    saved = {entry.name: entry.stat().st_size for entry in os.scandir(out) if entry.is_file()}
    right = sum(saved.get(file) == size for file, size in files.expected.items())
    put_aside(out)
    return _measured(ran, right, trouble)


def put_aside(folder: Path) -> None:
    """Keep what a contestant saved until the end.

    ext4 does not give inodes out again for some minutes after they were freed, and looks at each of
    them: whoever came after a removal would pay for it.
    """
    folder.rename(folder.with_name(f"{folder.name}-{time.monotonic_ns()}"))


def _measured(ran: Ran, right: int, trouble: str) -> dict[str, Any]:
    return {**as_dict(ran.cost), "peak_bytes": ran.peak_bytes, "right": right, "trouble": trouble}


def _settle(lab: Lab) -> None:
    """Write out what the contestant before left behind."""
    with psycopg.connect(lab.postgres.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    os.sync()


def sha256_seconds_per_gigabyte() -> float:
    """CPU seconds that hashing alone takes."""
    piece, rounds = bytes(1024 * 1024), _HASHED_BYTES // (1024 * 1024)
    digest, begun = hashlib.sha256(), time.process_time()
    for _ in range(rounds):
        digest.update(piece)
    return (time.process_time() - begun) / _HASHED_BYTES * 1e9


@contextmanager
def open_lab(options: argparse.Namespace) -> Iterator[Lab]:
    """The files, the server that gives them and a PostgreSQL, for the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="shelter-bench-", dir=options.folder)).resolve()
    folder.chmod(0o755)  # the accounts of both servers have to reach their own folders in it
    sets = {name: files for name, files in make_sets(options.scale).items() if name in options.sets}
    try:
        say("generating files")
        with serving(folder, sets) as site, EmbeddedPostgres(folder / "home") as postgres:
            postmaster = int((postgres.data / "postmaster.pid").read_text().split()[0])
            yield Lab(folder, site, postgres, Postgres(postmaster), options.profile)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is to be run, at which size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size, up to 1")
    parser.add_argument("--sets", default=",".join(SETS), help=f"names of: {', '.join(SETS)}")
    parser.add_argument("--peers", default="all", help=f"all, none, or names: {', '.join(PEERS)}")
    parser.add_argument("--folder", help="where the files are put meanwhile; default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results here, set by set")
    parser.add_argument("--profile", action="store_true", help="run ours under cProfile and print the top")
    options = parser.parse_args(arguments)
    options.sets = options.sets.split(",")
    options.peers = {"all": list(PEERS), "none": []}.get(options.peers, options.peers.split(","))
    for flag, chosen, known in (("sets", options.sets, SETS), ("peers", options.peers, PEERS)):
        if unknown := set(chosen) - set(known):
            parser.error(f"--{flag}: there is no {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    if not 0 < options.scale <= 1:
        parser.error("--scale must be more than 0 and at most 1")
    return options


def _can_do(options: argparse.Namespace) -> None:
    """Leave out, by name, what this machine has not. SystemExit without nginx."""
    if find_nginx() is None:
        sys.exit("nginx is not installed: apt-get install nginx-light")
    if "latency" in options.sets and not can_wait():
        say("latency: left out, this nginx has no echo module (it comes with Debian's nginx-light)")
        options.sets.remove("latency")
    if not options.sets:
        sys.exit("nothing is left to measure")
    for name in [peer for peer in options.peers if not is_installed(peer)]:
        say(f"{name} is not installed and is left out")
        options.peers.remove(name)


def main() -> int:
    """Measure, print, and write down what was asked for; 1 if ours did not save every file."""
    options = parse()
    _can_do(options)
    with open_lab(options) as lab:
        with psycopg.connect(lab.postgres.url("postgres", "postgresql")) as connection:
            version = str(connection.info.parameter_status("server_version"))
        lab.results.update(
            machine=machine(version), scale=options.scale, sha256=sha256_seconds_per_gigabyte(), sets={}
        )
        for files in lab.site.sets.values():
            measure_set(lab, files, options.peers)
            if options.json:
                options.json.write_text(json.dumps(lab.results, indent=2) + "\n")
        results = lab.results
    show(results)
    ours = [
        one["runs"][name]["right"] == one["files"]
        for one in results["sets"].values()
        for name in (OURS, ENGINE)
    ]
    return 0 if all(ours) else 1


if __name__ == "__main__":
    sys.exit(main())
