"""What reading a directory listing promises, for every family of servers (our own re-creations of their pages)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shelter_pipeline.discovery.leads import To, What
from shelter_pipeline.discovery.listings import entries
from shelter_pipeline_tests.support.listings import RECORDED, URL, leads_in, reading, urls_in

CHANGED = datetime(2020, 1, 2, 3, 4, tzinfo=UTC)
SUB_CHANGED = datetime(2021, 3, 4, 5, 6, tzinfo=UTC)
# Those that write neither date nor size, and those that write the same of both.
BARE = ("apache_plain.html", "python.html")
FULL = (
    "apache_1_3.html",
    "apache_fancy.html",
    "apache_table.html",
    "caddy.html",
    "cpan.html",
    "h5ai.html",
    "iis.html",
    "iis_long_dates.html",
    "jetty.html",
    "lighttpd.html",
    "nginx.html",
    "nginx.json",
    "nginx.xml",
    "nginx_fancyindex.html",
    "noaa.html",
    "tomcat.html",
)
BUCKET = "https://store.example.com/data"
CATALOG = "https://files.example.gov/thredds/catalog/levels/catalog.xml"


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def test_every_recorded_page_is_in_a_test() -> None:
    others = {"azure.xml", "gcs.xml", "hyrax.html", "hyrax.xml", "s3_version_1.xml", "s3_version_2.xml"}

    assert {path.name for path in RECORDED.iterdir()} == {
        *BARE,
        *FULL,
        *others,
        "thredds.html",
        "thredds.xml",
    }


@pytest.mark.parametrize("name", FULL)
def test_every_server_gives_the_same_entries_with_sizes_and_dates(name: str) -> None:
    leads = leads_in(recorded(name))

    assert [(lead.url, lead.to, lead.label, lead.size, lead.modified) for lead in leads] == [
        (URL + "sub%20dir/", To.DIRECTORY, "sub dir", None, SUB_CHANGED),
        (URL + "a.csv", To.FILE, "a.csv", 1536, CHANGED),
        (URL + "b.nc", To.FILE, "b.nc", 12 * 2**20, CHANGED),
    ]
    assert [(lead.why, lead.asset_kind, lead.promised, lead.checksum) for lead in leads[1:]] == [
        ("listing", "csv", False, None),
        ("listing", "netcdf", False, None),
    ]


@pytest.mark.parametrize("name", BARE)
def test_a_list_of_bare_names_is_read(name: str) -> None:
    leads = leads_in(recorded(name))

    assert [(lead.url, lead.to, lead.size, lead.modified) for lead in leads] == [
        (URL + "sub%20dir/", To.DIRECTORY, None, None),
        (URL + "a.csv", To.FILE, None, None),
        (URL + "b.nc", To.FILE, None, None),
    ]


def test_listings_with_the_same_entries_have_the_same_digest_and_others_another() -> None:
    digests = {found.digest for name in FULL if (found := reading(recorded(name))) is not None}
    changed = reading(recorded("nginx.html").replace(b"1536", b"1537"))

    assert len(digests) == 1
    assert changed is not None
    assert changed.digest not in digests


def test_a_directory_reached_by_another_path_has_the_same_digest() -> None:
    one = reading(recorded("apache_fancy.html"))
    other = reading(recorded("apache_fancy.html"), URL + "loop/sub/loop/")

    assert one is not None
    assert other is not None
    assert one.digest == other.digest != b""


@pytest.mark.parametrize("name", ["apache_fancy.html", "nginx.json", "nginx.xml", "gcs.xml", "thredds.xml"])
def test_a_listing_too_large_to_be_held_gives_the_same_leads(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = leads_in(recorded(name), CATALOG)

    monkeypatch.setattr(entries, "_MOST_HELD", 1)

    assert leads_in(recorded(name), CATALOG) == held != []


def test_a_listing_says_what_it_passed_over() -> None:
    found = reading(recorded("nginx.json"))
    custom = reading(recorded("noaa.html"))

    assert found is not None
    assert found.what is What.LISTING
    assert found.notes == ("neither file nor directory",)
    assert custom is not None
    assert custom.notes == ("leads out of the directory: 5",)


@pytest.mark.parametrize("name", ["s3_version_2.xml", "gcs.xml", "azure.xml"])
def test_every_object_store_gives_the_same_entries(name: str) -> None:
    leads = leads_in(recorded(name), f"{BUCKET}?prefix=pub/&delimiter=/")

    assert [(lead.url, lead.to, lead.label, lead.size, lead.modified) for lead in leads[:3]] == [
        (f"{BUCKET}/pub/a.csv", To.FILE, "pub/a.csv", 1536, CHANGED),
        (f"{BUCKET}/pub/b.nc", To.FILE, "pub/b.nc", 12 * 2**20, CHANGED),
        (f"{BUCKET}?delimiter=%2F&prefix=pub%2Fsub%20dir%2F", To.DIRECTORY, "pub/sub dir", None, None),
    ]


@pytest.mark.parametrize(
    ("name", "query", "rest"),
    [
        ("s3_version_1.xml", "prefix=pub/", "prefix=pub%2F&marker=pub%2Fsub%20dir%2F"),
        ("s3_version_1.xml", "prefix=pub/&marker=pub/a", "prefix=pub%2F&marker=pub%2Fsub%20dir%2F"),
        (
            "s3_version_2.xml",
            "list-type=2&prefix=pub/&continuation-token=first&start-after=pub/0",
            "list-type=2&prefix=pub%2F&continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Fwm36Hy4vbOwM%3D",
        ),
        (
            "azure.xml",
            "restype=container&comp=list&prefix=pub/",
            "restype=container&comp=list&prefix=pub%2F&marker=2%2192%21MDAwMDE1",
        ),
    ],
)
def test_a_cut_listing_of_a_bucket_leads_to_its_rest(name: str, query: str, rest: str) -> None:
    more = [lead for lead in leads_in(recorded(name), f"{BUCKET}?{query}") if lead.to is To.MORE]

    assert [lead.url for lead in more] == [f"{BUCKET}?{rest}"]


@pytest.mark.parametrize(
    ("name", "query"),
    [("gcs.xml", "prefix=pub/"), ("s3_version_1.xml", "prefix=pub/&marker=pub/sub dir/")],
    ids=["whole", "going round"],
)
def test_a_listing_that_is_whole_or_goes_round_leads_no_further(name: str, query: str) -> None:
    leads = leads_in(recorded(name), f"{BUCKET}?{query}".replace(" ", "%20"))

    assert [lead for lead in leads if lead.to is To.MORE] == []


def test_a_cut_listing_without_a_marker_goes_on_after_its_last_key() -> None:
    body = recorded("s3_version_1.xml").replace(b"<NextMarker>pub/sub dir/</NextMarker>", b"")

    assert leads_in(body, BUCKET)[-1].url == f"{BUCKET}?marker=pub%2Fsub%20dir%2F"


def test_keys_are_encoded_and_the_marks_of_folders_are_no_files() -> None:
    found = reading(recorded("s3_version_1.xml"), BUCKET + "/")

    assert found is not None
    assert [lead.url for lead in found.leads if lead.to is To.FILE] == [
        f"{BUCKET}/pub/a%2Bb%20%26%20100%25.csv",
        f"{BUCKET}/pub/b.nc",
    ]
    assert found.notes == ("in cold storage, which has to be asked to bring it back",)


@pytest.mark.parametrize("beside", [b"<IsTruncated>", b"</ListBucketResult>"], ids=["before", "behind"])
def test_keys_that_a_store_has_encoded_are_decoded_once(beside: bytes) -> None:
    body = recorded("gcs.xml").replace(b"pub/a.csv", b"pub/a%2Bb+c%2525.csv")
    body = body.replace(beside, b"<EncodingType>url</EncodingType>" + beside)

    assert leads_in(body, BUCKET)[0].url == f"{BUCKET}/pub/a%2Bb%20c%2525.csv"


def test_keys_that_climb_or_lie_outside_the_prefix_are_passed_over() -> None:
    keys = [
        "pub/../secret.csv",
        "pub/./a.csv",
        "other/a.csv",
        "pub/%2e%2e/a.csv",
        "pub/a\ufffd.csv",
        "pub//a.csv",
    ]
    contents = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)

    leads = leads_in(f"<ListBucketResult>{contents}</ListBucketResult>", f"{BUCKET}?prefix=pub/")

    assert [lead.url for lead in leads] == [f"{BUCKET}/pub//a.csv"]


def test_the_files_of_a_thredds_catalogue_come_from_its_file_server() -> None:
    found = reading(recorded("thredds.xml"), CATALOG)

    assert found is not None
    server = "https://files.example.gov/thredds"
    assert [(lead.url, lead.to, lead.reader, lead.size, lead.modified) for lead in found.leads] == [
        (f"{server}/fileServer/levels/a.csv", To.FILE, "", 1536, CHANGED),
        (f"{server}/fileServer/levels/b%20%231%20100%25.nc", To.FILE, "", 12_580_000, CHANGED),
        (f"{server}/catalog/levels/sub%20dir/catalog.xml", To.DIRECTORY, "thredds", None, None),
        (f"{server}/catalog/levels/more/catalog.xml", To.DIRECTORY, "thredds", None, None),
    ]
    assert found.notes == (
        "a catalogue elsewhere: 2",
        "served by OPeNDAP or another service alone, not as a file",
    )


def test_services_that_stand_behind_their_datasets_are_known_all_the_same() -> None:
    page = recorded("thredds.xml")
    begin, end = page.index(b"  <service"), page.index(b"  <dataset")
    moved = page[:begin] + page[end:].replace(b"</catalog>", page[begin:end] + b"</catalog>")

    assert len(urls_in(moved, CATALOG)) == 4


def test_a_catalogue_of_catalogues_leads_into_the_tree_but_not_out_of_it() -> None:
    references = [
        "/thredds/catalog/levels/catalog.xml",
        "other.xml",
        "/thredds/idd/models.xml",
        "/secret/catalog.xml",
    ]
    entries = "".join(f'<catalogRef xlink:href="{one}" />' for one in references)
    body = (
        '<catalog xmlns="http://www.unidata.ucar.edu/namespaces/thredds/InvCatalog/v1.0" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink">{entries}</catalog>'
    )

    assert urls_in(body, "https://files.example.gov/thredds/idd/models.xml") == [
        "https://files.example.gov/thredds/catalog/levels/catalog.xml",
        "https://files.example.gov/thredds/idd/other.xml",
    ]


def test_a_catalogue_of_hyrax_gives_its_files() -> None:
    found = reading(recorded("hyrax.xml"), "https://files.example.gov/opendap/hyrax/pub/data/catalog.xml")

    assert found is not None
    base = "https://files.example.gov/opendap/hyrax/pub/data"
    assert [(lead.url, lead.size) for lead in found.leads] == [
        (f"{base}/sub%20dir/catalog.xml", None),
        (f"{base}/b.nc", 12 * 2**20),
    ]
    assert found.notes == ("served by OPeNDAP or another service alone, not as a file",)


@pytest.mark.parametrize(
    ("name", "url", "catalog"),
    [
        ("thredds.html", CATALOG.replace(".xml", ".html"), CATALOG),
        ("thredds.html", CATALOG.replace(".xml", ".html?dataset=a"), CATALOG + "?dataset=a"),
        ("hyrax.html", "https://x.gov/opendap/pub/contents.html", "https://x.gov/opendap/pub/catalog.xml"),
        ("hyrax.html", "https://x.gov/opendap/pub/", "https://x.gov/opendap/pub/catalog.xml"),
    ],
)
def test_a_page_for_people_leads_to_the_catalogue_it_is_made_of(name: str, url: str, catalog: str) -> None:
    (lead,) = leads_in(recorded(name), url)

    assert (lead.url, lead.to, lead.reader) == (catalog, To.MORE, "thredds")


def test_a_truncated_name_is_taken_from_its_link() -> None:
    name = "a_very_long_name_of_a_file_that_does_not_fit.csv"
    row = b'<a href="%s">a_very_long_name_of_a..&gt;</a> 2020-01-02 03:04  2.0K' % name.encode()
    body = recorded("apache_fancy.html").replace(b"<hr></pre>", row + b"<hr></pre>")

    assert leads_in(body)[-1].label == name


def test_a_directory_that_only_its_icon_tells_is_one() -> None:
    body = recorded("apache_fancy.html").replace(b'href="sub%20dir/"', b'href="sub%20dir"')

    assert urls_in(body)[0] == URL + "sub%20dir/"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "id,name\n1,a\n",
        "<html><title>Water levels</title><a href='a.csv'>a</a></html>",
        "<html><h1>Index of economic freedom</h1><a href='a.csv'>a</a></html>",
        "<html><p>Index of /pub/data</p><a href='a.csv'>a</a> 2020-01-02 03:04 1.5K</html>",
        "<html><title>Data</title><a href='../'>Up</a><a href='a.csv'>a</a> 2020-01-02 <a href='b'>b</a> 2020-01-02",
        # News: a way up, and dated links below
        "<html><title>News</title><a href='../'>..</a><a href='a'>A</a> 2020-01-02 <a href='b'>B</a> 2020-01-02",
        # A table that is sorted, of things elsewhere
        "<html><a href='?sort=a'>A</a><a href='?sort=b'>B</a><a href='/other/x'>x</a> 2020-01-02 03:04 1.5K",
        # A page of an application that calls itself an index, with all its menus
        "<html><h1>Index of /data</h1><a href='https://x.org/'>x</a><a href='a'>a</a><a href='b'>b</a></html>",
        "[]",
        '[{"name": "a", "type": "file"}]',
        '[{"name": "a", "type": "person", "mtime": "Thu, 02 Jan 2020 03:04:00 GMT"}]',
        '[{"name": "a", "type": "file", "mtime": "Thu, 02 Jan 2020 03:04:00 GMT", "age": 7}]',
        '["Index of /"]',
        "<list><item>a</item></list>",
        "<list><file>a</file></list>",
        "<catalog><dataset urlPath='a.nc'/></catalog>",
        "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>",
        "\x00\x01\x02",
    ],
)
def test_what_is_no_listing_is_not_taken_for_one(body: str) -> None:
    assert reading(body) is None


@pytest.mark.parametrize(
    "body",
    [
        "<html><title>Index of /pub/data</title><h1>Index of /pub/data</h1><hr><pre><a href='../'>../</a>\n</pre>",
        "<html><title>Directory listing for /pub/data/</title><hr><ul></ul><hr>",
        "<?xml version='1.0'?><list></list>",
        "[\r\n]",
        "<ListBucketResult><Name>data</Name><IsTruncated>false</IsTruncated></ListBucketResult>",
    ],
)
def test_an_empty_directory_is_a_listing_of_nothing(body: str) -> None:
    found = reading(body)

    assert found is not None
    assert (list(found.leads), found.digest) == ([], b"")


def test_the_directory_of_a_url_without_slash_is_the_one_above_it() -> None:
    body = "<html><title>Index of /pub</title><a href='a.csv'>a.csv</a>"

    assert urls_in(body, "https://x.gov/pub/data") == ["https://x.gov/pub/a.csv"]
