"""Asking 200 slow hosts about 10,000 files: how near ours comes to what politeness allows, and what peers do.

Every host waits 100 ms before it answers. Ours asks each at most so often and obeys its
robots.txt, with the catalog, as every night; so the most it may reach is the number of
hosts over the delay. `shared` takes its turns from the catalog, as processes do that ask the
same hosts; `alone` does without. The peers ask without manners, and keep nothing. Run it as
`python -m benchmarks.probing`; `benchmarks/README.md` says what each number means.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.fetching_site import LATENCY_SECONDS, FileSet, Site, can_wait, find_nginx, serving
from benchmarks.measuring import Postgres, Ran, run_program
from benchmarks.report import Goal, table
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.embedded.postgres import EmbeddedPostgres

HOSTS, CONNECTIONS_PER_HOST = 200, 2
_SHARED, _ALONE = "ours, turns shared", "ours, turns alone"
_LEAST_SHARE = 0.9


def ours_prepare(portal: str, delay_seconds: float) -> None:
    """Fill an empty catalog with the files, and say how often each host may be asked."""
    from shelter_pipeline.operations.discover_resources import discover_resources
    from shelter_pipeline.operations.harvest_portal import harvest_portal
    from shelter_pipeline.operations.hosts import set_host
    from shelter_pipeline.operations.ledger import add_portal
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.settings import load_settings

    with open_workplace(load_settings()) as workplace:
        slug = add_portal(workplace, f"dcat_us:{portal}").slug
        harvest_portal(workplace, slug)
        discover_resources(workplace, slug)
        for host in _hosts(portal):
            set_host(
                workplace,
                host,
                delay_seconds=delay_seconds,
                connections=CONNECTIONS_PER_HOST,
                robots=None,
                why=None,
                who="benchmark",
            )
    print(json.dumps({"slug": slug}))


def ours_probe(slug: str, alone: str | None, delay_seconds: float) -> None:
    """One run of probes, as a night makes it; with the portal's address in `alone` turns are not shared."""
    from shelter_pipeline.operations.probe_assets import probe_assets
    from shelter_pipeline.operations.workplace import Workplace, open_workplace
    from shelter_pipeline.settings import load_settings

    with open_workplace(load_settings(), migrated=False) as shared:
        workplace = Workplace.of(shared.settings, shared.catalog) if alone else shared
        for host in _hosts(alone) if alone else ():
            workplace.politeness.set_delay(host, delay_seconds, exact=True)
        print(json.dumps(probe_assets(workplace, slug)))


def requests_head(urls: list[str], threads: int) -> None:
    """What a script does: a pool of threads, a session each."""
    import requests

    own = threading.local()

    def ask(url: str) -> bool:
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.trust_env = False
        return bool(own.session.head(url, timeout=60, allow_redirects=True).headers.get("Content-Length"))

    with ThreadPoolExecutor(threads) as pool:
        print(json.dumps({"right": sum(pool.map(ask, urls))}))


def _hosts(portal: str) -> list[str]:
    site = Site(Path(), int(parse_url(portal).host.rpartition(":")[2]))
    return [parse_url(site.host(HOSTS, number)).host for number in range(HOSTS)]


