"""What the listings of FTP servers lead to, in every manner of writing them; and that none of them does harm."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.discovery.ftp_listing import ONLY_LISTINGS, read_ftp_listing
from shelter_pipeline.discovery.leads import Lead, Reading, To, What
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.door import Reply
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.ftp_paths import last_name
from shelter_pipeline_tests.support.ends_soon import ends_soon

BASE = "ftp://h.example/pub/noaa/"
NOW = "Wed, 25 Nov 2026 19:00:00 GMT"
FORMS = ("mlsd", "mlst", "list", "nlst", "other")


def read(
    body: bytes, form: str = "list", *, base: str = BASE, date: str | None = NOW, more: str = ""
) -> Reading:
    fields = [("Content-Type", f"text/x-ftp-listing; form={form}{more}")]
    fields += [("Date", date)] if date is not None else []
    return read_ftp_listing(Reply(base, base, Head(200, "FTP", tuple(fields)), body, ()), parse_url(base))


def only(line: bytes, form: str = "list") -> Lead:
    (lead,) = read(line + b"\r\n", form).leads
    return lead


def day(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("line", "to", "label", "size", "modified"),
    [
        (b"-rw-r--r--   1 ftp  ftp   531 Jan 29 03:26 a.csv", To.FILE, "a.csv", 531, day(2026, 1, 29, 3, 26)),
        (b"-rw-r--r--   1 ftp  ftp   531 Nov 26 03:26 a.csv", To.FILE, "a.csv", 531, day(2026, 11, 26, 3, 26)),
        (b"-rw-r--r--   1 ftp  ftp   531 Nov 27 03:26 a.csv", To.FILE, "a.csv", 531, day(2025, 11, 27, 3, 26)),
        (b"-rw-r--r--   1 ftp  ftp   531 Feb 29 03:26 a.csv", To.FILE, "a.csv", 531, None),
        (b"dr-xr-xr-x   2 root other 512 Apr  8  1994 etc", To.DIRECTORY, "etc", None, day(1994, 4, 8)),
        (b"dr-xr-xr-x   2 root       512 Apr  8  1994 nogroup", To.DIRECTORY, "nogroup", None, day(1994, 4, 8)),
        (b"d--x--x--x+   2 0          7 May  9  2011 bin", To.DIRECTORY, "bin", None, day(2011, 5, 9)),
        (b"drwxr-xr-x               folder        2 May 10  1996 net", To.DIRECTORY, "net", None, day(1996, 5, 10)),
        (b"-------r--         326  1391972  1392298 Nov 22  1995 M.sit", To.FILE, "M.sit", 1392298, day(1995, 11, 22)),
        (b"-rwsr-xr-t 1 u 1051 9223372036854775807 Aug  4  2022 big", To.FILE, "big", 2**63 - 1, day(2022, 8, 4)),
        (b"-rw-r--r-- 1 u g 12 Jan  5  2020   two before", To.FILE, "  two before", 12, day(2020, 1, 5)),
        (b"-rw-r--r-- 1 u g 12 Jan  5  2020 7 Jan  5  2019 x", To.FILE, "7 Jan  5  2019 x", 12, day(2020, 1, 5)),
        (b"-rw-r--r-- 1 u g 12 Jan  5  2020 after ", To.FILE, "after ", 12, day(2020, 1, 5)),
        (b"-rw-r--r-- 1 DOMAIN\\user Domain Users 12 Jan  5  2020 x", To.FILE, "x", 12, day(2020, 1, 5)),
        (b"-rw-r--r-- 1 u g 12 5. Mai 2020 x.txt", To.FILE, "x.txt", 12, day(2020, 5, 5)),
        (b"-rw-r--r-- 1 u g 12 24. Dez 12:00 x.txt", To.FILE, "x.txt", 12, day(2025, 12, 24, 12)),
        ("-rw-r--r-- 1 u g 12 Mär  5  2020 x".encode(), To.FILE, "x", 12, day(2020, 3, 5)),
        ("-rw-r--r-- 1 u g 12 Mär  5  2020 x".encode("latin-1"), To.FILE, "x", 12, day(2020, 3, 5)),
        ("-rw-r--r-- 1 u g 12 24 déc. 2019 x".encode(), To.FILE, "x", 12, day(2019, 12, 24)),
        ("-rw-r--r-- 1 u g 12 août 24 2019 x".encode(), To.FILE, "x", 12, day(2019, 8, 24)),
        (b"-rw-r--r-- 1 u g 12 24 ene 2019 x", To.FILE, "x", 12, day(2019, 1, 24)),
        (b"-rw-r--r-- 1 u g 12 Qua 24 2019 x", To.FILE, "x", 12, None),
        (b"-rw-r--r-- 1 u g 12 Feb 30 2019 x", To.FILE, "x", 12, None),
        (b"-rw-r--r-- 1 u g 12 2024-02-29 23:59 x", To.FILE, "x", 12, day(2024, 2, 29, 23, 59)),
        (b"-rw-r--r-- 1 u g 12 2024-02-29 x", To.FILE, "x", 12, day(2024, 2, 29)),
        (
            b"-rw-r--r-- 1 u g 12 2024-02-29 23:59:58.123456789 +0200 x",
            To.FILE, "x", 12, day(2024, 2, 29, 21, 59, 58),
        ),
        (b"-rw-r--r-- 1 u g 12 Jan  5 10:00:01 2020 x", To.FILE, "x", 12, day(2020, 1, 5, 10, 0, 1)),
        (b"d [RWCEAFMS] jrd        512 Apr  8  1994 dir", To.DIRECTORY, "dir", None, day(1994, 4, 8)),
        (b"- [R----F--] rhesus  214632 Oct 20  1994 cx.exe", To.FILE, "cx.exe", 214632, day(1994, 10, 20)),
        (b"01-02-24  03:04PM       <DIR>          My Data", To.DIRECTORY, "My Data", None, day(2024, 1, 2, 15, 4)),
        (b"01-02-24  03:04PM       <DIR>            x", To.DIRECTORY, "  x", None, day(2024, 1, 2, 15, 4)),
        (b"01-02-2024  12:04AM             1,234 a b.csv", To.FILE, "a b.csv", 1234, day(2024, 1, 2, 0, 4)),
        (b"12-31-99  11:59PM                 5 old.txt", To.FILE, "old.txt", 5, day(1999, 12, 31, 23, 59)),
        (b"2024-01-31  15:04       <DIR>          d", To.DIRECTORY, "d", None, day(2024, 1, 31, 15, 4)),
        (b"31.01.2024  15:04                 7 d.txt", To.FILE, "d.txt", 7, day(2024, 1, 31, 15, 4)),
        (b"13-40-24  03:04PM                 7 d.txt", To.FILE, "d.txt", 7, None),
        (b"+i8388621.48594,m825718503,r,s280,\tdjb.html", To.FILE, "djb.html", 280, day(1996, 3, 1, 22, 15, 3)),
        (b"+i8388621.50690,m824255907,/,\t514", To.DIRECTORY, "514", None, day(1996, 2, 13, 23, 58, 27)),
        (b"+m99999999999999,r,\tx", To.FILE, "x", None, None),
        (b"CORE.DIR;1   1  8-SEP-1996 16:09 [SYSTEM] (RWE,RE)", To.DIRECTORY, "CORE", None, day(1996, 9, 8, 16, 9)),
        (b"00.TXT;1   2/4 30-DEC-1996 17:44:00 [X] (RE,RE)", To.FILE, "00.TXT", 1024, day(1996, 12, 30, 17, 44)),
    ],
)  # fmt: skip
def test_a_line_of_list_is_read_as_its_server_means_it(
    line: bytes, to: To, label: str, size: int | None, modified: datetime | None
) -> None:
    lead = only(line)

    assert (lead.to, lead.label, lead.size, lead.modified, lead.why) == (to, label, size, modified, "listing")


@pytest.mark.parametrize(
    ("line", "to", "label", "size", "modified"),
    [
        (b"type=file;size=7;modify=20240102030405; a.csv", To.FILE, "a.csv", 7, day(2024, 1, 2, 3, 4, 5)),
        (
            b"TYPE=Dir;Modify=20240102030405.123;UNIX.mode=0755; d",
            To.DIRECTORY,
            "d",
            None,
            day(2024, 1, 2, 3, 4, 5),
        ),
        (b"modify=20240231000000;perm=r;size=x;type=file; a", To.FILE, "a", None, None),
        (b"type=file;size=7 a=b.csv", To.FILE, "a=b.csv", 7, None),
        (b"type=file;   two before", To.FILE, "  two before", None, None),
        (b"type=file; a; b.csv", To.FILE, "a; b.csv", None, None),
        (b"perm=el; d", To.DIRECTORY, "d", None, None),
        (b"perm=adfr;size=5; f", To.FILE, "f", 5, None),
        (b" a.csv", To.FILE, "a.csv", None, None),
        (b" d", To.DIRECTORY, "d", None, None),
        (b"type=OS.unix=slink:/elsewhere/a.csv;size=9; a.csv", To.FILE, "a.csv", None, None),
        (b"type=OS.unix=symlink:2024/new; now", To.DIRECTORY, "now", None, None),
    ],
)
def test_a_line_of_mlsd_is_read_by_the_standard(
    line: bytes, to: To, label: str, size: int | None, modified: datetime | None
) -> None:
    lead = only(line, "mlsd")

    assert (lead.to, lead.label, lead.size, lead.modified) == (to, label, size, modified)


def test_the_media_type_that_mlsd_tells_goes_on() -> None:
    assert only(b"type=file;media-type=application/x-netcdf; a", "mlsd").media_type == "application/x-netcdf"


@pytest.mark.parametrize("line", [b"type=cdir; /pub/noaa", b"type=pdir; ..", b"type=dir; ."])
def test_the_directory_itself_and_the_one_above_are_no_entries_and_no_news(line: bytes) -> None:
    reading = read(line + b"\r\n", "mlsd")

    assert (list(reading.leads), reading.notes, reading.outcome, reading.digest) == ([], (), "", b"")


@pytest.mark.parametrize(
    ("name", "url", "to"),
    [
        (b"a.csv", "a.csv", To.FILE),
        (b"./a.csv", "a.csv", To.FILE),
        (b"index.html", "index.html", To.FILE),
        (b"x.geojson", "x.geojson", To.FILE),
        (b"2023/", "2023/", To.DIRECTORY),
        (b"2023", "2023", To.DIRECTORY),
        (b"README", "README", To.DIRECTORY),
        (b"v2.1", "v2.1", To.DIRECTORY),
        (b".hidden", ".hidden", To.DIRECTORY),
    ],
)
def test_a_bare_name_with_an_extension_is_a_file_and_any_other_is_to_be_asked(
    name: bytes, url: str, to: To
) -> None:
    lead = only(name, "nlst")

    assert (lead.url, lead.to) == (BASE + url, to)
    assert (lead.headers == ONLY_LISTINGS) is (to is To.DIRECTORY and not url.endswith("/"))


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (b"latest.csv -> ../2024/x", "latest.csv"),
        (b"latest -> 2024/x.nc", "latest"),
        (b"current -> v2/data", "current"),
        (b"current -> ./v2", "current"),
        (b"up -> ..", None),
        (b"here -> .", None),
        (b"round -> v2/../../noaa", None),
        (b"off -> /etc", None),
        (b"off -> ../other", None),
        (b"off -> v2/../..", None),
        (b"off -> C:\\data", None),
        (b"off", None),
    ],
)
def test_a_link_to_a_directory_is_followed_only_below_the_one_that_lists_it(
    link: bytes, url: str | None
) -> None:
    reading = read(b"lrwxrwxrwx 1 ftp ftp 4 Jan  5  2024 " + link)
    leads = list(reading.leads)

    assert [lead.url for lead in leads] == ([BASE + url] if url else [])
    assert all((lead.why, lead.size) == ("symlink", None) for lead in leads)
    assert any("not followed" in note for note in reading.notes) is (url is None)


def test_junctions_of_windows_are_links_too() -> None:
    reading = read(b"01-02-24  03:04PM       <JUNCTION>     All [C:\\data]\r\n")

    assert (list(reading.leads), len(reading.notes)) == ([], 1)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        (b"#1 50%.csv", "%231%2050%25.csv"),
        (b"a?b;type=d.csv", "a%3Fb%3Btype=d.csv"),
        (b"%2e%2e", "%252e%252e"),
        ("prüf.csv".encode(), "pr%C3%BCf.csv"),
        ("prüf.csv".encode("latin-1"), "pr%FCf.csv"),
        (b"a+b&c=(d)@e,f:g.csv", "a+b&c=(d)@e,f:g.csv"),
        (b'"quoted" <x>|{y}^`z`.csv', "%22quoted%22%20%3Cx%3E%7C%7By%7D%5E%60z%60.csv"),
    ],
)
def test_a_name_becomes_a_url_that_asks_for_its_very_bytes(name: bytes, url: str) -> None:
    lead = only(b"type=file; " + name, "mlsd")

    assert lead.url == BASE + url == parse_url(lead.url).text
    assert last_name(parse_url(lead.url)) == name


def test_a_name_in_latin_1_is_readable() -> None:
    assert only("type=file; prüf.csv".encode("latin-1"), "mlsd").label == "prüf.csv"


@pytest.mark.parametrize(
    "name", [b"..", b".", b"a/b", b"/etc/passwd", b"../x", b"a\0b", b"a\rb", b"a\x7f", b"..\\x", b""]
)
def test_a_name_that_leads_out_or_breaks_a_line_is_dropped(name: bytes) -> None:
    for form, line in (("mlsd", b"type=file; " + name), ("nlst", name)):
        reading = read(line + b"\r\ntype=file; good.csv\r\n", form)

        assert [lead.label for lead in reading.leads if "good" not in lead.label] == []


def test_a_name_too_long_for_a_url_is_dropped_and_told() -> None:
    reading = read(b"type=file; " + b"%" * 3000 + b"\r\ntype=file; " + b"x" * 3000 + b"\r\n", "mlsd")

    assert [lead.label for lead in reading.leads] == ["x" * 3000]
    assert "cannot be asked for" in reading.notes[0]


def test_headings_and_totals_are_no_entries_and_devices_are_told_of() -> None:
    body = (
        b"\xef\xbb\xbfinsgesamt 12\r\n\r\nDirectory DISK$1:[PUB]\r\n"
        b"crw-rw-rw- 1 root root 1, 3 Jan  5  2024 null\r\nprw-r--r-- 1 u g 0 Jan  5  2024 pipe\r\n"
        b"-rw-r--r-- 1 u g 3 Jan  5  2024 a.csv\r\nTotal of 3 files, 12/16 blocks.\r\n"
    )
    reading = read(body)

    assert [lead.label for lead in reading.leads] == ["a.csv"]
    assert reading.notes == (
        "2 lines name neither a file nor a directory, the first: 'crw-rw-rw- 1 root root 1, 3 Jan  5  2024 null'",
    )


def test_particulars_of_vms_on_a_line_of_their_own_belong_to_the_name_above() -> None:
    body = b"A_VERY_LONG_NAME.TXT;12\r\n     3/6  5-JAN-2024 10:00:00\r\nB.TXT;1\r\nC.DIR;1\r\n"
    found = [(lead.label, lead.to, lead.size) for lead in read(body).leads]

    assert found == [
        ("A_VERY_LONG_NAME.TXT", To.FILE, 1536),
        ("B.TXT", To.FILE, None),
        ("C", To.DIRECTORY, None),
    ]


def test_without_our_own_clock_a_date_without_a_year_is_no_date() -> None:
    (lead,) = read(b"-rw-r--r-- 1 ftp ftp 531 Jan 29 03:26 a.csv", date=None).leads

    assert lead.modified is None


def test_an_empty_listing_is_read_and_an_unreadable_one_is_not() -> None:
    empty, foreign = read(b""), read(b"ls: cannot open directory\r\nsomething else\r\n")

    assert (empty.outcome, list(empty.leads), empty.notes) == ("", [], ())
    assert (foreign.outcome, list(foreign.leads), len(foreign.notes)) == ("wrong-type", [], 1)


def test_a_directory_met_again_has_the_same_digest_and_any_other_has_not() -> None:
    rows = b"drwxr-xr-x 2 u g 4096 Jan  5  2024 data\r\n-rw-r--r-- 1 u g 7 Jan  5  2024 a.csv\r\n"
    digest = read(rows).digest

    assert digest == read(b"total 8\r\n" + rows, base=BASE + "loop/").digest != b""
    for other in (rows.replace(b"7", b"8"), rows.replace(b"a.csv", b"b.csv"), rows.replace(b" 5 ", b" 6 ")):
        assert read(other).digest != digest


@pytest.mark.parametrize("base", ["ftp://h.example/pub", "ftp://h.example/pub/", "ftp://h.example/pub%2F"])
def test_entries_are_below_the_directory_however_it_was_asked_for(base: str) -> None:
    (lead,) = read(b"type=dir; d\r\n", "mlsd", base=base).leads

    assert lead.url == "ftp://h.example/pub/d/"


def test_what_is_no_listing_is_the_file_itself() -> None:
    head = Head(200, "FTP", (("Content-Length", "5000"), ("Last-Modified", NOW)))
    url = parse_url("ftp://h.example/pub/README")

    reading = read_ftp_listing(Reply(url.text, url.text, head, b"some", ()), url)

    assert reading.what is What.FILE
    assert list(reading.leads) == [
        Lead(url.text, To.FILE, "listing", size=5000, modified=day(2026, 11, 25, 19))
    ]


def test_of_a_cut_listing_the_note_is_kept() -> None:
    assert "left entries out" in read(b"type=file; a\r\n", "mlsd", more="; cut=yes").notes[-1]


HOSTILE_LINES = st.one_of(
    st.binary(max_size=120),
    st.builds(
        lambda start, name: start + name,
        st.sampled_from(
            [
                b"-rw-r--r-- 1 u g 7 Jan  5  2024 ",
                b"drwxr-xr-x 2 u g 7 Jan  5 10:00 ",
                b"lrwxrwxrwx 1 u g 7 2024-01-05 10:00 ",
                b"01-02-24  03:04PM  <DIR>  ",
                b"99-99-9999  99:99PM  99 ",
                b"type=file; ",
                b"type=dir;size=1; ",
                b"type=OS.unix=slink:",
                b"+r,s5,m5,\t",
                b"+/,m99999999999,\t",
                b"A.TXT;1 5 99-JAN-9999 99:99 ",
            ]
        ),
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from([b"..", b"../x", b"..\\x", b"%2e%2e", b"~root", b"a -> ..", b";type=d", b"a\0"]),
        ),
    ),
)


@given(st.lists(HOSTILE_LINES, max_size=20), st.sampled_from(FORMS), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_whatever_a_listing_says_its_leads_stay_below_the_directory(
    lines: list[bytes], form: str, ending: bytes
) -> None:
    reading = read(ending.join(lines), form)

    for lead in reading.leads:
        if form == "mlst":
            assert lead.url == BASE
            continue
        below = lead.url.removeprefix(BASE)
        name = unquote_to_bytes(below.removesuffix("/"))
        assert below != lead.url
        assert parse_url(lead.url).text == lead.url
        assert name not in (b"", b".", b"..")
        assert not set(name) & {*range(32), 127, *b"/\\"}
        try:
            assert last_name(parse_url(lead.url)) == (b"" if lead.url.endswith("/") else name)
        except ShelterError as error:
            raise AssertionError(lead.url) from error
    assert all(len(note) < 1000 for note in reading.notes)


@given(st.binary(min_size=1, max_size=60).filter(lambda name: not set(name) & {*range(32), 127, *b"/\\"}))
def test_every_name_that_can_be_asked_for_comes_through(name: bytes) -> None:
    (lead, *_) = [*read(b"type=file; " + name + b"\r\n", "mlsd").leads] or [None]

    assert (lead is None) is (name in (b".", b".."))
    assert lead is None or last_name(parse_url(lead.url)) == name


@pytest.mark.parametrize("form", ["mlsd", "list", "nlst"])
@pytest.mark.parametrize(
    "line",
    [
        b"-rw-r--r-- " + b"1 " * 4000,
        b"-rw-r--r-- 1 " + b" " * 8000,
        b"-rw-r--r-- " + b"1 aa " * 40 + b" " * 7000,
        b"-rw-r--r-- " + b"1 2024-01-01 10:10:10" * 350,
        b"01-01-24 01:01" + b" " * 8000,
        b"A;1" + b" " * 8000 + b"x",
        b"A;1 1/1 " + b"[" * 8000,
        b"a " + b"1" * 8000,
        b";" * 8000,
        b"=;" * 4000 + b" x",
        b" " * 500_000,
        b"x" * 500_000,
    ],
    ids=lambda line: repr(line[:16]) if isinstance(line, bytes) else line,
)
def test_lines_that_are_made_to_be_slow_are_not(line: bytes, form: str) -> None:
    body = (line + b"\n") * max(500_000 // len(line), 1)
    with ends_soon():
        for _ in read(body, form).leads:
            pass
