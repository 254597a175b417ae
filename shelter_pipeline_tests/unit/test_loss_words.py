"""The evidence of losses in sentences: what is not known is left out, and the headline says whether it survives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shelter_pipeline.domain.loss_words import evidence_told, headline

GONE = {
    "kind": "delisted",
    "state": "confirmed",
    "url": None,
    "suspected_at": datetime(2026, 1, 2, tzinfo=UTC),
    "last_missed_at": datetime(2026, 1, 9, tzinfo=UTC),
    "misses": 1,
    "decided_at": None,
    "moved_to": None,
    "last_seen_at": None,
    "evidence": {},
}


def told(**changes: Any) -> str:
    return " ".join(evidence_told({**GONE, **changes}))


@pytest.mark.parametrize(
    ("state", "holding", "words"),
    [
        ("confirmed", "whole", "Gone, and we have it"),
        ("confirmed", "part", "Gone, and we have 1 of 2 files"),
        ("suspected", "nothing", "Missing, and we do not have it"),
        ("withheld", "nothing", "Missing, and we do not have it"),
        ("recovered", "nothing", "Back again"),
        ("dismissed", "whole", "Was not lost"),
    ],
)
def test_the_headline_says_whether_it_is_gone_and_whether_we_have_it(
    state: str, holding: str, words: str
) -> None:
    assert headline({"state": state, "holding": holding, "files": 2, "held_files": 1}) == words


def test_a_dataset_is_told_by_the_harvests_that_missed_it() -> None:
    assert "missing since 2026-01-02: 1 complete harvest did not find it." in told()
    assert "3 complete harvests did not find it, the last on 2026-01-09." in told(misses=3)
    assert "still found it began on 2026-01-01" in told(last_seen_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert "by its name" not in told()
    assert "for it lists the same file" in told(
        kind="moved", moved_to="Other", evidence={"because": "it lists the same file"}
    )


def test_a_link_is_told_by_what_its_server_answered() -> None:
    link = {"kind": "link-dead", "url": "https://a.example/x"}

    assert "nothing at this address. (HTTP status 404.)" in told(
        **link, evidence={"reason": "not-found", "status": 404}
    )
    assert "HTTP" not in told(**link, evidence={"reason": "dns-failed", "status": None})
    assert "leads on to https://b.example" in told(**link, evidence={"final_url": "https://b.example"})
    assert "leads on" not in told(**link, evidence={"final_url": "https://a.example/x"})
    assert "failed since 2026-01-02: 1 look found it so." in told(**link, evidence={"reason": "unheard-of"})


def test_a_breaker_and_a_persons_word_are_told_without_the_persons_name() -> None:
    assert "Too much of the whole portal" in told(state="withheld", evidence={"breaker": "portal"})
    assert "Too much of the organization noaa-gov" in told(state="withheld", evidence={"breaker": "noaa-gov"})
    said = told(
        evidence={
            "decisions": [
                {"state": "confirmed", "who": "ada", "why": "I asked them", "at": "2026-02-03T10:00"}
            ]
        }
    )
    assert "A person decided on 2026-02-03 that it is confirmed: I asked them" in said
    assert "ada" not in said
