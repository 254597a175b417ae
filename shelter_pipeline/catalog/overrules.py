"""Operators' words against the content rules: each with who, when and why, each reversible, none overwriting evidence.

What a word changes is changed in one transaction with the word itself, after the bytes
are durable; the asset's state before it is noted, so that it can be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.catalog.tables_catalogue import dataset
from shelter_pipeline.catalog.tables_rescue import asset
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS


@dataclass(frozen=True, slots=True)
class Scope:
    """What a word is about: one asset, the assets of a dataset, or those of an organization."""

    organization_id: int | None = None
    dataset_id: int | None = None
    asset_id: int | None = None

    def parameters(self) -> dict[str, int | None]:
        """The ids as statements name them."""
        return {
            "organization_id": self.organization_id,
            "dataset_id": self.dataset_id,
            "asset_id": self.asset_id,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """Bytes that were kept apart, and the capture that says why."""

    asset_id: int
    url: str
    capture_id: int
    reason: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Word:
    """Who says it, and why."""

    who: str
    why: str

    def detail(self, what: str) -> str:
        """The sentence for a capture's record."""
        return storable(f"{what} by {self.who}: {self.why}")


def asset_scope(catalog: Catalog, url: str) -> Scope:
    """The asset of a URL. RefusedError for one that cannot be read, SetupError if no asset has it."""
    with catalog.begin() as connection:
        found = connection.scalar(sa.select(asset.c.id).where(asset.c.url_hash == parse_url(url).digest))
    if found is None:
        raise SetupError(f"no file of the catalog has the URL {url}")
    return Scope(asset_id=found)


def dataset_scope(catalog: Catalog, name: str) -> Scope:
    """The dataset of this identifier or slug. SetupError if there is none, or more than one."""
    named = sa.or_(dataset.c.identifier == name, dataset.c.slug == name)
    with catalog.begin() as connection:
        found = connection.scalars(sa.select(dataset.c.id).where(named).limit(2)).all()
    if len(found) != 1:
        many = "more than one dataset has" if found else "no dataset has"
        raise SetupError(f"{many} the identifier or slug {name!r}")
    return Scope(dataset_id=found[0])


def find_evidence(catalog: Catalog, scope: Scope, reasons: Sequence[str]) -> list[Evidence]:
    """The newest evidence of each asset in the scope that was kept apart for one of these reasons and not replaced."""
    rows = catalog.rows("find_evidence", reasons=list(reasons), **scope.parameters())
    return [Evidence(**row) for row in rows]


def accept(
    catalog: Catalog,
    scope: Scope,
    reasons: Sequence[str],
    evidence: Sequence[tuple[Evidence, int]],
    word: Word,
    *,
    store: str,
) -> tuple[dict[str, int], list[int]]:
    """Say that these reasons do not count in the scope, and that this evidence, each with its size, is held.

    The bytes are blobs of the known store already. Returns the ids of the words by reason,
    and of the captures that record what was accepted; evidence that a good capture has
    overtaken is left alone.
    """
    rest = REASONS["stored"].rest.total_seconds()
    with catalog.begin() as connection:
        words = {reason: _say(connection, "accept", reason, scope, word) for reason in reasons}
        captures: list[int] = []
        for item, size in evidence:
            blob = {"sha256": item.sha256, "size": size, "media_type": None, "store": store}
            if connection.execute(statement("record_blob"), blob).rowcount != 1:
                raise SetupError(f"the catalog knows no store {store!r}; it must be made known first")
            accepted = {
                "overrule_id": words[item.reason],
                "asset_id": item.asset_id,
                "capture_id": item.capture_id,
                "sha256": item.sha256,
                "size": size,
                "detail": word.detail(f"{item.reason} was overruled"),
                "rest_seconds": rest,
            }
            captures += connection.scalars(statement("accept_evidence"), accepted)
        return words, captures


def reject(catalog: Catalog, scope: Scope, word: Word) -> tuple[int, list[int]]:
    """Say that what the asset of the scope holds is not the file; it holds the version before it, or nothing.

    Returns the ids of the word and of the capture that records it. SetupError if nothing is held.
    """
    with catalog.begin() as connection:
        identity = _say(connection, "reject", "rejected", scope, word)
        rejected = {
            "overrule_id": identity,
            "asset_id": scope.asset_id,
            "detail": word.detail("rejected"),
            "rest_seconds": REASONS["rejected"].rest.total_seconds(),
        }
        captures = list(connection.scalars(statement("reject_held"), rejected))
        if not captures:
            raise SetupError("nothing is held of this file, so there is nothing to reject")
        return identity, captures


def revoke(catalog: Catalog, overrule_id: int, who: str) -> list[int]:
    """End a word, and put back what it changed where nothing has changed since; returns the captures that say so.

    SetupError if there is no such word, or it was revoked before.
    """
    with catalog.begin() as connection:
        said = {"overrule_id": overrule_id, "who": storable(who)}
        if connection.execute(statement("revoke_overrule"), said).rowcount != 1:
            raise SetupError(f"there is no overrule {overrule_id} that still stands")
        undone = {
            "overrule_id": overrule_id,
            "detail": storable(f"overrule {overrule_id} was revoked by {who}"),
        }
        return list(connection.scalars(statement("undo_overrule"), undone))


def list_overrules(catalog: Catalog) -> list[Mapping[str, Any]]:
    """Every word, newest first: `{id, action, reason, scope, files, who, why, made_at, revoked_at, revoked_by}`."""
    return catalog.rows("list_overrules")


def overrule_entries(catalog: Catalog, capture_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The lines of a word's manifest: its captures, with the datasets of each file, and what the files are now."""
    with catalog.begin() as connection:
        # The captures first: a state that is newer than they are is better than one that is older.
        captures, assets = (
            [
                dict(row)
                for row in connection.execute(statement(name), {"capture_ids": list(capture_ids)}).mappings()
            ]
            for name in ("capture_entries", "decided_assets")
        )
    return [*assets, *captures]


def _say(connection: Connection, action: str, reason: str, scope: Scope, word: Word) -> int:
    said = {
        "action": action,
        "reason": reason,
        "who": storable(word.who),
        "why": storable(word.why),
        **scope.parameters(),
    }
    return int(connection.execute(statement("add_overrule"), said).scalar_one())
