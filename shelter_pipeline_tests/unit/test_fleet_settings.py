"""What an operator of a fleet may set, and what a process says that cannot be part of one."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from shelter_pipeline.cli import app
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import load_settings


def test_a_broker_is_redis_or_amqp(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("redis://h/0", "rediss://:p@h:1/0", "amqp://u:p@h//", "amqps://u:p@h//"):
        broker = load_settings(broker_url=url).broker_url
        assert broker is not None
        assert broker.get_secret_value() == url


def test_a_broker_that_is_none_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELTER_BROKER_URL", "http://user:secret-word@host")

    with pytest.raises(SetupError, match=r"SHELTER_BROKER_URL: it must be a URL like redis://") as refused:
        load_settings()

    assert "secret-word" not in str(refused.value)


def test_no_broker_is_one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELTER_BROKER_URL", "")

    assert load_settings().broker_url is None


def test_kinds_of_work_are_named_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELTER_WORKER_QUEUES", " downloads , catalog")
    assert load_settings().worker_queues == ("downloads", "catalog")

    monkeypatch.setenv("SHELTER_WORKER_QUEUES", "downloads,uploads")
    with pytest.raises(SetupError, match="uploads is no kind of work; there are downloads, catalog"):
        load_settings()


@pytest.mark.parametrize("command", [["worker"], ["serve", "daemon"]])
def test_a_process_of_several_needs_to_know_what_they_share(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHELTER_DATABASE_URL", raising=False)

    ended = CliRunner().invoke(app, command)

    assert isinstance(ended.exception, SetupError)
    assert "SHELTER_DATABASE_URL" in str(ended.exception)
    assert "`shelter up`" in str(ended.exception)
