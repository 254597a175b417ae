"""What an ftp URL may name, how replies are read, and what each refusal means: decisions without a server."""

from __future__ import annotations

from collections import deque
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.errors import DamagedError, ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS, Verdict
from shelter_pipeline.fetching.ftp_paths import (
    accepts_listings_only,
    contact_of,
    file_name,
    last_name,
)
from shelter_pipeline.fetching.ftp_replies import (
    Dialogue,
    FtpReply,
    error_of_refusal,
    fields_of,
    hides_a_failure,
    lists_nothing,
    modified_of,
    size_of,
)

LINES = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda code, mark, text: b"%d%s%s\r\n" % (code, mark, text),
        st.integers(0, 999),
        st.sampled_from([b" ", b"-", b""]),
        st.binary(max_size=20),
    ),
)


def heard(*exchanges: tuple[str, str]) -> Dialogue:
    dialogue = Dialogue(max_bytes=10_000)
    for command, reply in exchanges:
        if command:
            dialogue.say(command.encode() + b"\r\n")
        for line in reply.splitlines(keepends=True):
            dialogue.hear(line.encode())
    return dialogue


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/pub/a.csv", b"a.csv"),
        ("//etc/a.csv", b"a.csv"),
        ("/pub/a%20b%3B.csv", b"a b;.csv"),
        ("/pub/a%2Fb.csv", b"b.csv"),
        ("/pub/pr%C3%BCf.csv", "prüf.csv".encode()),
        ("/pub/50%.csv", b"50%.csv"),
    ],
)
def test_the_last_part_of_the_path_is_asked_for(path: str, name: bytes) -> None:
    assert file_name(parse_url(f"ftp://h.example{path}")) == name


@pytest.mark.parametrize(
    ("path", "name"), [("/", b""), ("/pub/", b""), ("/pub%2F", b""), ("/pub", b"pub"), ("//etc/", b"")]
)
def test_a_path_that_ends_in_a_slash_has_no_last_name(path: str, name: bytes) -> None:
    assert last_name(parse_url(f"ftp://h.example{path}")) == name


@pytest.mark.parametrize(
    ("headers", "only"),
    [
        ({}, False),
        ({"Accept": "*/*"}, False),
        ({"Accept": "text/x-ftp-listing, */*"}, False),
        ({"accept": " Text/X-FTP-Listing "}, True),
    ],
)
def test_only_who_accepts_nothing_else_gets_listings_only(headers: dict[str, str], only: bool) -> None:
    assert accepts_listings_only(headers) is only


@given(st.binary(max_size=40))
def test_whatever_a_path_holds_no_name_breaks_a_line(path: bytes) -> None:
    outcome: bytes | str
    try:
        outcome = file_name(parse_url("ftp://h.example/" + quote(path)))
    except ShelterError as error:
        outcome = error.reason

    assert outcome in ("bad-url", "directory") or not set(outcome) & {*range(32), 127}


@given(st.text(max_size=60))
def test_whatever_we_call_ourselves_the_password_is_one_word(user_agent: str) -> None:
    assert contact_of(user_agent).split() == [contact_of(user_agent)]


def test_a_reply_of_many_lines_is_one_reply() -> None:
    dialogue = heard(("", "220-hello\r\n 550 inside\r\n550-too\r\n220 ready\r\n"))

    assert dialogue.replies == [FtpReply("", 220, "hello 550 inside too ready")]


@given(st.lists(LINES, max_size=30))
def test_whatever_a_server_says_its_replies_stay_small_and_printable(lines: list[bytes]) -> None:
    dialogue = Dialogue(max_bytes=10_000)
    dialogue.say(b"RETR a\r\n")

    for line in lines:
        dialogue.hear(line)

    assert all(100 <= reply.code <= 599 and len(reply.text) <= 500 for reply in dialogue.replies)
    assert all("\n" not in reply.text and "\r" not in reply.text for reply in dialogue.replies)
    if dialogue.refusal is not None:
        assert error_of_refusal(dialogue.refusal)[0].reason in REASONS


@pytest.mark.parametrize(
    ("reply", "features"),
    [
        (
            "211-Extensions:\r\n MLST type*;size*;\r\n utf8\r\n211 End\r\n",
            {"EXTENSIONS:", "MLST", "UTF8", "END"},
        ),
        ("211-Extensions:\r\n211-MLST Type*;\r\n211 End\r\n", {"EXTENSIONS:", "MLST", "END"}),
        ("211-" + "x" * 600 + "\r\n MLSD\r\n211 \r\n", {"X" * 600, "MLSD"}),
        ("500 what?\r\n", {"WHAT?"}),
    ],
)
def test_features_are_the_first_words_of_the_lines_of_feat(reply: str, features: set[str]) -> None:
    assert heard(("FEAT", reply)).features == features
    assert heard(("HELP", reply)).features == set()


