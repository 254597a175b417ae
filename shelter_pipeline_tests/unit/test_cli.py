"""The command line: one JSON object where it is asked for, one sentence where a person erred."""

from __future__ import annotations

import json
import subprocess
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


def test_classify_says_what_was_repaired_and_each_of_several_urls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "classify", "hhttps://x.gov/a.csv", "--json") == 0
    repaired = json.loads(capsys.readouterr().out)
    assert run(monkeypatch, "classify", "https://a.gov/a, https://b.gov/b", "--json") == 0
    several = json.loads(capsys.readouterr().out)

    assert (repaired["url"], repaired["repair"], repaired["urls"]) == ("https://x.gov/a.csv", "scheme", [])
    assert (several["kind"], several["urls"]) == ("invalid", ["https://a.gov/a", "https://b.gov/b"])
    assert several["problem"]


LINES = "https://x.gov/a.zip\r\n\n\xff\nwww.x.gov/a/\n" + "x" * 300_000 + "\nhttps://x.gov"


def test_classify_reads_each_line_of_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "urls").write_bytes(LINES.encode("latin-1"))

    assert run(monkeypatch, "classify", "--file", str(tmp_path / "urls"), "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert run(monkeypatch, "classify", "--file", str(tmp_path / "urls")) == 0
    shown = capsys.readouterr().out.splitlines()

    kinds = ["archive", "empty", "invalid", "directory", "invalid", "web-page"]
    assert [line["kind"] for line in lines] == kinds
    assert lines[0]["written"] == "https://x.gov/a.zip"
    assert [line.split()[0] for line in shown] == kinds


def test_classify_answers_each_line_of_standard_input_before_the_next_is_written() -> None:
    command = [sys.executable, "-m", "shelter_pipeline.cli", "classify", "--file", "-", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shelter:
        assert shelter.stdin
        assert shelter.stdout
        for url, kind in ((b"https://x.gov/a.csv", "file"), (b"https://x.gov/\xff/", "directory")):
            shelter.stdin.write(url + b"\n")
            shelter.stdin.flush()

            assert json.loads(shelter.stdout.readline())["kind"] == kind
        shelter.stdin.close()
        assert shelter.wait(30) == 0


def test_classify_asks_an_operators_rules(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[place]]\nrule = "ours"\nkind = "code"\nhosts = "x.gov"')
    monkeypatch.setenv("SHELTER_CLASSIFICATION_RULES", str(rules))

    assert run(monkeypatch, "classify", "https://x.gov/a.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "ours"

    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[kinds]\n")
    monkeypatch.setenv("SHELTER_CLASSIFICATION_RULES", str(wrong))
    assert run(monkeypatch, "classify", "https://x.gov/a.csv", "--json") == 2
    assert "kinds is not a section" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["https://x.gov", "--file", "a"], ["--file", "not-there"]])
def test_classify_asks_for_a_url_or_a_file_that_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(monkeypatch, "classify", *arguments, "--json") == 2

    assert capsys.readouterr().out == ""


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
    monkeypatch.setenv("SHELTER_FETCH_CONNECTIONS", "[bold]many[/]")

    assert run(monkeypatch, "status", "--json") == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "SHELTER_FETCH_CONNECTIONS" in captured.err
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
