"""Operators' words on what comes first: kept with who, why and until when, ended and never deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.catalog.tables_catalogue import dataset, organization
from shelter_pipeline.catalog.tables_rescue import asset
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import Url

Action = Literal["boost", "pin", "exclude", "set"]
_MOST_ROWS = 10_000
_USUAL_PORTS = (443, 80, 21)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Target:
    """What a word is about: one of these."""

    organization_id: int | None = None
    dataset_id: int | None = None
    asset_id: int | None = None
    host: str | None = None


def find_targets(catalog: Catalog, kind: str, name: str) -> list[Target]:
    """What goes by this name: a `dataset` (slug, identifier), an `organization` (key), or `host`s (ports of it)."""
    if kind == "host":
        names = [name.lower(), *(f"{name.lower()}:{port}" for port in _USUAL_PORTS)]
        return [Target(host=row["name"]) for row in catalog.rows("find_host", names=names)]
    if kind == "organization":
        query = sa.select(organization.c.id).where(organization.c.key == name)
        with catalog.begin() as connection:
            return [Target(organization_id=found) for found in connection.scalars(query)]
    named = sa.select(dataset.c.id).where(sa.or_(dataset.c.slug == name, dataset.c.identifier == name))
    with catalog.begin() as connection:
        return [Target(dataset_id=found) for found in connection.scalars(named.limit(2))]


def find_by_id(catalog: Catalog, kind: Literal["asset", "dataset"], identity: int) -> Target | None:
    """The asset or dataset of this id."""
    table = asset if kind == "asset" else dataset
    if identity > _LARGEST_ID:
        return None
    with catalog.begin() as connection:
        found = connection.scalar(sa.select(table.c.id).where(table.c.id == identity))
    if found is None:
        return None
    return Target(asset_id=found) if kind == "asset" else Target(dataset_id=found)


def find_by_url(catalog: Catalog, url: Url) -> Target | None:
    """The asset of this URL."""
    with catalog.begin() as connection:
        found = connection.scalar(sa.select(asset.c.id).where(asset.c.url_hash == url.digest))
    return None if found is None else Target(asset_id=found)


def add_override(
    catalog: Catalog,
    action: Action,
    target: Target,
    *,
    amount: float | None,
    who: str,
    why: str,
    until: datetime | None,
) -> int:
    """Keep a word; returns its id. Scores follow when the files of the target are scored."""
    said = {"action": action, "amount": amount, "who": storable(who), "why": storable(why), "until": until}
    return int(catalog.rows("add_override", **said, **asdict(target))[0]["id"])


def revoke_override(catalog: Catalog, override_id: int, who: str) -> Target:
    """End a word; returns what it was about. SetupError if there is none, or it was revoked before."""
    ended: list[Mapping[str, Any]] = []
    if override_id <= _LARGEST_ID:
        ended = catalog.rows("revoke_override", override_id=override_id, who=storable(who))
    if not ended:
        raise SetupError(
            f"there is no override {override_id} that still stands; see `shelter priorities list`"
        )
    return Target(**ended[0])


def replace_levels(catalog: Catalog, levels: Sequence[tuple[int, int]], *, who: str, why: str) -> list[int]:
    """Set levels of assets by id, in place of those this name has set before; returns the assets there are."""
    known = [(identity, level) for identity, level in levels if 0 < identity <= _LARGEST_ID]
    said = {
        "asset_ids": [identity for identity, _ in known],
        "levels": [level for _, level in known],
        "who": storable(who),
        "why": storable(why),
    }
    with catalog.begin() as connection:
        return list(connection.scalars(statement("replace_levels"), said))


def list_overrides(
    catalog: Catalog, *, standing: bool, asset_id: int | None = None
) -> list[Mapping[str, Any]]:
    """Words, newest first, with what they are about and whether they stand; of one asset, or all."""
    return catalog.rows("list_overrides", standing=standing, asset_id=asset_id, limit=_MOST_ROWS)


def assets_of(catalog: Catalog, target: Target, *, limit: int) -> list[int]:
    """The assets that a word about this target reaches, at most so many."""
    return [row["id"] for row in catalog.rows("overridden_assets", limit=limit, **asdict(target))]
