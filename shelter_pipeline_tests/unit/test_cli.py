"""The command line: one JSON object where it is asked for, one sentence where a person erred."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shelter_pipeline.cli import main
from shelter_pipeline.commands.printing import print_result, print_rows, say


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `shelter` with these arguments, in this process."""
    monkeypatch.setattr(sys, "argv", ["shelter", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "kind", "asset_kind"),
    [
        (["https://example.com/a.csv"], "file", "csv"),
        (["https://example.com/data", "--format", "CSV"], "file", "csv"),
        (["https://example.com/data", "--media-type", "text/csv"], "file", "csv"),
        (["ftp://"], "invalid", None),
        ([""], "empty", None),
        (["http://\ud800.example/"], "invalid", None),
    ],
)
def test_classify_prints_one_object_with_kind_asset_kind_and_rule(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    kind: str,
    asset_kind: str | None,
) -> None:
    assert run(monkeypatch, "classify", *arguments, "--json") == 0

    result = json.loads(capsys.readouterr().out)
    assert {"kind", "asset_kind", "rule"} <= set(result)
    assert (result["kind"], result["asset_kind"]) == (kind, asset_kind)


def test_classify_without_json_is_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "classify", "https://example.com/a.csv") == 0

    assert "asset kind" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["catalog.data.gov", "https://catalog.data.gov", "socrata:https://a.example", "ckan:"]
)
def test_a_wrong_portal_is_refused_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    monkeypatch.setenv("SHELTER_HOME", str(tmp_path / "home"))

    assert run(monkeypatch, "harvest", "--portal", text) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("shelter: ")
    assert not (tmp_path / "home").exists()


def test_a_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHELTER_FETCH_THREADS", "[bold]many[/]")

    assert run(monkeypatch, "status", "--json") == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "SHELTER_FETCH_THREADS" in captured.err
    assert "'[bold]many[/]'" in captured.err


def test_a_folder_without_a_store_is_no_proof(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "scrub", "--store", str(tmp_path), "--json") == 2

    assert "holds no store" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["rescue"], ["fetch", "http://a.example/"], ["no-such-command"], ["--nonsense"]]
)
def test_a_misuse_exits_with_2_and_prints_nothing_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(monkeypatch, *arguments) == 2

    assert capsys.readouterr().out == ""


def test_text_from_outside_does_not_speak_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows("refusals", [{"identifier": "a\x1b[31mb", "problem": "\u202ec"}], as_json=False)
    print_result({"message": "d\x1b]0;e\x07"}, as_json=False)
    say("f\x9b1m")

    shown = capsys.readouterr().out

    assert [c for c in shown if not c.isprintable() and c != "\n"] == []
    assert all(letter in shown for letter in "abcdef")
