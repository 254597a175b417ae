"""Pages at data.gov's size: how soon the first byte and the whole of each is there, and how large it is.

Run it as `python -m benchmarks.browsing`; `benchmarks/README.md` says what each number
means. `/health` is the floor: what any answer of this server costs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from benchmarks.api_reads import running_api
from benchmarks.ground import Ground, a_ground, concluded
from benchmarks.measuring import Postgres
from benchmarks.read_catalogue import fill, frequent_words, rare_words
from benchmarks.report import table
from benchmarks.shape import Size
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.search import index_new_datasets
from shelter_pipeline.catalog.summaries import refresh_summaries
from shelter_pipeline.catalog.throughput import refresh_throughput

_MOST_SECONDS = 1.0
_MOST_BYTES = 100_000
_SETTLED_SECONDS = 11  # until what was captured counts as complete
_WATCHING = 20  # listeners of the events while pages are read
# Captures of a year, so that there are hours and days to show.
_SPREAD = (
    "UPDATE capture SET finished_at = now() - power(random(), 2) * interval '365 days',"
    " started_at = now() - interval '366 days'"
)
# As many more, as there are of files that are looked at night after night.
_MORE = (
    "INSERT INTO capture"
    " (asset_id, verdict, reason, status, sha256, size, wire_bytes, started_at, finished_at, heads)"
    " SELECT asset_id, CASE WHEN verdict = 'stored' THEN 'unchanged' ELSE verdict END, reason, status, sha256, size,"
    " 500, started_at, now() - power(random(), 2) * interval '365 days',"
    " jsonb_build_object('hops', jsonb_build_array(jsonb_build_object('url', repeat(md5(id::text), 8))))"
    " FROM capture CROSS JOIN generate_series(1, %(nights)s) AS night"
)


def main() -> int:
    """Measure, print, write down; 1 if a page is too slow or too large."""
    options = _parse()
    with a_ground("pages", options.folder) as ground, closing(Catalog(ground.url)) as catalog:
        results = _measure(options, ground, catalog)
    return concluded(results, options.json, _show)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=526_000)
    parser.add_argument("--nights", type=int, default=0, help="how often all files were looked at again")
    parser.add_argument("--times", type=int, default=40, help="how often each page is asked for")
    parser.add_argument("--folder", type=Path, help="where the database lives meanwhile (10 GB at full size)")
    parser.add_argument("--json", type=Path, help="keep every number here")
    return parser.parse_args()


def _measure(options: argparse.Namespace, ground: Ground, catalog: Catalog) -> dict[str, Any]:
    fill(catalog, Size(options.datasets, 0))
    with catalog.begin() as connection:
        connection.exec_driver_sql(_SPREAD, {})
        connection.exec_driver_sql(_MORE, {"nights": options.nights})
        captures = connection.scalar(sa.text("SELECT count(*) FROM capture"))
    with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE capture")  # or autovacuum does it among the pages
    results: dict[str, Any] = {
        "machine": ground.machine(),
        "datasets": options.datasets,
        "captures": captures,
    }
    results["words"] = ground.timed(lambda: index_new_datasets(catalog))
    refresh_throughput(catalog)
    time.sleep(_SETTLED_SECONDS)
    results["captures by the hour"] = ground.timed(lambda: refresh_throughput(catalog))
    results["counts"] = ground.timed(lambda: refresh_summaries(catalog, older_than_seconds=0))
    paths = _paths(catalog)
    # What counting costs is measured above, and would come and go among the pages.
    with running_api(ground.folder, ground.url, SHELTER_API_STATISTICS_SECONDS="86400") as (port, _):
        base = f"http://127.0.0.1:{port}"
        results["pages"] = {name: _page(base, several, options.times) for name, several in paths.items()}
        results["watched"] = _watched(base, ground.meter, options.times)
    return results


def _paths(catalog: Catalog) -> dict[str, list[str]]:
    with catalog.begin() as connection:
        datasets = list(
            connection.scalars(sa.text("SELECT id FROM dataset TABLESAMPLE SYSTEM (0.1) LIMIT 40"))
        )
        files = list(connection.scalars(sa.text("SELECT id FROM asset TABLESAMPLE SYSTEM (0.1) LIMIT 40")))
        keys = list(connection.scalars(sa.text("SELECT key FROM organization ORDER BY id LIMIT 40")))
    return {
        "/health": ["/health"],
        "overview": ["/"],
        "organizations": ["/browse/organizations"],
        "one organization": [f"/browse/organizations/{key}" for key in keys],
        "datasets": ["/browse/datasets"],
        "search, a rare word": [f"/browse/datasets?q={word}" for word in rare_words(40)],
        "search, a frequent word": [f"/browse/datasets?q={word}" for word in frequent_words()],
        "one dataset": [f"/browse/datasets/{one}" for one in datasets],
        "one file": [f"/browse/files/{one}" for one in files],
        "at risk": ["/browse/at-risk"],
        "losses": ["/browse/losses"],
        "queue": ["/browse/queue"],
        "nodes": ["/browse/nodes"],
        "activity": ["/browse/activity"],
    }


def _page(base: str, paths: list[str], times: int) -> dict[str, Any]:
    """Milliseconds to the first byte and the whole, kilobytes; the very first request apart."""
    first, whole, sizes, status = [], [], [], 200
    with requests.Session() as session:
        session.headers["Accept"] = "text/html"
        for number in range(times):
            begun = time.perf_counter()
            with session.get(base + paths[number % len(paths)], stream=True, timeout=60) as response:
                first.append(1000 * (time.perf_counter() - begun))
                sizes.append(len(response.content))
                whole.append(1000 * (time.perf_counter() - begun))
                status = max(status, response.status_code)
            time.sleep(0.02)  # as people do, so that what is kept for a moment grows old
    return {
        "cold": round(whole[0], 1),
        "first p50": round(statistics.median(first), 1),
        "p50": round(statistics.median(whole), 1),
        "p95": round(sorted(whole)[int(0.95 * (len(whole) - 1))], 1),
        "kB": round(max(sizes) / 1000, 1),
        "status": status,
    }


def _watched(base: str, meter: Postgres, times: int) -> dict[str, Any]:
    """The overview while so many watch it live, and what that costs the database in a second beyond its own upkeep."""
    before, begun = meter.seconds(), time.perf_counter()
    time.sleep(5)
    upkeep = (meter.seconds() - before) / (time.perf_counter() - begun)
    streams = [requests.get(f"{base}/browse/events", stream=True, timeout=60) for _ in range(_WATCHING)]
    begun, before = time.perf_counter(), meter.seconds()
    time.sleep(5)
    cost = (meter.seconds() - before) / (time.perf_counter() - begun)
    page = _page(base, ["/"], times)
    told = sum(stream.status_code == requests.codes.ok for stream in streams)
    for stream in streams:
        stream.close()
    return page | {"listeners": told, "postgres a second": round(max(cost - upkeep, 0), 4)}


def _show(results: dict[str, Any]) -> bool:
    print(f"{results['machine']}\n{results['datasets']:,} datasets, {results['captures']:,} captures")
    for name in ("words", "captures by the hour", "counts"):
        print(f"{name}: {results[name]['wall']} s, of PostgreSQL {results[name]['postgres']} s")
    floor = results["pages"]["/health"]["p50"]
    rows = [
        [
            name,
            *(str(page[key]) for key in ("cold", "first p50", "p50", "p95")),
            f"{page['p50'] / floor:.1f}",
            str(page["kB"]),
            str(page["status"]),
        ]
        for name, page in {**results["pages"], "overview, watched": results["watched"]}.items()
    ]
    head = ["page", "cold ms", "first byte ms", "p50 ms", "p95 ms", "x /health", "kB", "status"]
    print("\n".join(table(head, rows)))
    watched = results["watched"]
    print(f"{watched['listeners']} listeners: {watched['postgres a second']} of a core of PostgreSQL")
    missed = [
        name
        for name, page in results["pages"].items()
        if page["p95"] > 1000 * _MOST_SECONDS
        or page["kB"] > _MOST_BYTES / 1000
        or page["status"] != requests.codes.ok
    ]
    print(
        f"over {_MOST_SECONDS:g} s at p95, over {_MOST_BYTES // 1000} kB, or no page: {', '.join(missed) or 'none'}"
    )
    return not missed


if __name__ == "__main__":
    raise SystemExit(main())
