"""Reads of the API at data.gov's size: 100 requests a second, client, server and PostgreSQL on the same cores.

Run it as `python -m benchmarks.api_reads`; `benchmarks/README.md` says what each number
means. Beside it stand the ways that others page and search: OFFSET, and ILIKE.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import requests
import sqlalchemy as sa

from benchmarks.ground import Ground, a_ground, concluded
from benchmarks.measuring import Postgres
from benchmarks.read_catalogue import fill, frequent_words, rare_words
from benchmarks.report import table
from benchmarks.shape import Size
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.search import index_new_datasets
from shelter_pipeline.catalog.summaries import refresh_summaries
from shelter_pipeline.domain.cursors import make_cursor
from shelter_pipeline.operations.read_datasets import DatasetQuestion
from shelter_pipeline_tests.support.ports import free_ports

_SERVE = """
from shelter_pipeline.api.serve import serve
from shelter_pipeline.settings import load_settings
serve(load_settings())
"""
_MOST_MS = 50.0
_KINDS = 400  # different paths of a kind
_SEARCHES = 0.2  # of all requests a second; nobody searches as often as programs page


def main() -> int:
    """Measure, print, write down; 1 if a goal is missed."""
    options = _parse()
    with a_ground("reads", options.folder) as ground, closing(Catalog(ground.url)) as catalog:
        results = _measure(options, ground, catalog)
    return concluded(results, options.json, _show)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=526_000)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each kind of request")
    parser.add_argument("--folder", type=Path, help="where the database lives meanwhile (10 GB at full size)")
    parser.add_argument("--json", type=Path, help="keep every number here")
    return parser.parse_args()


def _measure(options: argparse.Namespace, ground: Ground, catalog: Catalog) -> dict[str, Any]:
    _say(f"filling a catalog of {options.datasets:,} datasets")
    fill(catalog, Size(options.datasets, 0))
    results: dict[str, Any] = {
        "machine": ground.machine(),
        "datasets": options.datasets,
        "rate": options.rate,
    }
    results["index"] = _index(catalog, ground)
    results["count"] = ground.timed(lambda: refresh_summaries(catalog, older_than_seconds=0))
    results["peers"] = _peers(catalog, options.datasets)
    with running_api(ground.folder, ground.url) as (port, server):
        results["loads"] = {
            name: _load(ground.folder, port, server, ground.meter, options, name, paths)
            for name, paths in _paths(catalog, options.datasets).items()
        }
    return results


def _index(catalog: Catalog, ground: Ground) -> dict[str, Any]:
    _say("making the words of every dataset")
    cost = ground.timed(lambda: index_new_datasets(catalog))
    with catalog.begin() as connection:
        size = connection.scalar(sa.text("SELECT pg_total_relation_size('dataset_search')"))
        whole = connection.scalar(sa.text("SELECT pg_total_relation_size('dataset')"))
    return cost | {"bytes": size, "of_dataset_bytes": whole}


def _peers(catalog: Catalog, datasets: int) -> dict[str, float]:
    """Milliseconds of the database for one page, the best of three: by place, by OFFSET; by index, by ILIKE."""
    deep, word = datasets * 9 // 10, rare_words(1)[0]
    words = f"document @@ to_tsquery('english', '{word}')"
    likeness = f"title ILIKE '%{word}%' OR description ILIKE '%{word}%'"
    asked = {
        "page at 90 %, after an id": f"SELECT id, title FROM dataset WHERE id > {deep} ORDER BY id LIMIT 20",
        "page at 90 %, OFFSET": f"SELECT id, title FROM dataset ORDER BY id LIMIT 20 OFFSET {deep}",
        "rare word, index": f"SELECT dataset_id FROM dataset_search WHERE {words} LIMIT 20",
        "rare word, ILIKE": f"SELECT id FROM dataset WHERE {likeness} LIMIT 20",
    }
    found = {}
    with catalog.engine.connect() as connection:
        for name, statement in asked.items():
            times = []
            for _ in range(3):
                begun = time.perf_counter()
                connection.exec_driver_sql(statement.replace("%", "%%"), {}).all()
                times.append(time.perf_counter() - begun)
            found[name] = round(1000 * min(times), 2)
    return found


def _paths(catalog: Catalog, datasets: int) -> dict[str, list[str]]:
    """The paths of each kind of request; `datasets` is the one with a goal."""
    dice = random.Random(3)
    with catalog.begin() as connection:
        first = connection.scalar(sa.text("SELECT min(id) FROM dataset")) or 1
        keys = list(connection.scalars(sa.text("SELECT key FROM organization ORDER BY id LIMIT 60")))

    def deep(**more: Any) -> str:
        question = DatasetQuestion(**more)
        return make_cursor(asdict(question), [dice.randrange(first, first + datasets)])

    def listed() -> Iterator[str]:
        for number in range(_KINDS):
            since = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(days=dice.randrange(1, 300))
            yield (
                f"/datasets?after={deep()}",
                "/datasets",
                f"/datasets?organization={dice.choice(keys)}",
                f"/datasets?state=absent&after={deep(state='absent')}",
                f"/datasets?modified_since={since.date()}",
                f"/datasets?limit=50&after={deep()}",
                "/datasets?order=modified",
                f"/datasets?organization={keys[0]}&after={deep(organization=keys[0])}",
            )[number % 8]

    rare, frequent = rare_words(_KINDS), frequent_words()
    return {
        "datasets": list(listed()),
        "one dataset": [f"/datasets/{dice.randrange(first, first + datasets)}" for _ in range(_KINDS)],
        "search, rare words": [f"/datasets/search?q={word}" for word in rare],
        "search, frequent words": [
            f"/datasets/search?q={quote(' '.join(dice.sample(frequent, 2)))}" for _ in range(_KINDS)
        ],
        "search as it is typed": [
            f"/datasets/search?q={dice.choice(frequent)}%20{word[:4]}" for word in rare
        ],
        "files": [f"/assets?dataset={dice.randrange(first, first + datasets)}" for _ in range(_KINDS)],
        "statistics": ["/stats/overview", "/stats/organizations", "/stats/file-types", "/organizations"],
    }


@contextmanager
def running_api(folder: Path, url: str, **more: str) -> Iterator[tuple[int, psutil.Process]]:
    [port] = free_ports(1)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
    environment |= {
        "SHELTER_HOME": str(folder / "home"),
        "SHELTER_DATABASE_URL": url,
        "SHELTER_STORE": str(folder / "store"),
        "SHELTER_API_PORT": str(port),
        **more,
    }
    child = subprocess.Popen([sys.executable, "-c", _SERVE], env=environment, stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield port, psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(30)


def _await(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/health", timeout=5).raise_for_status()
        except requests.RequestException:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _load(
    folder: Path,
    port: int,
    server: psutil.Process,
    meter: Postgres,
    options: argparse.Namespace,
    name: str,
    paths: list[str],
) -> dict[str, Any]:
    _warm(port, paths)
    plan = folder / "plan.json"
    rate = options.rate * (_SEARCHES if name.startswith("search") else 1)
    wanted = {
        "host": "127.0.0.1",
        "port": port,
        "rate": rate,
        "seconds": options.seconds,
        "paths": paths,
    }
    plan.write_text(json.dumps(wanted))
    before, database = server.cpu_times(), meter.seconds()
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.open_loop", str(plan)], check=True, capture_output=True, text=True
    )
    after = server.cpu_times()
    return json.loads(output.stdout) | {
        "api_cpu": round(after.user + after.system - before.user - before.system, 3),
        "postgres_cpu": round(meter.seconds() - database, 3),
        "api_rss": server.memory_info().rss,
    }


def _warm(port: int, paths: list[str]) -> None:
    with requests.Session() as session:
        for path in paths[:40]:
            answer = session.get(f"http://127.0.0.1:{port}{path}", timeout=30)
            assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])


def _show(results: dict[str, Any]) -> bool:
    print("\n" + ", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    index, count = results["index"], results["count"]
    print(
        f"{results['datasets']:,} datasets. Their words: {index['wall']} s to make ({index['postgres']} s of CPU),"
        f" {index['bytes'] / 1e6:,.0f} MB beside {index['of_dataset_bytes'] / 1e6:,.0f} MB of records."
        f" Counts for statistics: {count['wall']} s ({count['postgres']} s of CPU).\n"
    )
    head = (
        "requests,asked,answered,p50 ms,p95 ms,p99 ms,worst ms,API CPU ms,PostgreSQL CPU ms,client CPU ms,kB"
    )
    print(
        "\n".join(table(head.split(","), (_row(name, load) for name, load in results["loads"].items())))
        + "\n"
    )
    print(
        "\n".join(
            table(
                ["one page, in the database alone", "ms"],
                ([name, str(ms)] for name, ms in results["peers"].items()),
            )
        )
    )
    load = results["loads"]["datasets"]
    met = load["p95"] <= _MOST_MS and load["answered"] == load["asked"] and set(load["statuses"]) == {"200"}
    print(
        f"\n{'met' if met else 'NOT met'}: GET /datasets p95 at most {_MOST_MS:g} ms at {results['rate']:g} requests"
        f" a second ({load['p95']} ms)"
    )
    return met


def _row(name: str, load: dict[str, Any]) -> list[str]:
    each = max(load["answered"], 1)
    return [
        name,
        *(f"{load[part]:,}" for part in ("asked", "answered")),
        *(f"{load[part]:.1f}" for part in ("p50", "p95", "p99", "worst")),
        *(f"{1000 * load[part] / each:.2f}" for part in ("api_cpu", "postgres_cpu", "cpu")),
        f"{load['bytes'] / each / 1000:.1f}",
    ]


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
