"""Kept reports as people meet them: a list, a page in a sandbox, files to save, and no rotten one as a whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import requests

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.kept_reports import store_report
from shelter_pipeline_tests.api.shelves import a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest


def test_reports_are_listed_read_in_a_sandbox_and_saved(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    assert "None is there yet" in api.get("/browse/reports").text
    api_again = api.get("/browse/reports/2026-11-26T060000Z/report.html", headers={"Accept": "text/html"})
    assert api_again.status_code == 404

    report = store_report(api.workplace)
    shown = api.get(f"/browse/reports/{report.name}/report.html")
    saved = api.get(f"/browse/reports/{report.name}/files.parquet")

    assert shown.headers["Content-Disposition"] == "inline"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "allow-scripts" not in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "1 of 3 files is held" in shown.text
    assert saved.headers["Content-Disposition"].startswith("attachment; filename=")
    assert hashlib.sha256(saved.content).hexdigest() == report.file("files.parquet").sha256  # type: ignore[union-attr]
    known = api.get(
        f"/browse/reports/{report.name}/files.parquet", headers={"If-None-Match": saved.headers["ETag"]}
    )
    assert (known.status_code, known.content) == (304, b"")
    for path in (
        "/browse/reports/../report.html",
        f"/browse/reports/{report.name}/index.json",
        "/browse/reports/x/y",
    ):
        assert api.get(path).status_code == 404


@pytest.mark.parametrize("rot", [b"rot", None])
def test_a_report_that_has_rotted_is_never_handed_out_as_a_whole_one(
    api: ApiUnderTest, catalog: Catalog, tmp_path: Path, rot: bytes | None
) -> None:
    a_shelf(catalog)
    report = store_report(api.workplace)
    place = tmp_path / "store" / "reports" / report.name / "files.parquet"
    place.chmod(0o644)
    place.write_bytes(rot + place.read_bytes()[len(rot) :]) if rot else place.unlink()

    try:
        answer = api.get(f"/browse/reports/{report.name}/files.parquet")
        assert answer.status_code == 404
        assert "store has lost files.parquet" in answer.text
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        assert rot is not None
