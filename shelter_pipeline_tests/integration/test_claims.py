"""Claims: one owner at a time, and only the owner's word counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.batches import (
    BatchRow,
    begin_batch,
    close_batch,
    find_batch,
    plannable_assets,
    planned_batches,
    reap,
    release_run,
    want_again,
    write_batches,
)
from shelter_pipeline.catalog.claims import (
    ClaimedAsset,
    claim_batch,
    know_store,
    release_claims,
    renew_claims,
)
from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.catalog.settling import CaptureRow, settle_claim
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.verdicts import verdict_of
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

SHA = "a" * 64


@pytest.fixture
def batch(catalog: Catalog) -> BatchRow:
    """One planned batch of 40 files of one host."""
    know_store(catalog, "test")
    portal = a_portal(catalog)
    resources = [a_resource(f"https://epa.example/{n}.csv", key=str(n), position=n) for n in range(40)]
    harvested(catalog, portal, [a_dataset("1", *resources)])
    discovered(catalog, portal)
    identity = organization_id(catalog, "epa-gov")
    plan = plan_batches(plannable_assets(catalog, identity), BatchLimits(500, 10**12, 1))
    write_batches(catalog, identity, "epa-gov", plan, urgent=False)
    return planned_batches(catalog, limit=1)[0]


def claimed(
    catalog: Catalog, batch: BatchRow, holder: str, limit: int = 1, lease: float = 60
) -> list[ClaimedAsset]:
    return claim_batch(catalog, batch.id, holder=holder, limit=limit, lease_seconds=lease)


def settle(catalog: Catalog, claim: ClaimedAsset, reason: str, *, max_attempts: int = 5) -> bool:
    held = reason == "stored"
    capture = CaptureRow(
        verdict=verdict_of(reason).value,
        reason=reason,
        detail="",
        final_url=claim.url,
        status=200,
        heads={},
        flags=(),
        requests=1,
        wire_bytes=5,
        sha256=SHA if held else None,
        size=5 if held else None,
        media_type=None,
        etag=None,
        last_modified=None,
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:00:01+00:00",
        held=held,
    )
    after = follow_up(reason, claim.attempts, max_attempts=max_attempts)
    return settle_claim(catalog, claim, capture, after, batch_id=None, store="test")


def let_leases_run_out(catalog: Catalog) -> None:
    with catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE claim SET lease_until = now() - interval '1 second' WHERE state = 'held'")
        )


def state_of(catalog: Catalog, asset_id: int) -> str:
    with catalog.begin() as connection:
        return str(connection.scalar(sa.text("SELECT state FROM asset WHERE id = :id"), {"id": asset_id}))


def test_twenty_claimers_at_once_get_each_asset_once(catalog: Catalog, batch: BatchRow) -> None:
    def take(number: int) -> list[int]:
        return [claim.asset_id for claim in claimed(catalog, batch, f"run-{number}", limit=5)]

    with ThreadPoolExecutor(20) as pool:
        taken = [asset for assets in pool.map(take, range(20)) for asset in assets]

    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 40


def test_a_holder_meets_each_asset_once(catalog: Catalog, batch: BatchRow) -> None:
    for claim in claimed(catalog, batch, "run-1", limit=40):
        settle(catalog, claim, "server-error")

    assert claimed(catalog, batch, "run-1", limit=40) == []


def test_another_run_of_the_batch_takes_only_what_is_left(catalog: Catalog, batch: BatchRow) -> None:
    first, second, *_ = claimed(catalog, batch, "run-1", limit=40)
    settle(catalog, first, "stored")
    settle(catalog, second, "not-found")
    release_claims(catalog, "run-1")

    again = {claim.asset_id for claim in claimed(catalog, batch, "run-2", limit=40)}

    assert len(again) == 38
    assert not {first.asset_id, second.asset_id} & again


def test_a_settled_claim_cannot_be_settled_again(catalog: Catalog, batch: BatchRow) -> None:
    (claim,) = claimed(catalog, batch, "run-1")

    assert settle(catalog, claim, "stored")
    assert not settle(catalog, claim, "not-found")

    assert state_of(catalog, claim.asset_id) == "held"


def test_a_holder_that_lost_its_lease_changes_nothing_and_leaves_evidence(
    catalog: Catalog, batch: BatchRow
) -> None:
    (late,) = claimed(catalog, batch, "slow")
    let_leases_run_out(catalog)
    reap(catalog, max_asset_attempts=5, max_batch_attempts=5)
    (owner,) = [
        claim for claim in claimed(catalog, batch, "fast", limit=40) if claim.asset_id == late.asset_id
    ]

    assert not settle(catalog, late, "not-found")

    assert state_of(catalog, late.asset_id) == "pending"
    assert owner.token > late.token
    assert settle(catalog, owner, "stored")
    with catalog.begin() as connection:
        kept = connection.execute(sa.text("SELECT token, late FROM capture ORDER BY id")).all()
    assert [tuple(row) for row in kept] == [(late.token, True), (owner.token, False)]


def test_a_lease_that_ran_out_is_not_renewed(catalog: Catalog, batch: BatchRow) -> None:
    (claim,) = claimed(catalog, batch, "run-1")
    assert renew_claims(catalog, [claim.token], lease_seconds=60) == {claim.token}

    let_leases_run_out(catalog)

    assert renew_claims(catalog, [claim.token], lease_seconds=60) == set()


def test_an_asset_that_kills_every_worker_is_given_up(catalog: Catalog, batch: BatchRow) -> None:
    asset_id = claimed(catalog, batch, "run-0")[0].asset_id

    for number in range(1, 4):
        let_leases_run_out(catalog)
        reap(catalog, max_asset_attempts=3, max_batch_attempts=5)
        claimed(catalog, batch, f"run-{number}", limit=1)

    assert state_of(catalog, asset_id) == "dead"


def test_bytes_we_hold_stay_held_whatever_a_later_request_brings(catalog: Catalog, batch: BatchRow) -> None:
    (first,) = claimed(catalog, batch, "run-1")
    settle(catalog, first, "stored")
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE asset SET next_attempt_at = now() WHERE state = 'held'"))
    (again,) = [c for c in claimed(catalog, batch, "run-2", limit=40) if c.asset_id == first.asset_id]

    settle(catalog, again, "not-found")

    assert again.sha256 == SHA
    assert state_of(catalog, first.asset_id) == "held"


def test_a_batch_is_done_when_every_file_has_a_terminal_verdict(catalog: Catalog, batch: BatchRow) -> None:
    for number, claim in enumerate(claimed(catalog, batch, "run-1", limit=40)):
        settle(catalog, claim, "stored" if number % 2 else "not-found")

    assert close_batch(catalog, batch.id, manifest=None, max_attempts=5)["state"] == "done"


def test_a_batch_with_leftovers_waits_for_its_next_attempt(catalog: Catalog, batch: BatchRow) -> None:
    for claim in claimed(catalog, batch, "run-1", limit=40):
        settle(catalog, claim, "server-error")

    closed = close_batch(catalog, batch.id, manifest=None, max_attempts=5)

    assert (closed["state"], closed["leftover"], closed["claimed"], closed["attempt"]) == (
        "planned",
        40,
        0,
        2,
    )
    assert find_batch(catalog, batch.key).attempt == 2
    assert planned_batches(catalog, limit=10) == []  # it rests first


def test_a_batch_that_used_up_its_attempts_waits_for_a_person(catalog: Catalog, batch: BatchRow) -> None:
    for claim in claimed(catalog, batch, "run-1", limit=40):
        settle(catalog, claim, "server-error")

    assert close_batch(catalog, batch.id, manifest=None, max_attempts=1)["state"] == "failed"


def test_a_batch_on_which_another_run_is_at_work_is_not_closed(catalog: Catalog, batch: BatchRow) -> None:
    begin_batch(catalog, batch.id, "run-1")
    claimed(catalog, batch, "run-1")

    assert close_batch(catalog, batch.id, manifest=None, max_attempts=5)["state"] == "running"


def test_a_dead_run_is_released_at_once(catalog: Catalog, batch: BatchRow) -> None:
    begin_batch(catalog, batch.id, "run-1")
    claimed(catalog, batch, "run-1", limit=10)

    assert release_run(catalog, "run-1", max_attempts=5) == [batch.key]

    assert len(claimed(catalog, batch, "run-2", limit=100)) == 40


def test_an_asset_is_in_at_most_one_batch_that_is_still_to_run(catalog: Catalog, batch: BatchRow) -> None:
    identity = organization_id(catalog, "epa-gov")

    assert plannable_assets(catalog, identity) == []
    plan = plan_batches(plannable_assets(catalog, identity), BatchLimits(500, 10**12, 1))
    assert write_batches(catalog, identity, "epa-gov", plan, urgent=True) == []
    assert find_batch(catalog, batch.key).urgent


def rest(catalog: Catalog, claim: ClaimedAsset, seconds: int) -> None:
    """The server of this file asked to be left alone."""
    settle(catalog, claim, "server-error")
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE asset SET next_attempt_at = now() + make_interval(secs => :seconds) WHERE id = :id"
            ),
            {"seconds": seconds, "id": claim.asset_id},
        )


def test_a_file_that_rests_is_not_asked_for_early_whoever_asks(catalog: Catalog, batch: BatchRow) -> None:
    (first,) = claimed(catalog, batch, "run-1")
    rest(catalog, first, 80_000)

    again = {claim.asset_id for claim in claimed(catalog, batch, "run-2", limit=100)}

    assert first.asset_id not in again
    assert len(again) == 39


def test_one_long_rest_does_not_hold_up_the_rest_of_the_batch(catalog: Catalog, batch: BatchRow) -> None:
    (first,) = claimed(catalog, batch, "run-1")
    rest(catalog, first, 80_000)

    close_batch(catalog, batch.id, manifest=None, max_attempts=5)

    assert [row.key for row in planned_batches(catalog, limit=10)] == [batch.key]


def test_a_run_that_ended_before_it_began_does_not_strand_its_batch(
    catalog: Catalog, batch: BatchRow
) -> None:
    assert release_run(catalog, "never-began", max_attempts=5, key=batch.key, attempt=1) == [batch.key]
    assert release_run(catalog, "never-began", max_attempts=5, key=batch.key, attempt=1) == []

    assert find_batch(catalog, batch.key).attempt == 2


def test_one_host_offers_one_batch_at_a_time(catalog: Catalog, batch: BatchRow) -> None:
    identity = organization_id(catalog, "epa-gov")
    portal = a_portal(catalog)
    more = [a_resource(f"https://epa.example/more/{n}.csv", key=str(n), position=n) for n in range(3)]
    harvested(catalog, portal, [a_dataset("2", *more)])
    discovered(catalog, portal)
    plan = plan_batches(plannable_assets(catalog, identity), BatchLimits(500, 10**12, 1))
    write_batches(catalog, identity, "epa-gov", plan, urgent=False)

    offered = planned_batches(catalog, limit=10)

    assert len(offered) == 1
    assert planned_batches(catalog, limit=10, busy_hosts=["epa.example:443"]) == []


def test_a_person_can_ask_again_for_what_ended_every_worker(catalog: Catalog, batch: BatchRow) -> None:
    claimed(catalog, batch, "run-0", limit=40)
    let_leases_run_out(catalog)
    reap(catalog, max_asset_attempts=1, max_batch_attempts=5)

    assert want_again(catalog, organization_id(catalog, "epa-gov")) == 40

    assert len(claimed(catalog, batch, "run-1", limit=100)) == 40


def test_copies_of_different_files_are_recorded_without_waiting_for_one_another(
    catalog: Catalog, batch: BatchRow
) -> None:
    facts = {"size": 5, "media_type": None, "store": "test"}
    with catalog.begin() as slow:
        slow.execute(statement("record_blob"), {"sha256": "b" * 64, **facts})
        with catalog.begin() as quick:
            quick.execute(sa.text("SET LOCAL lock_timeout = '2s'"))

            recorded = quick.execute(statement("record_blob"), {"sha256": "c" * 64, **facts}).rowcount

    assert recorded == 1


def test_a_store_that_nobody_made_known_is_said_and_nothing_is_recorded(
    catalog: Catalog, batch: BatchRow
) -> None:
    (claim,) = claimed(catalog, batch, "run-1")
    with catalog.begin() as connection:
        connection.execute(sa.text("DELETE FROM store"))

    with pytest.raises(SetupError, match="knows no store 'test'"):
        settle(catalog, claim, "stored")

    assert state_of(catalog, claim.asset_id) == "pending"


def test_claims_whose_answer_got_lost_are_found_again_by_the_same_holder(
    catalog: Catalog, batch: BatchRow
) -> None:
    known = claimed(catalog, batch, "run-1", limit=5)
    claimed(catalog, batch, "run-1", limit=10)  # the answer to this one never arrived

    again = claim_batch(
        catalog,
        batch.id,
        holder="run-1",
        limit=100,
        lease_seconds=60,
        known=[claim.token for claim in known],
    )

    assert len(again) == 35
    assert not {claim.asset_id for claim in known} & {claim.asset_id for claim in again}
