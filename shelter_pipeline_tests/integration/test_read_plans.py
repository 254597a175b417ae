"""Reads for people outside touch what they show and not whole tables, at a size at which it matters.

The real reads are run, and the server's own counters say which tables were read from end to end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog import browsing, dataset_reads, file_reads, losses, search, summaries
from shelter_pipeline.catalog.browsing import LossSearch, OrganizationSearch
from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.dataset_reads import DatasetFilters
from shelter_pipeline.catalog.file_reads import AssetFilters, ResourceFilters
from shelter_pipeline.catalog.reading import read_rows, reading
from shelter_pipeline.catalog.search import SearchFilters, Words
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests

DEEP = 90_000
LARGE = (
    *(
        "dataset",
        "dataset_search",
        "resource",
        "asset_resource",
        "asset",
        "blob",
        "copy",
        "capture",
        "priority",
    ),
    "loss",
)
FILL = (
    "SET LOCAL session_replication_role = replica",  # no foreign key is looked up
    "INSERT INTO portal (slug, kind, url) VALUES ('big', 'datagov', 'https://a.example')",
    (
        "INSERT INTO organization (portal_id, slug, key, name)"
        " SELECT 1, 'org-' || n, 'org-' || n, 'Org' FROM generate_series(1, 150) AS n"
    ),
    "INSERT INTO host (name) SELECT 'h' || n || '.example:443' FROM generate_series(0, 999) AS n",
    "INSERT INTO store (name) VALUES ('store')",
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash, modified, state)"
        " SELECT 1, 1 + mod(n, 150), 'dataset-' || n, 'dataset-' || n, 'Title', repeat('record ', 30), sha256(''),"
        " timestamptz '2020-01-01' + n * interval '1 minute',"
        " CASE WHEN mod(n, 1000) = 0 THEN 'absent' ELSE 'listed' END FROM generate_series(1, 100000) AS n"
    ),
    (
        "INSERT INTO dataset_search (dataset_id, record_hash, title, document)"
        " SELECT id, record_hash, to_tsvector('english', title), to_tsvector('english', 'common w' || mod(id, 5000))"
        " || array_to_tsvector(ARRAY['organization=' || organization_id]) FROM dataset"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url)"
        " SELECT id, 'r', 0, 'download', 'https://a.example/' || id FROM dataset"
    ),
    (
        "INSERT INTO blob (sha256, size)"
        " SELECT encode(sha256(CAST(CAST(id AS text) AS bytea)), 'hex'), id FROM dataset"
    ),
    (
        "INSERT INTO asset (url, url_hash, host, state, reason, sha256, size)"
        " SELECT url, sha256(CAST(url AS bytea)), 'h' || mod(id, 1000) || '.example:443', 'held', 'stored',"
        " encode(sha256(CAST(CAST(id AS text) AS bytea)), 'hex'), id FROM resource"
    ),
    "INSERT INTO asset_resource (asset_id, resource_id, via) SELECT id, id, 'direct' FROM asset",
    "INSERT INTO copy (sha256, store_id) SELECT sha256, 1 FROM blob",
    "INSERT INTO capture (asset_id, verdict, reason) SELECT id, 'stored', 'stored' FROM asset",
    "INSERT INTO priority (asset_id, score, level) SELECT id, 0.5, 5 FROM asset",
    (
        "INSERT INTO loss (portal_id, dataset_id, kind, state)"
        " SELECT 1, id, 'delisted', 'recovered' FROM dataset WHERE id <= 50000"
    ),
    "ANALYZE",
)
HASH = bytes.fromhex("00" * 32)
HOST = "h7.example:443"
SINCE = datetime(2020, 3, 1, tzinfo=UTC)
ANY = SearchFilters()


def _live(catalog: Catalog, *, newest: int) -> None:
    """What is asked every two seconds for those who watch."""
    figures = {"active_seconds": 60, "silent_seconds": 60, "newest": newest, "most": 20_000}
    with reading(catalog) as connection:
        assert read_rows(connection, "live_now", **figures)[0]["stored"] == 100_000 - newest
        assert len(read_rows(connection, "recent_captures", before=None, limit=20)) == 20


READS: dict[str, Callable[[Catalog], Any]] = {
    "a page deep in the list": lambda c: dataset_reads.list_datasets(
        c, DatasetFilters(), after=DEEP, limit=50
    ),
    "of an organization": lambda c: dataset_reads.list_datasets(
        c, DatasetFilters(organization_id=7), after=DEEP, limit=50
    ),
    "of a portal": lambda c: dataset_reads.list_datasets(
        c, DatasetFilters(portal_id=1), after=DEEP, limit=50
    ),
    "of a portal without any": lambda c: dataset_reads.list_datasets(
        c, DatasetFilters(portal_id=9), after=0, limit=50
    ),
    "absent": lambda c: dataset_reads.list_datasets(c, DatasetFilters(state="absent"), after=DEEP, limit=50),
    "modified since": lambda c: dataset_reads.list_datasets(
        c, DatasetFilters(modified_since=SINCE), after=0, limit=50
    ),
    "modified never": lambda c: dataset_reads.list_datasets(
        c, DatasetFilters(modified_since=datetime(2030, 1, 1, tzinfo=UTC)), after=0, limit=50
    ),
    "latest": lambda c: dataset_reads.list_latest(c, DatasetFilters(), before=(SINCE, 5), limit=50),
    "by slug": lambda c: dataset_reads.list_datasets(c, DatasetFilters(slug="dataset-5"), after=0, limit=50),
    "by identifier": lambda c: dataset_reads.list_datasets(
        c, DatasetFilters(identifier="dataset-5"), after=0, limit=50
    ),
    "by link": lambda c: dataset_reads.list_datasets(c, DatasetFilters(url_hash=HASH), after=0, limit=50),
    "one dataset": lambda c: dataset_reads.read_dataset(c, DEEP),
    "files of one dataset": lambda c: file_reads.files_of_dataset(c, DEEP, resources=200, files=20),
    "resources": lambda c: file_reads.list_resources(c, ResourceFilters(dataset_id=DEEP), after=0, limit=50),
    "a page of files": lambda c: file_reads.list_assets(c, AssetFilters(), after=DEEP, limit=50),
    "files of a host": lambda c: file_reads.list_assets(c, AssetFilters(hosts=(HOST,)), after=0, limit=50),
    "files of a hash": lambda c: file_reads.list_assets(c, AssetFilters(sha256="0" * 64), after=0, limit=50),
    "files of a URL": lambda c: file_reads.list_assets(c, AssetFilters(url_hash=HASH), after=0, limit=50),
    "files of a dataset": lambda c: file_reads.list_assets(c, AssetFilters(dataset_id=5), after=0, limit=50),
    "one file": lambda c: file_reads.read_asset(c, DEEP),
    "captures": lambda c: file_reads.list_captures(c, DEEP, before=None, limit=50),
    "one capture": lambda c: file_reads.read_capture(c, DEEP),
    "a rare word": lambda c: search.search_datasets(c, Words("w77"), ANY, after=None, limit=20),
    "no such word": lambda c: search.search_datasets(c, Words("nothingofthekind"), ANY, after=None, limit=20),
    "a frequent word and an organization": lambda c: search.search_datasets(
        c, Words("common"), SearchFilters(organization_id=7), after=None, limit=20
    ),
    "organizations": lambda c: summaries.list_organizations(c, portal_id=None, after=5, limit=50),
    "counts": lambda c: summaries.read_summary(c, "overview"),
    "organizations of a page": lambda c: browsing.find_organizations(
        c, OrganizationSearch(("org",), sort="failed", falling=True), skip=50, limit=50
    ),
    "files of a page": lambda c: browsing.file_lines(c, [5, DEEP, 7]),
    "losses of a page": lambda c: browsing.loss_cards(c, [5, 49_000]),
    "what was just fetched": lambda c: browsing.recent_captures(c, before=None, limit=40),
    "what was fetched before": lambda c: browsing.recent_captures(c, before=DEEP, limit=40),
    "harvests": lambda c: browsing.recent_harvests(c, limit=12),
    "batches": lambda c: browsing.batches_at_work(c, limit=10),
    "batches of an organization": lambda c: browsing.latest_batches(c, 7, limit=10),
    "what goes on": lambda c: _live(c, newest=DEEP),
    "what goes on, right after a count": lambda c: _live(c, newest=100_000),
}


@pytest.fixture(scope="module")
def large(postgres: PostgresForTests) -> Iterator[Catalog]:
    """A filled catalog, with one connection: its counters are ours."""
    with postgres.fresh_database(filled_by=_migrated) as url:
        catalog = Catalog(url, pool_size=1)
        with catalog.begin() as connection:
            for one in FILL:
                connection.exec_driver_sql(one)
            connection.execute(statement("clean_search"))  # as the refresh does when it is done
        yield catalog
        catalog.close()


def scanned(catalog: Catalog) -> dict[str, tuple[int, int]]:
    """How often each large table was read from its beginning on, and how many rows of it that gave."""
    with catalog.begin() as connection:
        connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
    with catalog.begin() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT relname, seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = ANY (:names)"
            ),
            {"names": list(LARGE)},
        )
        return {row.relname: (row.seq_scan, row.seq_tup_read) for row in rows}


def test_no_read_goes_through_a_large_table_from_its_beginning(large: Catalog) -> None:
    found: dict[str, set[str]] = {}
    for name, read in READS.items():
        before = scanned(large)
        read(large)
        after = scanned(large)
        if whole := {table for table in LARGE if after[table][0] > before[table][0]}:
            found[name] = whole

    assert found == {}


def test_of_a_frequent_word_the_search_reads_a_bounded_number_of_rows(large: Catalog) -> None:
    before = scanned(large)

    hits = search.search_datasets(large, Words("common"), ANY, after=None, limit=20)

    rows = scanned(large)["dataset_search"][1] - before["dataset_search"][1]
    assert hits.capped
    assert rows <= 10 * search.MOST_RANKED


def test_losses_are_listed_without_reading_datasets_or_files_whole(large: Catalog) -> None:
    before = scanned(large)

    assert len(losses.list_losses(large, organization="org-7", limit=20)) == 20
    assert len(losses.list_losses(large, states=["recovered"], limit=20)) == 20

    recovered = LossSearch(("recovered",), organization="org-7", holding="whole")
    assert len(browsing.find_losses(large, recovered, before=40_000, limit=20)) == 20

    after = scanned(large)
    assert {table for table in LARGE if after[table][0] > before[table][0]} <= {"loss"}


def test_losses_of_an_organization_cost_what_it_has_and_not_what_was_lost_elsewhere(large: Catalog) -> None:
    def asked(state: str) -> LossSearch:
        return LossSearch((state,), organization="org-7", holding="whole")

    oldest = [row["id"] for row in browsing.find_losses(large, asked("recovered"), before=3_000, limit=50)]
    assert oldest == sorted(range(6, 3_000, 150), reverse=True)

    before = datasets_read(large)
    assert browsing.find_losses(large, asked("confirmed"), before=None, limit=20) == []
    assert len(browsing.find_losses(large, asked("recovered"), before=None, limit=300)) == 300

    # Twice the newest losses and the organization's 667 datasets; a walk through all losses asks for 50,000 each time.
    assert datasets_read(large) - before < 20_000


def datasets_read(catalog: Catalog) -> int:
    """How many rows of datasets were read, in whatever way."""
    scanned(catalog)
    rows = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'dataset'"
    with catalog.begin() as connection:
        return int(connection.scalar(sa.text(rows)) or 0)
