"""Real CKAN packages of many portals, served by portals with every habit: each comes out, whatever the way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal, canonical_json
from shelter_pipeline_tests.support.ckan_index import (
    NAMES,
    ORGANIZATIONS,
    PACKAGES,
    SEARCH,
    SHOW,
    Index,
    envelope,
    open_ckan,
    result,
)
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site

REPOSITORY = Path(__file__).parents[2]
FIXTURES = Path(os.environ.get("SHELTER_FIXTURES", REPOSITORY.parent / "shared" / "fixtures"))

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no real records at {FIXTURES} (set SHELTER_FIXTURES)"),
]


def packages_in(path: Path) -> list[Any]:
    """The packages of a saved answer, whichever action gave it; none for anything else."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return []
    for name in ("result", "results"):
        if isinstance(document, dict) and name in document:
            document = document[name]
    packages = document if isinstance(document, list) else [document]
    return packages if all(isinstance(one, dict) and "resources" in one for one in packages) else []


FILES = [path for path in sorted(FIXTURES.glob("ckan*/**/*.json")) if packages_in(path)]
ERRORS = [
    path
    for path in sorted(FIXTURES.glob("ckan_other/*.json"))
    if path.stem.endswith(("not-found", "server-error", "timeout"))
]


def every_package() -> list[Any]:
    """All real packages of all portals, each id once."""
    packages = [one for path in FILES for one in packages_in(path)]
    return list({one["id"]: one for one in packages if one.get("id")}.values())


def by_name(path: Path) -> str:
    return path.name


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def test_there_are_real_packages_to_try() -> None:
    assert (len(FILES) > 10, len(every_package()) > 900, len(ERRORS)) == (True, True, 3)


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_every_package_is_kept_whole(site: LocalSite, path: Path) -> None:
    packages = packages_in(path)
    site.serves(SEARCH, envelope(packages, len(packages)))

    records = next(open_ckan(site.url).pages()).records

    assert [record.identifier for record in records] == [one.get("id") or one["name"] for one in packages]
    for record, one in zip(records, packages, strict=True):
        assert isinstance(record, DatasetRecord)
        assert record.raw == canonical_json(one)
        keys = [resource.key for resource in record.resources]
        assert len(set(keys)) == len(keys) >= len(one["resources"])
        assert [resource.position for resource in record.resources] == list(range(len(keys)))
        assert [resource.url for resource in record.resources][: len(one["resources"])] == [
            (resource.get("url") or "").strip() or None for resource in one["resources"]
        ]


@pytest.mark.parametrize("window_packages", [10_000, 100])
@pytest.mark.parametrize("cap", [1000, 37])
def test_a_portal_of_all_packages_is_read_whole_in_either_way(
    site: LocalSite, cap: int, window_packages: int
) -> None:
    packages = [one for one in every_package() if isinstance(one.get("metadata_modified"), str)]
    Index(site, packages, cap=cap)
    portal = open_ckan(site.url, window_packages=window_packages)

    read = {record.identifier for page in portal.pages() for record in page.records}
    listed = {one for listing in portal.identities() for one in listing.identifiers}

    assert read == listed == {one["id"] for one in packages}


def test_an_increment_gives_the_packages_of_its_time(site: LocalSite) -> None:
    packages = [one for one in every_package() if isinstance(one.get("metadata_modified"), str)]
    Index(site, packages, cap=37)
    portal = open_ckan(site.url, window_packages=100)
    dates = sorted(page.changed_until for page in portal.pages() if page.changed_until)
    since = dates[len(dates) // 2]

    read = {record.identifier for page in portal.pages(since=since) for record in page.records}

    written = since.replace(tzinfo=None).isoformat(timespec="milliseconds")
    assert read == {one["id"] for one in packages if one["metadata_modified"][:23] >= written}
    assert 0 < len(read) < len(packages)


def test_a_dkan_of_real_packages_is_read_through_its_lists(site: LocalSite) -> None:
    packages = every_package()[:120]
    by_id = {one["id"]: one for one in packages}
    site.serves(NAMES, result(list(by_id)))
    site.answers(SHOW, lambda asked: Answered(result([by_id[asked.query["id"]]])))
    one_by_one = [record.identifier for page in open_ckan(site.url).pages() for record in page.records]

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["offset"])
        return Answered(result([packages[start : start + 50]]))

    site.answers(PACKAGES, answer)
    in_lists = [record.identifier for page in open_ckan(site.url).pages() for record in page.records]

    assert one_by_one == in_lists == list(by_id)


@pytest.mark.parametrize("path", ERRORS, ids=by_name)
def test_a_real_error_is_told_in_ckans_words(site: LocalSite, path: Path) -> None:
    site.serves(SEARCH, path.read_bytes())

    with pytest.raises((PermanentError, TransientError), match="could not be read: CKAN answered"):
        next(open_ckan(site.url).pages())


def test_a_real_not_found_is_no_package_and_a_real_server_error_is_no_answer(site: LocalSite) -> None:
    not_found, server_error, timeout = (
        next(path for path in ERRORS if path.stem.endswith(name))
        for name in ("not-found", "server-error", "timeout")
    )
    portal = open_ckan(site.url)

    site.serves(SHOW, not_found.read_bytes(), 404)
    assert portal.look_up("x") is None

    for path in (server_error, timeout):
        site.serves(SHOW, path.read_bytes())
        with pytest.raises(TransientError):
            portal.look_up("x")


@pytest.mark.parametrize(
    "name", ["ckan-functional-tests__organization_list", "ckan-mcp-server__organization-list-success"]
)
def test_real_lists_of_organizations_are_read(site: LocalSite, name: str) -> None:
    body = (FIXTURES / "ckan_other" / f"{name}.json").read_bytes()
    site.serves(SEARCH, envelope([], 3))
    site.serves(ORGANIZATIONS, body)

    listed = open_ckan(site.url).witnesses()[1]

    assert len(listed.organizations) == len(json.loads(body)["result"])


def test_what_makes_a_real_package_odd_is_a_note_and_never_a_refusal(site: LocalSite) -> None:
    quirks = [json.loads(line) for line in (FIXTURES / "quirk_values.jsonl").read_text().splitlines()]
    base = every_package()[0]
    fields = ("title", "notes", "tags", "extras", "organization", "resources", "metadata_modified", "url")
    packages = [
        base | {"id": f"{number}-{field}", "name": "n", field: quirk["value"]}
        for number, quirk in enumerate(quirks)
        for field in fields
    ]
    resources = [
        base | {"id": f"{number}-{key}", "resources": [{"url": "https://x.org/a", key: quirk["value"]}]}
        for number, quirk in enumerate(quirks)
        for key in ("url", "name", "format", "size", "hash", "mimetype", "description", "id")
    ]
    index = packages + resources

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        return Answered(envelope(index[start : start + 500], len(index)))

    site.answers(SEARCH, answer)

    records = [record for page in open_ckan(site.url).pages() for record in page.records]

    assert [record.identifier for record in records] == [one["id"] for one in index]
    assert [record for record in records if isinstance(record, Refusal)] == []
