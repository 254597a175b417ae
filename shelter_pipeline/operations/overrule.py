"""A person overrules the content rules: what was kept apart is the file after all, or what was held is not.

The order is that of a rescue: bytes into the store, then rows, then the manifest. A crash
in between leaves a blob too many, or a word that the store's manifests do not repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shelter_pipeline.catalog import overrules as books
from shelter_pipeline.catalog.claims import know_store
from shelter_pipeline.catalog.overrules import Evidence, Scope, Word
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.domain.errors import DamagedError, SetupError
from shelter_pipeline.domain.verdicts import REASONS, Next
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.manifest import write_manifest

# `rejected` is a person's own word: it is revoked, not overruled.
ACCEPTABLE = tuple(
    reason.slug for reason in REASONS.values() if reason.next is Next.REVIEW and reason.slug != "rejected"
)


def accept_suspects(
    workplace: Workplace,
    *,
    url: str | None = None,
    dataset: str | None = None,
    organization: str | None = None,
    reason: str | None = None,
    who: str,
    why: str,
) -> dict[str, Any]:
    """Hold what was kept apart in one scope, and what will come for the same reasons.

    Returns `{accepted, bytes, overrules, lost}`: `lost` are URLs whose evidence is not in this
    store, or has rotted; they are held when they are fetched again. SetupError for a scope
    or a reason that there is not, and where nothing is kept apart and no reason is named.
    """
    if reason is not None and reason not in ACCEPTABLE:
        raise SetupError(
            f"{reason!r} is not a reason that can be overruled; those are {', '.join(ACCEPTABLE)}"
        )
    scope = _scope(workplace, url, dataset, organization)
    found = books.find_evidence(workplace.catalog, scope, [reason] if reason else ACCEPTABLE)
    reasons = [reason] if reason else sorted({item.reason for item in found})
    if not reasons:
        raise SetupError(
            "nothing is kept apart there; name a --reason to accept what will be kept apart for it"
        )
    know_store(workplace.catalog, workplace.store.name)
    published, lost = _publish(workplace, found)
    words, captures = books.accept(
        workplace.catalog, scope, reasons, published, Word(who, why), store=workplace.store.name
    )
    _keep_manifest(workplace, captures, min(words.values()))
    return {
        "accepted": len(captures),
        "bytes": sum(size for _, size in published),
        "overrules": words,
        "lost": lost,
    }


def reject_held(workplace: Workplace, url: str, *, who: str, why: str) -> dict[str, Any]:
    """Say that what is held of a URL is not the file; returns `{overrule, url}`.

    The asset holds the version before it again, or fails; the blob stays. SetupError if nothing is held.
    """
    scope = books.asset_scope(workplace.catalog, url)
    identity, captures = books.reject(workplace.catalog, scope, Word(who, why))
    _keep_manifest(workplace, captures, identity)
    return {"overrule": identity, "url": url}


def revoke_overrule(workplace: Workplace, overrule_id: int, *, who: str) -> dict[str, Any]:
    """End a word and put back what it changed, unless it was changed since; returns `{revoked, put_back}`."""
    captures = books.revoke(workplace.catalog, overrule_id, who)
    _keep_manifest(workplace, captures, overrule_id)
    return {"revoked": overrule_id, "put_back": len(captures)}


def overrule_table(workplace: Workplace) -> list[dict[str, Any]]:
    """Every word, newest first, with how many files it changed and whether it still stands."""
    return [dict(row) for row in books.list_overrules(workplace.catalog)]


def _scope(workplace: Workplace, url: str | None, dataset: str | None, organization: str | None) -> Scope:
    if sum(part is not None for part in (url, dataset, organization)) != 1:
        raise SetupError("name one scope: a URL, a --dataset or an --organization")
    if url is not None:
        return books.asset_scope(workplace.catalog, url)
    if dataset is not None:
        return books.dataset_scope(workplace.catalog, dataset)
    return Scope(organization_id=organization_id(workplace.catalog, organization or ""))


def _publish(workplace: Workplace, found: Sequence[Evidence]) -> tuple[list[tuple[Evidence, int]], list[str]]:
    """Make blobs of evidence; returns it with the sizes, and the URLs of what is not to be had."""
    published, lost = [], []
    for item in found:
        try:
            published.append((item, workplace.store.accept_suspect(item.sha256).size))
        except (FileNotFoundError, DamagedError):
            lost.append(item.url)
    return published, lost


def _keep_manifest(workplace: Workplace, captures: Sequence[int], overrule_id: int) -> None:
    """The store says of itself what was decided, as it does of batches."""
    entries = books.overrule_entries(workplace.catalog, captures)
    if entries:
        write_manifest(workplace.store, f"overrule-{overrule_id}", [_plain(entry) for entry in entries])


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if name in ("started_at", "finished_at") else value
        for name, value in entry.items()
    }
