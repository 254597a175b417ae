"""Scores of two million files: ours in the catalog, pandas beside it, and a sort in memory as the original system did.

Ours goes through the door of production. The peers read what a score needs of every file
and put the files in order in memory; they keep nothing, explain nothing and look for no
words, which is the kindest case for them. Run it as `python -m benchmarks.scoring`;
`benchmarks/README.md` says what each number means.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.ground import Ground, a_ground, concluded
from benchmarks.report import table
from benchmarks.scoring_catalog import Scale, fill
from shelter_pipeline.catalog.connection import Catalog

_GOAL_SECONDS = 10.0
_GOAL_ASSETS = 2_000_000
# What changes within an hour of a busy rescue: files that arrived, records that were edited, use that was counted.
_ONE_PERCENT = (
    (
        "UPDATE asset SET expected_size = coalesce(expected_size, 0) + 1000000, size = NULL, state = 'pending'"
        " WHERE mod(id, 200) = 1 AND state <> 'held'"
    ),
    "UPDATE dataset SET title = title || ' of the ocean', changed_at = now() WHERE mod(id, 500) = 3",
    "UPDATE sighting SET popularity = coalesce(popularity, 0) * 2 + 50 WHERE mod(dataset_id, 250) = 7",
)
_WANTED = """
SELECT asset.id, coalesce(asset.size, asset.expected_size, asset.estimated_size) AS bytes, asset.state,
       coalesce(sighting.popularity, 0) AS popularity, organization.slug
  FROM asset
  JOIN asset_resource ON asset_resource.asset_id = asset.id
  JOIN resource ON resource.id = asset_resource.resource_id
  JOIN dataset ON dataset.id = resource.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
  LEFT JOIN sighting ON sighting.dataset_id = dataset.id
"""


def ours() -> None:
    """One scoring of everything, as the hourly schedule does it."""
    from shelter_pipeline.operations.score_assets import rescore
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.settings import load_settings

    with open_workplace(load_settings(), migrated=False) as workplace:
        print(json.dumps({"changed": rescore(workplace)}))


def pandas_sort() -> None:
    """Everything into a data frame, scores by columns, sorted."""
    import numpy as np
    import pandas as pd
    import sqlalchemy as sa

    with sa.create_engine(Catalog(os.environ["SHELTER_DATABASE_URL"]).url).connect() as connection:
        frame = pd.read_sql(sa.text(_WANTED), connection)
    frame["score"] = (
        np.log1p(frame["popularity"]) / np.log(1e6) * 2
        + (frame["slug"] == "org-1") * 2.4
        + (frame["state"] != "held") * 3
        + 1
        - np.log1p(frame["bytes"].fillna(1e6)) / np.log(1e12)
    )
    best = frame.groupby("id")["score"].max().sort_values(ascending=False)
    print(json.dumps({"changed": len(best)}))


def memory_sort() -> None:
    """A dictionary of every file, sorted by its priority: what the original system did for each allocation."""
    from math import log, log1p

    best: dict[int, float] = {}
    with psycopg.connect(os.environ["SHELTER_DATABASE_URL"]) as connection:
        for identity, size, state, popularity, slug in connection.execute(_WANTED):
            score = (
                log1p(popularity) / log(1e6) * 2
                + (2.4 if slug == "org-1" else 0)
                + (3 if state != "held" else 0)
                + 1
                - log1p(1e6 if size is None else size) / log(1e12)
            )
            best[identity] = max(score, best.get(identity, 0.0))
    print(json.dumps({"changed": len(sorted(best.items(), key=lambda item: -item[1]))}))


PARTS: dict[str, Callable[[], None]] = {"ours": ours, "pandas": pandas_sort, "memory": memory_sort}


class Lab:
    """A filled catalog, and what ran on it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.runs: list[dict[str, Any]] = []

    def run(self, title: str, part: str) -> None:
        """One program on the catalog as it stands."""
        print(title, file=sys.stderr, flush=True)
        self.do("CHECKPOINT")
        self.runs.append({"run": title, **self._ground.run_part("benchmarks.scoring", part)})

    def do(self, *statements: str) -> None:
        """Statements outside any clock."""
        with psycopg.connect(self._ground.url, autocommit=True) as connection:
            for one in statements:
                connection.execute(one)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """First, unchanged, one in a hundred changed; then the peers on the same catalog."""
    with a_ground("scoring", options.folder) as ground:
        lab = Lab(ground)
        print("filling the catalog", file=sys.stderr, flush=True)
        fill(ground.url, Scale.of(options.assets))
        lab.run("first", "ours")
        lab.do("VACUUM ANALYZE priority", "VACUUM ANALYZE dataset_signal")
        lab.run("unchanged", "ours")
        lab.do(*_ONE_PERCENT)
        lab.run("1 % changed", "ours")
        lab.run("unchanged again", "ours")
        if not options.no_peers:
            lab.run("pandas, read and sort", "pandas")
            lab.run("in memory, read and sort", "memory")
        return {"machine": ground.machine(), "assets": options.assets, "runs": lab.runs}


def show(results: dict[str, Any]) -> bool:
    """Print everything; whether the goal is met, which there is at the full size only."""
    facts, unchanged = results["machine"], results["runs"][1]
    print(
        f"\n{results['assets']:,} files on {facts['cores']} cores ({facts['processor']}), load {facts['load']},"
        f" PostgreSQL {facts['postgresql']}\n"
    )
    rows = [
        (
            run["run"],
            f"{run['changed']:,}",
            f"{run['wall']:.2f}",
            f"{run['client']:.2f}",
            f"{run['postgres']:.2f}",
            f"{run['wall'] / unchanged['wall']:.2f}",
            f"{(run['client'] + run['postgres']) / (unchanged['client'] + unchanged['postgres']):.2f}",
            f"{run['peak_bytes'] / 1e6:,.0f}",
        )
        for run in results["runs"]
    ]
    head = "run,scores,wall s,client CPU s,PostgreSQL CPU s,time / unchanged,CPU / unchanged,peak RSS MB"
    print("\n".join(table(head.split(","), rows)) + "\n")
    if results["assets"] < _GOAL_ASSETS:
        return True
    met = bool(unchanged["wall"] <= _GOAL_SECONDS)
    print(f"{'met' if met else 'NOT met'}: unchanged within {_GOAL_SECONDS:g} s ({unchanged['wall']:.1f} s)")
    return met


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is to be run, at which size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=_GOAL_ASSETS)
    parser.add_argument("--no-peers", action="store_true", help="run ours alone")
    parser.add_argument("--folder", help="where the database is put meanwhile (5 GB); default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results here")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.assets < 100:
        parser.error("--assets must be 100 or more")
    return options


def main() -> int:
    """Measure, print, write down; 1 if the goal is missed."""
    options = parse()
    if options.part:
        PARTS[options.part]()
        return 0
    return concluded(measure(options), options.json, show)


if __name__ == "__main__":
    sys.exit(main())
