"""Nodes, runs, scoring, harvests and housekeeping at work on the same files: nobody waits in a circle."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from shelter_pipeline.catalog.batches import begin_batch, find_batch, plannable_assets, write_batches
from shelter_pipeline.catalog.claims import claim_batch, release_claims
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.operations.node_reports import read_report, settle_reports
from shelter_pipeline.operations.node_work import Wishes, allocate_work, beat, housekeep, release_work
from shelter_pipeline.operations.nodes import block, sign_off, unblock
from shelter_pipeline.operations.overrides import set_priorities
from shelter_pipeline.operations.proofs import prove_nodes
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.node_work import node, run, scalar, settle, waiting
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested
from shelter_pipeline_tests.support.volunteers import csv, stored
from shelter_pipeline_tests.support.workplaces import a_workplace

TURNS = int(os.environ.get("EVERYBODY_TURNS", "6"))
NODES, FILES, HOSTS = 40, 200, 5
URLS = [f"https://h{number % HOSTS}.example/{number}.csv" for number in range(FILES)]


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    settings = {"host_connections": 9, "allowed_networks": "", "node_uploads": False}
    with a_workplace(catalog_url, tmp_path / "store", **settings) as opened:
        yield opened


def as_node(workplace: Workplace, number: int) -> None:
    dice, me = random.Random(number), node(workplace, f"n{number}")
    for _ in range(TURNS):
        items = allocate_work(workplace, me, Wishes(10**12, limit=dice.randint(1, 20)))
        tokens = [item.token for item in items]
        beat(workplace, me, dice.sample(tokens, len(tokens)), begun=tokens[:2])
        half = items[: len(items) // 2]
        dice.shuffle(half)
        settle_reports(
            workplace,
            me,
            [
                read_report({"asset_id": item.asset_id, "token": item.token} | stored(csv(item.asset_id)))
                for item in half
            ],
        )
        if dice.random() < 0.1:
            block(workplace, me.name, why="a test", who="me")
            unblock(workplace, me.name, why="", who="me")
        release_work(workplace, me)
    sign_off(workplace, me)


def as_run(workplace: Workplace, number: int) -> None:
    catalog, holder = workplace.catalog, f"run-{number}"
    owner = organization_id(catalog, "epa-gov")
    for _ in range(TURNS):
        plan = plan_batches(plannable_assets(catalog, owner), BatchLimits(20, 10**12, 5))
        for batch in write_batches(catalog, owner, "epa-gov", plan, urgent=False):
            row = find_batch(catalog, batch)
            begin_batch(catalog, row.id, holder)
            claims = claim_batch(catalog, row.id, holder=holder, limit=20, lease_seconds=60)
            for claim in claims[:5]:
                settle(workplace, claim, "server-error")
        release_claims(catalog, holder)


def as_harvest(workplace: Workplace) -> None:
    portal = a_portal(workplace.catalog)
    for turn in range(TURNS):
        listed = random.Random(turn).sample(URLS, len(URLS))
        resources = [a_resource(url, key=url, position=n, name=str(turn)) for n, url in enumerate(listed)]
        owner = OrganizationRecord("epa-gov", "epa-gov")
        harvested(workplace.catalog, portal, [a_dataset("epa-gov", *resources, organization=owner)])
        discovered(workplace.catalog, portal)


def as_operator(workplace: Workplace) -> None:
    for turn in range(TURNS):
        score_all(workplace)
        set_priorities(workplace, [(number, 1 + turn % 10) for number in range(1, 50)], "me")


def as_housekeeper(workplace: Workplace) -> None:
    for _ in range(TURNS * 3):
        run(workplace.catalog, "UPDATE claim SET lease_until = now() WHERE state = 'held' AND token % 7 = 0")
        housekeep(workplace)
        prove_nodes(workplace)


@pytest.mark.timeout(240)
def test_fifty_workers_of_every_kind_never_wait_for_one_another_in_a_circle(
    workplace: Workplace, catalog_url: str
) -> None:
    waiting(workplace, URLS)
    catalog = Catalog(catalog_url, pool_size=20)
    own = replace(workplace, catalog=catalog)
    work: list[Callable[[], None]] = [lambda number=n: as_node(own, number) for n in range(NODES)]  # type: ignore[misc]
    work += [lambda number=n: as_run(own, number) for n in range(4)]  # type: ignore[misc]
    work += [lambda: as_harvest(own), lambda: as_operator(own), *[lambda: as_housekeeper(own)] * 4]

    with ThreadPoolExecutor(len(work)) as pool:
        ended = [pool.submit(one) for one in work]
        troubles = [
            f"{error!r}: {error.__cause__ or error.__context__}"
            for one in ended
            if (error := one.exception())
        ]
    catalog.close()

    assert troubles == []
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert scalar(workplace.catalog, deadlocks) == 0
    assert scalar(workplace.catalog, "SELECT count(*) FROM capture WHERE reason = 'unproved'") > 0
