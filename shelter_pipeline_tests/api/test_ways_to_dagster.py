"""Pages lead to Dagster where the reader can open it, and else say nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelter_pipeline_tests.support.api import an_api


@pytest.mark.parametrize(
    ("dagster", "leads"),
    [
        # A proxy before an API beside which Dagster runs: what is on its loopback is not on the reader's.
        (
            "http://127.0.0.1:3000",
            {"localhost:8000": True, "data.example.org": False, "127.example.org": False},
        ),
        ("https://dagster.example.org", {"localhost:8000": True, "data.example.org": True}),
    ],
)
def test_a_page_leads_to_dagster_where_its_reader_can_go(
    catalog_url: str, tmp_path: Path, dagster: str, leads: dict[str, bool]
) -> None:
    with an_api(catalog_url, tmp_path / "store", dagster_public_url=dagster) as api:
        pages = {host: api.get("/", headers={"Accept": "text/html", "Host": host}) for host in leads}

    assert {page.headers["content-type"] for page in pages.values()} == {"text/html; charset=utf-8"}
    assert {host: f'href="{dagster}' in page.text for host, page in pages.items()} == leads
