"""Rankings: an analytics export becomes ranks of datasets, whatever else stands in its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.rankings import find_ranking, list_rankings, ranking_top, remove_ranking
from shelter_pipeline.commands.rankings import rankings_app
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.import_ranking import import_ranking
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

HEADER = "linkUrl,fileName,eventCount,pageLocation,pageTitle"


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def catalog(workplace: Workplace) -> Catalog:
    """Three datasets; the second and the third share a file."""
    harvested(
        workplace.catalog,
        a_portal(workplace.catalog),
        [
            a_dataset("air", a_resource("https://EPA.example/Data/Air.csv"), title="Air"),
            a_dataset(
                "sea",
                a_resource("https://noaa.example/sea.csv"),
                a_resource("https://noaa.example/shared.zip", key="r2", position=1),
                title="Sea",
            ),
            a_dataset(
                "ice",
                a_resource("https://noaa.example/shared.zip"),
                title="Ice",
                landing_page="https://noaa.example/ice/",
            ),
        ],
    )
    return workplace.catalog


def export(tmp_path: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = tmp_path / "export.csv"
    path.write_bytes("\n".join((header, *rows, "")).encode(encoding))
    return path


def events(catalog: Catalog, name: str = "ga") -> dict[str, int]:
    return {row["dataset"]: row["events"] for row in ranking_top(catalog, name, 100)}


def test_events_are_summed_by_dataset_and_ranked(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    path = export(
        tmp_path,
        "https://epa.example/data/air.csv,air.csv,5,https://x.example/,Air",
        "https://noaa.example/sea.csv,sea.csv,20,https://x.example/,Sea",
        "https://epa.example/data/air.csv,air.csv,7,https://y.example/,Air again",
        "https://elsewhere.example/,,9,https://x.example/,None of ours",
    )

    report = import_ranking(workplace, path, "ga")

    assert report == {
        "ranking": "ga",
        "rows": 4,
        "refused": 0,
        "matched": 3,
        "matched_by_page": 0,
        "unmatched": 1,
        "events": 41,
        "matched_events": 32,
        "datasets": 2,
        "notes": [],
        "refusals": [],
        "top": [
            {"rank": 1, "dataset": "sea", "organization": "epa-gov", "title": "Sea", "events": 20},
            {"rank": 2, "dataset": "air", "organization": "epa-gov", "title": "Air", "events": 12},
        ],
    }
    kept = find_ranking(catalog, "ga")
    assert {name: kept[name] for name in ("source", "rows", "refused", "events", "matched_rows")} == {
        "source": "export.csv",
        "rows": 4,
        "refused": 0,
        "events": 41,
        "matched_rows": 3,
    }
    assert (kept["matched_events"], kept["datasets"]) == (32, 2)


@pytest.mark.parametrize(
    "link",
    [
        "https://epa.example/Data/Air.csv",
        "HTTPS://EPA.EXAMPLE/DATA/AIR.CSV",
        "  https://epa.example/data/air.csv\t",
        "https://epa.example/data/air.csv#page=2",
        "Air.csv",
        "/data/air.csv",
        "//epa.example/data/air.csv",
    ],
)
def test_a_link_is_matched_in_any_case_however_it_was_written(
    workplace: Workplace, catalog: Catalog, tmp_path: Path, link: str
) -> None:
    import_ranking(workplace, export(tmp_path, f"{link},,3,https://epa.example/data/list.html,"), "ga")

    assert events(catalog) == {"air": 3}


def test_a_resource_with_a_fragment_is_matched_by_the_whole_link_alone(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    hub = [a_dataset(f"hub{n}", a_resource(f"https://hub.example/#/data/{n}")) for n in (1, 2)]
    harvested(catalog, a_portal(catalog), hub)

    import_ranking(workplace, export(tmp_path, "https://hub.example/#/data/2,,3,,"), "ga")

    assert events(catalog) == {"hub2": 3}


def test_a_link_of_several_datasets_counts_for_each_and_once_as_a_row(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    report = import_ranking(workplace, export(tmp_path, "https://noaa.example/shared.zip,,8,,"), "ga")

    assert events(catalog) == {"sea": 8, "ice": 8}
    assert (report["matched"], report["matched_events"], report["datasets"]) == (1, 8, 2)


def test_datasets_with_as_many_events_share_a_rank_and_leave_a_gap(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    path = export(tmp_path, "https://noaa.example/shared.zip,,8,,", "https://epa.example/data/air.csv,,2,,")

    report = import_ranking(workplace, path, "ga")

    assert [(row["dataset"], row["rank"]) for row in report["top"]] == [("ice", 1), ("sea", 1), ("air", 3)]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("https://portal.example/dataset/dataset-air", "air"),
        ("https://PORTAL.example/dataset/Dataset-Air/resource/1?view=2#top", "air"),
        ("portal.example/en/dataset/dataset-air", "air"),
        ("https://noaa.example/ICE/#data", "ice"),
        ("https://another.example/dataset/dataset-air", None),
        ("https://portal.example/dataset/", None),
        ("https://[::1/dataset/dataset-air", None),
        ("(not set)", None),
    ],
)
def test_an_unknown_link_counts_for_the_dataset_whose_own_page_it_was_used_on(
    workplace: Workplace, catalog: Catalog, tmp_path: Path, page: str, found: str | None
) -> None:
    path = export(tmp_path, f"https://cdn.example/moved.csv,,4,{page},")

    report = import_ranking(workplace, path, "ga")

    assert events(catalog) == ({found: 4} if found else {})
    assert report["matched_by_page"] == report["matched"] == (1 if found else 0)


def test_a_page_does_not_count_beside_a_link_that_matches(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    page = "https://portal.example/dataset/dataset-air"

    import_ranking(workplace, export(tmp_path, f"https://noaa.example/sea.csv,,4,{page},"), "ga")

    assert events(catalog) == {"sea": 4}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (HEADER.upper(), "https://noaa.example/sea.csv,,1234,,"),
        ("\ufeff" + HEADER, "https://noaa.example/sea.csv,,1234,,"),
        ("# Events\n# 20250101-20250131\n\n" + HEADER, "https://noaa.example/sea.csv,,1234,,"),
        ('"Link URL","Event count"', '"https://noaa.example/sea.csv","1,234"'),
        ("day,eventCount,x,linkUrl", "1,1234.0,y,https://noaa.example/sea.csv"),
        (HEADER.replace(",", ";"), "https://noaa.example/sea.csv;;1,234;;"),
        (HEADER.replace(",", "\t"), "https://noaa.example/sea.csv\t\t1,234\t\t"),
        (HEADER, 'https://noaa.example/sea.csv,,1234,,"Sea\nlevel, ""now"""'),
        (HEADER, "\n,,,,\nhttps://noaa.example/sea.csv,,1234,,Sea level\n\n"),
        (HEADER, 'https://noaa.example/sea.csv,,1234,,"Sea" level'),
        (HEADER, "https://noaa.example/sea.csv,,1234,,Sea\x00level,and,more"),
    ],
)
def test_an_export_is_read_as_tools_write_it(
    workplace: Workplace, catalog: Catalog, tmp_path: Path, header: str, row: str
) -> None:
    report = import_ranking(workplace, export(tmp_path, row, header=header), "ga")

    assert events(catalog) == {"sea": 1234}
    assert (report["rows"], report["refused"]) == (1, 0)


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("cp1252", "not UTF-8: read as Windows-1252"), ("utf-16", "read as UTF-16")],
)
def test_an_export_in_another_encoding_is_read_with_a_note(
    workplace: Workplace, catalog: Catalog, tmp_path: Path, encoding: str, note: str
) -> None:
    path = export(tmp_path, "https://noaa.example/sea.csv,,4,,Niño", encoding=encoding)

    report = import_ranking(workplace, path, "ga")

    assert report["notes"] == [note]
    assert events(catalog) == {"sea": 4}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",air.csv,5,,", "linkUrl is empty"),
        ("(not set),air.csv,5,,", "linkUrl is empty"),
        ("https://x.example/,a,,,", "eventCount '' is not a whole number"),
        ("https://x.example/,a,-1,,", "eventCount '-1' is not a whole number"),
        ("https://x.example/,a,1.5,,", "eventCount '1.5' is not a whole number"),
        ("https://x.example/,a,١٢,,", "eventCount '١٢' is not a whole number"),
        ('https://x.example/,a,"1,23",,', "eventCount '1,23' is not a whole number"),
        ("https://x.example/,a,many,,", "eventCount 'many' is not a whole number"),
        ("https://x.example/,a," + "9" * 30 + ",,", "is more than 1000000000000"),
        ("https://x.example/,a,5", "too few columns: 3 of 5"),
        ("air.csv,a,5,,", "linkUrl is relative, and there is no pageLocation"),
        ("https://[x/,a,5,,", "linkUrl cannot be read"),
        ("https://x.example/" + "a" * 9000 + ",a,5,,", "a URL is longer than 8000 characters"),
        ("https://x.example/,a,5,," + "t" * 200_000, "a cell is longer than 131072 characters"),
    ],
)
def test_a_bad_row_is_refused_by_its_line_and_the_others_are_kept(
    workplace: Workplace, catalog: Catalog, tmp_path: Path, row: str, problem: str
) -> None:
    good = 'https://noaa.example/sea.csv,,1,,"two\nlines"'

    report = import_ranking(workplace, export(tmp_path, good, row, good), "ga")

    assert (report["rows"], report["refused"], report["matched"]) == (3, 1, 2)
    (refusal,) = report["refusals"]
    assert refusal["line"] == 4
    assert problem in refusal["problem"]
    assert events(catalog) == {"sea": 2}


