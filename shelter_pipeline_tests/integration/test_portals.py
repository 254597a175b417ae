"""A portal is added once, and its ways can be changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import add_portal, find_portal, list_portals, set_nightly
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline_tests.support.records import a_portal


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
