"""What a node decides without asking anybody: amounts, hours, rates, room, blame, whom to trust with a token."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.amounts import bytes_of, in_words, rate_of
from shelter_pipeline.domain.errors import DamagedError, SetupError, TransientError
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.domain.working_hours import DAY_MINUTES, WorkingHours
from shelter_pipeline.node.api_client import checked_api_url
from shelter_pipeline.node.bandwidth import Bandwidth
from shelter_pipeline.node.blame import is_ours
from shelter_pipeline.node.items import Item
from shelter_pipeline.node.shift import connections_for
from shelter_pipeline.node.space import GivenSpace
from shelter_pipeline.node.words import sentence_of

MIDNIGHT = datetime(2026, 3, 1)  # noqa: DTZ001 - the hours are of whatever clock the machine has
ITEM = {"id": 1, "token": 2, "url": "https://example.gov/a.csv", "purpose": "fetch", "size_mb": 1.5}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("50GB", 50 * 10**9),
        ("500 mb", 5 * 10**8),
        ("1.5TiB", 3 * 2**39),
        ("0B", 0),
        ("12B", 12),
        ("2TB", 2 * 10**12),
    ],
)
def test_room_is_read_as_people_write_it(text: str, size: int) -> None:
    assert bytes_of(text, "--space") == size


@pytest.mark.parametrize(
    "text", ["", "50", "GB", "-5GB", "5 XB", "1e3GB", "5GB5", "\u0665GB", "5GB\x00", "9" * 40 + "GB"]
)
def test_room_that_cannot_be_read_names_the_option_and_how_to_write_it(text: str) -> None:
    with pytest.raises(SetupError, match=r"--space: .* write it like 50GB"):
        bytes_of(text, "--space")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("20Mbit", 2_500_000),
        ("20 mbit/s", 2_500_000),
        ("20Mbps", 2_500_000),
        ("2MB/s", 2_000_000),
        ("1GiB/s", 2**30),
    ],
)
def test_rates_are_read_in_bits_and_in_bytes(text: str, rate: int) -> None:
    assert rate_of(text, "--bandwidth") == rate


@pytest.mark.parametrize("text", ["20Mb", "20Mb/s", "20", "fast", "1kbit", "0MB/s", "2MB"])
def test_a_rate_that_could_be_either_or_is_no_use_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="--bandwidth"):
        rate_of(text, "--bandwidth")


@given(st.integers(0, 10**18))
def test_sizes_in_words_can_be_read_again_and_are_near(size: int) -> None:
    words = in_words(size).replace(" ", "").replace("bytes", "B")

    assert abs(bytes_of(words, "it") - size) <= max(0.06 * size, 0)


@given(
    st.lists(st.tuples(st.integers(0, DAY_MINUTES - 1), st.integers(1, DAY_MINUTES - 1)), max_size=4),
    st.data(),
)
def test_hours_open_and_close_when_they_say(spans: list[tuple[int, int]], data: st.DataObject) -> None:
    """Against what every minute of two days says by itself."""
    text = ",".join(
        f"{start // 60}:{start % 60:02}-{(end := (start + length) % DAY_MINUTES) // 60}:{end % 60:02}"
        for start, length in spans
    )
    hours = WorkingHours.of(text, "--hours")
    minute = data.draw(st.integers(0, DAY_MINUTES - 1))
    moment = MIDNIGHT + timedelta(minutes=minute)

    def is_open(at: int) -> bool:
        return not spans or any((at - start) % DAY_MINUTES < length for start, length in spans)

    ahead = range(minute, minute + DAY_MINUTES)
    opens = next((at - minute for at in ahead if is_open(at % DAY_MINUTES)), None)
    closes = next((at - minute for at in ahead if not is_open(at % DAY_MINUTES)), None)

    assert hours.is_open(moment) == is_open(minute)
    assert hours.seconds_to_open(moment) == 60 * (opens or 0)
    assert hours.seconds_to_close(moment) == (None if closes is None else 60 * closes)


@pytest.mark.parametrize("text", ["22", "25-26", "22-06-07", "9:60-10", "night", "6-6", "22:5-6", "24:30-1"])
def test_hours_that_are_none_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(SetupError, match="--hours"):
        WorkingHours.of(text, "--hours")


def test_the_whole_day_is_always_open() -> None:
    assert WorkingHours.of("0-24", "--hours").seconds_to_close(MIDNIGHT) is None
    assert WorkingHours().is_open(MIDNIGHT)


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=200), st.integers(64_000, 10**8))
def test_whatever_moves_together_keeps_to_the_rate(pieces: list[int], rate: int) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    bandwidth = Bandwidth(rate, clock=lambda: now, sleep=sleep)
    for piece in pieces:
        bandwidth.take(piece)

    assert now >= sum(pieces) / rate - 0.3
    assert now <= sum(pieces) / rate + 1e-6


def test_time_in_which_nothing_moved_is_not_made_up_for() -> None:
    now, slept = 0.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    bandwidth = Bandwidth(100_000, clock=lambda: now, sleep=sleep)
    now = 3600.0
    bandwidth.take(200_000)

    assert slept == pytest.approx(1.75)


def test_a_rate_that_feeds_few_downloads_gets_few() -> None:
    assert [connections_for(rate, 20) for rate in (None, 64_000, 640_000, 10**9)] == [20, 1, 10, 20]


@pytest.mark.parametrize("reason", REASONS)
def test_only_what_a_source_did_is_told_of_it(reason: str) -> None:
    ours = {"no-space", "store-failed", "interrupted"}
    doubted = {"connect-failed", "dns-failed", "connection-lost", "too-slow"}

    assert is_ours(reason, lambda: True) == (reason in ours)
    assert is_ours(reason, lambda: False) == (reason in ours | doubted)


@pytest.mark.parametrize("reason", REASONS)
def test_every_end_has_a_sentence_without_its_slug(reason: str) -> None:
    facts = {"url": "https://example.gov/a.csv", "reason": reason, "verdict": REASONS[reason].verdict.value}
    said = sentence_of("ended", facts | {"status": 403, "size": 1200})

    assert said
    assert "example.gov" in said
    assert "-" not in reason or reason not in said
    assert sentence_of("given-back", facts | {"detail": "of that"})


def test_a_refusal_is_told_as_a_person_would() -> None:
    facts = {"url": "https://example.gov/a.csv", "reason": "forbidden", "verdict": "permanent", "status": 403}

    assert sentence_of("ended", facts) == "example.gov refused us (403): https://example.gov/a.csv"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://shelter.example.org/", "https://shelter.example.org"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("http://10.1.2.3/api/", "http://10.1.2.3/api"),
        ("http://localhost:8000", "http://localhost:8000"),
    ],
)
def test_an_api_is_reached_by_https_or_nearby(address: str, url: str) -> None:
    assert checked_api_url(address) == url


@pytest.mark.parametrize(
    "address",
    [
        "http://93.184.216.34",
        "http://no-such-name.invalid",
        "ftp://x",
        "shelter.example.org",
        "",
        "https://",
        "https://me:secret@x.org",
        "https://x.org/?q=1",
        "http://[::1",
        "https://x.org:99999",
        "http://127.0.0.1.:x",
    ],
)
def test_an_address_that_a_token_must_not_go_to_is_refused_with_a_sentence(address: str) -> None:
    with pytest.raises(SetupError, match="--api") as refused:
        checked_api_url(address)
    assert "secret" not in str(refused.value)


def test_plain_http_to_a_public_host_needs_a_word() -> None:
    assert checked_api_url("http://93.184.216.34", insecure=True) == "http://93.184.216.34"


def test_an_item_is_read_with_what_is_promised_of_it() -> None:
    item = Item.of(
        ITEM | {"size_bytes": None, "accepted": ["empty"], "host": "example.gov:443", "connections": 1000}
    )

    assert (item.expected_bytes, item.host, item.connections) == (1_500_000, "example.gov:443", 64)
    assert item.promise.accepted == {"empty"}


@given(
    st.dictionaries(
        st.sampled_from([*ITEM, "sha256", "mirror", "accepted", "size_bytes", "host"]), st.from_type(object)
    )
)
def test_whatever_an_api_sends_as_work_is_read_or_refused(raw: dict[str, Any]) -> None:
    for candidate in (raw, ITEM | raw, [raw], None):
        try:
            item = Item.of(candidate)
        except DamagedError:
            continue
        assert item.mirror is None or item.purpose == "fetch" or re.match(r"/[^/]", item.mirror)
        assert isinstance(item.expected_bytes, int)


def test_room_is_counted_with_what_arrives_and_given_free_with_what_goes(tmp_path: Path) -> None:
    space = GivenSpace(tmp_path, given_bytes=1_000_000, reserve_bytes=0)
    with space.receive() as partial:
        partial.write(bytes(300_000))
        assert space.left_bytes() == 700_000
        space.publish(partial)
    with space.receive() as same:
        same.write(bytes(300_000))
        space.publish(same)
    assert (space.kept_bytes, space.left_bytes()) == (300_000, 700_000)

    with space.receive("a" * 64) as broken:
        broken.write(b"x" * 600_000)
        assert broken.keep({"of": "what"})
        with pytest.raises(TransientError) as refused:
            broken.write(b"x" * 200_000)
        assert refused.value.reason == "no-space"
    assert 0 < space.left_bytes() < 100_000
    assert GivenSpace(tmp_path, given_bytes=1_000_000, reserve_bytes=0).left_bytes() == space.left_bytes()

    space.forget_broken_off()

    assert space.left_bytes() == 700_000


def test_a_group_of_files_is_counted_once_for_equal_bytes(tmp_path: Path) -> None:
    space = GivenSpace(tmp_path, given_bytes=10**7, reserve_bytes=0)
    partials = [space.partial() for _ in range(6)]
    for number, partial in enumerate(partials):
        partial.write(bytes([number % 3]) * 200_000)
    space.publish_all(partials)

    assert space.used_bytes == space.kept_bytes == 600_000


def test_the_reserve_of_the_disk_is_kept(tmp_path: Path) -> None:
    space = GivenSpace(tmp_path, given_bytes=10**18, reserve_bytes=10**18)

    assert space.left_bytes() < 0
    with space.receive() as partial, pytest.raises(TransientError):
        partial.write(b"x")