def environment(folder: Path, url: str, files: int) -> dict[str, str]:
    """The settings of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
    return clean | {
        "SHELTER_HOME": str(folder / "home"),
        "SHELTER_STORE": str(folder / "store"),
        "SHELTER_DATABASE_URL": url,
        "SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8",
        "SHELTER_FETCH_CONNECTIONS": str(HOSTS * CONNECTIONS_PER_HOST),
        "SHELTER_PROBES_PER_RUN": str(files),
    }


def measure_ours(
    folder: Path, site: Site, files: FileSet, delay_seconds: float, *, shared: bool
) -> dict[str, Any]:
    """Harvested and discovered outside the clock, which runs while probes do."""
    with EmbeddedPostgres(folder / "home") as postgres:
        database = f"probes_{'shared' if shared else 'alone'}"
        postgres.ensure_database(database)
        variables = environment(folder, postgres.url(database, "postgresql"), len(files.names))
        postmaster = int((postgres.data / "postmaster.pid").read_text().split()[0])
        meter = Postgres(postmaster)
        portal, delay = site.portal(files), ("--delay", str(delay_seconds))
        prepared = _run(variables, None, "--prepare", portal, *delay)
        slug = json.loads(prepared.output.splitlines()[-1])["slug"]
        alone = () if shared else ("--alone", portal)
        ran = _run(variables, meter, "--probe", slug, *delay, *alone)
    result = json.loads(ran.output.splitlines()[-1])
    return {
        "seconds": result["seconds"],
        "right": result["by_reason"].get("ok", 0),
        "cpu": ran.cost.client + ran.cost.postgres,
        "peak_bytes": ran.peak_bytes,
        "known_bytes": result["known_bytes"],
    }


def _run(variables: Mapping[str, str], meter: Postgres | None, *arguments: str) -> Ran:
    return run_program([sys.executable, "-m", "benchmarks.probing", *arguments], variables, meter)


def measure_peers(folder: Path, urls: list[str]) -> dict[str, dict[str, Any]]:
    """Peers with as many connections at once as ours may have."""
    connections = HOSTS * CONNECTIONS_PER_HOST
    listed = folder / "urls"
    listed.write_text("\n".join(urls))
    config = folder / "curl.config"
    config.write_text("".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls))
    heads = folder / "heads"
    curl = [
        "curl",
        "-q",
        "-sSfI",
        "--parallel",
        "--parallel-max",
        str(min(connections, 300)),
        "-K",
        str(config),
    ]
    commands = {
        "curl --parallel -I": [*curl, "-D", str(heads)],
        "requests.head, 64 threads": [sys.executable, "-m", "benchmarks.probing", "--requests", str(listed)],
    }
    found = {}
    for name, command in commands.items():
        if shutil.which(command[0]) is None:
            print(f"{name}: not installed, left out", file=sys.stderr)
            continue
        ran = run_program(command, os.environ | {"NO_PROXY": "*"})
        right = json.loads(ran.output)["right"] if ran.output.startswith("{") else len(urls)
        found[name] = {
            "seconds": ran.cost.wall,
            "right": right,
            "cpu": ran.cost.client,
            "peak_bytes": ran.peak_bytes,
        }
    return found


def show(results: dict[str, Any]) -> list[Goal]:
    """Print everything; the goals."""
    files, allowed = results["files"], results["allowed"]
    print(
        f"\n{files:,} files, {HOSTS} hosts that wait {LATENCY_SECONDS * 1000:.0f} ms,"
        f" {results['delay']} s between two requests to one host: {allowed:,.0f} a second are allowed\n"
    )
    rows = [
        (
            name,
            f"{run['right']:,}",
            f"{run['seconds']:.2f}",
            f"{files / run['seconds']:,.0f}",
            f"{files / run['seconds'] / allowed:.2f}",
            f"{run['cpu'] / files * 1000:.2f}",
            f"{run['peak_bytes'] / 1e6:,.0f}",
        )
        for name, run in results["runs"].items()
    ]
    head = "contestant,files right,seconds,files/s,of what is allowed,CPU ms/file,peak RSS MB"
    print("\n".join(table(head.split(","), rows)) + "\n")
    goals = []
    for name in (_SHARED, _ALONE):
        ours = results["runs"][name]
        share = files / ours["seconds"] / allowed
        right = ours["right"] == files and ours["known_bytes"] == results["bytes"]
        goals += [
            Goal(
                f"{name}: at least {_LEAST_SHARE:.0%} of what politeness allows",
                f"{share:.1%}",
                share >= _LEAST_SHARE,
            ),
            Goal(f"{name}: the size of every file, exactly", f"{ours['right']:,} of {files:,}", right),
        ]
    for goal in goals:
        print(f"{'met' if goal.met else 'NOT met':>12}: {goal.promise} ({goal.measured})")
    return goals


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is to be run, at which size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size, up to 1")
    parser.add_argument("--delay", type=float, default=0.25, help="seconds between two requests to one host")
    parser.add_argument("--no-peers", action="store_true", help="run ours alone")
    parser.add_argument("--folder", help="where the files are put meanwhile; default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results here")
    for part in ("--prepare", "--probe", "--alone", "--requests"):
        parser.add_argument(part, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not 0 < options.scale <= 1:
        parser.error("--scale must be more than 0 and at most 1")
    return options


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Ours, then the peers, against the same nginx."""
    folder = Path(tempfile.mkdtemp(prefix="shelter-bench-", dir=options.folder)).resolve()
    folder.chmod(0o755)  # the accounts of both servers have to reach their own folders in it
    names = tuple(f"probe-{number:06d}.csv" for number in range(HOSTS * max(1, round(50 * options.scale))))
    sizes = tuple(100 + number % 900 for number in range(len(names)))
    files = FileSet("probes", HOSTS * CONNECTIONS_PER_HOST, HOSTS, names, sizes)
    try:
        with serving(folder, {files.name: files}) as site:
            runs = {
                name: measure_ours(folder, site, files, options.delay, shared=name == _SHARED)
                for name in (_SHARED, _ALONE)
            }
            if not options.no_peers:
                runs |= measure_peers(folder, site.urls(files))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "files": len(names),
        "bytes": files.bytes,
        "delay": options.delay,
        "allowed": HOSTS / options.delay,
        "runs": runs,
    }


def main() -> int:
    """Measure, print, write down; 1 if a goal is missed."""
    options = parse()
    if options.prepare:
        ours_prepare(options.prepare, options.delay)
        return 0
    if options.probe:
        ours_probe(options.probe, options.alone, options.delay)
        return 0
    if options.requests:
        requests_head(Path(options.requests).read_text().split(), 64)
        return 0
    if find_nginx() is None or not can_wait():
        sys.exit("nginx with its echo module is not installed: apt-get install nginx-light")
    results = measure(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(goal.met for goal in show(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
