"""What reading a sitemap promises: every dataset's slug, and nothing that a file could make us do."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.portals import sitemap
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline.portals.sitemap import dataset_lists, parse_sitemap, slug_of
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def pages() -> PageReader:
    return PageReader(open_door(), max_bytes=10**7, attempts=2, sleep=lambda _: None)


def urls(*locations: str, namespace: str = NAMESPACE) -> bytes:
    entries = "".join(f"<url><loc>{place}</loc><priority>1</priority></url>" for place in locations)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{namespace}">{entries}</urlset>'.encode()


def index(*locations: str) -> bytes:
    entries = "".join(f"<sitemap><loc>{place}</loc></sitemap>" for place in locations)
    return f'<sitemapindex xmlns="{NAMESPACE}">{entries}</sitemapindex>'.encode()


def slugs_at(site: LocalSite, pages: PageReader) -> list[tuple[str, ...]]:
    return [slugs for _, slugs, _ in dataset_lists(f"{site.url}/sitemap.xml", pages)]


@pytest.mark.parametrize(
    ("location", "slug"),
    [
        ("https://x/dataset/air-quality", "air-quality"),
        ("https://x/dataset/air-quality/", "air-quality"),
        ("https://x/en/dataset/a%20b%C3%A9?page=2#top", "a bé"),
        ("https://x/dataset/", None),
        ("https://x/dataset", None),
        ("https://x/dataset/a/resource/b", None),
        ("https://x/organization/noaa", None),
        ("https://x/dataset/%00", None),
        ("http://[bad/dataset/a", None),
    ],
)
def test_only_a_datasets_own_page_names_its_slug(location: str, slug: str | None) -> None:
    assert slug_of(location) == slug


@pytest.mark.parametrize("namespace", [NAMESPACE, "https://www.google.com/schemas/sitemap/0.84", ""])
def test_a_list_is_read_in_any_namespace(namespace: str) -> None:
    assert parse_sitemap(urls("https://x/a", namespace=namespace)).locations == ("https://x/a",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_list_is_read_in_its_own_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><urlset><url><loc> https://x/é&amp;y </loc></url></urlset>'

    assert parse_sitemap(text.encode(encoding)).locations == ("https://x/é&y",)


def test_the_addresses_of_images_are_not_those_of_pages() -> None:
    body = (
        b'<urlset xmlns:image="i"><url><loc>https://x/a</loc>'
        b"<image:image><image:loc>https://x/dataset/picture</image:loc></image:image></url></urlset>"
    )

    assert parse_sitemap(body).locations == ("https://x/a",)


def test_every_file_of_the_index_is_read_once_and_gives_its_slugs_once(
    site: LocalSite, pages: PageReader
) -> None:
    site.serves("/sitemap.xml", index(*[f"{site.url}/s/{name}" for name in ("0.xml", "1.xml.gz", "0.xml")]))
    site.serves("/s/0.xml", urls(*[f"{site.url}/dataset/{slug}" for slug in ("a", "b", "a")], site.url))
    site.serves("/s/1.xml.gz", gzip.compress(urls(f"{site.url}/dataset/c")))

    found = list(dataset_lists(f"{site.url}/sitemap.xml", pages))

    assert found == [(f"{site.url}/s/0.xml", ("a", "b"), 2), (f"{site.url}/s/1.xml.gz", ("c",), 1)]
    assert len(site.asked) == 3


def test_no_other_host_is_asked(site: LocalSite, pages: PageReader) -> None:
    elsewhere = ["http://127.0.0.1:1/s.xml", "https://elsewhere.example/s.xml", "file:///etc/passwd"]
    site.serves("/sitemap.xml", index(*elsewhere, "/s/0.xml"))
    site.serves("/s/0.xml", urls("https://elsewhere.example/dataset/a"))

    assert slugs_at(site, pages) == [("a",)]
    assert [one.path for one in site.asked] == ["/sitemap.xml", "/s/0.xml"]


def test_a_link_in_the_index_that_is_no_address_costs_no_other(site: LocalSite, pages: PageReader) -> None:
    site.serves("/sitemap.xml", index("http://[bad", "http://x:port/a.xml", "/s/0.xml"))
    site.serves("/s/0.xml", urls("https://x/dataset/a"))

    assert slugs_at(site, pages) == [("a",)]


def test_a_key_never_goes_over_plain_http_to_a_site_that_is_asked_by_https() -> None:
    asked: list[str] = []

    class Recorder:
        def document(self, url: str, *_: object, **__: object) -> tuple[sitemap.Sitemap, int]:
            asked.append(url)
            return sitemap.Sitemap(len(asked) == 1, ("http://x.example/s/0.xml", "//x.example:443/1.xml")), 1

    list(dataset_lists("https://x.example/sitemap.xml", Recorder()))  # type: ignore[arg-type]

    assert asked == [f"https://x.example/{name}" for name in ("sitemap.xml", "s/0.xml", "1.xml")]


def test_an_index_that_names_itself_ends(site: LocalSite, pages: PageReader) -> None:
    site.serves("/sitemap.xml", index(f"{site.url}/sitemap.xml", f"{site.url}/other.xml"))
    site.serves("/other.xml", index(f"{site.url}/sitemap.xml"))

    assert slugs_at(site, pages) == []
    assert len(site.asked) == 2


def test_an_index_that_never_ends_is_given_up(
    site: LocalSite, pages: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "MOST_FILES", 5)
    site.serves("/sitemap.xml", index(*[f"{site.url}/{number}.xml" for number in range(9)]))

    with pytest.raises(PermanentError, match="more than 5 files"):
        slugs_at(site, pages)


def test_a_site_without_a_sitemap_gives_nothing(site: LocalSite, pages: PageReader) -> None:
    assert slugs_at(site, pages) == []


def test_a_file_that_the_index_names_and_that_is_not_there_is_an_error(
    site: LocalSite, pages: PageReader
) -> None:
    site.serves("/sitemap.xml", index(f"{site.url}/s/0.xml"))

    with pytest.raises(PermanentError, match=r"/s/0\.xml could not be read: status 404"):
        slugs_at(site, pages)


def test_a_file_that_breaks_off_is_asked_for_again_and_then_an_error(
    site: LocalSite, pages: PageReader
) -> None:
    whole = urls(f"{site.url}/dataset/a")
    site.serves_in_turn("/sitemap.xml", Answered(whole[:-20]), Answered(whole))
    assert slugs_at(site, pages) == [("a",)]

    site.serves("/sitemap.xml", whole[:-20])
    with pytest.raises(TransientError, match=r"/sitemap\.xml could not be read: a sitemap that ends in the"):
        slugs_at(site, pages)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><h1>Site not available</h1>shut down</html>", "a web page instead of the document"),
        (b'<?xml version="1.0"?><rss/>', "an XML document of 'rss', not a sitemap"),
        (b"<urlset><url></urlset>", "invalid XML"),
        (b"User-agent: *", "invalid XML"),
        (b'<!DOCTYPE urlset [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>', "document type"),
        (b'<!DOCTYPE urlset SYSTEM "http://127.0.0.1/x.dtd"><urlset/>', "document type"),
        (b"<urlset><url><loc>&undefined;</loc></url></urlset>", "invalid XML"),
        (b"<urlset>" + b"<a>" * 5000, "nested too deeply"),
        (b"\x1f\x8bnot gzip", "damaged"),
        (gzip.compress(urls("https://x/a"))[:-9], "ends in the middle"),
        (b"", "could not be read"),
    ],
)
def test_what_is_no_whole_sitemap_ends_in_a_sentence(
    site: LocalSite, pages: PageReader, body: bytes, words: str
) -> None:
    site.serves("/sitemap.xml", body)

    with pytest.raises(ShelterError, match="could not be read") as caught:
        slugs_at(site, pages)
    assert words in str(caught.value)


def test_a_small_file_that_unfolds_without_end_is_given_up() -> None:
    bomb = gzip.compress(b"<urlset>" + b" " * (sitemap.LARGEST_FILE_BYTES + 1))

    with pytest.raises(PermanentError, match="more than"):
        parse_sitemap(bomb)


def test_an_address_longer_than_any_is_left_out() -> None:
    assert parse_sitemap(urls("https://x/" + "a" * 9000, "https://x/b")).locations == ("https://x/b",)
