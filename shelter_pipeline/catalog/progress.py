"""What is expected and what is held, by organization, by batch and in all: the numbers every report shows."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.verdicts import REASONS, Next

_RECORDS_AT_ONCE = 100
_OF_A_MANIFEST = ("manifest_entries", "manifest_batch", "manifest_datasets", "manifest_assets")


@dataclass(frozen=True, slots=True)
class OrganizationProgress:
    """Where the rescue of one organization stands. Files are distinct assets; `failed` counts those not held."""

    organization: str
    name: str
    datasets: int
    expected_files: int
    held_files: int
    held_bytes: int
    waiting_files: int  # never tried
    resting_files: int  # tried, to be tried again
    failed: dict[str, int]
    not_files: dict[str, int]
    undiscovered: int

    @property
    def verdict(self) -> str:
        """The organization's state in one word.

        `waiting`: nothing tried yet; `in-progress`: links or files that nobody has tried are
        left; `complete`: every link was followed to its end, and every file is held;
        `empty`: nothing is listed; `landing-page-only` and `service`: all that is listed is
        pages without files, or services; `unreachable`: nothing is held; else `partial`.
        Files that failed for a while and rest until the next attempt count as not held.
        """
        if self.undiscovered or self.waiting_files:
            return "in-progress" if self.held_files or self.failed else "waiting"
        if not self.expected_files:
            return self._verdict_without_files()
        if self.held_files == self.expected_files and not self._open_ends:
            return "complete"
        return "partial" if self.held_files else "unreachable"

    @property
    def _open_ends(self) -> bool:
        """Whether a link leads to files that nobody has seen yet: a listing read in part, a page that failed."""
        return any(
            outcome == "found-in-part" or (outcome in REASONS and REASONS[outcome].next is Next.RETRY)
            for outcome in self.not_files
        )

    def _verdict_without_files(self) -> str:
        outcomes = set(self.not_files)
        if outcomes <= {"landing-page-only", "service"}:
            return next((word for word in ("landing-page-only", "service") if word in outcomes), "empty")
        return "unreachable"


def organization_progress(catalog: Catalog, organization_id: int | None = None) -> list[OrganizationProgress]:
    """The progress of one organization, or of all in the order they were found."""
    return [
        OrganizationProgress(**row)
        for row in catalog.rows("organization_progress", organization_id=organization_id)
    ]


def totals(catalog: Catalog) -> dict[str, int]:
    """The state of the whole rescue: counts of everything, bytes held."""
    return {name: int(value) for name, value in catalog.rows("totals")[0].items()}


def run_progress(catalog: Catalog) -> dict[str, int]:
    """How far harvest, discovery, scores and batches are; cheap enough to ask every second."""
    return {name: int(value or 0) for name, value in catalog.rows("run_progress")[0].items()}


def batch_report(catalog: Catalog, batch_id: int) -> list[dict[str, Any]]:
    """The files of a batch by state and reason."""
    return [dict(row) for row in catalog.rows("batch_report", batch_id=batch_id)]


def manifest_entries(catalog: Catalog, batch_id: int) -> Iterator[dict[str, Any]]:
    """The lines of a batch's manifest: the batch, its datasets and files, and what all its runs have captured.

    Nothing if no run has captured anything. Heads, which are most of it, are unfolded line by line.
    """
    with catalog.begin() as connection:
        # The captures first: a state that is newer than they are is better than one that is older.
        found = {
            name: [
                dict(row)
                for row in connection.execute(
                    statement(name), {"batch_id": batch_id, "asset_ids": []}
                ).mappings()
            ]
            for name in _OF_A_MANIFEST
        }
    captures = found.pop("manifest_entries")
    if captures:
        yield from (line for lines in found.values() for line in lines)
    for capture in captures:
        yield {**capture, "heads": msgspec.json.decode(capture["heads"])}


def brought_entries(
    catalog: Catalog, capture_ids: Sequence[int], asset_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """The lines of a manifest of files that nodes brought: their datasets, the files, the captures that hold them."""
    with catalog.begin() as connection:
        captures, datasets, assets = (
            [dict(row) for row in connection.execute(statement(name), parameters).mappings()]
            for name, parameters in (
                ("capture_entries", {"capture_ids": list(capture_ids)}),
                ("manifest_datasets", {"batch_id": None, "asset_ids": list(asset_ids)}),
                ("manifest_assets", {"batch_id": None, "asset_ids": list(asset_ids)}),
            )
        )
    return [*datasets, *assets, *captures]


def dataset_records(
    catalog: Catalog, batch_id: int | None, asset_ids: Sequence[int] = ()
) -> Generator[tuple[str, str], None, None]:
    """The portals' own records behind a batch or files, each with the SHA-256 of its bytes; to be closed."""
    parameters = {"batch_id": batch_id, "asset_ids": list(asset_ids)}
    with catalog.begin() as connection:
        streamed = connection.execution_options(yield_per=_RECORDS_AT_ONCE)
        with streamed.execute(statement("dataset_records"), parameters) as rows:
            for row in rows:
                yield row.record, row.raw
