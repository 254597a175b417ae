"""Batches: every file once, none too big, no host in two places at a time."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.catalog.batches import PlannableAsset, PlannedBatch
from shelter_pipeline.dispatch.planning import UNKNOWN_SIZE, BatchLimits, plan_batches

LIMITS = BatchLimits(max_files=5, max_bytes=100, min_files=3)


def files(host: str, *sizes: int | None, start: int = 1, score: float = 0.5) -> list[PlannableAsset]:
    return [PlannableAsset(start + at, host, size, score) for at, size in enumerate(sizes)]


def shape(batches: list[PlannedBatch]) -> list[tuple[str | None, int]]:
    return sorted((batch.host or "", len(batch.asset_ids)) for batch in batches)


@st.composite
def work(draw: st.DrawFn) -> list[PlannableAsset]:
    hosts = draw(st.lists(st.sampled_from("abcdefgh"), max_size=40))
    sizes = st.none() | st.integers(0, 30) | st.sampled_from([60, 99, 100, 101, 10**15])
    scores = st.floats(0, 1)
    return [
        PlannableAsset(number, f"{host}.example:443", draw(sizes), draw(scores))
        for number, host in enumerate(hosts, 1)
    ]


limits = st.builds(BatchLimits, st.integers(1, 10), st.integers(1, 200), st.integers(1, 12))


def test_no_work_makes_no_batches() -> None:
    assert plan_batches([], LIMITS) == []


def test_a_host_with_enough_files_has_batches_of_its_own() -> None:
    batches = plan_batches(files("a:80", *[1] * 12), LIMITS)

    assert [(batch.host, len(batch.asset_ids)) for batch in batches] == [
        ("a:80", 5),
        ("a:80", 5),
        ("a:80", 2),
    ]
    assert {batch.host_slug for batch in batches} == {"a-80"}


def test_hosts_with_few_files_share_a_batch() -> None:
    (batch,) = plan_batches(files("a:80", 1, 1) + files("b:80", 1, 1, start=10), LIMITS)

    assert (batch.host, batch.host_slug) == (None, "mixed")
    assert sorted(batch.asset_ids) == [1, 2, 10, 11]


def test_one_host_with_few_files_shares_with_nobody() -> None:
    (batch,) = plan_batches(files("a:80", 1, 1), LIMITS)

    assert batch.host == "a:80"


def test_a_big_file_goes_alone() -> None:
    batches = plan_batches(files("a:80", 1, 101, 1), LIMITS)

    assert sorted(batch.asset_ids for batch in batches) == [(1, 3), (2,)]


def test_a_big_file_of_a_small_host_is_that_hosts_batch_and_not_a_mixed_one() -> None:
    batches = plan_batches(
        files("a:80", 101) + files("b:80", 1, start=10) + files("c:80", 1, start=20), LIMITS
    )

    assert shape(batches) == [("", 2), ("a:80", 1)]


def test_a_small_host_that_fills_more_than_a_batch_is_in_one_mixed_batch_at_most() -> None:
    batches = plan_batches(
        files("b:80", 30, score=0.9)
        + files("a:80", 60, 60, start=10)
        + files("c:80", 30, start=20, score=0.1),
        LIMITS,
    )

    assert shape(batches) in ([("", 2), ("", 2)], [("", 3), ("a:80", 1)], [("", 2), ("a:80", 1), ("c:80", 1)])
    assert sum(batch.host is None and bool({10, 11} & set(batch.asset_ids)) for batch in batches) <= 1


def test_the_best_scores_come_first() -> None:
    assets = files("a:80", *[1] * 5, score=0.1) + files("b:80", *[1] * 5, start=10, score=0.9)

    assert [batch.host for batch in plan_batches(assets, LIMITS)] == ["b:80", "a:80"]


def test_expected_bytes_are_those_that_are_known() -> None:
    (batch,) = plan_batches(files("a:80", 7, None), BatchLimits(5, 10 * UNKNOWN_SIZE, 1))

    assert batch.bytes == 7


@given(assets=work(), limits=limits)
def test_every_file_is_in_exactly_one_batch(assets: list[PlannableAsset], limits: BatchLimits) -> None:
    planned = Counter(number for batch in plan_batches(assets, limits) for number in batch.asset_ids)

    assert planned == Counter(asset.id for asset in assets)


@given(assets=work(), limits=limits)
def test_no_batch_is_larger_than_its_limits(assets: list[PlannableAsset], limits: BatchLimits) -> None:
    weights = {asset.id: UNKNOWN_SIZE if asset.size is None else asset.size for asset in assets}

    for batch in plan_batches(assets, limits):
        assert 1 <= len(batch.asset_ids) <= limits.max_files
        assert len(batch.asset_ids) == 1 or sum(weights[n] for n in batch.asset_ids) <= limits.max_bytes


@given(assets=work(), limits=limits)
def test_a_batch_names_the_only_host_it_has_and_a_host_is_in_one_mixed_batch(
    assets: list[PlannableAsset], limits: BatchLimits
) -> None:
    host_of = {asset.id: asset.host for asset in assets}
    mixed: Counter[str] = Counter()

    for batch in plan_batches(assets, limits):
        hosts = {host_of[number] for number in batch.asset_ids}
        assert hosts == {batch.host} if batch.host else len(hosts) > 1
        mixed.update(hosts if batch.host is None else ())

    assert all(times == 1 for times in mixed.values())


@given(assets=work(), limits=limits, order=st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_in_which_files_were_found(
    assets: list[PlannableAsset], limits: BatchLimits, order: random.Random
) -> None:
    shuffled = list(assets)
    order.shuffle(shuffled)

    assert plan_batches(shuffled, limits) == plan_batches(assets, limits)
