"""Which part of a file is sent: RFC 9110, sections 13 and 14."""

from email.message import Message

import pytest

from shelter_pipeline.sample.ranges import Part, requested_part

ETAG = '"abc"'
DATE = "Fri, 09 Sep 2016 10:09:00 GMT"


def part(size: int = 100, **headers: str) -> Part:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return requested_part(message, size, ETAG, DATE)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9", Part(206, 0, 10)),
        ("bytes=50-", Part(206, 50, 100)),
        ("bytes=-10", Part(206, 90, 100)),
        ("bytes=-500", Part(206, 0, 100)),
        ("bytes=90-500", Part(206, 90, 100)),
        ("bytes=99-99", Part(206, 99, 100)),
    ],
)
def test_a_range_is_cut_to_the_file(asked: str, expected: Part) -> None:
    assert part(Range=asked) == expected


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=200-300", "bytes=-0"])
def test_a_range_outside_the_file_cannot_be_satisfied(asked: str) -> None:
    assert part(Range=asked).status == 416


@pytest.mark.parametrize("asked", ["", "bytes=-", "bytes=9-3", "bytes=0-1,5-6", "items=0-9", "bytes=a-b"])
def test_a_range_that_cannot_be_read_is_no_range(asked: str) -> None:
    assert part(Range=asked) == Part(200, 0, 100)


@pytest.mark.parametrize(
    ("condition", "status"), [(ETAG, 206), (DATE, 206), ('"old"', 200), ('W/"abc"', 200)]
)
def test_a_range_of_another_version_is_answered_with_the_whole_file(condition: str, status: int) -> None:
    assert part(Range="bytes=10-", If_Range=condition).status == status


@pytest.mark.parametrize("known", [ETAG, 'W/"abc"', '"x", "abc"', "*"])
def test_a_known_version_is_not_sent_again(known: str) -> None:
    assert part(If_None_Match=known).status == 304


def test_an_unchanged_date_is_not_sent_again_but_an_etag_counts_more() -> None:
    assert part(If_Modified_Since=DATE).status == 304
    assert part(If_Modified_Since=DATE, If_None_Match='"old"').status == 200
