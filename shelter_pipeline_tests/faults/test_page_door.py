"""What saving a large reply promises: it reaches the sink whole, unfolded and bounded, or an error says why not."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from shelter_pipeline.domain.errors import DamagedError, PermanentError, ShelterError, TransientError
from shelter_pipeline.fetching.door import Reply
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline_tests.support.fault_server import FaultServer, chunks, field, head, whole
from shelter_pipeline_tests.support.fetching import door

BODY = b"".join(b'{"identifier": "%d"}\n' % number for number in range(20_000))
START = 64 * 1024
Save = Callable[..., Reply]


def polite_door() -> PoliteDoor:
    return PoliteDoor(door(), Politeness(connections=1, delay_seconds=0))


@pytest.fixture(params=[lambda: door().save, lambda: polite_door().save], ids=["door", "polite door"])
def save(request: pytest.FixtureRequest) -> Save:
    made: Save = request.param()
    return made


@pytest.mark.parametrize(
    "steps",
    [
        whole(BODY),
        (head("Transfer-Encoding: chunked"), chunks(BODY[:7], BODY[7:70_000], BODY[70_000:], b"")),
        (head("Connection: close"), BODY),
        whole(gzip.compress(BODY), "Content-Encoding: gzip"),
        whole(gzip.compress(BODY[:999]) + gzip.compress(BODY[999:]), "Content-Encoding: gzip"),
    ],
    ids=["by length", "in chunks", "to the end", "gzip", "gzip of two members"],
)
def test_a_body_reaches_the_sink_whole_and_the_reply_has_its_beginning(
    server: FaultServer, save: Save, steps: tuple[object, ...]
) -> None:
    body = bytearray()

    reply = save(server.serves("/data.json", *steps), body.extend)

    assert bytes(body) == BODY
    assert (reply.head.status, reply.body) == (200, BODY[:START])


def test_a_body_comes_in_pieces_and_never_all_at_once(server: FaultServer, save: Save) -> None:
    pieces: list[int] = []

    save(server.serves("/data.json", *whole(BODY)), lambda piece: pieces.append(len(piece)))

    assert sum(pieces) == len(BODY)
    assert max(pieces) < len(BODY) / 4


@pytest.mark.parametrize(
    ("steps", "error", "reason"),
    [
        ((head(f"Content-Length: {len(BODY)}"), BODY[:-1]), TransientError, None),
        ((head("Transfer-Encoding: chunked"), chunks(BODY)), TransientError, None),
        (whole(gzip.compress(BODY)[:-4], "Content-Encoding: gzip"), DamagedError, "truncated-encoding"),
        (whole(BODY, "Content-Encoding: gzip"), DamagedError, "bad-encoding"),
        (whole(BODY, "Content-Encoding: compress"), DamagedError, "bad-encoding"),
    ],
    ids=["cut", "cut in chunks", "cut gzip", "no gzip", "an unknown encoding"],
)
def test_a_body_that_is_not_whole_is_an_error(
    server: FaultServer, save: Save, steps: tuple[object, ...], error: type[ShelterError], reason: str | None
) -> None:
    with pytest.raises(error) as end:
        save(server.serves("/data.json", *steps), bytearray().extend)

    assert reason in (None, end.value.reason)


@pytest.mark.parametrize(
    "steps",
    [
        whole(BODY),
        (head("Connection: close"), BODY),
        whole(gzip.compress(BODY), "Content-Encoding: gzip"),
    ],
    ids=["by length", "to the end", "unfolded"],
)
def test_a_body_larger_than_the_cap_is_refused_and_not_kept_beyond_it(
    server: FaultServer, save: Save, steps: tuple[object, ...]
) -> None:
    body = bytearray()

    with pytest.raises(PermanentError) as end:
        save(server.serves("/data.json", *steps), body.extend, max_bytes=len(BODY) - 1)

    assert end.value.reason == "too-large"
    assert len(body) < len(BODY)


def test_a_body_of_just_the_cap_is_taken(server: FaultServer, save: Save) -> None:
    body = bytearray()

    save(server.serves("/data.json", *whole(BODY)), body.extend, max_bytes=len(BODY))

    assert bytes(body) == BODY


def test_only_the_last_reply_of_a_redirect_reaches_the_sink(server: FaultServer, save: Save) -> None:
    there = server.serves("/there", *whole(b'{"dataset": []}'))
    here = server.serves("/here", *whole(b"moved", "Location: /there", status="301 Moved"))
    body = bytearray()

    reply = save(here, body.extend, headers={"Accept": "application/json"})

    assert (bytes(body), reply.final_url) == (b'{"dataset": []}', there)
    assert [hop.status for hop in reply.hops] == [301]
    assert field(server.heads("/there")[0], "accept") == "application/json"


@pytest.mark.parametrize("folded", [False, True])
def test_an_error_page_is_a_reply_with_its_beginning_in_it(
    server: FaultServer, save: Save, folded: bool
) -> None:
    page = b"<!doctype html><h1>Request rejected</h1>" + b"." * START
    sent = gzip.compress(page) if folded else page
    fields = ["Content-Encoding: gzip"] if folded else []
    url = server.serves("/data.json", *whole(sent, *fields, status="403 Forbidden"))

    reply = save(url, bytearray().extend)

    assert (reply.head.status, reply.body) == (403, page[:START])


@pytest.mark.parametrize("fields", [(), ("Content-Encoding: gzip",)])
def test_an_empty_body_is_an_empty_reply(server: FaultServer, save: Save, fields: tuple[str, ...]) -> None:
    reply = save(server.serves("/data.json", *whole(b"", *fields)), bytearray().extend)

    assert reply.body == b""


def test_an_error_of_the_sink_ends_the_transfer_and_is_what_is_raised(
    server: FaultServer, save: Save
) -> None:
    def full(_piece: bytes) -> None:
        raise PermanentError("no room", reason="store-failed")

    with pytest.raises(PermanentError, match="no room"):
        save(server.serves("/data.json", *whole(BODY)), full)


def test_a_polite_door_waits_for_its_turn_before_it_saves(server: FaultServer) -> None:
    naps: list[float] = []
    politeness = Politeness(connections=1, delay_seconds=5, clock=lambda: 0.0, sleep=naps.append)
    polite = PoliteDoor(door(), politeness)
    url = server.serves("/data.json", *whole(BODY))

    polite.save(url, bytearray().extend)
    polite.save(url, bytearray().extend)

    assert naps == [5.0]
