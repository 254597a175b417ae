"""A whole report at data.gov's size: ours, and pandas, which reads the same tables and writes the same Parquet.

Ours goes through the door of production: figures, HTML, JSON, five tables of one moment, with sums and fsync. pandas
reads each table by the same statement into a data frame and writes it, and does nothing else, which is the kindest case
for it. Run it as `python -m benchmarks.reporting`; `benchmarks/README.md` says what each number means.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.measuring import Postgres, as_dict, machine, run_program
from benchmarks.read_catalogue import fill
from benchmarks.report import table
from benchmarks.shape import Size
from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline.embedded.postgres import EmbeddedPostgres

_DATABASE = "reporting"
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
    folder = Path(tempfile.mkdtemp(prefix="shelter-bench-", dir=options.folder)).resolve()
    folder.chmod(0o755)  # the server's account has to reach its own folder in it
    try:
        with EmbeddedPostgres(folder / "home") as postgres:
            postgres.ensure_database(_DATABASE)
            url = postgres.url(_DATABASE, "postgresql")
            with closing(Catalog(url)) as catalog:
                migrate(catalog)
                print("filling the catalog", file=sys.stderr, flush=True)
                fill(catalog, Size(options.datasets, int(options.datasets * _FILES_OF_A_DATASET)))
            clean = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
            environment = clean | {
                "SHELTER_HOME": str(folder / "home"),
                "SHELTER_DATABASE_URL": url,
                "SHELTER_DAGSTER_DATABASE_URL": url,
                "TMPDIR": str(folder),
            }
            meter = Postgres(int((postgres.data / "postmaster.pid").read_text().split()[0]))
            runs = []
            for part in PARTS:
                print(part, file=sys.stderr, flush=True)
                command = [sys.executable, "-m", "benchmarks.reporting", "--part", part]
                ran = run_program(command, environment, meter)
                told = json.loads(ran.output.splitlines()[-1])
                runs.append({"run": part, **told, **as_dict(ran.cost), "peak_bytes": ran.peak_bytes})
            version = psycopg.connect(url).execute("SHOW server_version").fetchone()
        return {
            "machine": machine(str(version[0]) if version else ""),
            "datasets": options.datasets,
            "runs": runs,
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    results = measure(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if show(results) else 1


if __name__ == "__main__":
    sys.exit(main())
