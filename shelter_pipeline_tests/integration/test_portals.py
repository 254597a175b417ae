"""A portal is added once, and its ways can be changed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import add_portal, find_portal, list_portals, set_nightly
from shelter_pipeline.commands.portal import portal_app
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations import ledger
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.records import a_portal
from shelter_pipeline_tests.support.workplaces import a_workplace


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        yield opened


def test_adding_a_portal_again_changes_only_what_is_given(catalog: Catalog) -> None:
    first = add_portal(catalog, "ckan", "https://c.example", headers={"X-Key": "${SHELTER_SECRET_C}"})

    same = add_portal(catalog, "ckan", "https://c.example")
    slower = add_portal(catalog, "ckan", "https://c.example", delay_seconds=0, nightly=False)

    assert same == first
    assert slower == replace(first, delay_seconds=0.0, nightly=False)
    assert find_portal(catalog, first.slug) == slower
    assert {slower: "usable as a key"}


def test_a_portal_is_left_out_of_the_night_and_taken_in_again(catalog: Catalog) -> None:
    portal = a_portal(catalog)

    assert set_nightly(catalog, portal.slug, nightly=False).nightly is False
    assert list_portals(catalog, nightly_only=True) == []
    set_nightly(catalog, portal.slug, nightly=True)
    assert list_portals(catalog, nightly_only=True) == [portal]
    with pytest.raises(SetupError, match="no portal 'nowhere'"):
        set_nightly(catalog, "nowhere", nightly=True)


@pytest.mark.parametrize("delay", [math.inf, math.nan, -1.0])
def test_a_delay_that_is_no_time_is_refused_by_name(workplace: Workplace, delay: float) -> None:
    with pytest.raises(SetupError, match="delay between requests"):
        ledger.add_portal(workplace, "ckan:https://c.example", delay_seconds=delay)


def test_a_person_is_told_that_a_known_portal_keeps_its_name(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    add_portal(catalog, "ckan", "https://c.example", slug="first")
    environment = {"SHELTER_DATABASE_URL": catalog_url, "SHELTER_HOME": str(tmp_path / "home")}
    arguments = ["add", "ckan:https://c.example", "--json", "--name"]

    same = CliRunner().invoke(portal_app, [*arguments, "first"], env=environment)
    other = CliRunner().invoke(portal_app, [*arguments, "second"], env=environment)

    assert (same.exit_code, same.stderr) == (0, "")
    assert (other.exit_code, other.stderr) == (0, "shelter: the portal's name is first, and stays\n")
