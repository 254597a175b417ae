"""Settings: every bad value is named with its variable, the value and what is wrong with it."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import Settings, load_settings


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(f"SHELTER_{name}", value)
    with pytest.raises(SetupError) as refused:
        load_settings()
    assert refused.value.reason == "bad-setting"
    return str(refused.value)


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()

    assert settings.portal == "datagov:https://catalog.data.gov"
    assert settings.database_url is None
    assert settings.allowed_networks == ()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("FETCH_CONNECTIONS", "many", "integer"),
        ("FETCH_CONNECTIONS", "0", "greater than or equal to 1"),
        ("FETCH_CONNECTIONS", "", "integer"),
        ("FETCH_CONNECTIONS", "1.5", "integer"),
        ("LEASE_SECONDS", "0", "greater than 0"),
        ("LEASE_SECONDS", "-1", "greater than 0"),
        ("LEASE_SECONDS", "soon", "number"),
        ("LEASE_SECONDS", "nan", "finite"),
        ("LEASE_SECONDS", "inf", "finite"),
        ("HOST_DELAY_SECONDS", "nan", "finite"),
        ("HOST_DELAY_SECONDS", "-0.1", "greater than or equal to 0"),
        ("LOSS_BREAKER_FRACTION", "1.1", "less than or equal to 1"),
        ("FETCH_MAX_REDIRECTS", "51", "less than or equal to 50"),
        ("DAGSTER_PORT", "65536", "less than or equal to 65535"),
        ("ALLOWED_PORTS", "80,ssh", "integer"),
        ("ALLOWED_PORTS", "80,0", "greater than or equal to 1"),
        ("ALLOWED_NETWORKS", "10.0.0.0/8,home", "network"),
        ("ALLOWED_NETWORKS", "10.0.0.1/8", "host bits"),
        ("USER_AGENT", "", "name"),
        ("USER_AGENT", "Shelter\r\nX-Evil: 1", "ASCII"),
        ("USER_AGENT", "Abri à données", "ASCII"),
    ],
)
def test_a_bad_setting_is_named_with_its_value_and_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    message = refusal(monkeypatch, **{name: value})

    assert message.startswith(f"SHELTER_{name}: ")
    assert problem in message
    assert repr(value.rsplit(",", maxsplit=1)[-1]) in message
    assert "\n" not in message


def test_one_bad_network_is_one_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, ALLOWED_NETWORKS="10.0.0.0/8,home").count("SHELTER_ALLOWED_NETWORKS") == 1


def test_all_bad_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, FETCH_CONNECTIONS="many", LEASE_SECONDS="soon")

    assert "SHELTER_FETCH_CONNECTIONS" in message
    assert "SHELTER_LEASE_SECONDS" in message


def test_lists_are_parted_by_commas_and_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELTER_ALLOWED_NETWORKS", " 10.0.0.0/8, fd00::/8 ,,")
    monkeypatch.setenv("SHELTER_ALLOWED_PORTS", "80,8080")

    settings = load_settings()

    assert settings.allowed_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.allowed_ports == (80, 8080)
    monkeypatch.setenv("SHELTER_ALLOWED_NETWORKS", "")
    assert load_settings().allowed_networks == ()


def test_an_empty_database_url_means_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELTER_DATABASE_URL", "")
    monkeypatch.setenv("SHELTER_DAGSTER_DATABASE_URL", "")

    assert load_settings().database_url is None
    assert load_settings().dagster_database_url is None


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELTER_DATABASE_URL", "postgresql://user:hunter2@host/shelter")

    assert "hunter2" not in repr(load_settings())
    assert "hunter2" not in refusal(monkeypatch, FETCH_CONNECTIONS="many")


def test_the_store_is_below_the_home_unless_it_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHELTER_HOME", str(tmp_path))
    assert load_settings().store_path == tmp_path / "store"

    monkeypatch.setenv("SHELTER_STORE", "~/rescued")

    assert load_settings().store_path == Path("~/rescued").expanduser()


def test_settings_do_not_change_once_they_are_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().portal = "ckan:https://elsewhere.example"  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
