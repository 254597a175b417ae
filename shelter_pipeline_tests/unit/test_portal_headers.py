"""Headers of private portals: a key is named, never kept."""

from __future__ import annotations

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.portal_headers import complete_headers, parse_header
from shelter_pipeline.settings import misspelt_settings, read_secret


def test_a_header_is_a_name_and_a_value() -> None:
    assert parse_header("User-Agent:  Mozilla/5.0 ") == ("User-Agent", "Mozilla/5.0")
    assert parse_header("Authorization: Bearer ${SHELTER_SECRET_PORTAL}") == (
        "Authorization",
        "Bearer ${SHELTER_SECRET_PORTAL}",
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no colon",
        ": value",
        "Na me: value",
        "Name:",
        "Name: caf\N{LATIN SMALL LETTER E WITH ACUTE}",
        "Name: a\r\nOther: b",
        "Host: other.example",
        "transfer-encoding: chunked",
    ],
)
def test_what_is_no_header_or_not_ours_to_set_is_refused(line: str) -> None:
    with pytest.raises(SetupError):
        parse_header(line)


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Cookie", "X-Auth-Token", "api-secret"])
def test_a_header_that_carries_a_secret_must_name_it_and_the_refusal_does_not_repeat_it(name: str) -> None:
    with pytest.raises(SetupError, match="SHELTER_SECRET_") as refused:
        parse_header(f"{name}: hunter2")

    assert "hunter2" not in str(refused.value)


def test_secrets_are_put_in_when_the_header_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELTER_SECRET_PORTAL", "hunter2")

    completed = complete_headers(
        {"Authorization": "Bearer ${SHELTER_SECRET_PORTAL}", "User-Agent": "${HOME}"}, read_secret
    )

    assert completed == {"Authorization": "Bearer hunter2", "User-Agent": "${HOME}"}
    assert misspelt_settings() == []


def test_a_secret_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHELTER_SECRET_PORTAL", raising=False)

    with pytest.raises(SetupError, match="SHELTER_SECRET_PORTAL is not set"):
        complete_headers({"Authorization": "${SHELTER_SECRET_PORTAL}"}, read_secret)
