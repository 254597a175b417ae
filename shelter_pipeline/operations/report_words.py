"""What stands beside the tables of a report so that people and programs can read them: README, package, sums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.losses import ANNOUNCED, STATES
from shelter_pipeline.domain.verdict_words import VERDICTS
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.operations.report_columns import TABLES, Table
from shelter_pipeline.presentation.words import moment, plain
from shelter_pipeline.vault.reports import KeptFile

SUMS = "SHA256SUMS"
README = "README.txt"
PACKAGE = "datapackage.json"
_MEDIA_TYPES = {
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".json": "application/json",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".txt": "text/plain",
}
_SAYS = {
    "report.html": "The report for people, in one file that fetches nothing and runs nothing.",
    "report.pdf": "The same, printed.",
    "report.json": "The figures of the report for programs.",
    README: "What is in this folder, and what each column says.",
    PACKAGE: "The tables described for programs, as a Data Package (Frictionless).",
    SUMS: "SHA-256 of every other file, for `sha256sum --check`.",
}


def written_file(path: Path) -> KeptFile:
    """A file of a report, as it stands there."""
    with path.open("rb") as file:
        return KeptFile(path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def says(name: str) -> str:
    """What a file of a report holds, in a sentence."""
    return _SAYS.get(name) or next(table.says for table in TABLES if name.startswith(f"{table.name}."))


def media_type_of(name: str) -> str:
    """The media type of a file of a report."""
    return _MEDIA_TYPES.get(Path(name).suffix, "text/plain")


def readme(figures: Mapping[str, Any], names: Sequence[str]) -> str:
    """The data dictionary: every file, every column, every word that stands in them."""
    tables = [table for table in TABLES if any(name.startswith(f"{table.name}.") for name in names)]
    return "\n".join(
        [
            f"Rescue report: {plain(figures['scope']['name'], 200)}",
            f"Counted {moment(figures['counted_at'])} by Shelter {figures['release']}.",
            "All files tell of this one moment.",
            "",
            figures["summary"],
            "",
            "FILES",
            *(f"  {name}: {says(name)}" for name in names),
            "",
            "Check that they are as they were written: sha256sum --check SHA256SUMS",
            *(line for table in tables for line in _dictionary(table)),
            *(_CELLS if tables else ()),
            "",
            "VERDICTS",
            *(f"  {word}: {sentence}" for word, sentence in VERDICTS.items()),
            "",
            "REASONS",
            *(f"  {reason.slug}: {reason.sentence}" for reason in REASONS.values()),
            "",
            "STATES OF LOSSES",
            *(f"  {state}: {STATES[state]}" for state in ANNOUNCED),
            "",
        ]
    )


_CELLS = (
    "",
    "HOW CELLS ARE WRITTEN",
    "  Moments are in UTC. An empty cell is a value that is not known. Cells said to be a list or an object are JSON.",
    "  CSV: RFC 4180, UTF-8. Spreadsheets take text that begins with = + - @, a tab or a line end for a formula, so",
    "  such text has an apostrophe before it; and so has text that begins with apostrophes before such a character.",
    "  Taking away the first apostrophe of such a cell gives back what the portal wrote.",
    "  Parquet: every text exactly as it is; integers of 64 bits; moments in microseconds, UTC; Zstandard.",
)


def _dictionary(table: Table) -> Iterable[str]:
    yield from ("", f"TABLE {table.name}", f"  {table.says}")
    yield from (f"  {column.name} ({column.kind}): {column.says}" for column in table.columns)


def data_package(figures: Mapping[str, Any], files: Sequence[KeptFile]) -> str:
    """The folder as a tabular Data Package (https://specs.frictionlessdata.io)."""
    return json.dumps(
        {
            "profile": "data-package",
            "name": "shelter-report",
            "title": f"Rescue report: {figures['scope']['name']}",
            "description": figures["summary"],
            "created": figures["counted_at"].isoformat(),
            "resources": [_resource(file) for file in files],
        },
        ensure_ascii=False,
        indent=1,
    )


def _resource(file: KeptFile) -> dict[str, Any]:
    stem, _, suffix = file.name.rpartition(".")
    described = {
        "name": file.name.lower().replace(".", "-"),
        "path": file.name,
        "description": says(file.name),
        "format": suffix,
        "mediatype": media_type_of(file.name),
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    table = next((table for table in TABLES if table.name == stem), None)
    if suffix != "csv" or table is None:
        return described
    return described | {
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "dialect": {
            "delimiter": ",",
            "lineTerminator": "\r\n",
            "quoteChar": '"',
            "doubleQuote": True,
            "header": True,
        },
        "schema": {
            "fields": [_field(column.name, column.kind, column.says) for column in table.columns],
            "missingValues": [""],
        },
    }


def _field(name: str, kind: str, says: str) -> dict[str, Any]:
    # RFC 3339 with an offset, which the default format of Table Schema (a Z at the end) does not cover.
    return {"name": name, "type": kind, "description": says} | (
        {"format": "any"} if kind == "datetime" else {}
    )


def sums(files: Sequence[KeptFile]) -> str:
    """The lines that `sha256sum --check` reads."""
    return "".join(f"{file.sha256}  {file.name}\n" for file in files)
