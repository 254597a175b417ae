"""A Rescue DB of data.gov's size to be read from: records with words as unevenly spread as in real ones.

Everything follows from one seed. The records are loaded by COPY, and what belongs to them is
made of them by the server itself.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.shape import Shape, Size
from shelter_pipeline.catalog.connection import Catalog, copy_rows

_FREQUENT = (
    *("data", "water", "survey", "climate", "county", "map", "national", "temperature", "air", "quality"),
    *("census", "land", "ocean", "station", "monthly", "boundary", "sediment", "river", "emissions", "soil"),
    *(
        "precipitation",
        "satellite",
        "inventory",
        "health",
        "energy",
        "forest",
        "wildlife",
        "traffic",
        "coast",
    ),
)
_SYLLABLES = ("ba", "cor", "del", "fi", "gran", "hu", "jo", "kel", "lim", "mar", "nis", "or", "pa", "rus")
_WORDS, _SENTENCES = 30_000, 30_000
_NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
_DATASET = (
    "dataset (portal_id, organization_id, identifier, slug, title, description, publisher, kind, keywords, themes,"
    " modified, raw, record_hash, state)"
)
# Of every ten files four are held, four wait and two failed; a link in fifty leads to a file of another dataset too.
_BELONGINGS = (
    "INSERT INTO harvest (portal_id, verdict, finished_at) VALUES (1, 'complete', now())",
    "INSERT INTO store (name) VALUES ('store')",
    "INSERT INTO host (name) SELECT 'data' || n || '.example.gov:443' FROM generate_series(0, 976) AS n",
    "INSERT INTO sighting (dataset_id, harvest_id, popularity) SELECT id, 1, 40000 / (id %% 9973 + 1) FROM dataset",
    (
        "INSERT INTO resource (dataset_id, key, position, role, url, name, format, media_type, discovered_at,"
        " classified_as, outcome)"
        " SELECT id, 'r' || n, n, 'download', 'https://data' || id %% 977 || '.example.gov/' || slug || '/' || n,"
        " 'Part ' || n, (ARRAY['CSV', 'ZIP', 'JSON', 'PDF', 'NetCDF'])[1 + (id + n) %% 5], 'text/csv', now(),"
        " 'file', CASE WHEN n = 8 THEN 'service' ELSE 'found' END"
        " FROM dataset CROSS JOIN LATERAL generate_series(1, (ARRAY[1, 2, 3, 5, 8])[1 + id %% 5]) AS n"
    ),
    (
        "INSERT INTO blob (sha256, size, media_type)"
        " SELECT encode(sha256(CAST(CAST(id AS text) AS bytea)), 'hex'), 1000 + id %% 100000, 'text/csv'"
        " FROM resource WHERE id %% 10 < 4"
    ),
    (
        "INSERT INTO asset (url, url_hash, host, kind, format, state, reason, sha256, size, expected_size)"
        " SELECT url, sha256(convert_to(url || id, 'UTF8')), 'data' || dataset_id %% 977 || '.example.gov:443',"
        " CASE WHEN id %% 4 < 3 THEN 'table' ELSE 'archive' END, format,"
        " CASE WHEN id %% 10 < 4 THEN 'held' WHEN id %% 10 < 8 THEN 'pending' ELSE 'failed' END,"
        " CASE WHEN id %% 10 < 4 THEN 'stored' WHEN id %% 10 = 8 THEN 'not-found' WHEN id %% 10 = 9 THEN 'forbidden'"
        " END,"
        " CASE WHEN id %% 10 < 4 THEN encode(sha256(CAST(CAST(id AS text) AS bytea)), 'hex') END,"
        " CASE WHEN id %% 10 < 4 THEN 1000 + id %% 100000 END, 1000 + id %% 100000"
        " FROM resource ORDER BY id"
    ),
    "INSERT INTO asset_resource (asset_id, resource_id, via) SELECT id, id, 'direct' FROM resource",
    (
        "INSERT INTO asset_resource (asset_id, resource_id, via) SELECT id, id - 40, 'direct' FROM resource"
        " WHERE id %% 50 = 49"
    ),
    "INSERT INTO copy (sha256, store_id, proved_by) SELECT sha256, 1, 'store' FROM blob",
    (
        "INSERT INTO capture (asset_id, verdict, reason, status, sha256, size)"
        " SELECT id, CASE WHEN state = 'held' THEN 'stored' ELSE 'permanent' END, reason, 200, sha256, size"
        " FROM asset WHERE reason IS NOT NULL"
    ),
    (
        "INSERT INTO priority (asset_id, score, level, scarcity, threat)"
        " SELECT id, (id %% 1000) / 1000.0, 1 + id %% 10, 0.1, 0.2 FROM asset"
    ),
    (
        "INSERT INTO loss (portal_id, dataset_id, kind, state)"
        " SELECT portal_id, id, 'delisted', 'suspected' FROM dataset WHERE state = 'absent'"
    ),
)


def fill(catalog: Catalog, size: Size) -> None:
    """Fill an empty, migrated catalog."""
    shape = Shape(size)
    with catalog.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        connection.exec_driver_sql("DELETE FROM portal")
        connection.exec_driver_sql(
            "INSERT INTO portal (slug, kind, url) VALUES ('datagov', 'datagov', 'https://catalog.example.gov')"
        )
        connection.exec_driver_sql(
            "INSERT INTO asset_kind (slug, label, family) VALUES ('table', 'Table', 'tabular'),"
            " ('archive', 'Archive', 'packed') ON CONFLICT DO NOTHING"
        )
        connection.exec_driver_sql("DELETE FROM organization")
        copy_rows(
            connection,
            "organization (portal_id, slug, key, name, kind, claimed_datasets)",
            ((1, one.slug, one.slug, one.name, one.kind, one.count) for one in shape.organizations),
        )
        first = connection.exec_driver_sql("SELECT min(id) FROM organization").scalar_one()
        copy_rows(connection, _DATASET, _records(shape, first))
        for statement in _BELONGINGS:
            connection.exec_driver_sql(statement, {})
    _tidy(catalog)


def _tidy(catalog: Catalog) -> None:
    """What autovacuum does within minutes of a load."""
    with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def frequent_words() -> tuple[str, ...]:
    """Words that stand in very many records, the most frequent first."""
    return _FREQUENT


def rare_words(count: int) -> list[str]:
    """Words that stand in some hundred records or fewer."""
    return _vocabulary()[-count:]


def _vocabulary() -> list[str]:
    dice = random.Random(7)
    made: dict[str, None] = dict.fromkeys(_FREQUENT)
    while len(made) < _WORDS:
        made["".join(dice.choices(_SYLLABLES, k=dice.randint(2, 5)))] = None
    return list(made)


def _records(shape: Shape, first_organization: int) -> Iterator[tuple[object, ...]]:
    dice = random.Random(11)
    words = _vocabulary()
    weights = [1 / (rank + 3) for rank in range(len(words))]
    pool = dice.choices(words, weights, k=400_000)
    sentences = [
        " ".join(pool[at : at + dice.randint(8, 20)]).capitalize() + "."
        for at in dice.choices(range(len(pool) - 20), k=_SENTENCES)
    ]
    numbers = {one.slug: first_organization + at for at, one in enumerate(shape.organizations)}
    for position in range(shape.size.datasets):
        owner = shape.organization(position)
        at = dice.randrange(len(pool) - 12)
        title = " ".join(pool[at : at + dice.randint(4, 9)]).capitalize()
        description = " ".join(dice.choices(sentences, k=dice.randint(2, 12)))
        keywords = list(dict.fromkeys(pool[at + 6 : at + 11]))
        raw = f'{{"title":"{title}","description":"{description}","keyword":"{keywords}","at":{position}}}'
        yield (
            1,
            numbers[owner.slug],
            f"{position:08x}-5000-8000",
            f"{title.lower().replace(' ', '-')[:60]}-{position}",
            title,
            description,
            owner.name,
            "dataset" if position % 50 else "service",
            keywords,
            keywords[:1],
            _NEWEST - timedelta(minutes=position * 7 % 5_000_000),
            raw,
            hashlib.sha256(raw.encode()).digest(),
            "listed" if position % 100 else "absent",
        )
