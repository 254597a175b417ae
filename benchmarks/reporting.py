"""A whole report at data.gov's size: ours, and pandas, which reads the same tables and writes the same Parquet.

Ours goes through the door of production: figures, HTML, JSON, five tables of one moment, with sums and fsync. pandas
reads each table by the same statement into a data frame and writes it, and does nothing else, which is the kindest case
for it. Run it as `python -m benchmarks.reporting`; `benchmarks/README.md` says what each number means.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.ground import a_ground, concluded
from benchmarks.read_catalogue import fill
from benchmarks.report import table
from benchmarks.shape import Size
from shelter_pipeline.catalog.connection import Catalog, statement

_MOST_MEMORY = 600 * 10**6
_FILES_OF_A_DATASET = 3.8
_TABLES = ("datasets", "files")  # which hold all rows but a few; it cannot write the evidence of losses


def _ours(*formats: str) -> None:
    from shelter_pipeline.operations.report_figures import scope_of
    from shelter_pipeline.operations.rescue_report import write_report
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.settings import load_settings

    with (
        open_workplace(load_settings(), migrated=False) as workplace,
        tempfile.TemporaryDirectory() as folder,
    ):
        scope = scope_of(workplace.catalog, (), None)
        written = write_report(workplace, scope, parent=Path(folder), formats=formats)
        totals = written.totals
        rows = totals["datasets"] + totals["files"] if "parquet" in formats else 0
        print(json.dumps({"rows": rows, "bytes": sum(file.bytes for file in written.files)}))


def _pandas() -> None:
    import pandas as pd
    import sqlalchemy as sa

    rows = size = 0
    with (
        sa.create_engine(Catalog(os.environ["SHELTER_DATABASE_URL"]).url).connect() as connection,
        tempfile.TemporaryDirectory() as folder,
    ):
        connection.execute(sa.text("SET jit = off"))
        for name in _TABLES:
            frame = pd.read_sql(statement(f"report_{name}"), connection, params={"organizations": None})
            target = Path(folder) / f"{name}.parquet"
            frame.to_parquet(target, compression="zstd")
            rows, size = rows + len(frame), size + target.stat().st_size
    print(json.dumps({"rows": rows, "bytes": size}))


PARTS: dict[str, Callable[[], None]] = {
    "ours, html and json": lambda: _ours("html", "json"),
    "ours, parquet": lambda: _ours("html", "json", "parquet"),
    "ours, csv and parquet": lambda: _ours("html", "json", "csv", "parquet"),
    "pandas, read_sql and to_parquet": _pandas,
}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Every contestant once on the same catalog, each in a process of its own."""
    with a_ground("reporting", options.folder) as ground:
        print("filling the catalog", file=sys.stderr, flush=True)
        with closing(Catalog(ground.url)) as catalog:
            fill(catalog, Size(options.datasets, int(options.datasets * _FILES_OF_A_DATASET)))
        runs = []
        for part in PARTS:
            print(part, file=sys.stderr, flush=True)
            runs.append({"run": part, **ground.run_part("benchmarks.reporting", part)})
        return {"machine": ground.machine(), "datasets": options.datasets, "runs": runs}


def show(results: dict[str, Any]) -> bool:
    """Print everything; whether ours stays within its memory."""
    facts, peer = results["machine"], results["runs"][-1]
    print(
        f"\n{results['datasets']:,} datasets on {facts['cores']} cores ({facts['processor']}), load {facts['load']},"
        f" PostgreSQL {facts['postgresql']}\n"
    )
    rows = [
        (
            run["run"],
            f"{run['rows']:,}",
            f"{run['wall']:.1f}",
            f"{run['rows'] / run['wall']:,.0f}",
            f"{run['client']:.1f}",
            f"{run['postgres']:.1f}",
            f"{run['wall'] / peer['wall']:.2f}",
            f"{run['peak_bytes'] / 1e6:,.0f}",
            f"{run['bytes'] / 1e6:,.1f}",
        )
        for run in results["runs"]
    ]
    head = "run,rows,wall s,rows/s,client CPU s,PostgreSQL CPU s,time / pandas,peak RSS MB,written MB"
    print("\n".join(table(head.split(","), rows)) + "\n")
    peak = max(run["peak_bytes"] for run in results["runs"][:-1])
    met = bool(peak <= _MOST_MEMORY)
    print(f"{'met' if met else 'NOT met'}: memory within {_MOST_MEMORY / 1e6:.0f} MB ({peak / 1e6:.0f} MB)")
    return met


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is to be run, at which size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=526_000)
    parser.add_argument("--folder", help="where the database is put meanwhile (8 GB); default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results here")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.datasets < 200:
        parser.error("--datasets must be 200 or more")
    return options


def main() -> int:
    """Measure, print, write down; 1 if a goal is missed."""
    options = parse()
    if options.part:
        PARTS[options.part]()
        return 0
    return concluded(measure(options), options.json, show)


if __name__ == "__main__":
    sys.exit(main())
