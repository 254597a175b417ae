"""A report on a rescue as a folder: read in one moment of the catalog, whole or absent, never over another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from shelter_pipeline.catalog.reporting import Snapshot, snapshot
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.print_pdf import needed_browser, print_pdf
from shelter_pipeline.operations.report_columns import (
    DATASETS,
    DAYS,
    FILES,
    LOSSES,
    ORGANIZATIONS,
    Table,
    organization_cells,
)
from shelter_pipeline.operations.report_figures import Scope, read_figures
from shelter_pipeline.operations.report_tables import CSV, PARQUET, Rows, rows_for, write_table
from shelter_pipeline.operations.report_words import (
    PACKAGE,
    README,
    SUMS,
    data_package,
    readme,
    says,
    sums,
    written_file,
)
from shelter_pipeline.operations.whole_folder import new_folder
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.presentation.reports import render_report
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.reports import KeptFile

HTML, PDF, JSON = "html", "pdf", "json"
FORMATS = (HTML, PDF, JSON, CSV, PARQUET)
DEFAULT_FORMATS = (HTML, JSON)
_LONGEST_SLUG = 80

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report that stands whole in `folder`, and what it says in a sentence."""

    folder: Path
    files: tuple[KeptFile, ...]
    counted_at: datetime
    summary: str
    totals: dict[str, int]


def formats_of(text: str) -> tuple[str, ...]:
    """The formats that a comma-separated text names, in the order of `FORMATS`. SetupError for any other word."""
    wanted = {word.strip().lower() for word in text.split(",") if word.strip()}
    unknown = sorted(wanted - set(FORMATS))
    if unknown or not wanted:
        raise SetupError(
            f"there is no format {', '.join(unknown) or repr(text)}; choose among {', '.join(FORMATS)}"
        )
    return tuple(known for known in FORMATS if known in wanted)


def write_report(
    workplace: Workplace,
    scope: Scope,
    *,
    parent: Path,
    formats: Sequence[str] = DEFAULT_FORMATS,
    progress: Progress | None = None,
) -> WrittenReport:
    """Write `parent/shelter-report-<date>[-<scope>]/`, with a number behind it where that is taken.

    `progress` is told a table's name, its rows so far and all of them. Raises SetupError when there is no browser for
    a PDF or the folder cannot be written, CatalogAwayError, and TransientError when printing takes too long.
    """
    settings = workplace.settings
    browser = needed_browser(settings.browser) if PDF in formats else None
    with ExitStack() as reading:
        seen = reading.enter_context(snapshot(workplace.catalog))
        name = f"shelter-report-{seen.at:%Y-%m-%d}" + (f"-{_slug(scope.slug)}" if scope.slug else "")
        with new_folder(parent, name, "report", numbered=True, mode=0o755) as made:
            figures = read_figures(seen, scope)
            _write_tables(made.path, seen, scope, figures, formats, progress or (lambda *_: None))
            reading.close()  # no old moment is held on to while a browser prints
            files = _write_rest(made.path, figures, formats, browser, settings)
    return WrittenReport(made.path, files, figures["counted_at"], figures["summary"], figures["totals"])


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:_LONGEST_SLUG] or "organization"


def _write_tables(
    folder: Path,
    seen: Snapshot,
    scope: Scope,
    figures: dict[str, Any],
    formats: Sequence[str],
    progress: Progress,
) -> None:
    chosen = [name for name in (CSV, PARQUET) if name in formats]
    if not chosen:
        return
    totals = figures["totals"]

    def write(table: Table, rows: Rows, whole: int) -> None:
        progress(table.name, 0, whole)
        write_table(
            folder,
            table,
            rows,
            formats=chosen,
            progress=lambda done: progress(table.name, done, max(whole, done)),
        )

    organizations = [organization_cells(row) for row in figures["organizations"]]
    write(ORGANIZATIONS, [organizations] if organizations else [], len(organizations))
    days = [[row[column.name] for column in DAYS.columns] for row in figures["days"]]
    write(DAYS, [days] if days else [], len(days))
    losses = sum(sum(kinds.values()) for kinds in figures["losses"]["by_state"].values())
    for table, whole in ((DATASETS, totals["datasets"]), (FILES, totals["files"]), (LOSSES, losses)):
        with closing(seen.batches(table.statement, organizations=scope.ids)) as batches:
            write(table, rows_for(table, batches), whole)


def _write_rest(
    folder: Path, figures: dict[str, Any], formats: Sequence[str], browser: str | None, settings: Settings
) -> tuple[KeptFile, ...]:
    """The report itself, then what describes the folder, each of the files that are there by then."""
    tables = sorted(path.name for path in folder.iterdir())
    mine = [f"report.{name}" for name in (HTML, PDF, JSON) if name in formats]
    names = [*mine, *tables, README, *([PACKAGE] if tables else []), SUMS]
    html = render_report(figures, [{"name": name, "says": says(name)} for name in names if name not in mine])
    if JSON in formats:
        (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1))
    if HTML in formats or browser is not None:
        (folder / "report.html").write_text(html, encoding="utf-8")
    if browser is not None:
        print_pdf(
            browser, folder / "report.html", folder / "report.pdf", seconds=settings.report_print_seconds
        )
        if HTML not in formats:
            (folder / "report.html").unlink()
    (folder / README).write_text(readme(figures, names), encoding="utf-8")
    files = [written_file(folder / name) for name in names if name not in (PACKAGE, SUMS)]
    if tables:
        (folder / PACKAGE).write_text(data_package(figures, files), encoding="utf-8")
        files.append(written_file(folder / PACKAGE))
    (folder / SUMS).write_text(sums(files), encoding="utf-8")
    return (*files, written_file(folder / SUMS))
