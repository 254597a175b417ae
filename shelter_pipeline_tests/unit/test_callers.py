"""Whom a request is charged to, and how much of it passes."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.api.buckets import Buckets
from shelter_pipeline.api.callers import client_address, network_of
from shelter_pipeline.domain.tokens import opens, prefix_of, spell_token, token_hash

PROXIES = (ip_network("172.29.77.0/24"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # no proxy of ours: what it says is its own
        ("172.29.77.2", ["198.51.100.1"], "198.51.100.1"),
        (
            "172.29.77.2",
            ["10.0.0.1, 198.51.100.1"],
            "198.51.100.1",
        ),  # what the caller wrote stands further left
        ("172.29.77.2", ["10.0.0.1", "198.51.100.1, 172.29.77.3"], "198.51.100.1"),
        ("172.29.77.2", [], "172.29.77.2"),
        ("172.29.77.2", ["unknown"], "172.29.77.2"),
        ("172.29.77.2", ["<script>, 198.51.100.1"], "198.51.100.1"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
    ],
)
def test_a_caller_is_known_by_the_last_address_that_a_proxy_of_ours_saw(
    peer: str, forwarded: list[str], expected: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == expected


def test_one_household_is_one_caller() -> None:
    assert network_of("2001:db8:0:1::7") == network_of("2001:db8:0:1:ffff::8") == "2001:db8:0:1::/64"
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("no address") == "unknown"


@given(
    rate=st.integers(1, 50),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=100),
)
def test_no_caller_gets_more_than_its_burst_and_rate_and_none_less(
    rate: int, burst: int, steps: list[tuple[str, float]]
) -> None:
    buckets, passed, first = Buckets(rate, burst), {"a": 0, "b": 0}, {}
    now = 0.0
    for caller, pause in steps:
        now += pause
        first.setdefault(caller, now)
        fresh = burst + (now - first[caller]) * rate
        standing = buckets.take(caller, now)
        if standing.wait_seconds is None:
            passed[caller] += 1
            assert passed[caller] <= fresh + 1e-6
        else:
            assert standing.left == 0
            assert buckets.take(caller, now + standing.wait_seconds).wait_seconds is None
            passed[caller] += 1
            now += standing.wait_seconds


def test_a_token_says_what_it_is_and_keeps_what_it_opens() -> None:
    token = spell_token(["operator"], bytes(6), bytes(range(32)))

    assert token.secret == "shelter_operator_000000000000_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert prefix_of(token.secret) == token.prefix == "000000000000"
    assert token.secret[-43:] not in repr(token)
    kept = token_hash(token.secret, b"pepper")
    assert opens(token.secret, b"pepper", kept)
    assert not opens(token.secret, b"another", kept)


@given(st.text())
def test_no_text_is_taken_for_a_token_by_accident(text: str) -> None:
    assert prefix_of(text) is None
    assert prefix_of(f"shelter_operator_000000000000_{'A' * 42}{text}") in (None, "000000000000")
