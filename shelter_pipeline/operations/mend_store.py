"""Scrub a store and want back what it has lost: what is damaged or missing is fetched again, if it is still there."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.blobs import doubt_copies, good_copies
from shelter_pipeline.catalog.scrubs import note_scrub
from shelter_pipeline.operations.open_store import find_store
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.store import digest_named_by

# So much at once is rather a disk that is not mounted than one that rots: whether it is lost, a person has to say.
_SHARE = 0.1
_LEAST = 100


def mend_store(workplace: Workplace, text: str | None = None, *, sure: bool = True) -> dict[str, Any]:
    """What `scrub_store` says, and how many files are `wanted_again`: the next batches of theirs have them.

    Missing is what a manifest of the store promises, and what the catalog thinks to be there: a store that was lost
    as a whole has no manifests either. Where nobody is `sure` and more than a tenth is missing, that is `withheld`:
    it is told and not wanted. What is in quarantine stays there. The result is kept in the catalog, where
    alerts see it.
    """
    store = find_store(text, workplace.settings)[0]
    unseen = good_copies(workplace.catalog, store.name)  # first, so that what comes meanwhile is not missed
    held = len(unseen)
    report = scrub_store(text, workplace.settings)
    for blob in store.blobs():
        unseen.discard(bytes.fromhex(blob.sha256))
    damaged = {sha256 for place in report["damaged_files"] if (sha256 := digest_named_by(place))}
    missing = {*report["missing_files"], *(digest.hex() for digest in unseen)} - damaged
    withheld = not sure and len(unseen) >= _LEAST and len(unseen) > _SHARE * held
    wanted = sum(
        doubt_copies(workplace.catalog, store.name, sorted(digests), state=state)
        for state, digests in (("damaged", damaged), ("missing", set() if withheld else missing))
    )
    report |= {
        "missing": len(missing),
        "missing_files": sorted(missing),
        "wanted_again": wanted,
        "withheld": len(missing) if withheld else 0,
    }
    note_scrub(workplace.catalog, store.name, report)
    return report
