"""Names, versions and networks of nodes, and the night's hour: pure decisions."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.api.remembered import Remembered
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.networks import network_hash, network_of
from shelter_pipeline.domain.nightly import next_harvest
from shelter_pipeline.domain.node_names import ADJECTIVES, ANIMALS, alternatives, first_free, nicknames
from shelter_pipeline.domain.node_protocol import NODE_NAME
from shelter_pipeline.domain.node_versions import is_older, is_version
from shelter_pipeline.settings import load_settings


@given(st.integers())
def test_every_nickname_is_one_that_a_node_may_have(seed: int) -> None:
    for name in islice(nicknames(random.Random(seed)), 40):
        assert NODE_NAME.match(name)


def test_the_words_of_nicknames_are_there_once() -> None:
    assert len(set(ADJECTIVES)) == len(ADJECTIVES)
    assert len(set(ANIMALS)) == len(ANIMALS)


@given(st.from_regex(NODE_NAME, fullmatch=True))
def test_an_alternative_is_a_name_and_another_one(name: str) -> None:
    others = alternatives(name, random.Random(1))

    assert all(NODE_NAME.match(other) and other != name for other in others)
    assert first_free(others, [others[0].upper()]) == others[1]
    assert first_free(others, others) is None


@pytest.mark.parametrize(
    ("version", "minimum", "older"),
    [
        ("0.9", "0.10", True),
        ("0.10.0", "0.10", False),
        ("1.0rc1", "1.0", True),
        ("1.0.post1", "1.0", False),
        ("1.0+ours.2", "1.0", False),
    ],
)
def test_versions_are_compared_as_releases_follow_each_other(version: str, minimum: str, older: bool) -> None:
    assert is_older(version, minimum) is older


@pytest.mark.parametrize("text", ["", "newest", "1.0; DROP", "1" * 5000, "1.0\n", "1.0\n2", "2!1.0"])
def test_what_is_no_version_is_known_as_none(text: str) -> None:
    assert not is_version(text)


def test_a_minimum_that_is_no_version_is_refused_by_the_settings() -> None:
    with pytest.raises(SetupError, match="SHELTER_MIN_NODE_VERSION: it must be a version"):
        load_settings(min_node_version="latest")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:192.0.2.1", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("127.0.0.1", None),
        ("::1", None),
        ("testclient", None),
        ("", None),
    ],
)
def test_an_address_is_known_by_its_network_alone(address: str, network: str | None) -> None:
    assert network_of(address) == network


def test_a_network_is_kept_as_a_hash_that_only_our_secret_can_make() -> None:
    one, same, other = (network_hash(a, b"pepper") for a in ("192.0.2.1", "192.0.2.9", "192.0.3.1"))

    assert one == same != other
    assert one != network_hash("192.0.2.1", b"another pepper")
    assert one is not None
    assert len(one) == 32


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_the_next_harvest_is_within_a_day_at_its_hour(now: datetime, hours: int) -> None:
    here = now.replace(tzinfo=timezone(timedelta(hours=hours)))

    following = next_harvest(here)

    assert timedelta(0) < following - here <= timedelta(days=1)
    assert (following.tzinfo, following.hour, following.minute, following.second) == (UTC, 2, 0, 0)


def test_a_value_that_is_being_found_out_anew_is_given_as_it_was() -> None:
    asked, begun, go_on = [], threading.Event(), threading.Event()

    def find_out() -> int:
        asked.append(1)
        if len(asked) > 1:
            begun.set()
            go_on.wait(20)
        return len(asked)

    value = Remembered(find_out)
    assert value.get() == 1  # it took no time, and so is kept for none
    renewing = threading.Thread(target=value.get)
    renewing.start()
    assert begun.wait(20)

    assert value.get() == 1
    go_on.set()
    renewing.join(20)
    assert asked == [1, 1]


def test_an_error_of_finding_out_is_the_callers_and_the_next_one_tries_again() -> None:
    answers = iter([ZeroDivisionError(), 7])

    def find_out() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    value = Remembered(find_out)
    with pytest.raises(ZeroDivisionError):
        value.get()

    assert value.get() == 7
