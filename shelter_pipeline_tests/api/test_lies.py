"""Nodes that lie, in each way that there is: nothing counts on their word, trust is lost, and the reason is kept."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.proofs import prove_nodes
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.volunteers import (
    Volunteer,
    change,
    counted,
    csv,
    is_due,
    rows,
    state_of,
    stored,
    with_files,
)


@pytest.fixture
def honest_and_liar(api: ApiUnderTest) -> tuple[Volunteer, Volunteer]:
    """Two nodes over a dataset of twelve files."""
    with_files(api.workplace.catalog, 12)
    return Volunteer(api, "whale"), Volunteer(api, "shark")


def why(liar: Volunteer) -> str:
    query = (
        "SELECT detail FROM node_event JOIN node ON node.id = node_id WHERE name = :name"
        " ORDER BY node_event.id DESC"
    )
    return str(rows(liar.catalog, query, name=liar.name)[0][0])


def test_bytes_that_are_not_those_reported_do_not_count(honest_and_liar: tuple[Volunteer, Volunteer]) -> None:
    _, liar = honest_and_liar
    outcome = liar.reports(1, csv(1))
    other = csv(2)

    answer = liar.sends(outcome, other)

    assert (answer.status_code, answer.json()["error"]) == (422, "wrong-upload")
    assert counted(liar.catalog) == 0
    assert liar.standing() == (0.0, False)
    assert liar.events() == ["wrong-upload"]
    assert hashlib.sha256(other).hexdigest() in why(liar)
    assert rows(liar.catalog, "SELECT state FROM proof") == [("failed",)]
    assert state_of(liar.catalog, 1) == ("pending", "unproved")
    assert is_due(liar.catalog, 1)
    assert liar.sends(outcome, csv(1)).status_code == 409


@pytest.mark.parametrize("sent", [b"", csv(1)[:-1], csv(1) + b"x"], ids=["empty", "truncated", "too-large"])
def test_an_upload_of_another_length_does_not_count(
    honest_and_liar: tuple[Volunteer, Volunteer], sent: bytes
) -> None:
    _, liar = honest_and_liar

    answer = liar.sends(liar.reports(1, csv(1)), sent)

    assert (answer.status_code, answer.json()["error"]) == (422, "wrong-length")
    assert counted(liar.catalog) == 0
    assert (liar.standing(), liar.events()) == ((0.0, False), ["wrong-upload"])
    assert f"{len(sent)} bytes" in why(liar)
    assert list(liar.api.workplace.store.blobs()) == []


def test_a_file_that_is_never_sent_goes_to_somebody_else(
    honest_and_liar: tuple[Volunteer, Volunteer],
) -> None:
    honest, liar = honest_and_liar
    liar.reports(1, csv(1))
    assert not is_due(liar.catalog, 1)

    change(liar.catalog, "UPDATE proof SET deadline = now() - interval '1 second'")
    change(
        liar.catalog, "UPDATE asset SET next_attempt_at = now() WHERE reason = 'unproved'"
    )  # as late as it
    done = prove_nodes(liar.api.workplace)

    assert done["uploads_missed"] == 1
    assert counted(liar.catalog) == 0
    assert liar.standing() == (pytest.approx(0.4), False)
    assert liar.events() == ["no-upload"]
    assert "did not send it in time" in why(liar)
    assert honest.brings(1, csv(1)).json()["outcome"] == "counted"
    assert state_of(liar.catalog, 1) == ("held", "stored")


def apart(catalog: Catalog) -> None:
    """Every node is in a network of its own."""
    change(catalog, "UPDATE node SET network = convert_to(name, 'UTF8')")


def send_nothing(liar: Volunteer) -> None:
    """It reports three files, and lets the time to send them pass."""
    for number in range(3):
        liar.reports(number, csv(number))
        change(liar.catalog, "UPDATE proof SET deadline = now() - interval '1 second' WHERE state = 'open'")
        prove_nodes(liar.api.workplace)


def test_no_file_waits_for_who_does_not_send(honest_and_liar: tuple[Volunteer, Volunteer]) -> None:
    _, liar = honest_and_liar
    send_nothing(liar)

    outcome = liar.reports(4, csv(4))

    assert is_due(liar.catalog, 4, within_minutes=2)
    assert liar.sends(outcome, csv(4)).status_code == 201  # it may yet
    assert state_of(liar.catalog, 4) == ("held", "stored")


def test_two_that_send_nothing_are_no_witnesses_for_one_another(
    honest_and_liar: tuple[Volunteer, Volunteer],
) -> None:
    liars = honest_and_liar
    for liar in liars:
        send_nothing(liar)
    catalog = liars[0].catalog
    apart(catalog)

    for liar in liars:
        liar.reports(4, csv(400))

    assert counted(catalog) == 0
    assert rows(catalog, "SELECT count(*) FROM blob") == [(0,)]
    assert state_of(catalog, 4) == ("pending", "unproved")
    assert is_due(catalog, 4, within_minutes=2)
    assert rows(catalog, "SELECT attempts FROM asset WHERE url LIKE '%/4.csv'") == [(0,)]


def test_two_that_owe_too_much_are_no_witnesses_for_one_another(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with_files(catalog, 4)
    with an_api(catalog_url, tmp_path / "store", node_open_uploads=1) as running:
        liars = Volunteer(running, "whale"), Volunteer(running, "shark")
        for number, liar in enumerate(liars):
            liar.reports(number, csv(number))
        apart(catalog)

        outcomes = [liar.reports(2, csv(200)) for liar in liars]

    assert [outcome["proof"] for outcome in outcomes] == [None, None]
    assert "send first what you owe" in outcomes[0]["message"]
    assert counted(catalog) == 0
    assert state_of(catalog, 2) == ("pending", "unproved")
    assert is_due(catalog, 2, within_minutes=2)


def test_nobody_sends_or_answers_for_another(honest_and_liar: tuple[Volunteer, Volunteer]) -> None:
    honest, liar = honest_and_liar
    api = honest.api
    honest.brings(1, csv(1))
    honest.reports(2, csv(1), purpose="copy")
    [challenge] = honest.challenges()

    liar.claim(3)
    answer = liar.answers(challenge, csv(1))

    assert answer.status_code == 404
    assert [one["id"] for one in honest.challenges()] == [challenge["id"]]
    assert liar.challenges() == []
    assert api.get("/uploads?node_id=shark").json() == {"uploads": []}
    token = honest.claim(4)
    assert liar.complete(token | stored(csv(4)))[0]["outcome"] == "unknown"
    assert rows(api.workplace.catalog, "SELECT count(*) FROM claim WHERE state = 'held'") == [(2,)]


def test_a_wrong_answer_is_a_lie_and_the_right_one_of_another_challenge_is_wrong(
    honest_and_liar: tuple[Volunteer, Volunteer],
) -> None:
    honest, liar = honest_and_liar
    data = csv(1)
    honest.brings(1, data)
    honest.reports(2, data, purpose="copy")
    liar.reports(3, data, purpose="copy")
    [of_honest], [of_liar] = honest.challenges(), liar.challenges()

    copied = liar.api.post(
        f"/challenges/{of_liar['id']}",
        {
            "node_id": liar.name,
            "answer": hashlib.sha256(bytes.fromhex(of_honest["nonce"]) + data).hexdigest(),
        },
    )

    assert copied.json()["outcome"] == "failed"
    assert (liar.standing(), liar.events()) == ((0.0, False), ["failed-challenge"])
    assert liar.copies() == [("damaged", 0.0)]
    assert honest.answers(of_honest, data).json()["outcome"] == "passed"
    assert honest.events() == ["upload", "challenge"]


def test_who_says_that_a_file_is_gone_loses_no_trust(honest_and_liar: tuple[Volunteer, Volunteer]) -> None:
    honest, _ = honest_and_liar
    honest.brings(1, csv(1))
    honest.reports(2, csv(1), purpose="copy")
    [challenge] = honest.challenges()
    before = honest.standing()

    answer = honest.api.post(f"/challenges/{challenge['id']}", {"node_id": "whale", "missing": True})
    again = honest.answers(challenge, csv(1))

    assert answer.json()["outcome"] == again.json()["outcome"] == "missing"
    assert honest.standing() == before
    assert honest.copies() == [("missing", 0.0)]


def test_no_node_is_called_a_liar_for_what_has_rotted_here(
    honest_and_liar: tuple[Volunteer, Volunteer],
) -> None:
    honest, _ = honest_and_liar
    honest.brings(1, csv(1))
    honest.reports(2, csv(1), purpose="copy")
    [challenge] = honest.challenges()
    [blob] = honest.api.workplace.store.blobs()
    path = Path(honest.api.workplace.store.name) / blob.location
    path.chmod(0o600)
    path.write_bytes(b"!" * blob.size)

    answer = honest.answers(challenge, csv(1))

    assert answer.json()["outcome"] == "void"
    assert honest.events() == ["upload"]
    assert honest.copies() == [("good", 1.0)]
    query = "SELECT state FROM copy WHERE store_id IS NOT NULL"
    assert rows(honest.catalog, query) == [("damaged",)]
    assert is_due(honest.catalog, 1)


def test_three_lies_send_a_node_away_and_nothing_hangs_on_its_word_any_more(
    honest_and_liar: tuple[Volunteer, Volunteer],
) -> None:
    _, liar = honest_and_liar
    assert liar.brings(1, csv(1)).status_code == 201
    change(liar.catalog, "UPDATE asset SET next_attempt_at = now() + interval '1 year' WHERE state = 'held'")

    liar.sends(liar.reports(2, csv(2)), csv(3))

    assert liar.copies() == [("claimed", 0.0)]
    assert state_of(liar.catalog, 1) == ("held", "stored")  # our own copy is what it is
    assert is_due(liar.catalog, 1)  # but whether the source sent it, we must see ourselves
    liar.sends(liar.reports(3, csv(3)), csv(2))
    assert not liar.standing()[1]
    liar.claim(5)
    liar.sends(liar.reports(4, csv(4)), csv(2))
    assert liar.standing() == (0.0, True)
    assert rows(liar.catalog, "SELECT count(*) FROM claim WHERE state = 'held'") == [(0,)], (
        "its work goes back"
    )
    assert liar.events()[-1] == "blocked"
    answer = liar.api.post("/complete", {"node_id": liar.name, "results": [{}]})
    assert (answer.status_code, answer.json()["error"]) == (403, "blocked")
    assert "lied 3 times" in answer.json()["message"]


def test_an_upload_that_breaks_off_is_no_lie_and_may_be_sent_again(
    honest_and_liar: tuple[Volunteer, Volunteer],
) -> None:
    honest, _ = honest_and_liar
    data = b"station,value\n" + b"1,2\n" * 100_000
    outcome = honest.reports(1, data)
    place = urlsplit(honest.api.url)
    with socket.create_connection((place.hostname or "", place.port or 0)) as wire:
        head = f"PUT {outcome['proof']['upload']} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(data)}\r\n\r\n"
        wire.sendall(head.encode() + data[: len(data) // 2])

    answer = honest.sends(outcome, data)

    assert answer.status_code == 201
    assert honest.events() == ["upload"]
    assert honest.sends(outcome, data).json()["outcome"] == "counted"  # the answer may have got lost
    assert honest.events() == ["upload"]
    assert honest.api.ask("PUT", "/uploads/99", data=b"x").status_code == 404
    chunked = honest.api.ask("PUT", "/uploads/99", data=iter([b"x"]))
    assert (chunked.status_code, chunked.json()["error"]) == (411, "length-required")


@pytest.fixture
def without_uploads(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """An API that asks for no uploads: files count when independent nodes agree."""
    with_files(catalog, 4)
    with an_api(catalog_url, tmp_path / "store", node_uploads=False) as running:
        yield running


def test_two_nodes_of_one_network_are_one_witness(without_uploads: ApiUnderTest) -> None:
    first, second, third = (Volunteer(without_uploads, name) for name in ("whale", "shark", "ray"))
    assert first.reports(1, csv(1))["proof"] is None
    change(first.catalog, "UPDATE node SET network = 'a'")
    second.claim(2)
    change(first.catalog, "UPDATE node SET network = 'a'")

    second.reports(1, csv(1))

    assert counted(first.catalog) == 0
    assert state_of(first.catalog, 1) == ("pending", "unproved")
    third.claim(3)
    change(first.catalog, "UPDATE node SET network = 'b' WHERE name = 'ray'")
    third.reports(1, csv(1))
    assert state_of(first.catalog, 1) == ("held", "stored")
    assert counted(first.catalog) == 3
    assert third.events() == ["quorum"]


def test_who_reports_the_same_thing_twice_is_one_witness(without_uploads: ApiUnderTest) -> None:
    node = Volunteer(without_uploads)
    for _ in range(3):
        node.reports(1, csv(1))

    assert counted(node.catalog) == 0
    assert rows(node.catalog, "SELECT count(*) FROM blob") == [(0,)]
    assert state_of(node.catalog, 1) == ("pending", "unproved")