@pytest.mark.parametrize(
    ("code", "text", "nothing"),
    [
        (550, "No files found.", True),
        (450, "No such file or directory", True),
        (550, "*: not found", True),
        (550, "Directory is empty", True),
        (450, ".: Permission denied", False),
        (550, "Access is denied.", False),
        (426, "nothing sent", False),
        (500, "No such command", False),
    ],
)
def test_an_empty_directory_is_told_from_one_that_may_not_be_read(
    code: int,
    text: str,
    nothing: bool,
) -> None:
    assert lists_nothing(FtpReply("LIST", code, text)) is nothing


def test_a_good_end_that_hides_a_failure_is_found_out() -> None:
    assert hides_a_failure(FtpReply("LIST", 226, "Transfer done (but failed to open directory)."))
    assert not hides_a_failure(FtpReply("LIST", 226, "Directory send OK."))


def test_replies_without_end_are_too_large() -> None:
    dialogue = Dialogue(max_bytes=1000)

    with pytest.raises(DamagedError, match="1000 bytes") as damage:
        deque(map(dialogue.hear, [b"220-hello\r\n"] * 200))

    assert damage.value.reason == "head-too-large"


@pytest.mark.parametrize(
    ("text", "size"),
    [("1234", 1234), (" 0 ", 0), ("-1", None), ("12 bytes", None), ("9" * 19, None), ("", None)],
)
def test_a_size_is_a_number_or_nothing(text: str, size: int | None) -> None:
    assert size_of(FtpReply("SIZE", 213, text)) == size
    assert size_of(FtpReply("SIZE", 550, text)) is None


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("20240229120000", 2024),
        ("20240229120000.123", 2024),
        ("191240229120000", None),  # 19124: servers of the year 2000
        ("20240230120000", None),
        ("yesterday", None),
    ],
)
def test_a_date_is_one_that_exists_or_nothing(text: str, year: int | None) -> None:
    moment = modified_of(FtpReply("MDTM", 213, text))

    assert (moment.year if moment else None) == year


def test_only_date_and_size_together_make_a_validator_and_a_weak_one() -> None:
    size, date = ("SIZE a", "213 7\r\n"), ("MDTM a", "213 20240102030405\r\n")

    assert dict(fields_of(heard(size, date)))["ETag"] == 'W/"20240102030405-7"'
    assert "ETag" not in dict(fields_of(heard(size)))
    assert "ETag" not in dict(fields_of(heard(date)))


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (550, "/pub/a.csv: No such file or directory", "not-found"),
        (550, "Failed to open file.", "not-found"),
        (550, "The system cannot find the file specified.", "not-found"),
        (550, "a.csv: Permission denied", "forbidden"),
        (550, "Access is denied.", "forbidden"),
        (553, "File name not allowed", "forbidden"),
        (550, "Is a directory.", "directory"),
        (550, "pub: Not a regular file", "directory"),
        (550, "pub: not a plain file.", "directory"),
        (550, "I can only retrieve regular files", "directory"),
        (530, "Please login with USER and PASS.", "login-required"),
        (530, "Sorry, the maximum number of clients (50) from your host are already connected.", "rate-limited"),
        (530, "User limit reached", "rate-limited"),
        (421, "There are too many connected users, please try later.", "rate-limited"),
        (421, "Timeout.", "server-error"),
        (452, "Insufficient storage space", "server-error"),
        (552, "Exceeded storage allocation", "server-error"),
        (500, "Unknown command", "http-status"),
    ],
)  # fmt: skip
def test_refusals_mean_what_common_servers_mean_by_them(code: int, text: str, reason: str) -> None:
    assert error_of_refusal(FtpReply("RETR", code, text))[0].reason == reason


@given(st.integers(400, 599), st.text(max_size=60))
def test_every_refusal_is_an_end_that_may_be_tried_again(code: int, text: str) -> None:
    error, status = error_of_refusal(FtpReply("RETR", code, text))

    assert REASONS[error.reason].verdict in (Verdict.TRANSIENT, Verdict.PERMANENT)
    assert 400 <= status <= 599


@pytest.mark.parametrize(
    ("exchanges", "refused"),
    [
        ([("SIZE a", "550 no\r\n")], False),
        ([("EPSV", "500 no\r\n")], False),
        ([("RETR a", "550 no\r\n")], True),
        ([("PASS x", "331 again\r\n")], True),
        ([("USER x", "331 your password\r\n")], False),
        ([("SIZE a", "550 no\r\n"), ("RETR a", "")], False),
        ([("", "421 busy\r\n")], True),
        ([], False),
    ],
)
def test_only_the_answer_that_was_needed_is_a_refusal(
    exchanges: list[tuple[str, str]], refused: bool
) -> None:
    assert (heard(*exchanges).refusal is not None) is refused
