"""Read resources, files and captures: what each link led to, what became of each file, and who has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shelter_pipeline.catalog import file_reads
from shelter_pipeline.domain.asset_words import where_it_stands
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.operations.pages import Page, by_id, organization_named
from shelter_pipeline.operations.workplace import Workplace

_USUAL_PORTS = (443, 80, 21)


@dataclass(frozen=True, slots=True)
class ResourceQuestion:
    """Which resources are asked for."""

    dataset: int | None = None
    organization: str | None = None
    format: str | None = None
    outcome: str | None = None
    role: str | None = None
    listed: bool | None = None


@dataclass(frozen=True, slots=True)
class AssetQuestion:
    """Which files are asked for; sizes are bytes of what is held."""

    dataset: int | None = None
    organization: str | None = None
    resource: int | None = None
    state: str | None = None
    reason: str | None = None
    host: str | None = None
    kind: str | None = None
    sha256: str | None = None
    url: str | None = None
    min_size: int | None = None
    max_size: int | None = None


def list_resources(workplace: Workplace, question: ResourceQuestion, page: Page) -> dict[str, Any]:
    """`{items, next}`: resources by id. BadCursorError, UnknownNameError, TooBroadError."""
    asked = asdict(question)
    filters = file_reads.ResourceFilters(
        question.dataset,
        organization_named(workplace, question.organization),
        question.format,
        question.outcome,
        question.role,
        question.listed,
    )
    rows = file_reads.list_resources(
        workplace.catalog, filters, after=page.begins_after_id(asked), limit=page.rows
    )
    return page.of([resource_view(row) for row in rows], asked, by_id)


def read_resource(workplace: Workplace, resource_id: int) -> dict[str, Any] | None:
    """One resource; None if there is none of this id."""
    found = file_reads.read_resource(workplace.catalog, resource_id)
    return resource_view(found) if found else None


def list_assets(workplace: Workplace, question: AssetQuestion, page: Page) -> dict[str, Any]:
    """`{items, next}`: files by id. BadCursorError, UnknownNameError, TooBroadError; RefusedError for no URL."""
    asked = asdict(question)
    filters = file_reads.AssetFilters(
        question.dataset,
        organization_named(workplace, question.organization),
        question.resource,
        question.state,
        question.reason,
        _hosts(question.host),
        question.kind,
        question.sha256,
        None if question.url is None else parse_url(question.url).digest,
        question.min_size,
        question.max_size,
    )
    rows = file_reads.list_assets(
        workplace.catalog, filters, after=page.begins_after_id(asked), limit=page.rows
    )
    return page.of([file_view(row) for row in rows], asked, by_id)


def read_asset(workplace: Workplace, asset_id: int) -> dict[str, Any] | None:
    """One file with the datasets that list it; None if there is none of this id."""
    found = file_reads.read_asset(workplace.catalog, asset_id)
    return {**file_view(found), "datasets": found["datasets"]} if found else None


def list_captures(workplace: Workplace, asset_id: int, page: Page) -> dict[str, Any] | None:
    """`{items, next}`: the captures of a file, newest first; None if there is no such file. BadCursorError."""
    asked = {"captures_of": asset_id}
    place = page.begins(asked, int)
    rows = file_reads.list_captures(
        workplace.catalog, asset_id, before=None if place is None else place[0], limit=page.rows
    )
    return None if rows is None else page.of([_explained(row) for row in rows], asked, by_id)


def read_capture(workplace: Workplace, capture_id: int) -> dict[str, Any] | None:
    """One capture with the heads of its requests and replies; None if there is none of this id."""
    found = file_reads.read_capture(workplace.catalog, capture_id)
    return _explained(found) if found else None


def resource_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """A resource as it is shown: its outcome in words where there are words for it."""
    known = REASONS.get(row["outcome"] or "")
    return {**row, "explanation": known.sentence if known else None}


def file_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """A file as it is shown: where it stands in words, and the path under which its bytes are to be had."""
    held = row["state"] == "held"
    return {
        **row,
        "explanation": where_it_stands(row["state"], row["reason"]),
        "download": f"/files/{row['sha256']}" if held else None,
    }


def _hosts(named: str | None) -> tuple[str, ...] | None:
    """The host as the catalog knows it; one that is named without a port is meant with each of the usual ones."""
    if named is None:
        return None
    name, _, port = named.lower().rpartition(":")
    return (f"{name}:{port}",) if name else tuple(f"{port}:{usual}" for usual in _USUAL_PORTS)


def _explained(row: Mapping[str, Any]) -> dict[str, Any]:
    known = REASONS.get(row["reason"])
    return {**row, "explanation": known.sentence if known else row["reason"]}
