"""The rescued catalog as old CKAN clients meet it: ckanapi, its command line, plain HTTP, and our own driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from ckanapi import RemoteCKAN
from ckanapi.errors import CKANAPIError, NotAuthorized, NotFound, SearchQueryError, ValidationError
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.search import index_new_datasets
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.rescue_organization import rescue_organization
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests, reachable_folder
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

RESCUED = "epa-gov"


@dataclass(frozen=True)
class Rescue:
    """An API over the sample portal, read as a CKAN and as data.gov; one organization of the former is rescued."""

    api: ApiUnderTest
    portal: SamplePortal

    @property
    def client(self) -> RemoteCKAN:
        # As a script of old would have it, with a key that opens nothing here.
        return RemoteCKAN(self.api.url, apikey="a key of the old portal")

    def action(self, name: str, /, **parameters: Any) -> requests.Response:
        return self.api.get(f"/api/3/action/{name}", params=parameters)


@pytest.fixture(scope="module")
def rescue(postgres: PostgresForTests) -> Iterator[Rescue]:
    with (
        SamplePortal() as portal,
        reachable_folder() as folder,
        postgres.fresh_database(filled_by=_migrated) as url,
        an_api(url, folder / "store") as api,
    ):
        for kind in ("ckan", "datagov"):
            slug = add_portal(api.workplace, f"{kind}:{portal.base_url}").slug
            harvest_portal(api.workplace, slug)
            discover_resources(api.workplace, slug)
        rescue_organization(api.workplace, RESCUED)
        index_new_datasets(api.workplace.catalog)
        yield Rescue(api, portal)


def portal_slug(rescue: Rescue) -> str:
    return rescue.portal.base_url.removeprefix("http://").replace(".", "-").replace(":", "-")


def original(rescue: Rescue, name: str) -> dict[str, Any]:
    answer = requests.get(f"{rescue.portal.base_url}/api/3/action/package_show", {"id": name}, timeout=20)
    found: dict[str, Any] = answer.json()["result"]
    return found


def test_ckanapi_lists_shows_and_searches_as_it_always_did(rescue: Rescue) -> None:
    with rescue.client as ckan:
        names = ckan.action.package_list()
        [some] = ckan.action.package_search(fq="res_format:CSV", sort="name asc", start=50, rows=1)["results"]
        package = ckan.action.package_show(id=some["name"])
        by_words = ckan.action.package_search(q="bathymetry", rows=3, sort="name asc")
        of_one = ckan.action.package_search(fq=f"organization:{RESCUED}", rows=1000)

        assert len(names) == len(set(names)) == 600
        assert ckan.action.package_list(limit=7, offset=590) == names[590:597]
        assert package == some
        assert package["name"] in names
        assert ckan.action.package_show(id=package["id"]) == package
        assert ckan.action.resource_show(id=package["resources"][0]["id"]) == package["resources"][0]
        assert by_words["count"] > len(by_words["results"]) == 3
        assert all("bathymetry" in one["title"].lower() for one in by_words["results"])
        assert {one["organization"]["name"] for one in of_one["results"]} == {RESCUED}
        assert len(of_one["results"]) == of_one["count"]
        shown = ckan.action.organization_show(id=RESCUED, include_datasets=True)
        assert shown["package_count"] == len(shown["packages"]) == of_one["count"]
        assert RESCUED in ckan.action.organization_list()
        assert ckan.action.status_show()["site_url"] == rescue.api.url
        assert ckan.action.site_read() is True
        assert ckan.action.group_list() == []
        assert "open data" in ckan.action.tag_list(query="open")
        assert len(ckan.action.current_package_list_with_resources(limit=3)) == 3
        assert ckan.action.package_autocomplete(q="bathy")[0]["name"] in names


def test_every_name_and_id_leads_back_to_its_own_dataset(rescue: Rescue) -> None:
    with rescue.client as ckan:
        packages = ckan.action.package_search(rows=1000)["results"]
        ids = {package["id"] for package in packages}
        names = {package["name"] for package in packages}

        assert len(ids) == len(names) == len(packages) == 600
        twice = [package for package in packages if "--" in package["name"]]
        assert twice  # both portals list the same slugs
        for package in twice[:20]:
            slug = package["shelter_source_name"]
            assert ckan.action.package_show(id=package["name"])["id"] == package["id"]
            assert ckan.action.package_show(id=package["id"])["name"] == package["name"]
            assert ckan.action.package_show(id=slug)["id"] != package["id"]


def test_a_package_of_a_ckan_portal_keeps_all_its_fields_and_leads_to_our_files(rescue: Rescue) -> None:
    with rescue.client as ckan:
        packages = ckan.action.package_search(fq=f"organization:{RESCUED}", rows=1000)["results"]
    held = [package for package in packages if package["shelter_verdict"] == "complete"]
    assert held

    for package in held[:5]:
        before = original(rescue, package["name"])
        assert set(before) <= set(package)
        for name in (
            "id",
            "name",
            "title",
            "notes",
            "tags",
            "maintainer",
            "license_title",
            "creator_user_id",
        ):
            assert package[name] == before[name], name
        extras = {one["key"]: one["value"] for one in package["extras"]}
        assert all(extras[one["key"]] == one["value"] for one in before["extras"])
        assert extras["shelter_verdict"] == "complete"
        listed = [one for one in package["resources"] if one["shelter_listed"]]
        assert [one["id"] for one in listed] == [one["id"] for one in before["resources"]]
        for resource, told in zip(listed, before["resources"], strict=True):
            assert resource["shelter_source_url"] == told["url"]
            if resource["shelter_verdict"] == "complete" and "shelter_sha256" in resource:
                assert resource["url"].startswith(f"{rescue.api.url}/files/{resource['shelter_sha256']}/")
                assert requests.head(resource["url"], timeout=20).headers["Content-Length"] == str(
                    resource["size"]
                )


def test_a_record_in_dcat_becomes_the_package_that_data_gov_made_of_it(rescue: Rescue) -> None:
    with rescue.client as ckan:
        [package] = ckan.action.package_search(
            fq=f"shelter_portal:{portal_slug(rescue)}-datagov AND res_format:CSV", rows=1
        )["results"]
    extras = {one["key"]: one["value"] for one in package["extras"]}

    assert {"accessLevel", "bureauCode", "identifier", "modified", "publisher", "harvest_record"} <= set(
        extras
    )
    assert all(isinstance(value, str) for value in extras.values())
    assert json.loads(extras["bureauCode"])
    assert package["license_id"] in ("us-pd", "cc-zero", "cc-by", "notspecified", "other-license-specified")
    assert package["tags"][0]["name"] == package["tags"][0]["display_name"]
    assert package["organization"]["organization_type"]
    assert package["num_resources"] == len(package["resources"])
    assert all(one["package_id"] == package["id"] for one in package["resources"])


def tags_of(package: dict[str, Any]) -> set[str]:
    return {tag["name"] for tag in package["tags"]}


def formats_of(package: dict[str, Any]) -> set[str]:
    return {resource["format"] for resource in package["resources"]}


def says(package: dict[str, Any], word: str) -> bool:
    return word in f"{package['title']} {package['notes']} {tags_of(package)}".lower()


FILTERS: dict[str, Callable[[dict[str, Any]], bool]] = {
    'tags:"open data"': lambda one: "open data" in tags_of(one),
    '-tags:"open data"': lambda one: "open data" not in tags_of(one),
    "res_format:netcdf": lambda one: "NetCDF" in formats_of(one),
    "-res_format:(CSV OR NetCDF)": lambda one: not {"CSV", "NetCDF"} & formats_of(one),
    'title:"annual summary"': lambda one: "annual summary" in one["title"].lower(),
    "title:bathym*": lambda one: "bathym" in one["title"].lower(),
    "bathymetry AND -annual": lambda one: says(one, "bathymetry") and not says(one, "annual"),
    "organization:(epa-gov OR nasa-gov)": lambda one: one["organization"]["name"] in ("epa-gov", "nasa-gov"),
    "metadata_modified:[NOW-1DAY TO NOW]": lambda _: True,
    "state:active AND dataset_type:dataset": lambda _: True,
}


def test_a_filter_gives_all_that_fits_and_nothing_else(rescue: Rescue) -> None:
    with rescue.client as ckan:
        everything = ckan.action.package_search(rows=1000)["results"]
        for query, fits in FILTERS.items():
            expected = {one["name"] for one in everything if fits(one)}
            for asked in ({"fq": query}, {"q": query}, {"fq_list": [query], "q": "*:*"}):
                found = ckan.action.package_search(rows=1000, fl="name", **asked)
                assert {one["name"] for one in found["results"]} == expected, asked
                assert found["count"] == len(expected) > 0, asked


def test_pages_of_any_order_meet_and_facets_count_every_match(rescue: Rescue) -> None:
    with rescue.client as ckan:
        for sort in (
            "id asc",
            "name desc",
            "title_string asc",
            "metadata_modified desc",
            "score desc, name asc",
        ):
            pages = [
                ckan.action.package_search(sort=sort, start=start, rows=150, fl="id,name")["results"]
                for start in range(0, 750, 150)
            ]
            names = [one["name"] for page in pages for one in page]
            assert len(set(names)) == len(names) == 600, sort
            assert set(pages[0][0]) == {"id", "name"}
        counted = ckan.action.package_search(
            rows=0, **{"facet.field": ["organization", "res_format", "tags"], "facet.limit": -1}
        )

    assert sum(counted["facets"]["organization"].values()) == counted["count"] == 600
    assert counted["facets"]["res_format"]["CSV"] > 0
    first = counted["search_facets"]["tags"]["items"][0]
    assert first["count"] == max(counted["facets"]["tags"].values())


def test_failures_are_told_in_words_that_ckans_clients_raise(rescue: Rescue) -> None:
    with rescue.client as ckan:
        for wrong, call in [
            (NotFound, lambda: ckan.action.package_show(id="nothing of that name")),
            (NotFound, lambda: ckan.action.resource_show(id="7368656c-7465-8200-8000-ffffffffffff")),
            (NotFound, lambda: ckan.action.organization_show(id="nobody")),
            (ValidationError, ckan.action.package_show),
            (ValidationError, lambda: ckan.action.package_search(rows=-1)),
            (ValidationError, lambda: ckan.action.package_search(q="a\x00b")),
            (ValidationError, lambda: ckan.action.package_search(fq={"not": "text"})),
            (SearchQueryError, lambda: ckan.action.package_search(fq="color:red")),
            (SearchQueryError, lambda: ckan.action.package_search(q="a OR tags:b")),
            (SearchQueryError, lambda: ckan.action.package_search(sort="views desc")),
            (SearchQueryError, lambda: ckan.action.package_search(nonsense=1)),
            (NotAuthorized, lambda: ckan.action.package_create(name="mine")),
            (NotAuthorized, lambda: ckan.action.resource_delete(id="x")),
            (CKANAPIError, ckan.action.no_such_action),
        ]:
            with pytest.raises(wrong):
                call()
    assert rescue.action("package_show", id="nothing").status_code == 404
    assert rescue.action("package_show").status_code == 409
    assert rescue.action("package_create", name="x").status_code == 403
    unknown = rescue.action("nonsense")
    assert (unknown.status_code, unknown.json()) == (400, "Bad request - Action name not known: nonsense")


def test_a_call_may_come_as_query_json_or_form_and_under_either_path(rescue: Rescue) -> None:
    url, asked = f"{rescue.api.url}/api/3/action/package_search", {"q": "bathymetry", "rows": "1"}

    answers = [
        requests.get(url, asked, timeout=20),
        requests.get(url.replace("/3", ""), asked, timeout=20),
        requests.post(url, json=asked, timeout=20),
        requests.post(url, json=asked | {"rows": 1, "fq": None}, timeout=20),
        requests.post(url, data=asked, timeout=20),
    ]

    assert [answer.status_code for answer in answers] == [200] * 5
    results = [answer.json()["result"]["results"] for answer in answers]
    assert all(one == results[0] for one in results)
    for body in (b"{", b"[1]", b"\xff", b'"text"', b"[" * 100_000):
        bad = requests.post(url, body, headers={"Content-Type": "application/json"}, timeout=20)
        assert bad.status_code == 400
        assert bad.json().startswith("Bad request - JSON Error")


@given(
    name=st.sampled_from(["package_search", "package_show", "package_list", "resource_show", "tag_list"]),
    parameters=st.dictionaries(
        st.sampled_from(["q", "fq", "rows", "start", "sort", "id", "limit", "offset", "fl", "facet.field", "query"]),
        st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=3), max_size=3) | st.none() | st.booleans(),
    ),
)  # fmt: skip
def test_no_parameters_are_an_error_of_ours(rescue: Rescue, name: str, parameters: dict[str, Any]) -> None:
    body = json.dumps(parameters)
    answer = rescue.api.ask(
        "POST", f"/api/3/action/{name}", data=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in (200, 400, 404, 409), answer.text


def test_the_command_line_of_ckanapi_dumps_the_whole_catalog(api: ApiUnderTest, tmp_path: Path) -> None:
    catalog = api.workplace.catalog
    records = [a_dataset(f"{number}", a_resource("https://a.example/x.csv")) for number in range(12)]
    harvested(catalog, a_portal(catalog), [*records, a_dataset("last", title="Bathymetry of a lake")])
    target, programs = tmp_path / "datasets.jsonl", Path(sys.executable).parent
    # Its workers are started by name, wherever it stands itself.
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    for arguments in (["dump", "datasets", "--all", "-q", "-O", target], ["search", "datasets", "q=lake"]):
        done = subprocess.run(
            [programs / "ckanapi", *arguments, "-r", api.url],
            env=environment,
            check=True,
            timeout=60,
            capture_output=True,
        )

    dumped = [json.loads(line)["name"] for line in target.read_text().splitlines()]
    with RemoteCKAN(api.url) as ckan:
        assert dumped == ckan.action.package_list()
    assert len(dumped) == 13
    assert [json.loads(line)["title"] for line in done.stdout.splitlines()] == ["Bathymetry of a lake"]


def test_a_rescue_can_be_rescued_by_our_own_driver(rescue: Rescue, postgres: PostgresForTests) -> None:
    with (
        reachable_folder() as folder,
        postgres.fresh_database(filled_by=_migrated) as url,
        a_workplace(url, folder / "store") as second,
    ):
        slug = add_portal(second, f"ckan:{rescue.api.url}").slug
        report = harvest_portal(second, slug)
        discover_resources(second, slug)
        rescue_organization(second, RESCUED)

        assert report["verdict"] == "complete"
        assert (report["seen"], report["refused"], report["missing"], report["surplus"]) == (600, 0, 0, 0)
        assert set(blobs(rescue.api.workplace.catalog)) == set(blobs(second.catalog))


def blobs(catalog: Catalog) -> list[str]:
    with catalog.begin() as connection:
        return list(connection.scalars(sa.text("SELECT sha256 FROM asset WHERE state = 'held'")))


def test_a_catalog_that_is_away_is_told_as_ckan_tells_it(postgres: PostgresForTests, tmp_path: Path) -> None:
    with postgres.fresh_database(filled_by=_migrated) as url, an_api(url, tmp_path / "store") as api:
        database = sql.Identifier(str(api.workplace.catalog.url.database))
        postgres.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
        api.workplace.catalog.close()

        answer = api.get("/api/3/action/package_list")

        assert answer.status_code == 503
        assert answer.json()["error"]["__type"] == "Search Index Error"
        assert int(answer.headers["Retry-After"]) > 0
