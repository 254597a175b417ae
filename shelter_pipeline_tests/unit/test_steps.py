"""Steps: one logic, whoever drives it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.http_transfer import HttpTransfer
from shelter_pipeline.fetching.steps import Ask, Call, Rest, drive
from shelter_pipeline.fetching.transfer import Transfer
from shelter_pipeline_tests.support.fetching import SHORT


def a_transfer() -> Transfer:
    return HttpTransfer(
        parse_url("http://a.example/"),
        SHORT,
        seconds=SHORT.total_seconds,
        max_bytes=SHORT.max_bytes,
        on_head=lambda _head: None,
        sink=lambda _data: None,
    )


def test_each_step_is_taken_in_its_turn_and_what_was_called_is_sent_back() -> None:
    transfer, taken = a_transfer(), []

    def steps() -> Generator[Any, Any, str]:
        answers = [(yield Ask(transfer)), (yield Rest(3.0)), (yield Call(lambda: "called"))]
        return f"{answers}"

    result = drive(steps(), ask=taken.append, rest=taken.append)

    assert result == "[None, None, 'called']"
    assert taken == [transfer, 3.0]


def test_an_error_of_a_step_is_the_steps_own_to_handle() -> None:
    def refuse(_transfer: Transfer) -> None:
        raise TransientError("no", reason="dns-failed")

    def steps() -> Generator[Any, Any, str]:
        try:
            yield Ask(a_transfer())
        except TransientError as error:
            yield Rest(1.0)
            return error.reason
        return "asked"

    assert drive(steps(), ask=refuse, rest=lambda _seconds: None) == "dns-failed"


def test_what_the_steps_do_not_handle_comes_out_and_they_have_ended() -> None:
    ended = []

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    def steps() -> Generator[Any, Any, None]:
        try:
            yield Rest(1.0)
        finally:
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        drive(steps(), ask=lambda _transfer: None, rest=interrupted)

    assert ended == [True]


def test_steps_without_any_step_have_a_result_too() -> None:
    def steps() -> Generator[Any, Any, int]:
        return 7
        yield Rest(0.0)

    assert drive(steps(), ask=lambda _transfer: None, rest=lambda _seconds: None) == 7
