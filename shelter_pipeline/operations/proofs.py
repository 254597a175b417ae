"""What must be done about nodes' copies again and again, whoever is asleep: `shelter node prove`, hourly by Dagster.

Proofs that did not come expire, copies of silent nodes count less, testimonies are held
against what others got, copies are challenged, and what nodes brought is told beside the
blobs. Each step is bounded, may be repeated, and may run beside itself.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from shelter_pipeline.catalog import proofs as books
from shelter_pipeline.catalog.node_deeds import decay, node_standings
from shelter_pipeline.catalog.progress import brought_entries, dataset_records
from shelter_pipeline.catalog.testimonies import (
    end_testimony,
    later_visits,
    note_told,
    untold_testimonies,
)
from shelter_pipeline.domain.testimony import Finding, Visit, compare
from shelter_pipeline.domain.trust import SILENCE_STEPS
from shelter_pipeline.operations.challenges import answer_challenge, issue_challenges, open_challenges
from shelter_pipeline.operations.uploads import open_uploads, receive_upload
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.manifest import write_manifest

__all__ = [
    "answer_challenge",
    "decay_copies",
    "expire_proofs",
    "hear_testimonies",
    "issue_challenges",
    "keep_manifests",
    "node_table",
    "open_challenges",
    "open_uploads",
    "prove_nodes",
    "receive_upload",
]

_AT_ONCE = 1000
_TOLD_AT_ONCE = 500


def prove_nodes(workplace: Workplace) -> dict[str, int]:
    """All of it, once; how much of each.

    `{uploads_missed, challenges_missed, confirmed, contradicted, changed, differs,
    copies_reweighed, files_wanted, challenges, told}`.
    """
    missed = expire_proofs(workplace)
    found = hear_testimonies(workplace)
    reweighed = decay_copies(workplace)
    return {
        **missed,
        **found,
        **reweighed,
        "challenges": issue_challenges(workplace),
        "told": keep_manifests(workplace),
    }


def node_table(workplace: Workplace, *, limit: int = 50) -> list[dict[str, Any]]:
    """How nodes stand, liars and the least trusted first."""
    return [dict(row) for row in node_standings(workplace.catalog, limit=limit)]


def expire_proofs(workplace: Workplace) -> dict[str, int]:
    """End what did not come in time: `{uploads_missed, challenges_missed}`. Only a missed upload costs trust."""
    return {
        "uploads_missed": books.expire_uploads(workplace.catalog, limit=_AT_ONCE),
        "challenges_missed": books.expire_challenges(workplace.catalog, limit=_AT_ONCE),
    }


def decay_copies(workplace: Workplace) -> dict[str, int]:
    """Let copies count by their nodes' silence: `{copies_reweighed, files_wanted}`; writes only what changes."""
    copies, files = decay(workplace.catalog, dict(SILENCE_STEPS))
    return {"copies_reweighed": copies, "files_wanted": files}


def hear_testimonies(workplace: Workplace) -> dict[str, int]:
    """Hold nodes' word about sources against later visits by others; how many ended in each way."""
    found = dict.fromkeys((one.value for one in Finding), 0)
    for visit in later_visits(workplace.catalog, limit=_AT_ONCE):
        finding = compare(
            Visit(visit.sha256, visit.last_modified, visit.began_at),
            Visit(visit.visit_sha256, visit.visit_last_modified, visit.visit_began_at),
        )
        found[finding.value] += end_testimony(workplace.catalog, visit, finding)
    return found


def keep_manifests(workplace: Workplace) -> int:
    """Tell beside the blobs of the files that nodes brought, which are in no batch; returns of how many."""
    told = 0
    while files := untold_testimonies(workplace.catalog, store=workplace.store.name, limit=_TOLD_AT_ONCE):
        assets = sorted({file.asset_id for file in files})
        entries = brought_entries(workplace.catalog, [file.capture_id for file in files], assets)
        with closing(dataset_records(workplace.catalog, None, assets)) as records:
            workplace.store.put_documents(
                (f"records/{record[:2]}/{record}.json", raw.encode()) for record, raw in records
            )
        name = write_manifest(
            workplace.store, f"nodes-{datetime.now(UTC):%Y-%m-%d}", [_plain(entry) for entry in entries]
        )
        note_told(workplace.catalog, [file.id for file in files], name)
        told += len(files)
    return told


def _plain(entry: dict[str, object]) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in entry.items()
    }
