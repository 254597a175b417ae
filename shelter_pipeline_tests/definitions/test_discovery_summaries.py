"""What a discovery shows: shares of what was really read, and why links lead to no file."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.orchestration.discovery_summaries import discovery_metadata


def link(kind: str, outcome: str, count: int) -> dict[str, Any]:
    return {"kind": kind, "outcome": outcome, "resources": count}


def shown(*links: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The metadata of a summary, tables as their text."""
    summary: dict[str, Any] = {
        "resources": 7,
        "assets": 5,
        "pages": 3,
        "by_reason": {},
        "by_kind": links,
        "files": [],
        "waiting": {"due": 0, "resting": 0},
        "cut_short": "",
    }
    metadata = discovery_metadata(summary | changes)
    return {name: getattr(value, "md_str", value) for name, value in metadata.items()}


def test_the_share_of_landing_pages_is_one_of_the_places_that_were_read() -> None:
    metadata = shown(
        link("file", "found", 900),
        link("web-page", "not-followed", 300),
        link("web-page", "", 50),
        link("web-page", "landing-page-only", 3),
        link("directory", "found", 1),
    )

    assert metadata["landing-page-only share"] == 0.75
    assert metadata["landing pages without files"] == "3 of 4 places that were read"


def test_a_portal_without_places_has_no_share_of_landing_pages() -> None:
    assert shown(link("file", "found", 9))["landing-page-only share"] == 0.0


def test_links_are_shown_by_kind_with_those_that_wait() -> None:
    metadata = shown(
        link("web-page", "", 1), link("web-page", "found", 3), link("directory", "found-in-part", 1)
    )

    rows = metadata["links by kind"].splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| web-page", "| directory"]
    assert "75 %" in rows[0]
    assert rows[0].endswith("| 1 |")
    assert metadata["links read in part"] == 1


def test_links_without_files_say_why_the_most_frequent_reason_first() -> None:
    metadata = shown(
        link("invalid", "bad-url", 2),
        link("web-page", "login-page", 3),
        link("web-page", "found", 8),
        link("service", "bad-url", 4),
        link("web-page", "", 5),
    )

    assert metadata["links without files"].splitlines()[2:] == ["| bad-url | 6 |", "| login-page | 3 |"]


def test_a_run_that_used_up_its_budget_says_so() -> None:
    assert "ended early" not in shown()
    assert shown(cut_short="the time of the run was over")["ended early"] == "the time of the run was over"


def test_files_say_of_how_many_the_size_is_known() -> None:
    metadata = shown(files=[{"kind": "csv", "files": 4, "weighed": 1, "bytes": 2_500_000}])

    assert "25 %" in metadata["files by kind"]
    assert "2.5 MB" in metadata["files by kind"]
    assert metadata["known bytes"] == "2.5 MB"
