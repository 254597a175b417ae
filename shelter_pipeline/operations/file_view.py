"""A file as its page shows it: every capture with its heads, every bytes it ever had, who has it, who had a say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shelter_pipeline.catalog.blobs import copies_of
from shelter_pipeline.catalog.histories import captures_with_heads, rulings_on, versions_of_bytes
from shelter_pipeline.domain.asset_words import flag_in_words
from shelter_pipeline.domain.filenames import filename_of
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.operations.explain import explain_asset
from shelter_pipeline.operations.pages import Page, by_id
from shelter_pipeline.operations.read_files import read_asset
from shelter_pipeline.operations.workplace import Workplace

_MOST_FIELDS, _MOST_HOPS = 60, 20


def file_page_view(workplace: Workplace, asset_id: int, page: Page) -> dict[str, Any] | None:
    """As `read_asset`, with all that became of it; None if there is none of this id. BadCursorError.

    `captures` is `{items, next}` with heads, `versions` are those of its bytes, `copies_held` who
    has them, `rulings` what people said of it, `priority_of` as `explain`.
    """
    found = read_asset(workplace, asset_id)
    if found is None:
        return None
    asked = {"histories_of": asset_id}
    place = page.begins(asked, int)
    rows = captures_with_heads(
        workplace.catalog, asset_id, before=None if place is None else int(place[0]), limit=page.rows
    )
    return {
        **download_view(found),
        "captures": page.of([_capture(row) for row in rows], asked, by_id),
        "versions": versions_of_bytes(workplace.catalog, asset_id),
        "copies_held": copies_of(workplace.catalog, found["sha256"]) if found["sha256"] else [],
        "rulings": rulings_on(workplace.catalog, asset_id),
        "priority_of": explain_asset(workplace, asset_id),
    }


def download_view(file: Mapping[str, Any]) -> dict[str, Any]:
    """The file with its `filename`, and `download_as`: where its bytes are to be had under it, None if they are not."""
    name = filename_of(file["url"], file["media_type"])
    path = file["download"]
    return {**file, "filename": name, "download_as": path and f"{path}/{quote(name, safe='')}"}


def _capture(row: Mapping[str, Any]) -> dict[str, Any]:
    known = REASONS.get(row["reason"])
    heads = row["heads"] if isinstance(row["heads"], Mapping) else {}
    hops = heads.get("hops")
    return {
        **row,
        "explanation": known.sentence if known else row["reason"],
        "flags": [{"flag": flag, "words": flag_in_words(flag)} for flag in row["flags"]],
        "heads": {
            "address": heads.get("address"),
            "request": _fields(heads.get("request")),
            "response": _fields(heads.get("response")),
            "hops": [_hop(hop) for hop in hops[:_MOST_HOPS] if isinstance(hop, Mapping)]
            if isinstance(hops, list)
            else [],
        },
    }


def _hop(hop: Mapping[str, Any]) -> dict[str, Any]:
    return {name: hop.get(name) for name in ("url", "status", "location", "address")}


def _fields(pairs: Any) -> list[tuple[str, str]]:
    """Header fields as they are kept, whatever a manifest of another time made of them."""
    if not isinstance(pairs, list):
        return []
    return [
        (str(pair[0]), str(pair[1]))
        for pair in pairs[:_MOST_FIELDS]
        if isinstance(pair, list) and len(pair) == 2  # noqa: PLR2004 - a name and a value
    ]
