"""Directories of real web servers, read through the real door: every file comes back with its URL and its size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shelter_pipeline.discovery.leads import Lead, Reading, To
from shelter_pipeline.discovery.listings import read_listing
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.door import Door
from shelter_pipeline_tests.support.local_site import open_door
from shelter_pipeline_tests.support.postgres import reachable_folder
from shelter_pipeline_tests.support.web_servers import KINDS, serving

pytestmark = pytest.mark.timeout(120)
NAMES = (
    "plain.csv",
    "with space.csv",
    "100%.txt",
    "%41%2e%2e.txt",
    "a#b.csv",
    "what?C=N;O=D.csv",
    "a&b.csv",
    "a&amp;b.csv",
    "quote's.csv",
    'double"quote.csv',
    "<tag>.csv",
    "a+b=c,d;e.csv",
    "colon:name.csv",
    "back\\slash.csv",
    "[brackets]{braces}|pipe^.csv",
    "ünïcödé.csv",
    "東京.csv",
    "~tilde~",
    "a..b",
    "Parent Directory.txt",
    "x" * 200 + ".csv",
    "sub dir #1/inner file.csv",
    "sub dir #1/deeper/still.nc",
)
SIZES = (0, 1, 972, 1023, 1024, 1536, 10_000, 123_456, 1_234_567)
LATIN = b"caf\xe9.csv"
MANY = 3000


def content(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + b"x" * (size % 256)


@dataclass
class Walked:
    """All that a walk over a server has found."""

    files: dict[str, Lead] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    with reachable_folder() as folder:
        root = folder / "site"
        for number, name in enumerate(NAMES):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content(SIZES[number % len(SIZES)]))
        Path(os.fsdecode(os.fsencode(root) + b"/" + LATIN)).write_bytes(b"un caf\xe9")
        (root / "empty").mkdir()
        (root / ".hidden").write_bytes(b"not for listings")
        (root / "sub dir #1" / "loop").symlink_to("..")
        (root / "many").mkdir()
        for number in range(MANY):
            (root / "many" / f"part {number:04d}.csv").write_bytes(b"%d" % number)
        yield root


@pytest.fixture(scope="module", params=KINDS)
def site(request: pytest.FixtureRequest, tree: Path) -> Iterator[tuple[str, str]]:
    """The kind of a server that is running, and the URL of its root."""
    with reachable_folder() as folder, serving(KINDS[request.param], folder, tree) as url:
        yield request.param, url


@pytest.fixture(scope="module")
def walked(site: tuple[str, str]) -> Walked:
    found = Walked()
    walk(open_door(), site[1], found, ())
    return found


def listed(door: Door, url: str) -> Reading:
    reading = read_listing(door.read(url), parse_url(url))
    assert reading is not None, url
    return reading


def walk(door: Door, url: str, found: Walked, above: tuple[bytes, ...]) -> None:
    reading = listed(door, url)
    found.directories.append(url)
    if reading.digest in above:
        found.loops.append(url)
        return
    for lead in reading.leads:
        if lead.to is To.DIRECTORY:
            walk(door, lead.url, found, (*above, reading.digest))
        else:
            assert lead.url not in found.files
            found.files[lead.url] = lead


def differs(kind: str, size: int) -> float:
    """How many bytes a server's rounding may make of a size."""
    if kind in {"nginx html", "nginx json", "nginx xml"}:
        return 0
    return {"nginx html, rounded": 0.5, "lighttpd": 0.1}.get(kind, 0.06) * max(size, 1024)


def test_every_file_comes_back_and_its_url_gives_its_bytes(
    site: tuple[str, str], tree: Path, walked: Walked
) -> None:
    door = open_door()
    few = [url for url in walked.files if "/many/" not in url and not url.endswith("/.hidden")]
    some = sorted(url for url in walked.files if "/many/" in url)[::300]

    bodies = sorted(door.read(url).body for url in few)

    files = [path for path in tree.rglob("*") if path.is_file() and path.parent.name != "many"]
    assert bodies == sorted(path.read_bytes() for path in files if not path.name.startswith("."))
    assert [door.read(url).body for url in some] == [b"%d" % number for number in range(0, MANY, 300)]


def test_every_file_of_a_large_directory_is_listed_once(walked: Walked) -> None:
    numbers = [url[-8:-4] for url in walked.files if "/many/" in url]

    assert sorted(numbers) == [f"{number:04d}" for number in range(MANY)]


def test_sizes_are_right_as_far_as_they_are_round(site: tuple[str, str], walked: Walked) -> None:
    if site[0] == "apache plain":
        assert {lead.size for lead in walked.files.values()} == {None}
        return
    door = open_door()
    for url, lead in walked.files.items():
        if "/many/" not in url:
            real = len(door.read(url).body)
            assert lead.size is not None, url
            assert abs(lead.size - real) <= differs(site[0], real), url


def test_dates_are_those_of_the_files(site: tuple[str, str], tree: Path, walked: Walked) -> None:
    if site[0] == "apache plain":
        return
    changed = (tree / "plain.csv").stat().st_mtime
    (lead,) = [lead for url, lead in walked.files.items() if url.endswith("/plain.csv")]

    assert lead.modified is not None
    # Apache and lighttpd write the time of their own zone.
    assert abs(lead.modified.timestamp() - changed) <= 60 + (0 if site[0].startswith("nginx") else 15 * 3600)


def test_an_empty_directory_is_a_listing_of_nothing(site: tuple[str, str]) -> None:
    reading = listed(open_door(), site[1] + "empty/")

    assert list(reading.leads) == []


def test_a_directory_that_holds_itself_is_known_by_its_digest(walked: Walked) -> None:
    (loop,) = walked.loops

    assert loop.endswith("/sub%20dir%20%231/loop/")


def test_no_url_leads_out_of_the_site(site: tuple[str, str], walked: Walked) -> None:
    assert all(url.startswith(site[1]) for url in [*walked.files, *walked.directories])
