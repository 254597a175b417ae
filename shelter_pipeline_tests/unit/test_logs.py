"""What a log line may hold, and what it never does: a secret, a second record, more than fits."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shelter_pipeline.api.access_log import log_request
from shelter_pipeline.domain.log_text import capped, masked, on_one_line
from shelter_pipeline.logs import (
    MOST_CHARACTERS,
    dagster_log_options,
    log_beside_dagster,
    logging_about,
    set_up_logging,
    told,
)
from shelter_pipeline.settings import load_settings

SECRET = "s3cr-t/with@signs"
SECRETS = {
    "database_url": "postgresql://me:s3cr-t%2Fwith%40signs@db.example/shelter",
    "datagov_api_key": "key-of-the-gateway",
    "api_pepper": "a-pepper-of-many-letters",
    "alert_slack_url": "https://hooks.slack.example/services/T01/B02/who-has-this-speaks",
}


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("shelter_pipeline")
    before = [(logger, logger.level, list(logger.handlers)) for logger in (root, ours)]
    factory = logging.getLogRecordFactory()
    yield
    logging.captureWarnings(False)
    logging.setLogRecordFactory(factory)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers


def written(log_format: str = "json", **how: Any) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    set_up_logging(load_settings(log_format=log_format, **SECRETS), stream=stream, **how)
    return logging.getLogger("shelter_pipeline.some.module"), stream


def failed(log: logging.Logger, why: str) -> None:
    try:
        int(why)
    except ValueError as error:
        error.args = (why,)
        log.exception("it failed: %s", SECRET)


def test_a_record_is_one_json_object_that_says_when_where_and_what_about() -> None:
    log, stream = written()

    with logging_about(batch="epa-gov.h.1", run="r-1", node=None):
        log.info("batch %s ended", "epa-gov.h.1", extra=told(held=7, reasons={"stored": 7}))
    log.info("after")

    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
    assert first.pop("host")
    assert first.pop("pid") > 0
    assert first == {
        "level": "INFO",
        "logger": "shelter_pipeline.some.module",
        "message": "batch epa-gov.h.1 ended",
        "batch": "epa-gov.h.1",
        "run": "r-1",
        "held": 7,
        "reasons": {"stored": 7},
    }
    assert "batch" not in second


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_setting_that_is_secret_is_ever_written(log_format: str) -> None:
    log, stream = written(log_format)

    log.warning("cannot reach %s", SECRETS["database_url"], extra=told(key=SECRETS["datagov_api_key"]))
    failed(log, f"{SECRETS['api_pepper']} and {SECRET}")
    log.warning("cannot tell %s", SECRETS["alert_slack_url"])

    said = stream.getvalue()
    assert "db.example" in said
    assert "hooks.slack.example" in said
    for secret in (
        SECRET,
        "s3cr-t%2F",
        "who-has-this-speaks",
        SECRETS["datagov_api_key"],
        SECRETS["api_pepper"],
    ):
        assert secret not in said


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("amqp://worker:p@ss:w0rd@broker:5672//", "p@ss:w0rd"),
        ("GET https://h.example/a?x=1&token=abc123&y=2", "abc123"),
        ("https://b.s3.example/k?X-Amz-Credential=AKIA&X-Amz-Signature=0a1b2c", "0a1b2c"),
        ("{'Authorization': 'Bearer eyJhbGciOi.J9'}", "eyJhbGciOi.J9"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("node said shelter_node_0123456789ab_Secret-Part_9", "Secret-Part_9"),
        ('{"password": "hunter2hunter2"}', "hunter2hunter2"),
        ("api_key=0123456789", "0123456789"),
    ],
)
def test_what_names_itself_as_a_secret_is_masked(text: str, secret: str) -> None:
    said = masked(text)

    assert secret not in said
    assert "***" in said
    assert masked(said) == said


def test_what_is_no_secret_is_left_as_it_is() -> None:
    text = "https://data.example:8443/a/b@2x.csv?page=2 was gone; 7 claims of epa-gov.h.1 ran out"

    assert masked(text, ["", "ab"]) == text


@given(st.text(), st.text(min_size=6))
@example("a\nb", "secret")
def test_no_text_makes_a_second_record_or_shows_a_secret(text: str, secret: str) -> None:
    line = on_one_line(text)

    assert line.isprintable()
    assert len(f"x{line}x".splitlines()) == 1
    assert secret not in masked(f"{text}{secret}{text}", [secret]).replace("***", "\0")
    assert len(capped(text, 40)) <= 40 + len(f"… {len(text)} characters …")


FORGED = (
    'all well\n{"level": "INFO", "message": "forged"}\r\n2026-01-01T00:00:00.000Z INFO x: forged\u2028\x1b[2J'
)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_hostile_text_is_one_record_and_takes_no_more_than_its_share(log_format: str) -> None:
    log, stream = written(log_format)

    log.error("%s", FORGED)
    log.error("%s", "x" * 10_000_000)
    failed(log, FORGED + "y" * 1_000_000)

    said = stream.getvalue()
    beginnings = [line for line in said.split("\n") if line and not line.startswith("  | ")]
    assert len(beginnings) == 3
    assert all(line.isprintable() for line in said.split("\n"))
    assert len(said) < 6 * MOST_CHARACTERS
    assert "it failed" in said
    if log_format == "json":
        assert "ValueError" in json.loads(beginnings[-1])["exception"]


def test_a_record_whose_placeholders_do_not_fit_is_written_all_the_same() -> None:
    log, stream = written()

    log.warning("%d files", "many")

    assert "%d files ('many',)" in json.loads(stream.getvalue())["message"]


def test_commands_that_print_results_show_warnings_alone() -> None:
    log, stream = written("text", quiet=True)

    log.info("batch begins")
    log.warning("it waits")

    assert stream.getvalue() == "it waits\n"


def test_the_least_that_is_logged_is_a_setting() -> None:
    stream = io.StringIO()
    set_up_logging(load_settings(log_format="json", log_level="error"), stream=stream)
    log = logging.getLogger("shelter_pipeline.some.module")

    log.warning("not this")
    log.error("this")

    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["this"]


def test_setting_up_again_writes_every_record_once(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings(log_format="json")
    log_beside_dagster(settings)
    for _ in range(3):
        set_up_logging(settings)
        log_beside_dagster(settings)

    logging.getLogger("shelter_pipeline.some.module").info("once")

    assert capsys.readouterr().err.count('"once"') == 1


def test_requests_are_logged_only_where_that_was_asked_for() -> None:
    _log, stream = written()

    log_request(
        {"method": "GET", "path": "/health", "client": None}, who="-", status=200, seconds=0.1, size=1
    )

    assert stream.getvalue() == ""


def test_dagsters_own_processes_are_told_the_same_format() -> None:
    assert dagster_log_options(load_settings(log_format="json")) == ["--log-format", "json"]
    assert dagster_log_options(load_settings()) == []


def test_what_dagster_logs_astray_is_one_record_and_repeats_nothing(tmp_path: Path) -> None:
    (tmp_path / "a_dagster.py").write_text(
        "import logging, sys\n"
        "own = logging.getLogger('dagster')\n"
        "own.addHandler(logging.StreamHandler())\n"
        "own.setLevel('INFO')\n"
        "logging.warning('lost the database at postgresql://u:s3cret-word@h/d')\n"
        "logging.getLogger('dagster.daemon').info('once: %s', sys.argv[1:])\n"
    )

    said = subprocess.run(
        [sys.executable, "-m", "shelter_pipeline.embedded.dagster_part", "a_dagster", "run", "-w"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
            "SHELTER_LOG_FORMAT": "json",
        },
        capture_output=True,
        text=True,
        check=True,
    ).stderr.splitlines()

    assert len(said) == 2
    assert json.loads(said[0])["message"] == "lost the database at postgresql://u:***@h/d"
    assert said[1] == "once: ['run', '-w']"
