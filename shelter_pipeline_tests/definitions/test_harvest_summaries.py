"""What a harvest shows in the Dagster UI, and how it answers its checks."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import dagster as dg
import pytest

from shelter_pipeline.orchestration.charts import stacked_bars
from shelter_pipeline.orchestration.harvest_summaries import (
    BREAKER_CHECK,
    HARVEST_CHECK,
    LOSS_CHECK,
    harvest_checks,
    harvest_metadata,
)

CHANGES = ("new", "changed", "moved", "recovered", "delisted", "withheld")
SVG = "{http://www.w3.org/2000/svg}"
NO_LOSSES = {
    "confirmed": 0,
    "suspected": 0,
    "withheld": 0,
    "recovered_last_day": 0,
    "breakers": [],
    "newest": [],
}


def an_organization(name: str, **counts: int) -> dict[str, Any]:
    zero = dict.fromkeys(("seen", *CHANGES), 0)
    return {"organization": name, "name": name.upper(), "expected": None} | zero | counts


def a_report(**facts: Any) -> dict[str, Any]:
    counts = dict.fromkeys((*CHANGES, "unchanged", "refused", "duplicates", "confirmed", "resources"), 0)
    return {
        "portal": "sample",
        "mode": "full",
        "verdict": "complete",
        "expected": 100,
        "seen": 100,
        **counts,
        "missing": 0,
        "surplus": None,
        "requests": 3,
        "resumed": 0,
        "seconds": 1.5,
        "message": None,
        "witness": "organizations",
        "witnesses": [{"source": "organizations", "total": 100}],
        "refusals": [],
        "links": {"suspected": 0, "confirmed": 0, "recovered": 0, "replaced": 0},
        "by_organization": [],
    } | facts


def picture_of(value: dg.MetadataValue[Any]) -> ET.Element:
    """The SVG in a chart's Markdown."""
    start, _, data = str(value.value).partition("](<data:image/svg+xml,")
    assert start.startswith("![")
    assert data.endswith(">)")
    return ET.fromstring(unquote(data.removesuffix(">)")))  # noqa: S314 - our own bytes


def texts(picture: ET.Element) -> list[str]:
    return [label.text for label in picture.iter() if label.text]


def lengths(picture: ET.Element) -> list[int]:
    """How long each piece of each bar is."""
    lines = [line.get("d", "") for line in picture.iter(f"{SVG}path")]
    return [int(length) for line in lines for length in re.findall(r"h(\d+)", line)]


def check(name: str, report: dict[str, Any], **losses: Any) -> dg.AssetCheckResult:
    answers = {result.check_name: result for result in harvest_checks(report, NO_LOSSES | losses)}
    assert set(answers) == {HARVEST_CHECK, BREAKER_CHECK, LOSS_CHECK}
    return answers[name]


def test_the_counts_are_numbers_that_dagster_can_plot() -> None:
    shown = harvest_metadata(a_report(new=7, delisted=2, expected=None))

    for name in ("seen", "new", "changed", "delisted", "seconds", "dagster/row_count"):
        assert isinstance(shown[name], int | float)
    assert "expected" not in shown  # a portal without a count has no point in the plot


def test_organizations_without_a_change_are_in_neither_table_nor_chart() -> None:
    report = a_report(
        by_organization=[an_organization("quiet-gov", seen=9), an_organization("epa-gov", new=2)]
    )

    shown = harvest_metadata(report)

    assert "epa-gov" in shown["changes by organization"].value
    assert "quiet-gov" not in shown["changes by organization"].value
    assert texts(picture_of(shown["changes"])) == ["epa-gov 2", "new"]


def test_a_harvest_that_changed_nothing_says_so() -> None:
    shown = harvest_metadata(a_report(by_organization=[an_organization("epa-gov", seen=9)]))

    assert shown["changes"].value == shown["changes by organization"].value == "*nothing*"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"seen": 98, "refused": 2}, "`████████████████████` 100 % (98 seen and 2 refused of 100)"),
        ({"seen": 50}, "`██████████░░░░░░░░░░` 50 % (50 seen and 0 refused of 100)"),
        ({"expected": None}, "the portal gives no count"),
        ({"mode": "increment", "seen": 5}, "5 records with a change"),
    ],
)
def test_completeness_is_a_picture_only_where_there_is_a_whole(facts: dict[str, Any], said: str) -> None:
    shown = harvest_metadata(a_report(**facts))["completeness"]

    assert str(getattr(shown, "value", shown)).startswith(said)


