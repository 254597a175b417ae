"""Rules, checksums and persons: who has the last word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.judging import Judgement, judge
from shelter_pipeline.fetching.signs import Signs
from shelter_pipeline.fetching.tail import Tail

RULES = content_rules()
CSV = RULES.promised_kinds("http://h/a.csv")
PAGE = Signs(b"<html>17</html>", (15,), CSV, catalogue_size=3_333)
TABLE = Signs(b"a,b\n1,2\n", (8,), CSV, catalogue_size=3_333)


def reason_of(judged: Judgement) -> str | None:
    return judged.finding.reason if judged.finding else None


def test_the_first_finding_speaks() -> None:
    assert reason_of(judge(RULES, PAGE, sha256="a")) == "html-instead"
    assert reason_of(judge(RULES, TABLE, sha256="a")) == "mismatch"


def test_a_checksum_that_holds_speaks_for_the_file_and_a_size_that_differs_is_flagged() -> None:
    assert judge(RULES, PAGE, sha256="a", checksum_holds=True) == Judgement(flags=("size-differs",))
    assert judge(RULES, Signs(b"<html>", (6,), CSV), sha256="a", checksum_holds=True) == Judgement()


def test_a_checksum_that_does_not_hold_is_said_before_the_rest() -> None:
    judged = judge(RULES, PAGE, sha256="a", checksum="md5:00", checksum_holds=False)

    assert judged.finding is not None
    assert (judged.finding.reason, judged.finding.detail) == ("mismatch", "the bytes are not those of md5:00")


@pytest.mark.parametrize(
    ("accepted", "left", "flags"),
    [
        ({"html-instead", "mismatch"}, None, ("overruled",)),
        ({"html-instead"}, "mismatch", ("overruled",)),
        ({"mismatch"}, "html-instead", ("overruled",)),
        ({"login-page"}, "html-instead", ()),
    ],
)
def test_a_reason_that_was_overruled_counts_no_more_and_any_other_does(
    accepted: set[str], left: str | None, flags: tuple[str, ...]
) -> None:
    judged = judge(RULES, PAGE, sha256="a", accepted=accepted)

    assert (reason_of(judged), judged.flags) == (left, flags)


def test_a_checksum_that_does_not_hold_may_be_overruled() -> None:
    judged = judge(RULES, TABLE, sha256="a", checksum_holds=False, accepted={"mismatch"})

    assert judged == Judgement(flags=("overruled",))


@pytest.mark.parametrize("holds", [True, False, None])
def test_rejected_bytes_stay_rejected(holds: bool | None) -> None:
    judged = judge(RULES, TABLE, sha256="a", checksum_holds=holds, accepted={"mismatch"}, rejected={"a"})

    assert reason_of(judged) == "rejected"
    assert reason_of(judge(RULES, TABLE, sha256="b", accepted={"mismatch"}, rejected={"a"})) is None


@given(pieces=st.lists(st.binary(max_size=30)), count=st.integers(1, 40))
def test_the_tail_is_what_was_written_last(pieces: list[bytes], count: int) -> None:
    tail = Tail(count)

    for piece in pieces:
        tail.write(piece)

    assert tail.read() == b"".join(pieces)[-count:]
