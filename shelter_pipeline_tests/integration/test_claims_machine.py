"""Runs and nodes claim, renew, lose, give back and settle in any order: what may be live is what a small model says.

`SHELTER_TEST_EXAMPLES` makes it try more than a few; the suite has other things to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shelter_pipeline.catalog.batches import find_batch, plannable_assets, write_batches
from shelter_pipeline.catalog.claims import ClaimedAsset, claim_batch, renew_claims
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.operations.node_work import (
    Wishes,
    allocate_work,
    beat,
    housekeep,
    refresh_queue,
    release_work,
)
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.node_work import node, report, run, scalar, settle, waiting
from shelter_pipeline_tests.support.workplaces import a_workplace

FILES, NODES, FETCHES, QUORUM = 5, ("a", "b", "c"), 2, 2
EXAMPLES = int(os.environ.get("SHELTER_TEST_EXAMPLES", "6"))
RUN = "run"
EMPTIED = ("DELETE FROM capture", "DELETE FROM claim", "DELETE FROM work", "DELETE FROM host_slot")


@dataclass
class Model:
    """Which claims are live, by token: the file, and the node or the run that has it."""

    live: dict[int, tuple[int, str]] = field(default_factory=dict)
    wanted: set[int] = field(default_factory=set)
    planned: set[int] = field(default_factory=set)
    given: dict[int, tuple[int, str]] = field(default_factory=dict)  # as `live`, and never forgotten
    told: set[tuple[int, str]] = field(default_factory=set)  # who reported what: not given it again
    gone: set[tuple[int, str]] = field(default_factory=set)  # who reported in time that it is not there

    def give(self, token: int, file: int, who: str) -> None:
        self.live[token] = self.given[token] = (file, who)

    def is_final(self, file: int) -> bool:
        by = {who for one, who in self.gone if one == file}
        return RUN in by or len(by) >= QUORUM

    def holders(self, file: int) -> list[str]:
        return [who for held, who in self.live.values() if held == file]

    def open_to_run(self) -> set[int]:
        return {file for file in self.wanted & self.planned if not self.holders(file)}

    def open_to(self, name: str) -> set[int]:
        return {
            file
            for file in self.wanted
            if RUN not in (by := self.holders(file))
            and len(by) < FETCHES
            and name not in by
            and (file, name) not in self.told
        }


class Claims(RuleBasedStateMachine):
    """The real thing beside the model."""

    workplace: Workplace
    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.catalog = self.workplace.catalog
        for emptied in EMPTIED:
            run(self.catalog, emptied)
        run(self.catalog, "UPDATE batch SET state = 'failed'")
        run(
            self.catalog,
            "UPDATE asset SET state = 'pending', attempts = 0, batch_id = NULL, next_attempt_at = now(), reason = NULL",
        )
        identity = organization_id(self.catalog, "epa-gov")
        plan = plan_batches(plannable_assets(self.catalog, identity), BatchLimits(500, 10**12, 1))
        (key,) = write_batches(self.catalog, identity, "epa-gov", plan, urgent=False)
        self.batch = find_batch(self.catalog, key).id
        files = set(scalar(self.catalog, "SELECT array_agg(id) FROM asset"))
        self.model = Model(wanted=set(files), planned=set(files))
        self.runs = 0

    @rule(target=tokens, count=st.integers(1, FILES))
    def a_run_claims(self, count: int) -> object:
        self.runs += 1
        taken = claim_batch(
            self.catalog, self.batch, holder=f"run-{self.runs}", limit=count, lease_seconds=3600
        )
        assert len(taken) == min(count, len(self.model.open_to_run()))
        assert {claim.asset_id for claim in taken} <= self.model.open_to_run()
        for claim in taken:
            self.model.give(claim.token, claim.asset_id, RUN)
        return multiple(*(claim.token for claim in taken))

    @rule(target=tokens, name=st.sampled_from(NODES), count=st.integers(1, FILES), told=st.booleans())
    def a_node_asks(self, name: str, count: int, told: bool) -> object:
        if told:
            refresh_queue(self.workplace)
        taken = allocate_work(self.workplace, node(self.workplace, name), Wishes(10**12, limit=count))
        allowed = self.model.open_to(name)
        assert {one.asset_id for one in taken} <= allowed
        assert len({one.asset_id for one in taken}) == len(taken) <= count
        assert not told or len(taken) == min(count, len(allowed))
        for one in taken:
            assert one.token > max(self.model.live, default=0)
            self.model.give(one.token, one.asset_id, name)
            self.model.planned.discard(one.asset_id)
        return multiple(*(one.token for one in taken))

    @rule(token=tokens, name=st.sampled_from((*NODES, RUN)))
    def somebody_renews(self, token: int, name: str) -> None:
        if name == RUN:
            if self.model.live.get(token, (0, RUN))[1] == RUN:
                assert (
                    renew_claims(self.catalog, [token], lease_seconds=3600)
                    == {token} & self.model.live.keys()
                )
            return
        renewed = beat(self.workplace, node(self.workplace, name), [token], [token]).renewed
        assert renewed == ({token} if self.model.live.get(token, (0, ""))[1] == name else set())

    @rule(token=tokens, name=st.sampled_from(NODES))
    def somebody_gives_back(self, token: int, name: str) -> None:
        file, who = self.model.live.get(token, (0, ""))
        released = release_work(
            self.workplace, node(self.workplace, name), asset_ids=[file] if file else None, token=token
        )
        assert released == (who == name)
        if released:
            del self.model.live[token]

    @rule(token=consumes(tokens), name=st.sampled_from((*NODES, RUN)), gone=st.booleans())
    def somebody_settles(self, token: int, name: str, gone: bool) -> None:
        file, owner = self.model.given[token]
        is_live = token in self.model.live and owner == name
        reason = "not-found" if gone else "server-error"
        before = scalar(self.catalog, "SELECT state FROM asset WHERE id = :id", id=file)
        assert self._settle(token, name, reason) == is_live
        if owner == name != RUN:
            self.model.told.add((file, name))
        if is_live:
            del self.model.live[token]
            if gone:
                self.model.gone.add((file, name))
            if gone and self.model.is_final(file):
                self.model.wanted.discard(file)
            else:  # asked for again by anybody, and due at once
                self.model.wanted.add(file)
            run(
                self.catalog, "UPDATE asset SET attempts = 0, next_attempt_at = now() WHERE state = 'pending'"
            )
        else:
            assert scalar(self.catalog, "SELECT state FROM asset WHERE id = :id", id=file) == before

    @rule(token=tokens)
    def a_lease_runs_out(self, token: int) -> None:
        run(self.catalog, "UPDATE claim SET lease_until = now() - interval '1 s' WHERE token = :t", t=token)
        housekeep(self.workplace)
        self.model.live.pop(token, None)

    @invariant()
    def the_catalog_holds_what_the_model_says(self) -> None:
        with self.catalog.begin() as connection:
            rows = connection.exec_driver_sql(
                "SELECT token, asset_id, coalesce(node.name, 'run') FROM claim"
                " LEFT JOIN node ON node.id = claim.node_id WHERE state = 'held'"
            ).all()
        assert {token: (file, who) for token, file, who in rows} == self.model.live

    def _settle(self, token: int, name: str, reason: str) -> bool:
        file, _ = self.model.given[token]
        if name != RUN:
            return report(self.workplace, node(self.workplace, name), file, token, reason)
        claim = ClaimedAsset(token, file, "", "", None, None, None, None, None, None, None, 0)
        return settle(self.workplace, claim, reason)


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(
        catalog_url,
        tmp_path / "store",
        host_connections=20,
        asset_max_attempts=10**6,
        independent_fetches=FETCHES,
        quorum_nodes=QUORUM,
    ) as opened:
        yield opened


@pytest.mark.timeout(600)
def test_claims_behave_as_a_model_of_ten_lines(workplace: Workplace) -> None:
    waiting(workplace, [f"https://h.example/{number}.csv" for number in range(FILES)])
    machine = type("ClaimsHere", (Claims,), {"workplace": workplace})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
