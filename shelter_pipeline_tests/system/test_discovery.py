"""From a catalogue of places to files in hand, as an operator does it: the real commands against real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline_tests.support.ftp_server import ftp_server
from shelter_pipeline_tests.support.local_site import LocalSite, local_site
from shelter_pipeline_tests.support.postgres import reachable_folder
from shelter_pipeline_tests.support.seaweedfs import ANOTHER_PUBLIC_BUCKET, SeaweedFS
from shelter_pipeline_tests.support.web_servers import KINDS, serving

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
SHELTER = (sys.executable, "-m", "shelter_pipeline.cli")
ORGANIZATION = "office-of-places"
TABLE = b"station,date,value\n" + b"1,2020-01-01,4.5\n" * 40
FILES = ("stations.csv", "by year/2023.csv", "by year/2024.csv", "by year/old/1999.csv")
TREES = ("nginx html", "nginx json", "apache fancy", "lighttpd")  # each serves the files below
OBJECTS, OBJECTS_A_PART = 10, 4  # of the bucket and of one part of its listing
TABLE_PATH = "/get-wells"
# The tree by every server and by FTP, the objects, the file behind the pages, and the table.
EXPECTED = (len(TREES) + 1) * len(FILES) + OBJECTS + 2


@dataclass(frozen=True)
class Places:
    """The URLs of all places, by what leads to their files, and the site on which the pages stand."""

    urls: dict[str, str]
    site: LocalSite


@dataclass(frozen=True)
class Shelter:
    """The command in a home of its own."""

    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SHELTER, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    def json(self, *arguments: str) -> Any:
        ended = self.run(*arguments, "--json")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads(ended.stdout)


def made_tree(root: Path) -> Path:
    for number, name in enumerate(FILES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(TABLE + b"%d\n" % number)
        path.parent.chmod(0o755)
    (root / "again").symlink_to(".")  # a directory that leads back into itself
    root.chmod(0o755)
    return root


def filled(server: SeaweedFS) -> str:
    """A bucket that anybody may list, with more objects than one part of its listing holds."""
    client = server.client()  # type: ignore[no-untyped-call]
    client.create_bucket(Bucket=ANOTHER_PUBLIC_BUCKET)
    for number in range(OBJECTS):
        client.put_object(
            Bucket=ANOTHER_PUBLIC_BUCKET, Key=f"tides/{number}.csv", Body=TABLE + b"%d\n" % number
        )
    return f"{server.endpoint}/{ANOTHER_PUBLIC_BUCKET}/?list-type=2&prefix=tides/&max-keys={OBJECTS_A_PART}"


def html(body: str) -> bytes:
    return f"<!doctype html><html><head><title>Tides</title></head><body>{body}</body></html>".encode()


def pages(site: LocalSite) -> str:
    """A page, a page behind it, and behind that the file; on the way what is not to be asked for."""
    site.serves("/tides/1.csv", TABLE, content_type="text/csv")
    site.serves(
        "/tides/get", html('<a href="1.csv">Table</a><a href="/logout">x</a>'), content_type="text/html"
    )
    return site.serves(
        "/tides.html",
        html('<h1>Tides</h1><a href="/tides/get">Download data</a><a href="javascript:go()">Map</a>'),
        content_type="text/html",
    )


def table(site: LocalSite) -> str:
    """What the catalogue calls a table, and is a page with the link to it."""
    site.serves("/wells/wells.csv", TABLE + b"wells\n", content_type="text/csv")
    return site.serves(TABLE_PATH, html('<a href="/wells/wells.csv">Wells</a>'), content_type="text/html")


def nothing(site: LocalSite) -> str:
    return site.serves("/about.html", html("<p>Write to us.</p>"), content_type="text/html")


def wall(site: LocalSite) -> str:
    form = '<form method="post"><input name="user"><input type="password" name="p"><button>Sign in</button></form>'
    return site.serves("/members.html", html(f"<h1>Sign in</h1>{form}"), content_type="text/html")


def distribution(url: str) -> dict[str, str]:
    """A link of which nothing is said, but of what is called a table."""
    if url.endswith(TABLE_PATH):
        return {"@type": "dcat:Distribution", "downloadURL": url, "mediaType": "text/csv", "format": "CSV"}
    return {"@type": "dcat:Distribution", "accessURL": url}


def catalogue(site: LocalSite, urls: dict[str, str]) -> str:
    """The data.json that names one dataset for each place."""
    datasets = [
        {
            "@type": "dcat:Dataset",
            "identifier": name,
            "title": name,
            "description": f"What is found by {name}.",
            "keyword": ["trial"],
            "modified": "2024-01-01",
            "publisher": {"@type": "org:Organization", "name": "Office of Places"},
            "accessLevel": "public",
            "distribution": [distribution(url)],
        }
        for name, url in urls.items()
    ]
    site.serves(
        "/data.json",
        {"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": datasets},
        content_type="application/json",
    )
    return site.url


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with reachable_folder() as made:
        made.chmod(0o755)
        yield made


@pytest.fixture(scope="module")
def places(folder: Path, seaweedfs: SeaweedFS) -> Iterator[Places]:
    tree = made_tree(folder / "tree")
    with ExitStack() as opened:
        urls = {}
        for name in TREES:
            (own := folder / name.replace(" ", "-")).mkdir()
            own.chmod(0o755)
            urls[name] = opened.enter_context(serving(KINDS[name], own, tree))
        urls["ftp"] = opened.enter_context(ftp_server(tree)).url("/")
        urls["bucket"] = filled(seaweedfs)
        site = opened.enter_context(local_site())
        urls |= {
            "landing-page": pages(site),
            "table": table(site),
            "nothing": nothing(site),
            "wall": wall(site),
        }
        catalogue(site, urls)
        yield Places(urls, site)


@pytest.fixture(scope="module")
def shelter(folder: Path) -> Shelter:
    return Shelter(
        {
            **os.environ,
            "SHELTER_HOME": str(folder / "home"),
            "SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8",
            "SHELTER_HOST_DELAY_SECONDS": "0",
            "SHELTER_DISCOVERY_MAX_DEPTH": "4",
            "COLUMNS": "200",
        }
    )


@pytest.fixture(scope="module")
def discovered(shelter: Shelter, places: Places) -> Any:
    """What the first discovery of the catalogue says."""
    harvested = shelter.json("harvest", "--portal", f"dcat_us:{places.site.url}/data.json")
    assert (harvested["verdict"], harvested["seen"]) == ("complete", len(places.urls))
    return shelter.json("discover", "--portal", harvested["portal"]) | {"portal": harvested["portal"]}


@pytest.fixture(scope="module")
def probed(shelter: Shelter, discovered: Any) -> Any:
    """What the servers say of the files that were found."""
    return shelter.json("probe", "--portal", discovered["portal"])


@pytest.fixture(scope="module")
def rescued(shelter: Shelter, probed: Any) -> Any:
    """What the rescue of the organization says."""
    return shelter.json("rescue", "--organization", ORGANIZATION)


def test_discovery_says_what_each_link_is_and_how_it_ended(discovered: Any) -> None:
    ended = {(row["kind"], row["outcome"]): row["resources"] for row in discovered["by_kind"]}

    assert ended == {
        ("directory", "found"): len(TREES) + 2,  # beside the web servers the bucket and the FTP server
        ("file", "found"): 1,  # what is called a table
        ("web-page", "found"): 1,
        ("web-page", "landing-page-only"): 1,
        ("web-page", "login-page"): 1,
    }
    assert discovered["assets"] == EXPECTED
    assert (discovered["waiting"], discovered["cut_short"]) == ({"due": 0, "resting": 0}, "")


def test_a_directory_that_leads_back_into_itself_is_read_once_more_and_no_further(discovered: Any) -> None:
    assert discovered["by_reason"]["loop"] == len(TREES) + 1


def test_what_has_been_read_is_not_asked_for_again(shelter: Shelter, discovered: Any) -> None:
    again = shelter.json("discover", "--portal", discovered["portal"])

    assert (again["resources"], again["pages"], again["assets"]) == (0, 0, 0)


def test_every_file_of_a_web_server_can_be_weighed_before_it_is_fetched(probed: Any) -> None:
    assert probed["probed"] >= EXPECTED - len(FILES)  # all but those of the FTP server
    assert probed["by_reason"] == {"ok": probed["probed"] - 1, "html-instead": 1}


def test_everything_that_was_found_is_held(rescued: Any) -> None:
    assert (rescued["expected_files"], rescued["held_files"], rescued["failed"]) == (EXPECTED, EXPECTED, {})
    assert rescued["not_files"] == {"landing-page-only": 1, "login-page": 1}


def test_what_was_called_a_table_and_is_a_page_is_read_as_one_by_the_rescue(
    shelter: Shelter, rescued: Any, places: Places
) -> None:
    (link,) = shelter.json("trail", "table")["links"]

    assert (link["kind"], link["rule"], link["files"], link["held"]) == ("web-page", "html-instead", 1, 1)


def test_a_trail_leads_from_the_resource_over_its_pages_to_the_file(
    shelter: Shelter, discovered: Any, places: Places
) -> None:
    (way,) = shelter.json("trail", f"{places.site.url}/tides/1.csv")["ways"]

    assert way["resource"] == places.urls["landing-page"]
    assert [(page["url"], page["why"]) for page in way["pages"]] == [
        (f"{places.site.url}/tides.html", "resource"),
        (f"{places.site.url}/tides/get", "download-page"),
    ]


def test_a_trail_says_what_became_of_a_datasets_link(
    shelter: Shelter, discovered: Any, places: Places
) -> None:
    (link,) = shelter.json("trail", "wall")["links"]

    assert (link["url"], link["outcome"]) == (places.urls["wall"], "login-page")


def test_nothing_but_pages_and_files_was_asked_for(rescued: Any, places: Places) -> None:
    asked = {asked.path for asked in places.site.asked}

    assert asked == {
        *("/robots.txt", "/data.json"),
        *("/tides.html", "/tides/get", "/tides/1.csv", "/about.html", "/members.html"),
        *(TABLE_PATH, "/wells/wells.csv"),
    }


@pytest.mark.parametrize("name", ["nginx json", "apache fancy", "ftp"])
def test_a_place_can_be_looked_at_without_a_catalog(shelter: Shelter, places: Places, name: str) -> None:
    found = shelter.json("explore", places.urls[name])

    assert found["outcome"] == "found"
    assert sorted(file["url"].removeprefix(places.urls[name]) for file in found["files"]) == sorted(
        name.replace(" ", "%20") for name in FILES
    )
