"""`shelter node run` as a volunteer starts it: its lines, its exit code, its signals."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from shelter_pipeline.cli import main
from shelter_pipeline_tests.support.behaviours import noise
from shelter_pipeline_tests.support.fault_server import FaultServer, Pause, head, whole
from shelter_pipeline_tests.support.fetching import SHORT_SETTINGS
from shelter_pipeline_tests.support.node_api import NodeApi


@pytest.fixture(autouse=True)
def _short_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**SHORT_SETTINGS, "home": tmp_path / "home"}.items():
        monkeypatch.setenv(f"SHELTER_{name.upper()}", str(value))


def shelter_node(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `shelter node` with these arguments, in this process."""
    monkeypatch.setattr(sys, "argv", ["shelter", "node", *arguments])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return int(ended.value.code or 0)


def test_one_round_tells_each_event_on_a_line_of_json_and_sentences_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = ("--folder", str(tmp_path / "node"))
    with NodeApi() as api, FaultServer() as source:
        source.serves("/a.bin", *whole(noise(50_000)))
        api.wants(source.url("/a.bin"))
        api.wants(source.url("/gone.csv"))
        monkeypatch.setenv("SHELTER_NODE_SPACE", "1GB")
        given = ("run", "--api", api.url, *folder, "--once")

        assert shelter_node(monkeypatch, *given, "--json", "--bandwidth", "20Mbit") == 0
        events = capsys.readouterr().out
        assert shelter_node(monkeypatch, *given) == 0
        sentences = capsys.readouterr().out
        assert shelter_node(monkeypatch, "status", *folder, "--json") == 0
        status = json.loads(capsys.readouterr().out)
        assert shelter_node(monkeypatch, "sign-off", *folder) == 0

    assert {"joined", "started", "allocated", "ended", "reported", "upload", "ended-all"} <= {
        json.loads(line)["event"] for line in events.splitlines()
    }
    assert api.nodes["node-1"] not in events
    assert "You keep 1 file, 50.0 kB; 1 proved." in sentences
    assert (status["files"], status["signed_off"]) == (1, False)
    assert "yours to keep or to delete" in capsys.readouterr().out


def test_what_is_missing_or_wrong_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def said(code: int, *arguments: str) -> str:
        assert shelter_node(monkeypatch, *arguments) == code
        return " ".join(capsys.readouterr().err.split())

    assert said(2, "run") == (
        "shelter: --api is missing: give it like --api https://shelter.example.org, or set SHELTER_NODE_API"
    )
    assert "--space is missing" in said(2, "run", "--api", "https://shelter.example.org")
    with NodeApi() as api:
        given = ("run", "--api", api.url, "--space", "1GB", "--once", "--folder", str(tmp_path / "node"))
        assert "--hours: 'night' are no hours" in said(2, *given, "--hours", "night")
        monkeypatch.setenv("SHELTER_NODE_TOKEN", "shelter_wrong")
        denied = said(2, *given, "--name", "blue-whale")
        monkeypatch.delenv("SHELTER_NODE_TOKEN")
    with NodeApi(minimum_version="9") as api:
        given = ("run", "--api", api.url, "--space", "1GB", "--once", "--folder", str(tmp_path / "other"))
        assert "pip install -U" in said(3, *given)
    assert "needs a token" in denied
    assert "shelter_wrong" not in denied


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_asked_to_end_it_gives_back_and_says_what_it_keeps(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    number: int,
    code: int,
) -> None:
    """The grace is a minute here, and the second signal is for those who do not want to wait for it."""
    monkeypatch.setenv("SHELTER_FETCH_STOP_SECONDS", "60")
    monkeypatch.setenv("SHELTER_FETCH_STALL_WINDOW_SECONDS", "60")
    body = noise(400_000)

    def ask_twice() -> None:
        until = time.monotonic() + 30
        while endless not in api.begun and time.monotonic() < until:
            time.sleep(0.02)
        for _ in range(2):
            os.kill(os.getpid(), number)
            time.sleep(0.3)

    with NodeApi() as api, FaultServer() as source:
        source.serves(
            "/slow.bin", head(f"Content-Length: {len(body)}", 'ETag: "1"'), body[:300_000], Pause(60)
        )
        endless = api.wants(source.url("/slow.bin"))
        asking = threading.Thread(target=ask_twice)
        asking.start()
        given = ("run", "--api", api.url, "--space", "1GB", "--folder", str(tmp_path / "node"))
        assert shelter_node(monkeypatch, *given) == code
        asking.join()
        assert api.released == [endless]

    said = capsys.readouterr().out
    assert "stopping: what runs gets a moment" in said
    assert "You keep 0 files" in said
