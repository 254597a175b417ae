"""What the catalog knows of bytes that are held: their size and type, the files they are, who holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shelter_pipeline.catalog.connection import Catalog

_MOST = 50
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class BlobRow:
    """One blob, and any fifty of the files that have its bytes now, with the datasets they are of."""

    sha256: str
    size: int
    media_type: str | None
    first_stored_at: datetime
    urls: tuple[str, ...]
    dataset_ids: tuple[int, ...]


def find_blob(catalog: Catalog, sha256: str) -> BlobRow | None:
    """The blob of this digest; None if none counts as held."""
    rows = catalog.rows("find_blob", sha256=sha256, most=_MOST)
    return next(
        (
            BlobRow(**(row | {"urls": tuple(row["urls"]), "dataset_ids": tuple(row["dataset_ids"])}))
            for row in map(dict, rows)
        ),
        None,
    )


def copies_of(catalog: Catalog, sha256: str) -> list[Mapping[str, Any]]:
    """Up to fifty holders of a blob: `{kind, holder, state, proved_by, counts, stored_at, verified_at}`."""
    return catalog.rows("blob_copies", sha256=sha256, most=_MOST)


def good_copies(catalog: Catalog, store: str) -> set[bytes]:
    """The digests of all that a store holds, as far as the catalog knows."""
    return {bytes.fromhex(row["sha256"]) for row in catalog.rows("good_copies", store=store)}


def doubt_copies(catalog: Catalog, store: str, digests: Sequence[str], *, state: str) -> int:
    """Our copies of these are `damaged` or `missing`; returns how many files are due again for it.

    Those that are known to be so already change nothing, so that nothing is asked for at every look.
    """
    return sum(
        catalog.count("doubt_store_copy", digests=list(some), store=store, state=state)
        for some in _portions(sorted(digests))
    )


def _portions(digests: Sequence[str]) -> Iterator[Sequence[str]]:
    return (digests[first : first + _AT_ONCE] for first in range(0, len(digests), _AT_ONCE))
