"""Invariants of the Rescue DB, each a count that must be zero."""

from __future__ import annotations

from shelter_pipeline.catalog.connection import Catalog


def audit(catalog: Catalog) -> dict[str, int]:
    """How often each invariant is broken: all zero in a catalog that can be trusted.

    `assets_without_resource` (they wait in a batch and nothing leads to them),
    `captures_without_blob`, `blobs_without_copy`, `settled_without_capture`, `failed_batches`,
    `unexplained_files` (given up without a reason), `copies_without_proof` (a node's, good on its word
    alone), `unproved_copies_that_count`.
    """
    return {name: int(value) for name, value in catalog.rows("audit")[0].items()}