def test_a_quote_that_is_never_closed_costs_no_other_row(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    good = "https://noaa.example/sea.csv,,1,,Sea"

    report = import_ranking(
        workplace, export(tmp_path, good, 'https://x.example/,,1,,"open', *[good] * 100), "ga"
    )

    assert (report["rows"], report["matched"], report["refused"]) == (102, 101, 0)


def test_all_refusals_are_counted_and_the_first_fifty_told(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    report = import_ranking(workplace, export(tmp_path, *[",,1,,"] * 60), "ga")

    assert report["refused"] == report["rows"] == 60
    assert [refusal["line"] for refusal in report["refusals"]] == list(range(2, 52))
    assert find_ranking(catalog, "ga")["refused"] == 60


def test_importing_the_same_name_again_replaces_that_ranking_and_no_other(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    for name in ("ga", "other"):
        import_ranking(workplace, export(tmp_path, "https://noaa.example/shared.zip,,8,,"), name)

    import_ranking(workplace, export(tmp_path, "https://noaa.example/sea.csv,,3,,"), " ga ")

    assert events(catalog, "ga") == {"sea": 3}
    assert events(catalog, "other") == {"sea": 8, "ice": 8}
    assert [(row["name"], row["datasets"]) for row in list_rankings(catalog)] == [("ga", 1), ("other", 2)]


def spoilt(tmp_path: Path, how: str) -> Path:
    path = tmp_path / f"{how}.csv"
    contents = {
        "empty": b"",
        "blank": b"\n \n# only a comment\n",
        "headless": b"https://noaa.example/sea.csv,sea.csv,3\n",
        "countless": b"linkUrl,fileName\nhttps://noaa.example/sea.csv,sea.csv\n",
        "binary": bytes(range(256)) * 10,
        "picture": b"\x89PNG\r\n\x1a\n" + b"\x00\x01\x02" * 100,
        "zipped": b"PK\x03\x04rest",
        "neither": HEADER.encode() + b"\nhttps://x/,,1,,\x81\xff\n",
        "cut-gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b",
    }
    if how in contents:
        path.write_bytes(contents[how])
    if how == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("missing", "cannot be read: No such file"),
        ("folder", "cannot be read: Is a directory"),
        ("empty", "should name the columns linkUrl, eventCount"),
        ("blank", "should name the columns linkUrl, eventCount"),
        ("headless", "lacks the column linkUrl and eventCount; line 1 should name the columns"),
        ("countless", "lacks the column eventCount"),
        ("binary", "is no text file"),
        ("picture", "is no text file"),
        ("zipped", "is a zip archive; unpack it first"),
        ("neither", "is neither UTF-8 nor Windows-1252 text"),
        ("cut-gzip", "cannot be read"),
    ],
)
def test_a_file_that_is_no_ranking_is_named_and_changes_nothing(
    workplace: Workplace, catalog: Catalog, tmp_path: Path, how: str, sentence: str
) -> None:
    import_ranking(workplace, export(tmp_path, "https://noaa.example/sea.csv,,3,,"), "ga")

    with pytest.raises(SetupError) as refused:
        import_ranking(workplace, spoilt(tmp_path, how), "ga")

    assert str(refused.value).startswith(str(tmp_path / how))
    assert sentence in str(refused.value)
    assert events(catalog) == {"sea": 3}


def test_a_file_that_breaks_off_while_it_is_read_changes_nothing(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    import_ranking(workplace, export(tmp_path, "https://noaa.example/sea.csv,,3,,"), "ga")
    path = export(tmp_path, *["https://noaa.example/shared.zip,,1,,"] * 30_000)

    def cut(_done: int, _total: int | None) -> None:
        with path.open("r+b") as file:  # what another program may do meanwhile
            file.seek(0)
            file.write(b"\xff\x81" * (path.stat().st_size // 2))

    with pytest.raises(SetupError, match="cannot be read after line"):
        import_ranking(workplace, path, "ga", progress=cut)

    assert events(catalog) == {"sea": 3}


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_that_is_none_is_refused(
    workplace: Workplace, catalog: Catalog, tmp_path: Path, name: str
) -> None:
    with pytest.raises(SetupError, match="is no name for a ranking"):
        import_ranking(workplace, export(tmp_path, "https://noaa.example/sea.csv,,3,,"), name)

    assert list_rankings(catalog) == []


def test_a_removed_ranking_is_gone_and_an_unknown_one_is_named_with_the_known(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    for name in ("ga", "other"):
        import_ranking(workplace, export(tmp_path, "https://noaa.example/shared.zip,,8,,"), name)

    ranked = remove_ranking(catalog, "ga")

    assert ranked == 2
    assert [row["name"] for row in list_rankings(catalog)] == ["other"]
    with pytest.raises(SetupError, match="no ranking 'ga'; known rankings: other"):
        remove_ranking(catalog, "ga")
    with catalog.begin() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM rank")) == 2


def test_the_commands_import_list_show_and_remove(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    path = export(tmp_path, "https://noaa.example/shared.zip,,8,,", ",,1,,")
    secret = workplace.settings.database_url
    assert secret is not None
    environment = {"SHELTER_DATABASE_URL": secret.get_secret_value(), "SHELTER_HOME": str(tmp_path / "home")}

    def shelter(*arguments: str) -> Any:
        ended = CliRunner().invoke(rankings_app, [*arguments, "--json"], env=environment)
        assert ended.exit_code == 0, ended.output
        return json.loads(ended.stdout)

    imported = shelter("import", str(path), "--name", "ga")
    listed = shelter("list")
    shown = shelter("show", "ga", "--limit", "1")
    removed = shelter("remove", "ga")

    assert (imported["matched"], imported["refusals"]) == (1, [{"line": 3, "problem": "linkUrl is empty"}])
    assert [row["name"] for row in listed["rankings"]] == ["ga"]
    assert [row["dataset"] for row in shown["top"]] == ["ice"]
    assert removed == {"removed": "ga", "datasets": 2}
    assert shelter("list") == {"rankings": []}


def test_people_are_told_that_there_are_no_rankings(workplace: Workplace, tmp_path: Path) -> None:
    secret = workplace.settings.database_url
    assert secret is not None
    environment = {"SHELTER_DATABASE_URL": secret.get_secret_value(), "SHELTER_HOME": str(tmp_path / "home")}

    shown = CliRunner().invoke(rankings_app, ["list"], env=environment)

    assert shown.stdout == "no rankings\n"
