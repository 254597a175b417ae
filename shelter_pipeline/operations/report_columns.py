"""The tables of a report: their columns in sentences, which make the data dictionary and the typed files alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from shelter_pipeline.catalog.summaries import progress_of

Kind = Literal["string", "integer", "number", "datetime", "date", "any"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what its cells are, and what they say. Cells of kind `any` hold JSON as text."""

    name: str
    kind: Kind
    says: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `cells` makes the cells of one row of what the catalog says; None if they are that row."""

    name: str
    says: str
    columns: tuple[Column, ...]
    statement: str = ""
    cells: Callable[[Mapping[str, Any]], Sequence[Any]] | None = None


def _columns(*columns: tuple[str, Kind, str]) -> tuple[Column, ...]:
    return tuple(Column(*column) for column in columns)


_ORGANIZATIONS = _columns(
    ("organization", "string", "Key of the organization; other tables refer to it."),
    ("name", "string", "Its name, as its portal writes it."),
    ("portal", "string", "The portal that lists it."),
    ("verdict", "string", "How its rescue stands, in one word; the README explains each."),
    ("datasets", "integer", "Datasets that its portal lists or has listed."),
    ("absent_datasets", "integer", "Datasets among them that the portal lists no more."),
    ("expected_files", "integer", "Files that these datasets lead to, each counted once."),
    ("held_files", "integer", "Files that are held whole and verified."),
    ("held_bytes", "integer", "Bytes of the files that are held."),
    ("waiting_files", "integer", "Files that were never tried."),
    ("resting_files", "integer", "Files that failed for a while and are tried again."),
    ("undiscovered_links", "integer", "Links of its datasets that nobody has followed yet."),
    ("failed", "any", "Files that are not held although they were tried, by reason: an object of counts."),
    ("not_files", "any", "Links that lead to no file, by outcome: an object of counts."),
)
_DATASETS = _columns(
    ("dataset_id", "integer", "Number of the dataset in this catalogue; `files` and `losses` refer to it."),
    ("organization", "string", "Key of the organization that publishes it."),
    ("portal", "string", "The portal that lists it."),
    ("identifier", "string", "The dataset's identifier at its portal."),
    ("slug", "string", "Its name in addresses of the portal."),
    ("title", "string", "Its title, exactly as the portal writes it."),
    ("state", "string", "`listed`, or `absent` when the portal lists it no more."),
    ("verdict", "string", "How its rescue stands, in one word; the README explains each."),
    ("license", "string", "Its licence, as the portal writes it."),
    ("landing_page", "string", "Address of the page about it, as the portal writes it."),
    ("issued", "datetime", "When it was published, as the portal says."),
    ("modified", "datetime", "When it was last changed, as the portal says."),
    ("first_seen_at", "datetime", "When we first saw it."),
    ("changed_at", "datetime", "When we last saw its record change."),
    ("links", "integer", "Links that its record lists."),
    ("undiscovered_links", "integer", "Links among them that nobody has followed yet."),
    ("files", "integer", "Files that its links lead to."),
    ("held_files", "integer", "Files that are held whole and verified."),
    ("held_bytes", "integer", "Bytes of the files that are held."),
    ("waiting_files", "integer", "Files that were never tried."),
    ("resting_files", "integer", "Files that failed for a while and are tried again."),
    ("failed_files", "integer", "Files that could not be had."),
    ("failed", "any", "The reasons for which files of it are not held: a list."),
    ("not_files", "any", "What its links are that lead to no file: a list of outcomes."),
)
_FILES = _columns(
    ("file_id", "integer", "Number of the file in this catalogue."),
    ("url", "string", "Its address, exactly as it is asked for."),
    ("host", "string", "The server and port that it is asked from."),
    ("dataset_id", "integer", "The first dataset that lists it; empty if none does any more."),
    ("organization", "string", "Key of that dataset's organization."),
    ("datasets", "integer", "How many datasets list it."),
    ("kind", "string", "What kind of file it is taken for."),
    ("format", "string", "Its format, as the portal writes it."),
    ("media_type", "string", "Its media type: found in the bytes where they are held, else as promised."),
    ("expected_size", "integer", "Its size in bytes as the portal or the server announces it."),
    ("state", "string", "`held`, `pending` (it waits), `failed`, or `dead` (given up)."),
    ("reason", "string", "How the last try ended, as a reason; the README explains each."),
    ("sha256", "string", "SHA-256 of the bytes that are held, in hex."),
    ("size", "integer", "Size in bytes of what is held."),
    (
        "copies",
        "number",
        "Copies that count; one of a volunteer who has been silent for long counts less than 1.",
    ),
    ("attempts", "integer", "Tries that failed since the last one that did not."),
    ("found_at", "datetime", "When we found its address."),
    ("first_stored_at", "datetime", "When the bytes that are held were first stored."),
    ("last_tried_at", "datetime", "When it was last asked for."),
    (
        "next_attempt_at",
        "datetime",
        "When it is asked for again; empty if nothing but a change brings it back.",
    ),
)
_LOSSES = _columns(
    ("loss_id", "integer", "Number of the loss."),
    ("state", "string", "`suspected`, `confirmed`, or `recovered`; the README explains each."),
    ("kind", "string", "What was lost: `delisted`, `moved`, `link-dead`, `replaced`."),
    ("portal", "string", "The portal that listed it."),
    ("organization", "string", "Key of the organization that published it."),
    ("dataset_id", "integer", "The dataset that is lost, or whose link is."),
    ("identifier", "string", "That dataset's identifier at its portal."),
    ("title", "string", "Its title, exactly as the portal wrote it."),
    ("landing_page", "string", "Address of the page about it, as the portal wrote it."),
    ("url", "string", "The link that is lost; empty where the whole dataset is."),
    ("suspected_at", "datetime", "When it was first missed."),
    ("last_missed_at", "datetime", "When it was last missed."),
    ("misses", "integer", "How many complete looks missed it."),
    ("decided_at", "datetime", "When the loss came to its state."),
    ("moved_to", "string", "Identifier of the dataset that stands in its place."),
    ("evidence", "any", "What we saw: an object."),
    ("files", "integer", "Files of what was lost, as far as they are known."),
    ("held_files", "integer", "Files among them that survive here."),
    ("held_bytes", "integer", "Bytes of the files that survive here."),
)
_DAYS = _columns(
    ("day", "date", "The day, in UTC."),
    ("captures", "integer", "Tries that ended on this day."),
    ("stored", "integer", "Tries that brought new bytes, whole and verified."),
    ("unchanged", "integer", "Tries that found the bytes that are held already."),
    ("transient", "integer", "Tries that failed and may work later."),
    ("permanent", "integer", "Tries that failed and will fail again soon."),
    ("refused", "integer", "Addresses that policy forbids to ask for."),
    ("damaged", "integer", "Tries that brought bytes which contradict what was promised of them."),
    ("suspect", "integer", "Tries that brought something other than the promised file; it is kept apart."),
    ("new_bytes", "integer", "Bytes of the files that were stored whole."),
    ("wire_bytes", "integer", "Bytes that came over the network, failed tries included."),
)


def _dataset_cells(row: Mapping[str, Any]) -> Sequence[Any]:
    progress = progress_of({**row, "organization": "", "undiscovered": row["undiscovered_links"]})
    made = {
        "verdict": progress.verdict,
        "failed": as_json(row["failed"]) if row["failed"] else None,
        "not_files": as_json(row["not_files"]) if row["not_files"] else None,
    }
    return [made[column.name] if column.name in made else row[column.name] for column in _DATASETS]


def _loss_cells(row: Mapping[str, Any]) -> Sequence[Any]:
    return [as_json(row["evidence"]) if column.name == "evidence" else row[column.name] for column in _LOSSES]


def organization_cells(row: Mapping[str, Any]) -> Sequence[Any]:
    """The cells of an organization as the figures tell of it."""
    made = {name: as_json(row[name]) for name in ("failed", "not_files")}
    return [made.get(column.name, row.get(column.name)) for column in _ORGANIZATIONS]


def as_json(value: Any) -> str:
    """A cell that holds more than one thing."""
    return msgspec.json.encode(value).decode()


ORGANIZATIONS = Table(
    "organizations", "Organizations, with what is expected and what is held of them.", _ORGANIZATIONS
)
DAYS = Table("captures-by-day", "What was tried on each day, and how it ended.", _DAYS)
DATASETS = Table(
    "datasets",
    "Datasets, with what is expected and what is held of them.",
    _DATASETS,
    "report_datasets",
    _dataset_cells,
)
FILES = Table(
    "files",
    "Files: where each is from, how it stands, and the SHA-256 of what is held.",
    _FILES,
    "report_files",
)
LOSSES = Table(
    "losses",
    "What portals list no more and links that lead nowhere any more, with the evidence and what survives here.",
    _LOSSES,
    "report_losses",
    _loss_cells,
)
TABLES = (ORGANIZATIONS, DATASETS, FILES, LOSSES, DAYS)
