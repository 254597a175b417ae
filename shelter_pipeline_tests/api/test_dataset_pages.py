"""What people read on the pages of datasets and files: where they stand, what to download, what became of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline_tests.api.shelves import FAILED, HELD, NOAA, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.held import hold
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

LARGEST_PAGE = 100_000


def page_of(api: ApiUnderTest, path: str, **parameters: Any) -> str:
    answer = api.get(path, params=parameters, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert len(answer.content) < LARGEST_PAGE
    assert " style=" not in answer.text
    return answer.text


def words_of(html: str) -> str:
    """The text of a page with its spaces made one."""
    apart = re.sub(r"</(?:dt|dd|p|li|td|th|h\d)>", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", apart)).split())


def id_of(api: ApiUnderTest, slug: str) -> int:
    [found] = api.get("/datasets", params={"slug": slug}).json()["items"]
    return int(found["id"])


def file_of(api: ApiUnderTest, url: str) -> dict[str, Any]:
    [found] = api.get("/assets", params={"url": url}).json()["items"]
    return dict(found)


def test_words_are_found_marked_and_kept_in_the_form(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)

    html = page_of(api, "/browse/datasets", q="gaug", organization="", state="", utm_source="letter")
    part = page_of(api, "/browse/datasets", q="gaug", part="results")
    named = words_of(page_of(api, "/browse/datasets", q="dataset-rain"))
    nothing = words_of(page_of(api, "/browse/datasets", q="submarine", organization="noaa-gov"))

    assert "<mark>gauges</mark>" in html
    assert 'value="gaug"' in html
    assert "1 dataset with these words" in words_of(html)
    assert "<html" not in part
    assert "<mark>gauges</mark>" in part
    assert "Exactly that" in named
    assert "No dataset has all of these words" in nothing
    assert "the same words everywhere" in nothing


def test_without_words_the_latest_come_first_and_a_filter_shows_all_it_has(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    assert "The catalogue is empty" in words_of(page_of(api, "/browse/datasets"))
    a_shelf(catalog)
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE dataset SET modified = now() WHERE slug = 'dataset-snow'"))

    assert re.findall(r'<h3><a href="/browse/datasets/(\d+)">', page_of(api, "/browse/datasets")) == [
        str(id_of(api, "dataset-snow"))
    ]
    of_noaa = page_of(api, "/browse/datasets", organization="noaa-gov")
    assert {"Daily rainfall of Alaska", "Snow depth"} == {
        words_of(title) for title in re.findall(r"<h3>(.*?)</h3>", of_noaa)
    }


def test_a_dataset_says_where_it_stands_and_hands_out_its_files(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    rain, file = id_of(api, "dataset-rain"), file_of(api, HELD)

    html = page_of(api, f"/browse/datasets/{rain}")
    told = words_of(html)

    assert "Every file that its links lead to is held here, whole." in told
    assert f'href="/files/{file["sha256"]}/rain.csv"' in html
    assert f'<code class="hash">{file["sha256"]}</code>' in html
    assert "1 copy, last proved" in told
    assert "every <b>day" not in html
    assert f'href="/browse/files/{file["id"]}"' in html
    assert "It has not changed since it was first read." in told
    assert "not held: the server has nothing at this address" in words_of(
        page_of(api, f"/browse/datasets/{id_of(api, 'dataset-snow')}")
    )
    assert "waits for its turn" in words_of(page_of(api, f"/browse/datasets/{id_of(api, 'dataset-wind')}"))


def test_programs_find_the_page_of_a_dataset_and_the_data_of_a_page(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    a_shelf(catalog)
    rain = id_of(api, "dataset-rain")

    as_data = api.get(f"/datasets/{rain}", headers={"Accept": "text/html"})
    as_page = api.get(f"/browse/datasets/{rain}")
    [described] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', as_page.text)
    schema = json.loads(described)

    assert as_data.json()["id"] == rain
    assert as_data.headers["Link"] == f'<{api.url}/browse/datasets/{rain}>; rel="alternate"; type="text/html"'
    assert as_page.headers["Link"].startswith(f"<{api.url}/datasets/{rain}>")
    assert (schema["@type"], schema["name"]) == ("Dataset", "Daily rainfall of Alaska")
    assert schema["distribution"][0]["sha256"] == file_of(api, HELD)["sha256"]
    assert "sameAs" not in schema
    assert api.ask("HEAD", f"/browse/datasets/{rain}").status_code == 200


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_the_list_of_hashes_is_one_that_sha256sum_checks_by(
    api: ApiUnderTest, catalog: Catalog, tmp_path: Path
) -> None:
    a_shelf(catalog)
    content = b"date,mm\n"
    blob = hold(api.workplace, content, url="https://files.example/other.csv")
    with catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE asset SET sha256 = :sha256, size = :size WHERE url = :url"),
            {"sha256": blob.sha256, "size": blob.size, "url": HELD},
        )
    listed = api.get(f"/browse/datasets/{id_of(api, 'dataset-rain')}/SHA256SUMS")
    (tmp_path / "SHA256SUMS").write_bytes(listed.content)
    (tmp_path / "rain.csv").write_bytes(content)

    def check() -> subprocess.CompletedProcess[str]:
        command = ["sha256sum", "--check", "SHA256SUMS"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=20)

    assert check().stdout == "rain.csv: OK\n"
    (tmp_path / "rain.csv").write_bytes(content + b"rot")
    assert "FAILED" in check().stdout


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_the_command_for_one_file_takes_no_name_for_an_option(
    api: ApiUnderTest, catalog: Catalog, tmp_path: Path
) -> None:
    a_shelf(catalog)
    with catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE asset SET url = 'https://files.example/--help' WHERE url = :url"), {"url": HELD}
        )
    content = b"date,mm\n"
    (tmp_path / "--help").write_bytes(content)

    html = page_of(api, f"/browse/datasets/{id_of(api, 'dataset-rain')}")
    [command] = re.findall(r"(sha256sum \S.*--help\S*|sha256sum --help)$", unescape(html), re.MULTILINE)
    told = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=20
    )

    assert told.stdout == f"{sha256(content).hexdigest()}  --help\n"


def test_every_version_of_a_record_is_shown_with_what_became_of_it(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    portal = a_portal(catalog)
    for title in ("Rain in May", "Rain in June", "Rain in July"):
        harvested(catalog, portal, [a_dataset("rain", a_resource(HELD), title=title)])
    rain = id_of(api, "dataset-rain")

    html = page_of(api, f"/browse/datasets/{rain}")
    [newest, oldest] = re.findall(rf'href="(/browse/datasets/{rain}/versions/\d+)"', html)
    before = page_of(api, oldest)
    raw = api.get(f"{oldest}/record").json()

    assert "The record has had 3 versions" in words_of(html)
    assert "Rain in <del>June</del><ins>July</ins>" in html
    assert "Rain in <del>May</del><ins>June</ins>" in before
    assert f'href="{newest}"' in before
    assert raw["title"] == "Rain in May"
    other = harvested(catalog, portal, [a_dataset("rain", title="Rain in July"), a_dataset("snow")])
    assert other
    assert api.get(oldest.replace(f"/{rain}/", f"/{id_of(api, 'dataset-snow')}/")).status_code == 404


def test_what_was_lost_is_told_with_its_evidence(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    rain = id_of(api, "dataset-rain")
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE dataset SET state = 'absent' WHERE id = :id"), {"id": rain})
        connection.execute(
            sa.text(
                "INSERT INTO loss (portal_id, dataset_id, kind, state, misses, suspected_at, evidence)"
                " SELECT portal_id, id, 'delisted', 'confirmed', 3, '2026-02-03', CAST(:evidence AS jsonb)"
                " FROM dataset WHERE id = :id"
            ),
            {
                "id": rain,
                "evidence": json.dumps({"decisions": [{"who": "ann", "why": "the agency was closed"}, 7]}),
            },
        )

    told = words_of(page_of(api, f"/browse/datasets/{rain}"))

    assert "Lost upstream. The portal does not list the dataset any more." in told
    assert "missing since 2026-02-03, in 3 whole harvests" in told
    assert "What is held here can still be had, although it is gone there." in told
    assert "ann said: the agency was closed" in told


def test_a_file_shows_every_attempt_with_its_heads_and_every_bytes_it_had(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    a_shelf(catalog)
    for _ in range(11):
        captured(catalog, HELD, "unchanged", size=1234)
    file = file_of(api, HELD)
    heads = {
        "request": [["User-Agent", "Shelter"]],
        "response": [["Content-Type", "text/csv"], ["odd"], 7],
        "hops": [{"url": "http://old.example/", "status": 301, "location": "https://new.example/"}, "odd"],
        "address": "192.0.2.7",
    }
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE capture SET heads = CAST(:heads AS jsonb), flags = '{resumed,encoded-gzip}',"
                " final_url = 'https://new.example/' WHERE id = :id"
            ),
            {"heads": json.dumps(heads), "id": file["capture_id"]},
        )

    html = page_of(api, f"/browse/files/{file['id']}")
    told = words_of(html)
    [older] = re.findall(r'href="\?(after=[^"#]+)#captures"', html)
    last = words_of(page_of(api, f"/browse/files/{file['id']}?{unescape(older)}"))

    assert "User-Agent: Shelter" in told
    assert "Content-Type: text/csv" in told
    assert "http://old.example/ 301 → https://new.example/" in told
    assert "192.0.2.7" in told
    assert "each continuing where the one before had stopped" in told
    assert "the server compressed it (gzip) unasked" in told
    assert html.count('class="sheet capture"') == 10
    assert "Reason stored" in last
    assert "store-1" in told
    assert "Daily rainfall of Alaska" in told
    assert "its link is this file" in told
    assert "The server has nothing at this address" in words_of(
        page_of(api, f"/browse/files/{file_of(api, FAILED)['id']}")
    )


def test_a_dataset_of_thousands_of_files_is_a_small_page_that_leads_to_all_of_them(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    portal = a_portal(catalog)
    links = [
        a_resource(f"https://files.example.gov/{'year/' * 20}{number}.csv", key=f"r{number}", position=number)
        for number in range(300)
    ]
    harvested(
        catalog,
        portal,
        [a_dataset("rain", *links, title="Rain " * 900, description="It rains. " * 9000, organization=NOAA)],
    )
    discovered(catalog, portal)
    rain = id_of(api, "dataset-rain")

    html = page_of(api, f"/browse/datasets/{rain}")
    seen, path = set[str](), f"/browse/datasets/{rain}/files"
    while path:
        one = page_of(api, path)
        seen |= set(re.findall(r'href="/browse/files/(\d+)"', one))
        found = re.search(r'rel="next" href="(\?after=[^"]+)"', one)
        path = f"/browse/datasets/{rain}/files{unescape(found[1])}" if found else ""

    assert "All 300 files as a list" in words_of(html)
    assert len(seen) == 300
