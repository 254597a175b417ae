"""What an operator of a fleet may set, and what a process says that cannot be part of one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from shelter_pipeline.cli import app
from shelter_pipeline.domain.errors import SetupError, ShelterError
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


@pytest.mark.parametrize(
    "url", ["redis://:secret-word@host:port/0", "redis://:secret/word@host/0", "amqp://"]
)
def test_a_broker_that_names_no_host_or_port_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="SHELTER_BROKER_URL: it must be a URL like") as refused:
        load_settings(broker_url=url)

    assert "secret" not in str(refused.value)


def test_several_sentinels_are_a_broker() -> None:
    assert load_settings(broker_url="sentinel://a:26379;sentinel://b:26379").broker_url is not None


@pytest.mark.parametrize("name", ["two words", "a@b", "a\nb", "x" * 101])
def test_a_worker_has_a_name_that_can_stand_anywhere(name: str) -> None:
    with pytest.raises(SetupError, match="SHELTER_WORKER_NAME: it must be letters, digits"):
        load_settings(worker_name=name)


@pytest.mark.parametrize(("part", "setting"), [("code-server", "CODE_SERVER"), ("webserver", "DAGSTER")])
def test_a_part_whose_port_is_taken_is_not_started_beside_the_other(
    part: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        monkeypatch.setenv("SHELTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        monkeypatch.setenv(f"SHELTER_{setting}_PORT", str(other.getsockname()[1]))

        ended = CliRunner().invoke(app, ["serve", part])

    assert isinstance(ended.exception, SetupError)
    assert f"(SHELTER_{setting}_PORT) is taken" in str(ended.exception)


@contextmanager
def served(status: int, body: bytes) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "said"), [(401, "asks for a password; name the address"), (502, "is no webserver of Dagster")]
)
def test_automate_says_what_answers_in_place_of_a_webserver(status: int, said: str) -> None:
    with served(status, b"<html>no</html>") as url:
        ended = CliRunner().invoke(app, ["automate", "--dagster", url])

    assert isinstance(ended.exception, ShelterError)
    assert said in str(ended.exception)


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:3000", "is no address of a webserver"), ("http://127.0.0.1:1", "check that it runs")],
)
def test_automate_says_what_to_do_when_nobody_answers(address: str, said: str) -> None:
    ended = CliRunner().invoke(app, ["automate", "--dagster", address])

    assert isinstance(ended.exception, ShelterError)
    assert said in str(ended.exception)
    assert "HTTPConnection" not in str(ended.exception)
