"""What a person decided comes back from the store as it stood: held, rejected, or taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.operations import rebuild_catalog as rebuilding
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.overrule import accept_suspects, reject_held, revoke_overrule
from shelter_pipeline.operations.rebuild_catalog import rebuild_catalog
from shelter_pipeline.operations.rescue_organization import rescue_organization
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.invariants import assert_invariants
from shelter_pipeline_tests.support.local_site import LocalSite, local_site
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.rebuilding import rows
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

PAGE = b"<!doctype html><html><body><table><tr><td>17</td></tr></table></body></html>"
TABLE = b"year,catch\n2025,17\n"
SAID = {"who": "Ada", "why": "seen by eye"}
FILES = "SELECT url, state, reason, sha256, size, etag, attempts, next_attempt_at FROM asset ORDER BY url"
CAPTURES = (
    "SELECT url, verdict, capture.reason, detail, flags, capture.sha256, started_at, finished_at"
    " FROM capture JOIN asset ON asset.id = asset_id ORDER BY url, finished_at"
)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    """A page where a table was promised, and a table."""
    with local_site() as running:
        running.serves("/page.csv", PAGE, content_type="text/html")
        running.serves("/table.csv", TABLE, content_type="text/csv")
        yield running


@pytest.fixture
def rescued(postgres: PostgresForTests, site: LocalSite, tmp_path: Path) -> Iterator[Workplace]:
    """Both files fetched: the page is kept apart, the table is held."""
    with (
        postgres.fresh_database(filled_by=_migrated) as url,
        a_workplace(url, tmp_path / "store") as workplace,
    ):
        portal = add_portal(workplace, "datagov:https://portal.example")
        urls = [f"{site.url}/page.csv", f"{site.url}/table.csv"]
        resources = [a_resource(url, key=url, position=at, format="CSV") for at, url in enumerate(urls)]
        harvested(workplace.catalog, portal, [a_dataset("1", *resources)])
        discovered(workplace.catalog, portal)
        rescue_organization(workplace, "epa-gov")
        yield workplace


def accepted(workplace: Workplace, site: LocalSite) -> None:
    accept_suspects(workplace, url=f"{site.url}/page.csv", **SAID)


def rejected(workplace: Workplace, site: LocalSite) -> None:
    reject_held(workplace, f"{site.url}/table.csv", **SAID)


def accepted_and_revoked(workplace: Workplace, site: LocalSite) -> None:
    words = accept_suspects(workplace, url=f"{site.url}/page.csv", **SAID)["overrules"]
    (identity,) = words.values()
    revoke_overrule(workplace, identity, who="Grace")


@pytest.mark.parametrize(
    ("decide", "held"),
    [
        (accepted, {"page.csv": "held", "table.csv": "held"}),
        (rejected, {"page.csv": "failed", "table.csv": "failed"}),
        (accepted_and_revoked, {"page.csv": "failed", "table.csv": "held"}),
    ],
)
@pytest.mark.parametrize("lines_at_once", [1, 5000])
def test_a_rebuild_leaves_a_file_as_a_person_decided(
    decide: Callable[[Workplace, LocalSite], None],
    held: dict[str, str],
    lines_at_once: int,
    rescued: Workplace,
    site: LocalSite,
    catalog_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rebuilding, "LINES_AT_ONCE", lines_at_once)
    decide(rescued, site)
    said: list[Any] = [rows(rescued, FILES), rows(rescued, CAPTURES)]
    store = LocalStore(tmp_path / "store")

    with a_workplace(catalog_url, tmp_path / "other") as workplace:
        report = rebuild_catalog(workplace, store)

        files = rows(workplace, FILES)
        assert {url.rpartition("/")[2]: state for url, state, *_ in files} == held
        assert [files, rows(workplace, CAPTURES)] == said
        assert (report["damaged"], report["missing"], report["problems"]) == ([], [], [])
        assert_invariants(workplace.catalog, store)
        assert set(audit(workplace.catalog).values()) == {0}
