"""What materializations show: pictures that are seen at once, numbers that are plotted, words that are true."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.catalog.progress import OrganizationProgress
from shelter_pipeline.domain.pace import NoEstimate
from shelter_pipeline.operations.batch_run import BatchResult
from shelter_pipeline.operations.report import as_report
from shelter_pipeline.orchestration.charts import columns, stacked_bars
from shelter_pipeline.orchestration.links import links, organization_page
from shelter_pipeline.orchestration.overview_summaries import overview_metadata
from shelter_pipeline.orchestration.pace import Said, usual
from shelter_pipeline.orchestration.summaries import batch_metadata, plan_metadata, rescue_metadata
from shelter_pipeline.orchestration.tables import SHOWN_UNFOLDED
from shelter_pipeline.settings import load_settings

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


def markdown(value: object) -> str:
    assert isinstance(value, dg.MarkdownMetadataValue)
    return value.md_str or ""


def picture(value: object) -> ET.Element:
    """The SVG in a chart's Markdown, which must be short enough to be seen without a click."""
    text = markdown(value)
    assert len(text) < SHOWN_UNFOLDED
    return ET.fromstring(unquote(text.partition("](<data:image/svg+xml,")[2].removesuffix(">)")))  # noqa: S314 - ours


def words(value: object) -> str:
    return " ".join(text.strip() for text in picture(value).itertext() if text.strip())


@given(st.lists(st.integers(0, 10**12), max_size=200))
def test_columns_are_as_many_as_there_is_room_for_the_last_of_them_and_as_high_as_their_values(
    values: list[int],
) -> None:
    drawn = columns("Files an hour", values)

    shown = values[-48:]
    if not any(shown):
        assert markdown(drawn) == "*nothing*"
        return
    heights = [int(high) for high in re.findall(r"v-(\d+)", ET.tostring(picture(drawn)).decode())]
    assert max(heights) == 60
    # Fewer than 48 where they would not fit; each that is not nothing is seen.
    assert len(heights) in {sum(value > 0 for value in shown[-count:]) for count in range(1, len(shown) + 1)}
    assert min(heights) >= 1


def test_bars_keep_an_order_of_their_own_where_they_have_one() -> None:
    rows = [{"level": f"priority {level}", "files": files} for level, files in ((10, 1), (9, 0), (8, 5))]

    assert words(stacked_bars("x", rows, label="level", parts=("files",), in_order=True)).startswith(
        "priority 10 1 priority 8 5"
    )
    assert words(stacked_bars("x", rows, label="level", parts=("files",))).startswith("priority 8 5")


def test_links_lead_to_the_pages_of_the_operators_address_and_are_left_out_where_nobody_knows_it() -> None:
    known = load_settings(api_public_url="https://data.example.org/shelter/")

    assert links(load_settings(), organization_page=organization_page("epa-gov")) == {}
    assert links(known, organization_page=organization_page("a/b c")) == {
        "organization page": dg.MetadataValue.url(
            "https://data.example.org/shelter/browse/organizations/a%2Fb%20c"
        )
    }


def a_batch(**facts: Any) -> BatchResult:
    result = BatchResult("epa-gov.h.1", state="done", settled=30, wire_bytes=6_000_000)
    result.files = [
        {"state": "held", "reason": "stored", "files": 20, "bytes": 5_000_000},
        {"state": "held", "reason": "unchanged", "files": 4, "bytes": 100},
        {"state": "failed", "reason": "not-found", "files": 6, "bytes": 0},
    ]
    for name, value in facts.items():
        setattr(result, name, value)
    return result


def test_a_batch_tells_its_verdicts_and_its_rates_beside_those_of_the_batches_before() -> None:
    before = [Said({"files per second": at, "bytes per second": at * 1000}) for at in (1.0, 2.0, 9.0)]

    first = batch_metadata(a_batch(), 10.0)
    shown = batch_metadata(a_batch(), 10.0, before)

    assert (shown["files per second"], shown["bytes per second"], shown["seconds"]) == (3.0, 600_000.0, 10.0)
    assert shown["beside the batches before"] == (
        "3.0 files/s and 600.0 kB/s; the median of the last 3 batches is 2.0 files/s and 2.0 kB/s"
    )
    assert first["beside the batches before"].startswith("this is the first batch")
    assert words(shown["verdicts"]) == "stored 20 not-found 6 unchanged 4 held failed"
    assert usual(before, "held files") is None


@pytest.mark.parametrize(
    ("facts", "verdict", "means"),
    [
        ({}, "complete", "Every file that its links lead to"),
        ({"held_files": 7, "failed": {"http-404": 3}}, "partial", "others could not be had"),
        ({"held_files": 0, "waiting_files": 10}, "waiting", "none of its files has been tried"),
        ({"held_files": 4, "waiting_files": 6}, "in-progress", "under way"),
        ({"held_files": 0, "failed": {"http-404": 10}}, "unreachable", "nothing of it could be had"),
        ({"held_files": 0, "expected_files": 0}, "empty", "lists no file"),
        (
            {"held_files": 0, "expected_files": 0, "not_files": {"service": 2}},
            "service",
            "asked and not fetched",
        ),
        (
            {"held_files": 0, "expected_files": 0, "not_files": {"landing-page-only": 2}},
            "landing-page-only",
            "without files",
        ),
    ],
)
def test_every_verdict_on_an_organization_is_explained(
    facts: dict[str, Any], verdict: str, means: str
) -> None:
    counts = {"expected_files": 10, "held_files": 10, "held_bytes": 5, "waiting_files": 0, "resting_files": 0}
    others = {"datasets": 2, "failed": {}, "not_files": {}, "undiscovered": 0}
    standing = OrganizationProgress(organization="epa-gov", name="EPA", **{**counts, **others, **facts})

    shown = rescue_metadata(as_report(standing))

    assert shown["verdict"] == verdict
    assert means in shown["which means"]
    assert shown["waiting files"] == standing.waiting_files
    assert shown["failed files"] == sum(standing.failed.values())


