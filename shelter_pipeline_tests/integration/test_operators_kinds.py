"""Kinds of files that an operator adds are known to the catalog, so that assets of them can be stored."""

from __future__ import annotations

from pathlib import Path

from shelter_pipeline_tests.support.workplaces import a_workplace


def test_an_operators_kinds_are_known_to_the_catalog(catalog_url: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[kind.usgs-rdb]\nlabel = "USGS tables"\nfamily = "table"\n[kind.csv]\nlabel = "Tables"',
        encoding="utf-8",
    )

    with (
        a_workplace(catalog_url, tmp_path / "store", classification_rules=rules) as workplace,
        workplace.catalog.begin() as connection,
    ):
        rows = connection.exec_driver_sql("SELECT slug, label, family FROM asset_kind").all()

    assert ("usgs-rdb", "USGS tables", "table") in rows
    assert ("csv", "Tables", "table") in rows
    assert len(rows) > 50
