"""Holdings: what other archives say they hold is taken line by line, and told once however often it is said."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.holdings import list_holders, remove_holder
from shelter_pipeline.commands.holdings import holdings_app
from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.operations.import_holdings import import_holdings, look_up_holdings
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

A, B = "https://epa.example/a.csv", "https://epa.example/b.csv"
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        yield opened


def inventory(tmp_path: Path, text: str, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def told(workplace: Workplace, tmp_path: Path, *rows: str) -> dict[str, Any]:
    """What came of a CSV with these rows."""
    return import_holdings(workplace, inventory(tmp_path, "\n".join(("url,holder,date,hash", *rows))))


def stored(catalog: Catalog) -> list[tuple[str, str, str | None, str | None]]:
    with catalog.begin() as connection:
        rows = connection.execute(
            sa.text("SELECT url, holder, held_at, sha256 FROM holding ORDER BY url, holder")
        ).all()
    return [
        (url, holder, at and at.astimezone(UTC).date().isoformat(), sha256)
        for url, holder, at, sha256 in rows
    ]


def counted(report: dict[str, Any]) -> tuple[int, int, int, int, int]:
    return tuple(report[name] for name in ("rows", "new", "renewed", "known", "refused"))  # type: ignore[return-value]


def test_an_inventory_is_kept_and_held_against_our_files(workplace: Workplace, tmp_path: Path) -> None:
    portal = a_portal(workplace.catalog)
    harvested(workplace.catalog, portal, [a_dataset("1", a_resource(A, size=500))])
    discovered(workplace.catalog, portal)

    report = told(
        workplace, tmp_path, f"{A},LIL,2025-02-06,sha256:{ONE}", f"{B},LIL,2025-02-07,", f"{A},IA,2024,"
    )

    assert report == {
        "rows": 3,
        "new": 3,
        "renewed": 0,
        "known": 0,
        "refused": 0,
        "hashes_dropped": 0,
        "dates_dropped": 0,
        "holders": 2,
        "matched_assets": 1,
        "notes": [],
        "refusals": [],
    }
    assert stored(workplace.catalog) == [
        (A, "IA", "2024-01-01", None),
        (A, "LIL", "2025-02-06", ONE),
        (B, "LIL", "2025-02-07", None),
    ]
    assert [
        (row["holder"], row["urls"], row["matched_files"], row["matched_bytes"])
        for row in list_holders(workplace.catalog)
    ] == [("IA", 1, 1, 500), ("LIL", 2, 1, 500)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", f"url,holder,date,hash\n{A},LIL,2025-02-06,{ONE}\n"),
        ("list.csv", f"\ufeffSHA256;Held_At;Archive;URL\n{ONE};2025-02-06T10:00:00Z;LIL;{A}\n"),
        (
            "list.txt",
            f"# an inventory\n\nchecksum,timestamp,held by,url\nSHA256:{ONE},20250206101500,LIL,{A}\n",
        ),
        ("list.jsonl", json.dumps({"url": A, "holder": "LIL", "date": "2025-02-06", "hash": ONE})),
        (
            "list.ndjson",
            "\n" + json.dumps({"URL": A, "archive": "LIL", "held_at": "20250206", "sha256": ONE}),
        ),
        (
            "list",
            json.dumps({"url": A, "holder": " LIL ", "hash": None, "checksum": ONE, "date": "2025-02-06"}),
        ),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_csv_and_json_lines_are_read_plain_and_compressed(
    workplace: Workplace, tmp_path: Path, name: str, text: str, *, compressed: bool
) -> None:
    path = inventory(tmp_path, text, name)
    if compressed:
        path = path.with_name(f"{name}.gz")
        path.write_bytes(gzip.compress(text.encode()))

    report = import_holdings(workplace, path)

    assert counted(report) == (1, 1, 0, 0, 0)
    assert stored(workplace.catalog) == [(A, "LIL", "2025-02-06", ONE)]


def test_a_url_is_one_however_it_is_written(workplace: Workplace, tmp_path: Path) -> None:
    report = told(workplace, tmp_path, f"{A},LIL,2024,", "HTTPS://EPA.example:443/a.csv#top,LIL,2025,")

    assert counted(report) == (2, 1, 0, 0, 0)
    assert stored(workplace.catalog) == [(A, "LIL", "2025-01-01", None)]


@pytest.mark.parametrize(
    ("before", "after", "kept", "counts"),
    [
        (f"2024,{ONE}", f"2025,{TWO}", ("2025-01-01", TWO), (1, 0, 1, 0, 0)),
        (f"2025,{TWO}", f"2024,{ONE}", ("2025-01-01", TWO), (1, 0, 0, 1, 0)),
        (f"2024,{ONE}", "2025,", ("2025-01-01", ONE), (1, 0, 1, 0, 0)),
        ("2025,", f"2024,{ONE}", ("2025-01-01", ONE), (1, 0, 1, 0, 0)),
        (f"2025,{ONE}", f",{TWO}", ("2025-01-01", ONE), (1, 0, 0, 1, 0)),
        (f",{ONE}", f"2025,{TWO}", ("2025-01-01", TWO), (1, 0, 1, 0, 0)),
        (f"2025,{ONE}", f"2025,{ONE}", ("2025-01-01", ONE), (1, 0, 0, 1, 0)),
    ],
)
def test_the_newest_telling_stands_and_nothing_else_is_lost(
    workplace: Workplace, tmp_path: Path, before: str, after: str, kept: Any, counts: Any
) -> None:
    told(workplace, tmp_path, f"{A},LIL,{before}", f"{A},IA,2020,")

    report = told(workplace, tmp_path, f"{A},LIL,{after}")

    assert counted(report) == counts
    assert stored(workplace.catalog) == [(A, "IA", "2020-01-01", None), (A, "LIL", *kept)]


def test_one_file_that_tells_a_url_twice_is_read_as_two_tellings(
    workplace: Workplace, tmp_path: Path
) -> None:
    told(workplace, tmp_path, f"{A},LIL,2025,", f"{A},LIL,2024,{ONE}", f"{A},LIL,2023,{TWO}")

    assert stored(workplace.catalog) == [(A, "LIL", "2025-01-01", ONE)]


@pytest.mark.parametrize(
    ("date", "kept"),
    [
        ("2025", "2025-01-01"),
        ("2025-03", "2025-03-01"),
        ("2025-03-04", "2025-03-04"),
        ("2025-03-04T23:30:00-05:00", "2025-03-05"),
        ("20250304", "2025-03-04"),
        ("20250304233000", "2025-03-04"),
        ("03/04/2025", None),
        ("2025-02-30", None),
        ("20259999", None),
        ("1066", None),
        ("2999-01-01", None),
        ("soon", None),
    ],
)
def test_a_date_is_iso_8601_or_left_out_and_counted(
    workplace: Workplace, tmp_path: Path, date: str, kept: str | None
) -> None:
    report = told(workplace, tmp_path, f"{A},LIL,{date},")

    assert stored(workplace.catalog) == [(A, "LIL", kept, None)]
    assert report["dates_dropped"] == (1 if kept is None else 0)


@pytest.mark.parametrize(
    ("hash", "kept"),
    [
        (ONE, ONE),
        ("AB" * 32, "ab" * 32),
        (f"sha-256:{ONE}", ONE),
        ("md5:" + "1" * 32, None),
        ("1" * 63, None),
        ("1" * 65, None),
        ("z" * 64, None),
    ],
)
def test_a_hash_is_a_sha_256_or_left_out_and_counted(
    workplace: Workplace, tmp_path: Path, hash: str, kept: str | None
) -> None:
    report = told(workplace, tmp_path, f"{A},LIL,2025,{hash}")

    assert stored(workplace.catalog) == [(A, "LIL", "2025-01-01", kept)]
    assert report["hashes_dropped"] == (1 if kept is None else 0)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("not JSON at all", "not JSON"),
        ('{"url": "https://epa.example/a.csv"', "not JSON"),
        ('{"url": "https://epa.example/\\ud800"}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('["https://epa.example/a.csv"]', "not a JSON object"),
        ("{}", "there is no url"),
        ('{"url": 5}', "there is no url"),
        ('{"url": "a.csv"}', "the URL has no scheme or no host"),
        ('{"url": "gopher://epa.example/"}', "not one we fetch"),
        ('{"url": "https://user:word@epa.example/"}', "user name or password"),
        ('{"url": "https://epa.example/b", "holder": "a\\u0000b"}', "no name for a holder"),
        ('{"url": "https://epa.example/b", "holder": ["LIL"]}', "there is no holder"),
    ],
)
def test_a_bad_line_is_refused_by_its_number_and_the_others_are_kept(
    workplace: Workplace, tmp_path: Path, line: str, problem: str
) -> None:
    text = "\n".join((json.dumps({"url": A}), "", line, json.dumps({"url": B})))

    report = import_holdings(workplace, inventory(tmp_path, text, "list.jsonl"), holder="LIL")

    assert counted(report) == (3, 2, 0, 0, 1)
    (refusal,) = report["refusals"]
    assert refusal["line"] == 3
    assert problem in refusal["problem"]


def test_a_line_without_holder_has_the_one_that_was_given(workplace: Workplace, tmp_path: Path) -> None:
    path = inventory(tmp_path, f"url,holder\n{A},\n{B},IA\n")

    import_holdings(workplace, path, holder="  Data   Rescue ")

    assert [row[:2] for row in stored(workplace.catalog)] == [(A, "Data Rescue"), (B, "IA")]


@pytest.mark.parametrize(
    ("text", "holder", "sentence"),
    [
        ("", "LIL", "should name the columns url"),
        (f"{A}\n{B}\n", "LIL", "lacks the column url"),
        (f"url\n{A}\n", None, "lacks the column holder"),
        ('[{"url": "https://epa.example/a"}]', "LIL", "is one JSON document"),
        (f"url\n{A}\n", " ", "is no name for a holder"),
    ],
)
def test_a_file_that_is_no_inventory_is_refused_whole(
    workplace: Workplace, tmp_path: Path, text: str, holder: str | None, sentence: str
) -> None:
    with pytest.raises(SetupError, match=sentence):
        import_holdings(workplace, inventory(tmp_path, text), holder=holder)

    assert stored(workplace.catalog) == []


def test_a_large_inventory_is_kept_whole_and_told_again_changes_nothing(
    workplace: Workplace, tmp_path: Path
) -> None:
    path = tmp_path / "large.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("url,date\n")
        file.writelines(f"https://h{n % 50}.example/{n}.csv,2025-02-0{1 + n % 9}\n" for n in range(20_000))

    first = import_holdings(workplace, path, holder="LIL")
    again = import_holdings(workplace, path, holder="LIL")

    assert counted(first) == (20_000, 20_000, 0, 0, 0)
    assert counted(again) == (20_000, 0, 0, 20_000, 0)


def test_a_url_is_looked_up_as_it_is_written_and_its_newest_holder_comes_first(
    workplace: Workplace, tmp_path: Path
) -> None:
    told(workplace, tmp_path, f"{A},IA,2024,", f"{A},LIL,2025,{ONE}", f"{A},Undated,,", f"{B},Other,2025,")

    found = look_up_holdings(workplace, "HTTPS://epa.EXAMPLE/a.csv#x")

    assert found["url"] == A
    assert [row["holder"] for row in found["holders"]] == ["LIL", "IA", "Undated"]
    assert found["holders"][0]["held_at"] == datetime(2025, 1, 1, tzinfo=UTC)
    with pytest.raises(RefusedError, match="no scheme"):
        look_up_holdings(workplace, "a.csv")


def test_a_holder_that_is_removed_takes_its_word_along_and_no_other(
    workplace: Workplace, tmp_path: Path
) -> None:
    told(workplace, tmp_path, f"{A},IA,2024,", f"{B},IA,2024,", f"{A},LIL,2025,")

    removed = remove_holder(workplace.catalog, "IA")

    assert removed == 2
    assert [row[1] for row in stored(workplace.catalog)] == ["LIL"]
    with pytest.raises(SetupError, match="no holder 'IA'; known holders: LIL"):
        remove_holder(workplace.catalog, "IA")


def test_the_commands_import_list_look_up_and_remove(workplace: Workplace, tmp_path: Path) -> None:
    path = inventory(tmp_path, f"url\n{A}\nnonsense\n")
    secret = workplace.settings.database_url
    assert secret is not None
    environment = {"SHELTER_DATABASE_URL": secret.get_secret_value(), "SHELTER_HOME": str(tmp_path / "home")}

    def shelter(*arguments: str) -> Any:
        ended = CliRunner().invoke(holdings_app, [*arguments, "--json"], env=environment)
        assert ended.exit_code == 0, ended.output
        return json.loads(ended.stdout)

    imported = shelter("import", str(path), "--holder", "LIL")
    listed = shelter("list")
    found = shelter("of", A)
    removed = shelter("remove", "LIL")

    assert (imported["new"], imported["refusals"][0]["line"]) == (1, 3)
    assert [(row["holder"], row["urls"]) for row in listed["holders"]] == [("LIL", 1)]
    assert [row["holder"] for row in found["holders"]] == ["LIL"]
    assert removed == {"removed": "LIL", "urls": 1}


def test_people_are_told_that_there_are_no_holders(workplace: Workplace, tmp_path: Path) -> None:
    secret = workplace.settings.database_url
    assert secret is not None
    environment = {"SHELTER_DATABASE_URL": secret.get_secret_value(), "SHELTER_HOME": str(tmp_path / "home")}

    shown = CliRunner().invoke(holdings_app, ["list"], env=environment)

    assert shown.stdout == "no holders\n"