def test_a_plan_says_what_comes_next_and_shows_batches_with_their_hosts() -> None:
    batches = [
        {"key": "e.a.1", "host": "a:443", "state": "planned", "urgent": True, "files": 9, "bytes": 2000},
        {"key": "e.m.2", "host": None, "state": "running", "urgent": False, "files": 3, "bytes": 0},
    ]
    plan = {"new": ["e.a.1"], "open": ["e.a.1", "e.m.2"], "files": 9, "bytes": 2000, "batches": batches}

    shown = plan_metadata(plan)

    assert shown["what comes next"].startswith("download_sensor starts 2 batches, before all")
    assert "| e.a.1 | a:443 | new | 9 | 2.0 kB |" in markdown(shown["batches"])
    assert words(shown["files by host"]).startswith("a:443 9 several 3")
    assert shown["bytes planned"] == 2000
    assert plan_metadata({**plan, "open": [], "batches": []})["what comes next"].startswith("nothing")


def an_overview(**facts: Any) -> dict[str, Any]:
    rate = {"seconds": 3600.0, "files": 36, "bytes": 3600, "files_per_second": 0.01, "bytes_per_second": 1.0}
    organization = {"organization": "epa-gov", "verdict": "partial", "expected_files": 10, "held_files": 6}
    return {
        "counted_at": NOON,
        "files": {
            "expected": 20,
            "held": 15,
            "waiting": 2,
            "resting": 1,
            "failed": 1,
            "dead": 1,
            "excluded": 0,
        },
        "bytes": {"expected": 2000, "held": 1500, "waiting": 500, "unsized_files": 1},
        "contents": {"blobs": 14, "proved": 14},
        "hours": [{"files": 3}, {"files": 0}, {"files": 9}],
        "largest": [organization | {"waiting_files": 3, "held_bytes": 600}],
        "verdicts": {"partial": 3, "complete": 2},
        "levels": [{"level": 10, "held": 1, "waiting": 2, "failed": 0}],
        "reasons": {"http-404": 2},
        "losses": {"suspected": {"delisted": 1, "link-dead": 2}},
        "datasets": 9,
        "absent_datasets": 1,
        "at_risk": {"single": 12, "urgent": 2, "lost": 1},
        "batches": {"planned": 1, "running": 0, "failed": 0},
        "pace": {
            "rates": {"hour": rate, "day": rate},
            "left": {"files": 3, "unsized_files": 1, "failed_files": 0, "unfollowed_links": 0},
            "estimate": {"soonest_seconds": 300.0, "latest_seconds": 7200.0, "reason": None},
        },
    } | facts


def test_the_overview_tells_how_far_how_fast_and_what_comes_next() -> None:
    shown = overview_metadata(an_overview())

    assert markdown(shown["rescued"]).endswith("75 %")
    assert shown["in words"].startswith("15 of 20 known files are held, 1.5 kB")
    assert shown["pace"].startswith("In the last hour 36 files an hour came")
    assert shown["what comes next"] == (
        "3 files wait, in 1 planned batches and those still to plan. At the recent pace the 3 files that wait take"
        " from 5 minutes to 2 hours. Not known: 1 waiting file of unknown size."
    )
    assert shown["files per hour"] == 36.0
    assert (shown["waiting files"], shown["failed files"], shown["suspected losses"]) == (3, 2, 3)
    assert words(shown["organizations"]) == "epa-gov 10 held waiting not had"
    assert "at most 9" in words(shown["files by hour"])
    assert "| epa-gov | partial |" in markdown(shown["largest organizations"])
    assert "| suspected | 1 | 2 |" in markdown(shown["lost"])


@pytest.mark.parametrize("reason", NoEstimate)
def test_where_nobody_can_say_how_long_it_takes_the_overview_says_why(reason: NoEstimate) -> None:
    estimate = {"soonest_seconds": None, "latest_seconds": None, "reason": reason}
    young = {
        "rates": {},
        "left": {"files": 3, "unsized_files": 1, "failed_files": 0, "unfollowed_links": 0},
        "estimate": estimate,
    }

    shown = overview_metadata(an_overview(pace=young, losses={}, hours=[], reasons={}))

    assert "pace of late" not in shown["what comes next"]
    assert shown["what comes next"].count(".") > 1  # who waits, and why nobody knows how long
    assert shown["pace"] == "–"
    assert "files per hour" not in shown
    assert markdown(shown["lost"]) == "*nothing*"
