"""What is kept of the publishers' own records, over the sample portal and a real catalog and store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.records import canonical_json
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_organization import rescue_organization
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.operations.source_records import keep_source_records
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.sample.catalogue import Dataset
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.vault.manifest import read_manifests
from shelter_pipeline_tests.support.local_site import local_site
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

RECORDS = ("/harvest_record/",)


@pytest.fixture
def sample() -> Iterator[SamplePortal]:
    with SamplePortal() as portal:
        yield portal


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path, sample: SamplePortal) -> Iterator[Workplace]:
    """A catalog of the sample portal, with the files of one organization in a batch."""
    with a_workplace(catalog_url, tmp_path / "store", fetch_max_attempts=1) as opened:
        add_portal(opened, f"datagov:{sample.base_url}", slug="sample")
        planned(opened, "dot-gov")
        yield opened
        counts = audit(opened.catalog)
        assert {name: count for name, count in counts.items() if count} == {}


def planned(workplace: Workplace, organization: str, portal: str = "sample") -> None:
    harvest_portal(workplace, portal)
    discover_resources(workplace, portal)
    score_all(workplace)
    plan_organization(workplace, organization, urgent=False)


def rows(workplace: Workplace) -> list[dict[str, Any]]:
    with workplace.catalog.begin() as connection:
        found = connection.execute(
            sa.text(
                "SELECT dataset.slug, source_record.* FROM source_record"
                " JOIN dataset ON dataset.id = source_record.dataset_id ORDER BY source_record.id"
            )
        )
        return [dict(row) for row in found.mappings()]


def in_batches(workplace: Workplace) -> set[str]:
    """The slugs of the datasets that have a file in a batch."""
    with workplace.catalog.begin() as connection:
        return set(
            connection.scalars(
                sa.text(
                    "SELECT dataset.slug FROM dataset JOIN resource ON resource.dataset_id = dataset.id"
                    " JOIN asset_resource ON asset_resource.resource_id = resource.id"
                    " JOIN asset ON asset.id = asset_resource.asset_id WHERE asset.batch_id IS NOT NULL"
                )
            )
        )


def bytes_of(workplace: Workplace, sha256: str) -> bytes:
    with workplace.store.open(sha256) as blob:
        return blob.read()


def asked(sample: SamplePortal) -> list[str]:
    return [exchange.path for exchange in sample.requests if exchange.path.startswith(RECORDS)]


def published(sample: SamplePortal, slug: str) -> Dataset:
    return sample.catalogue.by_name[slug]


def test_every_dataset_with_a_file_in_a_batch_gets_its_publishers_own_record(
    workplace: Workplace, sample: SamplePortal
) -> None:
    wanted = in_batches(workplace)

    result = keep_source_records(workplace, "sample")

    assert len(wanted) >= 5
    assert result == {
        "portal": "sample",
        "asked": len(wanted),
        "stored": len(wanted),
        "failed": {},
        "left": 0,
    }
    kept = rows(workplace)
    assert {row["slug"] for row in kept} == wanted
    as_json = {row["slug"]: row["sha256"] for row in kept if row["media_type"] == "application/json"}
    assert len(as_json) >= 5
    for slug, sha256 in as_json.items():
        assert json.loads(bytes_of(workplace, sha256)) == published(sample, slug).record
    assert {row["reason"] for row in kept} == {"stored"}


def test_a_manifest_names_each_record_so_that_the_store_alone_tells_whose_it_is(
    workplace: Workplace, sample: SamplePortal
) -> None:
    keep_source_records(workplace, "sample")

    (manifest,) = read_manifests(workplace.store)

    kept = {row["slug"]: row for row in rows(workplace)}
    assert {entry["dataset"] for entry in manifest.entries} == set(kept)
    for entry in manifest.entries:
        assert entry["kind"] == "source-record"
        assert entry["portal"] == sample.base_url
        assert entry["url"] == kept[entry["dataset"]]["url"]
        assert entry["asked_at"] == kept[entry["dataset"]]["asked_at"].isoformat()
        assert hashlib.sha256(bytes_of(workplace, entry["sha256"])).hexdigest() == entry["sha256"]
        ((_, data),) = workplace.store.documents(f"records/{entry['record'][:2]}/{entry['record']}")
        assert json.loads(data)["slug"] == entry["dataset"]


def test_a_record_that_is_xml_is_kept_as_it_is(workplace: Workplace) -> None:
    plan_organization(workplace, "noaa-gov", urgent=False)

    result = keep_source_records(workplace, "sample", organization="noaa-gov")

    xml = [row for row in rows(workplace) if row["media_type"] == "application/xml"]
    assert result["failed"] == {}
    assert xml
    assert b"gmi:MI_Metadata" in bytes_of(workplace, xml[0]["sha256"])


def test_what_is_kept_is_not_asked_for_again(workplace: Workplace, sample: SamplePortal) -> None:
    keep_source_records(workplace, "sample")
    before = len(sample.requests)

    again = keep_source_records(workplace, "sample")

    assert again == {"portal": "sample", "asked": 0, "stored": 0, "failed": {}, "left": 0}
    assert len(sample.requests) == before


def test_a_run_asks_for_as_many_as_it_may_and_says_how_many_wait(
    workplace: Workplace, sample: SamplePortal
) -> None:
    wanted = in_batches(workplace)

    result = keep_source_records(workplace, "sample", limit=2)

    assert (result["asked"], result["stored"], result["left"]) == (2, 2, len(wanted) - 2)
    popular = sorted(wanted, key=lambda slug: -published(sample, slug).popularity)
    assert {row["slug"] for row in rows(workplace)} == set(popular[:2])


def test_a_record_that_has_changed_is_asked_for_again_and_the_old_one_stays(
    workplace: Workplace, sample: SamplePortal
) -> None:
    keep_source_records(workplace, "sample")
    slug = min(in_batches(workplace))
    sample.edit.amend(slug, description="Revised.")
    harvest_portal(workplace, "sample", mode="full")

    result = keep_source_records(workplace, "sample")

    assert (result["asked"], result["stored"]) == (1, 1)
    versions = [
        json.loads(bytes_of(workplace, row["sha256"])) for row in rows(workplace) if row["slug"] == slug
    ]
    assert [version["description"] == "Revised." for version in versions] == [False, True]


def test_a_harvest_record_with_a_new_identity_is_found_by_asking_for_the_dataset(
    workplace: Workplace, sample: SamplePortal
) -> None:
    sample.edit.reharvest(*in_batches(workplace))

    result = keep_source_records(workplace, "sample")

    assert result["failed"] == {}
    assert result["stored"] == len(in_batches(workplace))
    for row in rows(workplace):
        assert published(sample, row["slug"]).harvest_id in row["url"]


def test_a_record_that_is_gone_is_a_row_with_its_reason_that_rests_for_a_month(
    workplace: Workplace, sample: SamplePortal
) -> None:
    slug = min(in_batches(workplace))
    sample.edit.withdraw(slug)

    first = keep_source_records(workplace, "sample")

    assert first["failed"] == {"not-found": 1}
    assert [row["reason"] for row in rows(workplace) if row["slug"] == slug] == ["not-found"]
    assert keep_source_records(workplace, "sample")["asked"] == 0
    sample.edit.restore(slug)
    with workplace.catalog.begin() as connection:
        connection.execute(sa.text("UPDATE source_record SET asked_at = asked_at - interval '31 days'"))
    assert keep_source_records(workplace, "sample")["stored"] == 1
    assert [row["reason"] for row in rows(workplace) if row["slug"] == slug] == ["stored"]


def test_a_web_page_is_never_believed(workplace: Workplace, sample: SamplePortal) -> None:
    sample.misbehave("html", paths=RECORDS)

    result = keep_source_records(workplace, "sample")

    assert result["failed"] == {"html-instead": 1}
    assert [row["sha256"] for row in rows(workplace) if row["reason"] == "html-instead"] == [None]


def test_a_portal_that_shows_one_page_for_everything_says_nothing_of_its_records(
    workplace: Workplace, sample: SamplePortal
) -> None:
    plan_organization(workplace, "nasa-gov", urgent=False)
    sample.misbehave("html", requests=1000, paths=RECORDS)

    result = keep_source_records(workplace, "sample")

    assert result["failed"] == {"html-instead": 25}
    assert rows(workplace) == []
    sample.behave()
    assert keep_source_records(workplace, "sample")["stored"] == result["left"]


@pytest.mark.parametrize(
    ("trouble", "reason"), [("rate-limited", "rate-limited"), ("challenge", "processing")]
)
def test_a_portal_that_wants_to_be_left_alone_is_left_alone_and_nothing_is_concluded(
    workplace: Workplace, sample: SamplePortal, trouble: str, reason: str
) -> None:
    sample.misbehave(trouble, requests=1000, paths=RECORDS)

    result = keep_source_records(workplace, "sample")

    assert (result["asked"], result["failed"]) == (1, {reason: 1})
    assert result["left"] == len(in_batches(workplace))
    assert rows(workplace) == []


def test_an_error_that_may_pass_leaves_its_record_for_the_next_run(
    workplace: Workplace, sample: SamplePortal
) -> None:
    sample.misbehave("error", paths=RECORDS)

    first = keep_source_records(workplace, "sample")

    assert first["failed"] == {"server-error": 1}
    assert first["left"] == 1
    assert keep_source_records(workplace, "sample")["stored"] == 1


def test_a_portal_whose_own_records_are_the_sources_is_asked_for_nothing(
    workplace: Workplace, sample: SamplePortal
) -> None:
    add_portal(workplace, f"ckan:{sample.base_url}", slug="other")
    planned(workplace, "dot-gov-other", portal="other")
    before = len(sample.requests)

    result = keep_source_records(workplace, "other")

    assert result == {"portal": "other", "asked": 0, "stored": 0, "failed": {}, "left": 0}
    assert len(sample.requests) == before


def test_a_rescue_ends_with_the_source_records_of_its_organization(
    workplace: Workplace, sample: SamplePortal
) -> None:
    report = rescue_organization(workplace, "dot-gov")

    assert report["held_files"] == sample.expectations.by_organization["dot-gov"].held_files
    own = {row.slug for row in sample.catalogue.datasets if row.publisher.slug == "dot-gov"}
    assert {row["slug"] for row in rows(workplace)} == in_batches(workplace) & own


def test_a_private_portals_headers_go_with_the_request_and_their_secrets_stay_out_of_the_store(
    catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELTER_SECRET_MYPORTAL", "open sesame")
    with local_site() as site, a_workplace(catalog_url, tmp_path / "store") as workplace:
        url = site.serves("/harvest_record/1/raw", {"identifier": "own words"})
        header = "Authorization: ${SHELTER_SECRET_MYPORTAL}"
        portal = add_portal(workplace, f"datagov:{site.url}", slug="private", headers=[header])
        record = a_dataset("one", a_resource("http://127.0.0.1:9/table.csv"))
        shown = {"slug": "one", "harvest_record_raw": url}
        harvested(workplace.catalog, portal, [replace(record, raw=canonical_json(shown))])
        discovered(workplace.catalog, portal)
        plan_organization(workplace, "epa-gov", urgent=False)

        result = keep_source_records(workplace, "private")

        assert result["stored"] == 1
        asked = next(one for one in site.asked if one.path == "/harvest_record/1/raw")
        assert {name.lower(): value for name, value in asked.headers.items()}[
            "authorization"
        ] == "open sesame"
        written = [data for _, data in workplace.store.documents("manifests/")]
        assert written
        assert not any(b"sesame" in data for data in written)


def test_an_unknown_portal_is_named(workplace: Workplace) -> None:
    with pytest.raises(SetupError, match="there is no portal 'nowhere'"):
        keep_source_records(workplace, "nowhere")
