"""The journal of a node: what was written is there when it is opened again, and nothing is told twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.node.journal import Journal
from shelter_pipeline.vault.store import Blob

BLOB = Blob("a" * 64, 10, "blobs/x")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path)) as opened:
        yield opened


def item(token: int) -> dict[str, Any]:
    return {"id": token + 1000, "token": token, "url": f"https://example.gov/{token}"}


def result(token: int, **more: Any) -> dict[str, Any]:
    return {"asset_id": token + 1000, "token": token, "verdict": "stored", "reason": "stored"} | more


def test_work_goes_from_hand_to_letter_to_nothing(journal: Journal, path: Path) -> None:
    journal.note("asking", {"key": "k"})
    journal.take([item(1), item(2), item(3)])
    journal.begin([1, 2])
    journal.settle([(result(1), BLOB)], {1: "https://example.gov/1"})
    journal.give_back([3])

    assert journal.fact("asking") is None
    assert [one["token"] for one in journal.unfinished()] == [2]
    assert journal.live_tokens() == ([1, 2], [1, 2])
    assert journal.returning() == {1003: 3}
    letter = journal.letter(200)
    assert letter is not None
    with closing(Journal(path)) as again:
        assert again.letter(200) == letter
        again.acknowledge(letter)
        assert again.letter(200) is None
        assert again.live_tokens() == ([2], [2])
        assert (again.kept().files, again.kept().size, again.unheard()) == (1, 10, 0)


def test_a_letter_that_was_not_heard_is_sent_as_it_was_whatever_ended_since(journal: Journal) -> None:
    journal.settle([(result(1), None), (result(2), None)], {})
    first = journal.letter(200)
    journal.settle([(result(0), None), (result(3), None)], {})

    assert first is not None
    assert journal.letter(200) == first
    journal.acknowledge(first)
    second = journal.letter(200)
    assert second is not None
    assert [one["token"] for one in second.results] == [0, 3]
    assert second.key > first.key


def test_a_letter_fits_what_an_api_takes(journal: Journal) -> None:
    journal.settle([(result(token, heads={"x": "y" * 200_000}), None) for token in range(5)], {})
    journal.settle([(result(token), None) for token in range(10, 400)], {})

    lengths = []
    while (letter := journal.letter(200)) is not None:
        lengths.append(len(letter.results))
        journal.acknowledge(letter)

    assert sum(lengths) == 395
    assert lengths[0] == 2
    assert max(lengths) <= 200


def test_a_result_of_a_lost_lease_is_reported_all_the_same(journal: Journal) -> None:
    journal.take([item(1)])
    journal.settle([(result(1), BLOB)], {})
    journal.lose([1])

    assert journal.unheard() == 1
    assert journal.live_tokens() == ([], [])


def test_files_are_known_once_and_keep_what_is_known_of_them(journal: Journal) -> None:
    journal.settle([(result(1), BLOB)], {1: "https://example.gov/1"})
    journal.mark(BLOB.sha256, proved=True)

    assert journal.know([BLOB, Blob("b" * 64, 5, "blobs/y")]) == 1
    assert (journal.kept().files, journal.kept().proved) == (2, 1)
    assert journal.read_at("b" * 64) == 0
    assert journal.read_at("c" * 64) is None


def test_a_journal_that_cannot_be_opened_for_want_of_a_place_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").mkdir()

    with pytest.raises(SetupError, match="cannot be used"):
        Journal(tmp_path / "journal.sqlite3")
