"""What of a part's log reaches the person at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.logs import (
    LogReader,
    Throttle,
    last_words,
    open_log,
    problems_in,
    turn_over,
)

TRACEBACK = ["Traceback (most recent call last):", '  File "x.py", line 1', "    boom()", "KeyError: 'title'"]


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01 00:00:00 +0000 - dagster.daemon - ERROR - the queue is stuck",
        "2026-01-01 UTC [7] FATAL:  the database system is starting up",
        "CRITICAL: gone",
        '{"event": "the queue is stuck", "level": "error", "logger": "dagster.daemon"}',
    ],
)
def test_a_line_of_an_error_is_shown(line: str) -> None:
    assert problems_in([line]) == [line]


@pytest.mark.parametrize(
    "line", ["INFO - 0 errors", "WARNING - slow", "", "terror", "LOG:  checkpoint complete"]
)
def test_an_ordinary_line_is_not_shown(line: str) -> None:
    assert problems_in([line]) == []


def test_of_a_traceback_only_the_sentence_is_shown() -> None:
    assert problems_in(["before", *TRACEBACK, "after"]) == ["KeyError: 'title'"]


def test_a_reader_gives_whole_lines_added_since(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("of a former start\n")
    reader = LogReader(log)

    with log.open("a") as file:
        file.write("\x1b[31mred\x1b[0m\nhal")
        file.flush()
        first = reader.read()
        file.write("f\n")
        file.flush()
        second = reader.read()

    assert (first, second) == (["red"], ["half"])


def test_a_reader_waits_for_a_log_and_follows_one_begun_anew(tmp_path: Path) -> None:
    log = tmp_path / "log"
    reader = LogReader(log)

    assert reader.read() == []

    log.write_text("a long first line\n")

    assert reader.read() == ["a long first line"]

    log.write_text("new\n")

    assert reader.read() == ["new"]


def test_a_flood_of_problems_is_cut_to_a_few_lines_a_minute() -> None:
    throttle = Throttle(limit=2, window_seconds=60)

    assert throttle.let_through(["a"], now=0) == ["a"]
    assert throttle.let_through(["b", "c", "d"], now=1) == ["b", "… and more of it in the log"]
    assert throttle.let_through(["e"], now=2) == []
    assert throttle.let_through(["f"], now=61) == ["f"]


def test_the_last_words_are_the_last_problem_or_else_the_last_line(tmp_path: Path) -> None:
    log = tmp_path / "log"

    log.write_text("FATAL: no space\nLOG: shutting down\n")
    with_problem = last_words(log)
    log.write_text("one\ntwo\n\n")
    without = last_words(log)
    log.write_text("")
    silent = last_words(log)

    assert (with_problem, without, silent) == ("FATAL: no space", "two", "it said nothing")


def test_words_of_a_former_start_are_not_taken_for_those_of_this_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("FATAL: long ago\nnow\n")

    assert last_words(log, begin=len("FATAL: long ago\n")) == "now"


def test_a_log_that_has_grown_large_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "part.log"
    log.parent.mkdir()
    log.write_bytes(b"x" * (10 * 1024**2 + 1))

    with open_log(log) as file:
        file.write(b"new\n")

    assert log.read_text() == "new\n"
    assert (tmp_path / "logs" / "part.old.log").exists()


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")

    with pytest.raises(SetupError, match=r"logs/part\.log cannot be written"):
        open_log(tmp_path / "logs" / "part.log")


def test_a_log_that_grew_large_is_put_aside_while_its_process_writes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shelter_pipeline.embedded.logs._MAX_LOG_BYTES", 100)
    path = tmp_path / "part.log"
    reader = LogReader(path)
    with open_log(path) as log:
        log.write(b"small\n")
        log.flush()
        assert not turn_over(path)
        log.write(b"x" * 100 + b"\n")
        log.flush()
        reader.read()

        assert turn_over(path)
        log.write(b"after\n")

    assert path.read_bytes() == b"after\n"
    assert (tmp_path / "part.old.log").read_bytes().startswith(b"small\nxxx")
    assert reader.read() == ["after"]
