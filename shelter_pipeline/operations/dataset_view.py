"""A dataset as its page shows it: where it stands, its files, its history, why it comes when it does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shelter_pipeline.catalog.histories import batches_of_dataset, version_of_record
from shelter_pipeline.catalog.reading import Rows
from shelter_pipeline.domain.dataset_words import explain_loss, loss_of_dataset, where_dataset_stands
from shelter_pipeline.domain.text_differences import compare_texts
from shelter_pipeline.operations.explain import explain_dataset
from shelter_pipeline.operations.file_view import download_view
from shelter_pipeline.operations.pages import Page
from shelter_pipeline.operations.read_datasets import portal_record, read_dataset
from shelter_pipeline.operations.read_files import AssetQuestion, list_assets
from shelter_pipeline.operations.workplace import Workplace

_LINKS, _FILES_OF_A_LINK, _FILES = 40, 10, 30
_VERSIONS, _CHANGES, _LOSSES = 5, 6, 10
_RECORD_SHOWN = 12_000  # characters
_MOST_SUMS = 1000


def dataset_view(workplace: Workplace, dataset_id: int) -> dict[str, Any] | None:
    """As `read_dataset`, short enough for one page, with what people ask besides; None if there is none of this id.

    `sentences` say where it stands, `loss` is the standing loss of the dataset itself,
    `priority_of` explains it as `explain`, `batches` are the newest that fetched for it,
    `record` is the portal's own record for reading, cut where it is long. A file has a
    `download_as`, its path under a name; a change of a version has `pieces`.
    """
    found = read_dataset(workplace, dataset_id, links=_LINKS, files=_FILES_OF_A_LINK)
    if found is None:
        return None
    links = list(_within(found["links"], _FILES))
    files = [file for link in links for file in link["files_found"]]
    return {
        **found,
        "links": links,
        "sentences": where_dataset_stands(found),
        "loss": loss_of_dataset(found["losses"]),
        "proved_at": _latest(files, "proved_at"),
        "captured_at": _latest([file for file in files if file["download_as"]], "captured_at"),
        "replaced": [_version(row, _CHANGES) for row in found["replaced"][:_VERSIONS]],
        "losses_more": len(found["losses"]) > _LOSSES,
        "losses": [{**loss, "explanation": explain_loss(loss)} for loss in found["losses"][:_LOSSES]],
        "priority_of": explain_dataset(workplace, dataset_id),
        "batches": batches_of_dataset(workplace.catalog, dataset_id),
        "record": readable_record(portal_record(workplace, dataset_id) or ""),
    }


def files_of_dataset(
    workplace: Workplace, dataset_id: int, page: Page, *, resource: int | None = None
) -> dict[str, Any]:
    """`{items, next}`: all files of a dataset, or of one of its links, by id. BadCursorError."""
    found = list_assets(workplace, AssetQuestion(dataset=dataset_id, resource=resource), page)
    return {**found, "items": [download_view(file) for file in found["items"]]}


def sums_of_dataset(workplace: Workplace, dataset_id: int) -> str:
    """The held files of a dataset, the first thousand, in the format that `sha256sum --check` reads."""
    question = AssetQuestion(dataset=dataset_id, state="held")
    held = list_assets(workplace, question, Page(_MOST_SUMS))["items"]
    return "".join(f"{file['sha256']}  {download_view(file)['filename']}\n" for file in held)


def version_view(workplace: Workplace, dataset_id: int, version_id: int) -> dict[str, Any] | None:
    """A replaced version of a record with all that became of it; None if there is none.

    `raw` is the portal's own text, `record` the same for reading, cut where it is long.
    """
    found = version_of_record(workplace.catalog, dataset_id, version_id)
    if found is None:
        return None
    return {**_version(found, len(found["changes"])), "record": readable_record(found["raw"])}


def readable_record(raw: str) -> str:
    """A canonical record with its lines apart, cut where it is long; as it stands where nothing can read it."""
    try:
        text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = raw
    return text if len(text) <= _RECORD_SHOWN else f"{text[:_RECORD_SHOWN]}\n…"


def _within(links: Rows, most: int) -> Iterator[dict[str, Any]]:
    """The links with so many files in all; `files` of each still says how many it has."""
    for link in links:
        shown = [download_view(file) for file in link["files_found"][:most]]
        most -= len(shown)
        yield {**link, "files_found": shown}


def _version(row: Mapping[str, Any], most: int) -> dict[str, Any]:
    changes = row["changes"] if isinstance(row["changes"], list) else []
    shown = [_change(one) for one in changes[:most] if isinstance(one, Mapping)]
    return {**row, "changes": shown, "changes_more": max(len(changes) - most, 0)}


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    """`{path, kind, pieces}`: `added`, `removed` or `changed`, and the values compared word by word."""
    sides = [_text(change[name]) if name in change else None for name in ("before", "after")]
    kind = "added" if sides[0] is None else "removed" if sides[1] is None else "changed"
    return {
        "path": str(change.get("path", "$")),
        "kind": kind,
        "pieces": compare_texts(sides[0] or "", sides[1] or ""),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _latest(files: Rows, name: str) -> datetime | None:
    return max((file[name] for file in files if file[name]), default=None)