def test_the_chart_puts_most_changes_first_and_as_many_as_are_shown_at_once() -> None:
    rows = [an_organization(f"org-{number:02d}", new=number, changed=1) for number in range(1, 21)]

    value = stacked_bars("Changes", rows, label="organization", parts=CHANGES)

    labels = texts(picture_of(value))
    assert labels[:3] == ["org-20 21", "org-19 20", "org-18 19"]
    assert labels[-2:] == ["new", "changed"]
    assert max(lengths(picture_of(value))) == round(20 / 21 * 300)


def test_one_dataset_among_hundreds_of_thousands_is_still_drawn() -> None:
    rows = [an_organization("census-gov", new=284_008), an_organization("usda-gov", delisted=1)]

    picture = picture_of(stacked_bars("Changes", rows, label="organization", parts=CHANGES))

    assert lengths(picture) == [300, 1]


def test_the_ui_shows_chart_and_table_unfolded_however_much_there_is_to_tell() -> None:
    rows = [
        an_organization(f"a-name-of-many-letters-{n}" * 3, **dict.fromkeys(CHANGES, 99_999))
        for n in range(50)
    ]

    shown = harvest_metadata(a_report(by_organization=rows))

    for name in ("changes", "changes by organization"):
        assert 300 < len(shown[name].value) < 1000
    assert shown["changes by organization"].value.endswith("more")
    assert shown["all changes by organization"].value.count("many-letters-49") == 3


def test_a_missing_number_is_an_empty_cell_and_leaves_its_neighbours_whole() -> None:
    rows = [an_organization("a-gov", new=2, expected=7), an_organization("b-gov", new=1)]

    lines = harvest_metadata(a_report(by_organization=rows))["changes by organization"].value.splitlines()

    assert lines[2:] == ["| a-gov | 7 | 0 | 2 |", "| b-gov | | 0 | 1 |"]


def test_nothing_that_a_portal_writes_breaks_the_chart_or_its_markdown() -> None:
    rows = [an_organization("](x) <b>&'\"", new=1)]

    value = stacked_bars("Changes", rows, label="organization", parts=CHANGES)

    assert str(value.value).count("]") == str(value.value).count(">") == 1
    assert texts(picture_of(value))[0] == "](x) <b>&'\" 1"


@pytest.mark.parametrize(
    ("verdict", "passed"),
    [("complete", True), ("plausible", True), ("partial", False), ("unreachable", False)],
)
def test_only_a_complete_or_plausible_harvest_lets_others_build_on_it(verdict: str, passed: bool) -> None:
    result = check(HARVEST_CHECK, a_report(verdict=verdict, message="one sentence", missing=4))

    assert result.passed is passed
    assert result.severity is dg.AssetCheckSeverity.ERROR
    assert result.description == "one sentence"
    assert {name: value.value for name, value in result.metadata.items()} == {
        "portal": "sample",
        "verdict": verdict,
        "mode": "full",
        "expected": 100,
        "seen": 100,
        "missing": 4,
    }


def test_a_mass_drop_is_a_warning_that_names_whose_it_is() -> None:
    report = a_report(withheld=30, message="30 datasets of epa-gov are missing at once")

    result = check(BREAKER_CHECK, report, withheld=30, breakers=["epa-gov"])

    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["of"].value == "epa-gov"
    assert check(BREAKER_CHECK, a_report()).passed


def test_the_warning_of_a_mass_drop_stands_as_long_as_something_is_withheld() -> None:
    increment = a_report(mode="increment", withheld=0)

    result = check(BREAKER_CHECK, increment, withheld=30, breakers=["epa-gov"])

    assert not result.passed
    assert result.description == "30 losses are withheld since an earlier harvest"


def test_every_answer_names_its_portal_for_the_ui_shows_the_newest_of_all() -> None:
    answers = list(harvest_checks(a_report(portal="sample"), NO_LOSSES))

    assert [answer.metadata["portal"].value for answer in answers] == ["sample"] * 3


def test_a_loss_that_is_confirmed_is_a_warning_with_the_newest_losses() -> None:
    newest = [
        {"state": "confirmed", "kind": "delisted", "organization": "epa-gov", "title": "Toxic | releases"}
    ]

    result = check(LOSS_CHECK, a_report(confirmed=1), confirmed=5, newest=newest)

    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["confirmed in all"].value == 5
    assert "Toxic \\| releases" in str(result.metadata["newest losses"].value)
    assert check(LOSS_CHECK, a_report(), confirmed=5, newest=newest).passed


def test_a_link_whose_loss_is_confirmed_counts_as_well() -> None:
    result = check(LOSS_CHECK, a_report(links={"suspected": 4, "confirmed": 2}))

    assert not result.passed
    assert result.metadata["links confirmed now"].value == 2
