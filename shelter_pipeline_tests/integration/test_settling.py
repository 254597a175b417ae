"""Settling: many captures in one transaction, each only under a claim that is still ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.claims import ClaimedAsset, know_store, renew_claims
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.settling import CaptureRow, Settlement, settle_claims
from shelter_pipeline.dispatch.patience import patiently
from shelter_pipeline.domain.errors import CatalogAwayError, SetupError
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.verdicts import verdict_of
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

FILES = 40
ROUNDS = 200
_CLAIM = """
WITH taken AS (
    INSERT INTO claim (asset_id, holder, lease_until, state, ended_at)
    SELECT id, :holder, now() + interval '1 hour', :state, CASE WHEN :state <> 'held' THEN now() END
      FROM asset ORDER BY id
    RETURNING token, asset_id
)
SELECT taken.token, asset.id AS asset_id, asset.url, asset.host, asset.format, asset.media_type, asset.checksum,
       asset.expected_size, asset.sha256, asset.etag, asset.last_modified, asset.attempts
  FROM taken JOIN asset ON asset.id = taken.asset_id
 ORDER BY taken.token
"""


@pytest.fixture
def files(catalog: Catalog) -> Catalog:
    """A catalog of forty files, and a store that it knows."""
    know_store(catalog, "test")
    portal = a_portal(catalog)
    resources = [a_resource(f"https://epa.example/{n}.csv", key=str(n), position=n) for n in range(FILES)]
    harvested(catalog, portal, [a_dataset("1", *resources)])
    discovered(catalog, portal)
    return catalog


def claims(catalog: Catalog, *, holder: str = "run", state: str = "held") -> list[ClaimedAsset]:
    """A claim of every file, in the order of their ids."""
    with catalog.begin() as connection:
        rows = connection.execute(sa.text(_CLAIM), {"holder": holder, "state": state}).mappings()
        return [ClaimedAsset(**row) for row in rows]


def stored(claim: ClaimedAsset, sha256: str, reason: str = "stored") -> Settlement:
    held = reason == "stored"
    capture = CaptureRow(
        verdict=verdict_of(reason).value,
        reason=reason,
        detail="",
        final_url=claim.url,
        status=200,
        heads={"request": [], "response": [["X", "caf\xe9"]], "hops": []},
        flags=("surplus",),
        requests=1,
        wire_bytes=5,
        sha256=sha256 if held else None,
        size=5 if held else None,
        media_type="text/csv",
        etag='"v1"',
        last_modified=None,
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:00:01+00:00",
        held=held,
    )
    return Settlement(claim, capture, follow_up(reason, claim.attempts, max_attempts=5))


def settle(catalog: Catalog, settlements: list[Settlement], store: str = "test") -> set[int]:
    return settle_claims(catalog, settlements, batch_id=None, store=store)


def scalar(catalog: Catalog, query: str) -> Any:
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def test_a_group_is_settled_together_and_each_file_by_its_own_end(files: Catalog) -> None:
    held, *others, last = claims(files)
    group = [
        stored(held, "a" * 64),
        stored(last, "", "not-found"),
        *(stored(one, "", "server-error") for one in others),
    ]

    ours = settle(files, group)

    assert ours == {one.claimed.token for one in group}
    with files.begin() as connection:
        states = connection.execute(
            sa.text("SELECT state, count(*) FROM asset GROUP BY state ORDER BY state")
        ).all()
    assert [tuple(row) for row in states] == [("failed", 1), ("held", 1), ("pending", FILES - 2)]
    assert scalar(files, "SELECT count(*) FROM capture WHERE NOT late") == FILES
    assert scalar(files, "SELECT etag FROM asset WHERE state = 'held'") == '"v1"'


def test_what_was_lost_meanwhile_is_evidence_and_the_rest_of_the_group_counts(files: Catalog) -> None:
    lost = claims(files, holder="slow", state="expired")
    owned = claims(files, holder="quick")
    group = [stored(lost[0], "a" * 64), stored(owned[0], "b" * 64), stored(lost[1], "", "not-found")]

    ours = settle(files, group)

    assert ours == {owned[0].token}
    assert scalar(files, "SELECT count(*) FROM capture WHERE late") == 2
    assert (
        scalar(files, "SELECT string_agg(sha256, ' ' ORDER BY sha256) FROM blob") == f"{'a' * 64} {'b' * 64}"
    )
    with files.begin() as connection:
        assets = connection.execute(sa.text("SELECT state, sha256 FROM asset ORDER BY id")).all()
    assert [tuple(row) for row in assets[:2]] == [("held", "b" * 64), ("pending", None)]


def test_files_of_the_same_bytes_are_one_blob_with_one_copy(files: Catalog) -> None:
    group = [stored(claim, "c" * 64) for claim in claims(files)]

    assert len(settle(files, group)) == FILES

    assert scalar(files, "SELECT count(*) FROM blob") == 1
    assert scalar(files, "SELECT count(*) FROM copy") == 1
    assert scalar(files, "SELECT count(*) FROM asset WHERE sha256 = repeat('c', 64)") == FILES


def test_bytes_in_an_unknown_store_record_nothing_at_all(files: Catalog) -> None:
    group = [stored(claim, f"{claim.asset_id:064x}") for claim in claims(files)]

    with pytest.raises(SetupError, match="knows no store"):
        settle(files, group, store="elsewhere")

    assert scalar(files, "SELECT count(*) FROM capture") == 0
    assert scalar(files, "SELECT count(*) FROM blob") == 0
    assert scalar(files, "SELECT count(*) FROM claim WHERE state = 'held'") == FILES
    assert len(settle(files, group)) == FILES


def test_a_group_that_is_settled_twice_counts_once(files: Catalog) -> None:
    group = [stored(claim, f"{claim.asset_id:064x}") for claim in claims(files)]

    assert len(settle(files, group)) == FILES
    assert settle(files, group) == set()

    assert scalar(files, "SELECT count(*) FROM capture WHERE late") == FILES


def test_nothing_to_settle_is_settled(files: Catalog) -> None:
    assert settle(files, []) == set()


@pytest.mark.timeout(120)
def test_two_who_settle_the_same_files_and_blobs_in_opposite_orders_never_lose_a_word(files: Catalog) -> None:
    """Each owns half of the claims, knows of the other half that it lost, and both found the same bytes."""
    broken = count()
    failures: list[str] = []

    def work(group: list[Settlement]) -> set[int]:
        def once() -> set[int]:
            try:
                return settle(files, group)
            except CatalogAwayError as error:
                next(broken)
                failures.append(str(error))
                raise

        return patiently(once, for_seconds=30)

    with ThreadPoolExecutor(3) as pool:
        for number in range(ROUNDS):
            lost, owned = claims(files, holder="old", state="expired"), claims(files, holder=f"run-{number}")
            digests = [f"{number:032x}{n % 7:032x}" for n in range(FILES)]
            half = FILES // 2
            one = [*owned[:half], *lost[half:]]
            two = [*lost[:half], *owned[half:]]
            groups = (
                [stored(claim, digest) for claim, digest in zip(one, digests, strict=True)],
                [
                    stored(claim, digest)
                    for claim, digest in zip(reversed(two), reversed(digests), strict=True)
                ],
            )
            beat = pool.submit(
                renew_claims, files, [claim.token for claim in reversed(owned)], lease_seconds=60
            )
            first, second = pool.map(work, groups)
            beat.exception()
            assert first == {claim.token for claim in owned[:half]}
            assert second == {claim.token for claim in owned[half:]}

    assert scalar(files, "SELECT count(*) FROM capture WHERE NOT late") == ROUNDS * FILES
    assert (
        scalar(files, "SELECT count(*) FROM blob") == scalar(files, "SELECT count(*) FROM copy") == ROUNDS * 7
    )
    assert failures == []
