"""A catalog of which every field that others can fill was filled by somebody with bad intentions."""

from __future__ import annotations

import json

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, storable
from shelter_pipeline.domain.records import DatasetRecord, OrganizationRecord
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.markup import HOSTILE, HOSTILE_URLS
from shelter_pipeline_tests.support.naughty_strings import NAUGHTY_STRINGS
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested

TEXTS = tuple(storable(text) for text in (*HOSTILE, *NAUGHTY_STRINGS))


def a_hostile_catalog(catalog: Catalog) -> list[int]:
    """A dataset for every hostile text, with captures, versions and losses that say the same; returns their ids."""
    portal = a_portal(catalog)
    harvested(catalog, portal, [_dataset(number, f"{text} before") for number, text in enumerate(TEXTS)])
    harvested(catalog, portal, [_dataset(number, text) for number, text in enumerate(TEXTS)])
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE resource SET url = url || '.csv' WHERE position = 0"))
    _hold_the_good_links(catalog)
    with catalog.begin() as connection:
        for number, text in enumerate(TEXTS):
            connection.execute(sa.text(_SPOIL), _said(number, text))
        return list(connection.scalars(sa.text("SELECT id FROM dataset ORDER BY id")))


def _hold_the_good_links(catalog: Catalog) -> None:
    """The one good link of every dataset becomes a file that is held."""
    with catalog.begin() as connection:
        connection.execute(sa.text("INSERT INTO host (name) VALUES ('e.example:443') ON CONFLICT DO NOTHING"))
        connection.execute(sa.text(_FILES))
        urls = list(connection.scalars(sa.text("SELECT url FROM asset ORDER BY id LIMIT 20")))
    for url in urls:
        captured(catalog, url, "stored", size=7)


_FILES = """
WITH file AS (
    INSERT INTO asset (url, url_hash, host, format)
    SELECT url, sha256(convert_to(url, 'UTF8')), 'e.example:443', format
      FROM resource WHERE position = 0
    RETURNING id, url
)
INSERT INTO asset_resource (asset_id, resource_id, via)
SELECT file.id, resource.id, 'direct' FROM file JOIN resource ON resource.url = file.url AND resource.position = 0
"""
# What portals, hosts and volunteers can make the catalog say of a dataset and of its first file.
_SPOIL = """
WITH spoilt AS (
    UPDATE dataset SET publisher = :text, license = :text, spatial = :text, temporal = :text, landing_page = :text,
                       collection = :text, access_level = :text, state = 'absent', modified = now()
     WHERE slug = :slug RETURNING id, portal_id
), file AS (
    UPDATE asset SET media_type = :text
      FROM asset_resource, resource, spoilt
     WHERE asset_resource.asset_id = asset.id AND resource.id = asset_resource.resource_id
       AND resource.dataset_id = spoilt.id
    RETURNING asset.id
), spoken AS (
    UPDATE capture SET final_url = :text, detail = :text, flags = ARRAY[:text], heads = CAST(:heads AS jsonb)
     WHERE asset_id IN (SELECT id FROM file)
)
INSERT INTO loss (portal_id, dataset_id, kind, evidence)
SELECT portal_id, id, 'delisted', CAST(:evidence AS jsonb) FROM spoilt
"""


def _said(number: int, text: str) -> dict[str, str]:
    """One text in every place of a capture's heads and a loss's evidence."""
    hop = {"url": text, "location": text, "status": text, "address": text}
    heads = {"request": [[text, text]], "response": text, "address": text, "hops": [hop, text]}
    evidence = {"reason": text, "because": text, "captures": text, "decisions": [{"who": text, "why": text}]}
    return {
        "slug": f"dataset-d{number}",
        "text": text,
        "heads": json.dumps(heads),
        "evidence": json.dumps(evidence),
    }


def _dataset(number: int, text: str) -> DatasetRecord:
    links = [a_resource(f"https://e.example/{number}", name=text, format=text, description=text)]
    links += [
        a_resource(url, key=f"u{place}", position=place, name=text)
        for place, url in enumerate(HOSTILE_URLS, 1)
    ]
    return a_dataset(
        f"d{number}",
        *links,
        title=text,
        description=text,
        keywords=(text,),
        themes=(text,),
        organization=OrganizationRecord(f"o{number}", text),
    )
