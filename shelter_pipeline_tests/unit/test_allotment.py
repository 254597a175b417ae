"""What one node is given of what waits: what is most in need, lanes in turn, and never more than it can carry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.allotment import Offer, Wishes, choose

OFFERS = st.lists(
    st.builds(
        Offer,
        asset_id=st.integers(1, 10**6),
        lane_id=st.integers(1, 4),
        need=st.integers(1, 30),
        bytes=st.integers(0, 100),
    ),
    max_size=40,
    unique_by=lambda offer: offer.asset_id,
)


@given(OFFERS, st.integers(0, 30), st.integers(0, 500))
def test_never_more_than_asked_for_and_never_more_than_fits(
    offers: list[Offer], limit: int, room: int
) -> None:
    chosen = choose(offers, limit=limit, most_bytes=room)

    assert len(chosen) == len({offer.asset_id for offer in chosen}) <= limit
    assert sum(offer.bytes for offer in chosen) <= room
    if len(chosen) < limit:  # what is left would not have fitted, even at the end
        left = room - sum(offer.bytes for offer in chosen)
        assert all(offer in chosen or offer.bytes > left for offer in offers)


@given(OFFERS, st.integers(1, 30))
def test_nothing_is_given_before_what_is_more_in_need(offers: list[Offer], limit: int) -> None:
    chosen = choose(offers, limit=limit, most_bytes=10**9)

    assert [offer.need for offer in chosen] == sorted((offer.need for offer in offers), reverse=True)[:limit]


def test_lanes_in_equal_need_give_one_each_in_turn() -> None:
    offers = [Offer(lane * 10 + number, lane, 5, 1) for lane in (1, 2, 3) for number in range(3)]

    chosen = choose(offers, limit=5, most_bytes=100)

    assert [offer.asset_id for offer in chosen] == [10, 20, 30, 11, 21]


def test_a_first_file_that_is_too_big_does_not_keep_the_others_back() -> None:
    assert [
        one.asset_id for one in choose([Offer(1, 1, 9, 50), Offer(2, 1, 8, 5)], limit=9, most_bytes=10)
    ] == [2]


def test_a_line_and_its_hours_bound_the_work_only_together() -> None:
    assert Wishes(10**12, bandwidth_mbps=8, uptime_hours=1).most_bytes == 3_600_000_000
    assert Wishes(10**12, bandwidth_mbps=8).most_bytes == 10**12
    assert Wishes(10, bandwidth_mbps=8, uptime_hours=1).most_bytes == 10
    assert Wishes(-5).most_bytes == 0
    assert Wishes(10, bandwidth_mbps=1e308, uptime_hours=1e308).most_bytes == 10
