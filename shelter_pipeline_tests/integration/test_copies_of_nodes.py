"""A model of nodes' copies: whatever nodes do, in whatever order, no more counts than was proved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import NodeRow, find_node, know_node
from shelter_pipeline.catalog.proofs import ProofRow, find_proof
from shelter_pipeline.domain.challenges import challenge_answer
from shelter_pipeline.domain.errors import RefusedError, TransientError
from shelter_pipeline.domain.trust import LIES, Deed
from shelter_pipeline.operations.node_reports import read_report, settle_reports
from shelter_pipeline.operations.proofs import answer_challenge, prove_nodes, receive_upload
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.volunteers import change, claimed, csv, rows, stored, with_files
from shelter_pipeline_tests.support.workplaces import a_workplace

EXAMPLES = int(os.environ.get("TRUST_MODEL_EXAMPLES", "10"))
NODES, FILES = ("whale", "shark", "ray"), 3
NODE, FILE = st.sampled_from(NODES), st.integers(0, FILES - 1)


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """A workplace over a dataset of three files."""
    with_files(catalog, FILES)
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        yield opened


class CopiesOfNodes(RuleBasedStateMachine):
    """Ten lines of model: which copies were proved and not doubted since, and whose trust is gone."""

    def __init__(self, workplace: Workplace) -> None:
        super().__init__()
        self.workplace = workplace
        self.proved: set[tuple[str, int]] = set()
        self.lies = dict.fromkeys(NODES, 0)
        for table in ("testimony", "proof", "node_event", "capture", "claim", "copy"):
            change(workplace.catalog, f"DELETE FROM {table}")  # noqa: S608 - a name of ours
        change(
            workplace.catalog, "UPDATE asset SET state = 'pending', sha256 = NULL, size = NULL, reason = NULL"
        )
        change(workplace.catalog, "DELETE FROM blob")
        change(workplace.catalog, "DELETE FROM node")

    def node(self, name: str) -> NodeRow:
        return find_node(self.workplace.catalog, name) or know_node(self.workplace.catalog, name)

    def open_proof(self, name: str, kind: str, number: int) -> ProofRow | None:
        query = (
            "SELECT id FROM proof WHERE node_id = :node AND kind = :kind AND state = 'open' AND sha256 = :sha"
        )
        node, sha256 = self.node(name), stored(csv(number))["sha256"]
        found = rows(self.workplace.catalog, query, node=node.id, kind=kind, sha=sha256)
        return find_proof(self.workplace.catalog, node.id, found[0][0]) if found else None

    def lied(self, name: str) -> None:
        self.lies[name] += 1
        self.proved = {copy for copy in self.proved if copy[0] != name}

    @rule(name=NODE, number=FILE, copies=st.booleans())
    def report(self, name: str, number: int, copies: bool) -> None:
        change(
            self.workplace.catalog,
            "UPDATE claim SET state = 'expired', ended_at = now() WHERE state = 'held'",
        )
        asset_id, token = claimed(self.workplace.catalog, name, number, purpose="copy" if copies else "fetch")
        report = read_report({"asset_id": asset_id, "token": token, **stored(csv(number))})
        settle_reports(self.workplace, self.node(name), [report])

    @rule(name=NODE, number=FILE, sent=st.sampled_from(["right", "wrong", "short", "cut"]))
    def upload(self, name: str, number: int, sent: str) -> None:
        proof = self.open_proof(name, "upload", number)
        if proof is None:
            return
        data = csv(number)
        body = {"right": data, "wrong": data[:-2] + b"!\n", "short": data[:-1], "cut": data[:-1]}[sent]
        length = len(data) if sent == "cut" else len(body)
        try:
            receive_upload(self.workplace, self.node(name), proof.id, iter([body]), length)
            self.proved.add((name, number))
        except RefusedError:
            self.lied(name)
        except TransientError:
            assert sent == "cut"

    @rule(name=NODE, number=FILE, sent=st.sampled_from(["right", "wrong", "missing"]))
    def answer(self, name: str, number: int, sent: str) -> None:
        proof = self.open_proof(name, "challenge", number)
        if proof is None:
            return
        data = csv(number if sent == "right" else number + 100)
        parts: list[Any] = [((first, last), [data[first : last + 1]]) for first, last in proof.ranges]
        text = None if sent == "missing" else challenge_answer(bytes(proof.nonce or b""), parts)
        found = answer_challenge(self.workplace, self.node(name), proof.id, answer=text, missing=text is None)
        assert found.outcome == {"right": "passed", "wrong": "failed"}.get(sent, sent)
        if sent == "wrong":
            self.lied(name)
        change_of = self.proved.add if sent == "right" else self.proved.discard
        change_of((name, number))

    @rule(ages=st.booleans(), misses=st.booleans())
    def an_hour_passes(self, ages: bool, misses: bool) -> None:
        catalog = self.workplace.catalog
        if ages:
            change(
                catalog, "UPDATE copy SET verified_at = now() - interval '40 days' WHERE node_id IS NOT NULL"
            )
        if misses:
            query = (
                "SELECT name, sha256 FROM proof JOIN node ON node.id = node_id"
                " WHERE state = 'open' AND kind = 'challenge'"
            )
            missed = set(rows(catalog, query))
            self.proved = {
                (name, number)
                for name, number in self.proved
                if (name, stored(csv(number))["sha256"]) not in missed
            }
            change(catalog, "UPDATE proof SET deadline = now() WHERE state = 'open'")
        prove_nodes(self.workplace)

    @invariant()
    def no_more_counts_than_was_proved(self) -> None:
        numbers = {stored(csv(number))["sha256"]: number for number in range(FILES)}
        query = "SELECT name, sha256, blocked FROM copy JOIN node ON node.id = node_id WHERE state = 'good'"
        good = {(name, numbers[sha256]) for name, sha256, _ in rows(self.workplace.catalog, query)}
        assert good == self.proved
        query = "SELECT coalesce(sum(counts), 0) FROM copy WHERE node_id IS NOT NULL"
        assert rows(self.workplace.catalog, query)[0][0] <= len(self.proved)

    @invariant()
    def lies_are_kept_and_the_books_are_right(self) -> None:
        query = (
            "SELECT name, count(*) FROM node_event JOIN node ON node.id = node_id"
            " WHERE kind = ANY (:lies) GROUP BY name"
        )
        told = dict(rows(self.workplace.catalog, query, lies=[Deed(lie).value for lie in LIES]))
        assert told == {name: lies for name, lies in self.lies.items() if lies}
        broken = {name: count for name, count in audit(self.workplace.catalog).items() if count}
        assert broken == {}


def test_no_more_counts_than_was_proved_whatever_nodes_do(workplace: Workplace) -> None:
    run_state_machine_as_test(
        lambda: CopiesOfNodes(workplace),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
