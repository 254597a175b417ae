"""What `shelter probe URL` prints, and what it says to who asks for nothing or for too much."""

from __future__ import annotations

import json
import sys

import pytest

from shelter_pipeline.cli import main
from shelter_pipeline_tests.support.fault_server import KEEP, FaultServer, head


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["shelter", "probe", *arguments])
    monkeypatch.setenv("SHELTER_ALLOWED_NETWORKS", "127.0.0.0/8")
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_one_url_is_probed_without_a_catalog(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: FaultServer
) -> None:
    url = server.serves("/a.csv", head("Content-Length: 77", "Content-Type: text/csv", 'ETag: "1"'), KEEP)

    assert run(monkeypatch, url, "--json") == 0

    result = json.loads(capsys.readouterr().out)
    assert (result["reason"], result["size"], result["etag"], result["method"]) == ("ok", 77, '"1"', "HEAD")
    assert [seen.path for seen in server.log] == ["/robots.txt", "/a.csv"]


def test_a_failure_is_a_result_like_any_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "http://10.0.0.1/secret.csv", "--json") == 0

    assert json.loads(capsys.readouterr().out)["reason"] == "private-address"


@pytest.mark.parametrize(
    "arguments", [[], ["https://a.example/f", "--portal", "p"], ["--portal", "p", "--organization", "o"]]
)
def test_who_names_nothing_or_two_things_is_told_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(monkeypatch, *arguments) == 2

    assert capsys.readouterr().err == "shelter: give one of these: a URL, --portal or --organization\n"
