"""The weekly report: written beside the catalog, kept in the store, found there by whoever wants to read it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO

from shelter_pipeline.operations.print_pdf import find_browser
from shelter_pipeline.operations.report_figures import scope_of
from shelter_pipeline.operations.report_tables import PARQUET
from shelter_pipeline.operations.rescue_report import HTML, JSON, PDF, write_report
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault import reports as vault
from shelter_pipeline.vault.reports import KeptFile, KeptReport

__all__ = ["KeptFile", "KeptReport", "find_report", "list_reports", "open_file", "store_report"]


def store_report(workplace: Workplace) -> KeptReport:
    """Write a report on everything into the store, as a PDF too where a browser is.

    Raises as `write_report` and `vault.reports.keep_report`; there is no report then, and the next one is another.
    """
    settings = workplace.settings
    printed = (PDF,) if find_browser(settings.browser) else ()
    settings.home_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="report-", dir=settings.home_path) as folder:
        written = write_report(
            workplace,
            scope_of(workplace.catalog, (), None),
            parent=Path(folder),
            formats=(HTML, *printed, JSON, PARQUET),
        )
        report = KeptReport(
            format=vault.FORMAT,
            name=vault.report_name(written.counted_at),
            counted_at=written.counted_at,
            summary=written.summary,
            totals=written.totals,
            files=written.files,
        )
        vault.keep_report(workplace.store, report, written.folder)
    return report


def list_reports(workplace: Workplace) -> list[KeptReport]:
    """The reports in the store, newest first. TransientError if the store is away."""
    return vault.kept_reports(workplace.store)


def find_report(workplace: Workplace, name: str) -> KeptReport | None:
    """The report of this name; None if there is none."""
    return vault.find_report(workplace.store, name)


def open_file(workplace: Workplace, report: KeptReport, file: KeptFile) -> BinaryIO:
    """A file of a report; its bytes are to be read through `vault.reports.whole_pieces`. FileNotFoundError."""
    return vault.open_report_file(workplace.store, report, file)
