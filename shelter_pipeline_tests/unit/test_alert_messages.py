"""What people are told: short however much is wrong, and no word from outside does more than be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.alerting.channels import channels_of
from shelter_pipeline.alerting.messages import GUIDE, Message, one_line
from shelter_pipeline.alerting.webhook import slack_text
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.troubles import KINDS, Notice, Standing
from shelter_pipeline.settings import load_settings

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


def notice(
    thing: str = "epa-gov",
    *,
    kind: str = "batches-failed",
    standing: Standing = "new",
    detail: str = "3 batches",
) -> Notice:
    ended = NOW if standing == "ended" else None
    return Notice(1, kind, thing, detail, NOW - timedelta(hours=2), ended, standing)


def message(*notices: Notice) -> Message:
    return Message(notices, NOW, ("https://dagster.example",))


def test_a_bad_night_of_fifteen_hundred_organizations_is_one_short_message() -> None:
    told = message(*(notice(f"org-{number}") for number in range(1500)))

    assert told.subject == "Shelter: batches that wait for a person (1500)"
    assert "and 1490 more" in told.text
    assert len(told.text) < 2000
    assert told.document["counts"]["new"] == 1500
    assert len(told.document["troubles"]) == 200


def test_a_message_says_what_since_when_how_bad_what_to_do_and_where() -> None:
    told = message(notice(), notice("/store", kind="blobs-damaged", detail="2 damaged"))

    assert told.subject == "Shelter: urgent: 2 troubles of 2 kinds"
    for part in (
        "- epa-gov: 3 batches (since 2026-11-26 01:00 UTC)",
        "Damaged or missing files in the store (1, urgent)",
        KINDS["blobs-damaged"].advice,
        "docs/how-to/alerts.md#blobs-damaged",
        "https://dagster.example",
    ):
        assert part in told.text


def test_an_end_is_told_as_an_end_and_asks_for_nothing() -> None:
    told = message(notice(standing="ended"))

    assert told.subject == "Shelter: batches that wait for a person (1) over"
    assert "over: epa-gov" in told.text
    assert "What to do" not in told.text


@given(st.text(max_size=300), st.text(max_size=300))
def test_names_from_outside_are_one_line_and_mention_nobody(thing: str, detail: str) -> None:
    told = message(notice(f"<!channel>{thing}", detail=f"{detail}<https://evil|portal>"))

    lines = told.text.split("\n")
    assert all(line.isprintable() for line in lines)
    assert len(lines) == len(message(notice()).text.split("\n"))
    assert "\n" not in told.subject
    slack = slack_text(told.subject, told.text)
    assert "<" not in slack
    assert ">" not in slack
    json.dumps(told.document)


def test_a_long_message_for_slack_is_cut_between_lines() -> None:
    text = "\n".join("&" * 70 for _ in range(200))

    cut = slack_text("s", text)

    assert len(cut) < 4000
    assert cut.split("\n")[-2] == "&amp;" * 70


@pytest.mark.parametrize("kind", KINDS)
def test_the_guide_has_a_section_for_every_kind_that_messages_lead_to(kind: str) -> None:
    guide = (Path(__file__).resolve().parents[2] / GUIDE).read_text(encoding="utf-8")

    assert f"\n### {kind}\n" in guide


def test_text_of_any_length_becomes_a_line_of_bounded_length() -> None:
    assert len(one_line("x" * 10_000)) == 200
    assert one_line(" a\r\nBcc: b\x00 ") == "a Bcc: b"


def test_a_channel_that_is_set_by_half_is_named() -> None:
    with pytest.raises(SetupError, match="SHELTER_SMTP_URL is not"):
        channels_of(load_settings(alert_email_to="a@example.org", alert_email_from="s@example.org"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alert_webhook_url", "ftp://secret.example/hook"),
        ("alert_webhook_url", "https://"),
        ("alert_slack_url", "https://secret.example/a b"),
        ("smtp_url", "http://user:secret@mail.example"),
        ("alert_email_to", "nobody"),
        ("alert_email_to", "a@example.org\r\nBcc: b@example.org"),
        ("alert_email_from", "Shelter <s@example.org>"),
        ("dagster_public_url", "javascript:alert(1)"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_without_showing_secrets(name: str, value: str) -> None:
    with pytest.raises(SetupError) as refused:
        load_settings(**{name: value})

    assert f"SHELTER_{name.upper()}" in str(refused.value)
    assert "secret" not in str(refused.value)
