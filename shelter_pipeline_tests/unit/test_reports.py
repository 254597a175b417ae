"""Reports: numbers as people read them, and no text of the catalogue taken for a command."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from shelter_pipeline.presentation.words import by_reason, size
from shelter_pipeline.reports import organization_table


def report(organization: str = "epa-gov", **fields: Any) -> dict[str, Any]:
    return {
        "organization": organization,
        "verdict": "partial",
        "expected_files": 3,
        "held_files": 1,
        "held_bytes": 1500,
        "failed": {"not-found": 2},
        **fields,
    }


def printed(*reports: dict[str, Any], width: int = 120) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(organization_table(reports))
    return captured.get()


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (20_480_000, "20.5 MB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (999_999, "1.0 MB"),
        (20 * 10**12, "20.0 TB"),
        (10**18, "1000.0 PB"),
    ],
)
def test_bytes_are_shown_in_the_unit_a_person_would_use(count: int, shown: str) -> None:
    assert size(count) == shown


@given(count=st.integers(0, 10**15))
def test_a_size_has_at_most_three_digits_before_its_point(count: int) -> None:
    number, unit = size(count).split()

    assert float(number) < 1000 or unit == "PB"


def test_reasons_are_shown_most_first() -> None:
    assert by_reason({"empty": 1, "not-found": 3, "dns-failed": 1}) == "not-found 3, dns-failed 1, empty 1"
    assert by_reason({}) == "–"


def test_the_table_shows_each_organization_and_the_sums() -> None:
    shown = printed(report("epa-gov"), report("noaa-gov", expected_files=10, held_files=10, failed={}))

    assert "epa-gov" in shown
    assert "not-found 2" in shown
    assert "1.5 kB" in shown
    assert "13" in shown.splitlines()[-2]
    assert "3.0 kB" in shown.splitlines()[-2]


def test_no_organizations_are_an_empty_table() -> None:
    assert "0 B" in printed()


@pytest.mark.parametrize("name", ["[red]", "[/]", "[bold", "a[link=http://x]b"])
def test_a_name_is_no_markup(name: str) -> None:
    assert name in printed(report(name))
    assert name in printed(report("epa-gov", failed={name: 1}))
