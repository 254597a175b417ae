"""A small catalogue for tests of scores: files by name, what is held of them, the rules they are scored by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.catalog.scoring import Rules, score_assets
from shelter_pipeline.domain.records import DatasetRecord
from shelter_pipeline.priorities.weights import EQUAL_STEPS, SIGNALS
from shelter_pipeline.priorities.wording import Reader
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested

EQUAL = dict.fromkeys(SIGNALS, 1 / len(SIGNALS))


def filled(catalog: Catalog, portal: PortalRow, *records: DatasetRecord) -> None:
    """The records harvested, and an asset for each of their links."""
    harvested(catalog, portal, records)
    discovered(catalog, portal)


def a_file(name: str, **fields: Any) -> DatasetRecord:
    """A dataset of one file on a host of its own."""
    size = fields.pop("size", None)
    return a_dataset(name, a_resource(url(name), size=size), **{"title": "Plain", **fields})


def url(name: str) -> str:
    """The URL of the file of this name."""
    return f"https://{name}.example/a.csv"


def rules(shares: dict[str, float] = EQUAL, **more: Any) -> Rules:
    """Rules with these shares and equal levels; words, themes and topics as they are given."""
    topics = more.pop("topics", {})
    reader = Reader(more.pop("vocabulary", {}), more.pop("themes", {}), tuple(topics))

    def read(title: str, keywords: Sequence[str], themes: Sequence[str]) -> tuple[float, Sequence[int]]:
        found = reader.read(title, keywords, themes)
        return found.relevance, found.topics

    return Rules(
        shares=dict.fromkeys(SIGNALS, 0.0) | shares,
        steps=EQUAL_STEPS,
        floors=(0.0, *EQUAL_STEPS),
        ceilings=(*(step - 1e-6 for step in EQUAL_STEPS), 1.0),
        read=read,
        fingerprint=reader.fingerprint,
        topic_risks=list(topics.values()),
        **more,
    )


def score(catalog: Catalog, shares: dict[str, float] = EQUAL, **more: Any) -> int:
    """Score all files, or `asset_ids`."""
    asset_ids = more.pop("asset_ids", None)
    return score_assets(catalog, rules(shares, **more), asset_ids=asset_ids)


def scores(catalog: Catalog) -> dict[str, float]:
    """Every score, by the name of the file's host."""
    with catalog.begin() as connection:
        rows = connection.execute(
            sa.text("SELECT host, score FROM priority JOIN asset ON asset.id = asset_id ORDER BY host")
        )
        return {row.host.removesuffix(".example:443"): row.score for row in rows}


def row(catalog: Catalog, name: str) -> Any:
    """The priority of a file."""
    with catalog.begin() as connection:
        return connection.execute(
            sa.text("SELECT priority.* FROM priority JOIN asset ON asset.id = asset_id WHERE url = :url"),
            {"url": url(name)},
        ).one()


def asset_id(catalog: Catalog, name: str) -> int:
    """The id of a file."""
    with catalog.begin() as connection:
        return int(
            connection.scalar(sa.text("SELECT id FROM asset WHERE url = :url"), {"url": url(name)}) or 0
        )


def run(catalog: Catalog, statement: str, **parameters: Any) -> None:
    """Change something by hand."""
    with catalog.begin() as connection:
        connection.execute(sa.text(statement), parameters)


def hold(catalog: Catalog, name: str, *, copies: int = 1) -> None:
    """The file is held, in so many stores, captured now."""
    sha256 = name.encode().hex().ljust(64, "0")
    run(catalog, "INSERT INTO blob (sha256, size) VALUES (:sha256, 5)", sha256=sha256)
    for number in range(copies):
        run(catalog, "INSERT INTO store (name) VALUES (:name) ON CONFLICT DO NOTHING", name=f"store {number}")
        run(
            catalog,
            "INSERT INTO copy (sha256, store_id) SELECT :sha256, id FROM store WHERE name = :name",
            sha256=sha256,
            name=f"store {number}",
        )
    run(
        catalog,
        "UPDATE asset SET state = 'held', sha256 = :sha256, size = 5 WHERE url = :url",
        sha256=sha256,
        url=url(name),
    )


def captured(catalog: Catalog, name: str, *, days_ago: float) -> None:
    """A good capture of the held file, so many days ago; its copy is as old."""
    run(
        catalog,
        "INSERT INTO capture (asset_id, verdict, reason, sha256, size, finished_at)"
        " SELECT id, 'stored', 'stored', sha256, size, now() - make_interval(secs => :age) FROM asset WHERE url = :url",
        url=url(name),
        age=days_ago * 86_400,
    )
    run(
        catalog,
        "UPDATE copy SET stored_at = now() - make_interval(secs => :age) FROM asset"
        " WHERE asset.sha256 = copy.sha256 AND asset.url = :url",
        url=url(name),
        age=days_ago * 86_400,
    )
