"""A catalogue of data.gov's size for scoring, made inside PostgreSQL: realistic widths, words, sharing, losses.

Every row follows from its number alone, so that two runs score the same catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

_SAID = """annual monthly county survey river basin coastal census tract hazard mapping inventory water quality air
emissions monitoring station ocean level temperature parcel zoning budget crash permits library school elevation lidar
imagery orthophoto groundwater wells soil forest wildfire perimeter habitat species fishery bathymetry storm surge
drought precipitation index climate normals greenhouse gas energy consumption solar wind transmission health sea
mortality vaccination food inspections traffic counts transit stops boundaries districts addresses roads"""
_WORDS = _SAID.split()


@dataclass(frozen=True, slots=True)
class Scale:
    """How many rows of each kind."""

    assets: int = 2_000_000
    datasets: int = 526_000
    organizations: int = 1_500
    hosts: int = 2_000

    @classmethod
    def of(cls, assets: int) -> Scale:
        """A smaller catalogue of the same proportions."""
        share = assets / 2_000_000
        return cls(
            assets,
            max(1, round(526_000 * share)),
            max(3, min(1_500, round(1_500 * share) + 20)),
            max(5, min(2_000, round(2_000 * share) + 50)),
        )


def _statements(scale: Scale) -> list[str]:
    a, d, o, h = scale.assets, scale.datasets, scale.organizations, scale.hosts
    hash32 = "sha256(CAST('{}' || n AS bytea))"
    word = "(CAST('{" + ",".join(f'"{one}"' for one in _WORDS) + "}' AS text[]))"
    pick = f"{word}[1 + mod(abs(hashint8(n * %d + %d)), {len(_WORDS)})]"
    title = " || ' ' || ".join(f"initcap({pick % (k, k)})" for k in (3, 5, 7, 11, 13, 17))
    keywords = ", ".join(pick % (k, k + 1) for k in (19, 23, 29, 31, 37))
    return [
        "SET session_replication_role = replica",
        "INSERT INTO portal (slug, kind, url) VALUES ('big', 'datagov', 'https://big.example')",
        "INSERT INTO harvest (portal_id, verdict) VALUES (1, 'complete')",
        "INSERT INTO asset_kind (slug, label, family) VALUES ('csv', 'CSV', 'table') ON CONFLICT DO NOTHING",
        (
            "INSERT INTO organization (portal_id, slug, key, name)"
            f" SELECT 1, 'org-' || n, 'org-' || n, 'Organization ' || n FROM generate_series(1, {o}) AS n"
        ),
        f"INSERT INTO host (name) SELECT 'h' || n || '.example.gov:443' FROM generate_series(1, {h}) AS n",
        # Half of all datasets are one organization's, the rest fall off by a power.
        (
            "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, keywords, themes, modified, raw,"
            " record_hash, state)"
            f" SELECT 1, CASE WHEN mod(n, 2) = 0 THEN 1 ELSE 1 + floor({o} * power(random(), 3))::int END,"
            f" 'dataset-' || n, 'dataset-' || n, {title}, ARRAY[{keywords}],"
            " CASE WHEN mod(n, 9) = 0 THEN ARRAY['geospatial'] ELSE '{}' END,"
            " now() - make_interval(days => mod(n, 3000)::int),"
            f" (SELECT string_agg(md5(n::text || k), ' ') FROM generate_series(1, 40) AS k), {hash32.format('d')},"
            " CASE WHEN mod(n, 5000) = 0 THEN 'absent' ELSE 'listed' END"
            f" FROM generate_series(1::bigint, {d}) AS n"
        ),
        (
            "INSERT INTO sighting (dataset_id, harvest_id, popularity)"
            " SELECT id, 1, CASE WHEN mod(id, 3) = 0 THEN floor(power(random(), 6) * 20000)::bigint END FROM dataset"
        ),
        (
            "INSERT INTO resource (dataset_id, key, position, role, url, name, description, format, discovered_at,"
            " outcome, classified_as, rule)"
            f" SELECT 1 + mod(n - 1, {d}), 'resource-' || n, n / {d}, 'download',"
            " 'https://h' || mod(n, 97) || '.example.gov/data/files/' || md5(n::text) || '.csv', 'Download as CSV',"
            " 'Comma separated values, ' || md5(n::text), 'CSV', now(), 'found', 'file', 'extension'"
            f" FROM generate_series(1::bigint, {a}) AS n"
        ),
        # A tenth of all files stands on one host.
        (
            "INSERT INTO asset (url, url_hash, host, kind, format, expected_size, estimated_size, probed, state,"
            " reason, sha256, size, attempts)"
            " SELECT 'https://h' || mod(n, 97) || '.example.gov/data/files/' || md5(n::text) || '.csv',"
            f" {hash32.format('a')},"
            f" 'h' || CASE WHEN mod(n, 10) = 0 THEN 1 ELSE 1 + mod(abs(hashint8(n)), {h}) END || '.example.gov:443',"
            " 'csv', 'CSV', CASE WHEN mod(n, 2) = 0 THEN mod(n * 7919, 100000000) END,"
            " CASE WHEN mod(n, 5) = 0 THEN mod(n * 104729, 900000000) END, mod(n, 3) = 0,"
            " CASE WHEN mod(n, 4) = 0 THEN 'held' WHEN mod(n, 41) = 0 THEN 'failed' ELSE 'pending' END,"
            " CASE WHEN mod(n, 4) = 0 THEN 'stored' WHEN mod(n, 41) = 0 THEN 'not-found' END,"
            " CASE WHEN mod(n, 4) = 0 THEN encode(sha256(CAST('b' || n AS bytea)), 'hex') END,"
            " CASE WHEN mod(n, 4) = 0 THEN mod(n * 7919, 100000000) END, mod(n, 2)"
            f" FROM generate_series(1::bigint, {a}) AS n"
        ),
        # One file in twenty is listed by a second dataset.
        (
            "INSERT INTO asset_resource (asset_id, resource_id, via)"
            f" SELECT n, n, 'direct' FROM generate_series(1::bigint, {a}) AS n"
        ),
        (
            "INSERT INTO asset_resource (asset_id, resource_id, via)"
            f" SELECT n, mod(n * 31, {a}) + 1, 'directory' FROM generate_series(1::bigint, {a}, 20) AS n"
            " ON CONFLICT DO NOTHING"
        ),
        "INSERT INTO store (name) VALUES ('benchmark')",
        "INSERT INTO blob (sha256, size) SELECT sha256, size FROM asset WHERE sha256 IS NOT NULL",
        "INSERT INTO copy (sha256, store_id) SELECT sha256, 1 FROM blob",
        (
            "INSERT INTO holding (holder, url, url_hash, source)"
            " SELECT 'somebody', url, url_hash, 'list.csv' FROM asset WHERE mod(id, 6) = 0"
        ),
        "INSERT INTO ranking (name, source) VALUES ('usage', 'usage.csv')",
        (
            "INSERT INTO rank (ranking_id, dataset_id, rank, events)"
            " SELECT 1, id, id, 1 + floor(power(random(), 8) * 100000) FROM dataset WHERE mod(id, 20) = 0"
        ),
        "INSERT INTO loss (portal_id, dataset_id, kind) SELECT 1, id, 'delisted' FROM dataset WHERE mod(id, 5000) = 0",
        "INSERT INTO loss (asset_id, kind) SELECT id, 'link-dead' FROM asset WHERE mod(id, 41 * 7) = 0",
        (
            "INSERT INTO probe (asset_id, host, probed_at, reason, interval_seconds)"
            " SELECT id, host, now(), CASE WHEN mod(id, 30) = 0 THEN 'not-found' ELSE 'ok' END, 86400"
            " FROM asset WHERE probed"
        ),
        "VACUUM ANALYZE",
    ]


def fill(url: str, scale: Scale) -> None:
    """Fill an empty, migrated catalog."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT setseed(0.5)")
        for one in _statements(scale):
            connection.execute(one)
