"""Real records all the way into the catalog: each is stored or refused by name, and none is lost silently."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.workplace import Workplace, prepare_catalog
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.records.test_real_records_drivers import (
    CKAN,
    DATA_JSON,
    DATAGOV,
    FIXTURES,
    by_name,
    packages_in,
)
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no real records at {FIXTURES} (set SHELTER_FIXTURES)"),
]


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Workplace:
    settings = load_settings(
        home=tmp_path, database_url=SecretStr(catalog_url), allowed_networks="127.0.0.0/8,::1/128"
    )
    prepare_catalog(catalog, settings)
    return Workplace.of(settings, catalog)


def count(workplace: Workplace, query: str) -> int:
    with workplace.catalog.begin() as connection:
        return int(connection.scalar(sa.text(query)) or 0)


def harvested(workplace: Workplace, portal: str) -> dict[str, Any]:
    """One harvest, with what must be true after every harvest checked."""
    report = harvest_portal(workplace, add_portal(workplace, portal).slug)
    assert count(workplace, "SELECT count(*) FROM dataset") == report["seen"]
    assert count(workplace, "SELECT count(*) FROM refusal") == report["refused"]
    assert count(workplace, "SELECT count(*) FROM refusal WHERE field = '' OR problem = ''") == 0
    # Distributions are counted by the harvest as they came, and by the catalog as they were kept.
    assert count(workplace, "SELECT count(*) FROM resource WHERE listed") == report["resources"]
    return report


@pytest.mark.parametrize("path", DATA_JSON, ids=by_name)
def test_every_entry_of_a_real_data_json_is_stored_or_refused(
    workplace: Workplace, site: LocalSite, path: Path
) -> None:
    url = site.serves("/data.json", path.read_bytes())

    first = harvested(workplace, f"dcat_us:{url}")
    again = harvest_portal(workplace, first["portal"])

    assert first["verdict"] == "complete"
    assert first["seen"] + first["refused"] >= first["expected"]
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, first["seen"])


def test_the_derived_crawl_of_data_gov_is_stored_whole(workplace: Workplace, site: LocalSite) -> None:
    pages = [json.loads(path.read_bytes()) for path in DATAGOV if "derived" in path.parts]
    hits = [hit for page in pages for hit in page["results"]]
    by_organization = Counter(hit["organization"]["slug"] for hit in hits)
    names = {hit["organization"]["slug"]: hit["organization"] for hit in hits}

    def answer(asked: Asked) -> Answered:
        number = int(asked.query.get("after", "0"))
        rest = {"after": str(number + 1)} if number + 1 < len(pages) else {}
        return Answered({"results": pages[number]["results"], **rest})

    site.answers("/search", answer)
    site.serves(
        "/api/organizations",
        {
            "organizations": [
                {**names[slug], "dataset_count": total} for slug, total in by_organization.items()
            ]
        },
    )

    report = harvested(workplace, f"datagov:{site.url}")

    assert (report["verdict"], report["expected"], report["seen"]) == ("complete", len(hits), len(hits))
    stored = {slug for (slug,) in _rows(workplace, "SELECT slug FROM organization")}
    assert stored == set(by_organization)


def test_the_derived_ckan_portal_is_stored_whole(workplace: Workplace, site: LocalSite) -> None:
    packages = [one for path in CKAN if "derived" in path.parts for one in packages_in(path)]
    distinct = {one["id"] for one in packages}

    def answer(asked: Asked) -> Answered:
        start, rows = int(asked.query["start"]), min(int(asked.query["rows"]), 100)
        result = {"count": len(packages), "results": packages[start : start + rows]}
        return Answered({"success": True, "result": result})

    site.answers("/api/3/action/package_search", answer)

    report = harvested(workplace, f"ckan:{site.url}")

    assert report["seen"] + report["refused"] == len(distinct)


def test_a_month_of_real_change_is_told_apart_record_by_record(workplace: Workplace, site: LocalSite) -> None:
    before, after = (
        json.loads((FIXTURES / "dcat_us" / name).read_bytes())
        for name in ("datajson_20250131T1312_fcc.json", "datajson_202502_fcc.json")
    )
    url = site.serves("/data.json", before)
    first = harvested(workplace, f"dcat_us:{url}")
    site.serves("/data.json", after)

    second = harvest_portal(workplace, first["portal"])

    old = {entry["identifier"] for entry in before["dataset"]}
    new = {entry["identifier"] for entry in after["dataset"]}
    assert second["new"] == len(new - old)
    assert second["changed"] + second["unchanged"] == len(new & old)
    assert count(workplace, "SELECT count(*) FROM dataset_version") == second["changed"]
    assert count(workplace, "SELECT count(*) FROM dataset") == len(new | old)


def _rows(workplace: Workplace, query: str) -> list[Any]:
    with workplace.catalog.begin() as connection:
        return list(connection.execute(sa.text(query)).all())
