"""Ask nodes for what only a holder of the bytes can know, and compare it with our own copy.

The answer is a hash over a fresh nonce and ranges that nobody can foresee, so it can neither
be kept from last time nor be taken from another node. It is computed when it is asked for,
from our own copy; before a node is called a liar, that copy is read again itself.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, cast

from shelter_pipeline.catalog import proofs as books
from shelter_pipeline.catalog.node_deeds import trust_of
from shelter_pipeline.catalog.nodes import NodeRow
from shelter_pipeline.catalog.proofs import (
    OpenProof,
    ProofRow,
    find_proof,
    open_proofs,
    proof_ledger,
    proved_files,
)
from shelter_pipeline.domain.challenges import NONCE_BYTES, Range, challenge_answer, draw_ranges
from shelter_pipeline.domain.errors import DamagedError, RefusedError
from shelter_pipeline.domain.trust import Deed, challenge_days
from shelter_pipeline.operations.brought_files import judge_files, settle_files
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.store import BlobStore

KIND = "challenge"
_DAY_SECONDS = 86_400.0
_READ_BYTES = 1024 * 1024
_DICE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class ChallengeOutcome:
    """What came of an answer: `passed`, `failed`, `missing`, or `void` if it is us who cannot tell."""

    outcome: str
    trust: float
    message: str


_MESSAGES = {
    "passed": "the answer is right, and the copy counts",
    "failed": "the answer is not that of the bytes: the copy does not count",
    "missing": "noted, and no trust is lost; the copy does not count",
    "void": "our own copy cannot be read at the moment; nothing is lost, and you will be asked again",
}


@dataclass(frozen=True, slots=True)
class StoredWhole:
    """A blob of a store as whole bytes to be looked at."""

    store: BlobStore
    sha256: str
    size: int

    def read_head(self, count: int, /) -> bytes:
        """The first `count` bytes, fewer if there are fewer."""
        return self._read(0, min(count, self.size))

    def read_tail(self, count: int, /) -> bytes:
        """The last `count` bytes, fewer if there are fewer."""
        count = min(count, self.size)
        return self._read(self.size - count, count)

    def open(self) -> BinaryIO:
        """All of them; to be closed by the caller."""
        return self.store.open(self.sha256)

    def _read(self, first: int, count: int) -> bytes:
        return b"".join(self.store.read_range(self.sha256, first, first + count - 1)) if count else b""


def open_challenges(workplace: Workplace, node: NodeRow) -> list[OpenProof]:
    """What this node is to answer, the most urgent first."""
    return open_proofs(workplace.catalog, node.id, KIND, limit=workplace.settings.challenges_per_node)


def issue_challenges(workplace: Workplace) -> int:
    """Challenge copies that are due, bounded for each node and in all; returns how many challenges were set."""
    settings = workplace.settings
    due = books.due_challenges(
        workplace.catalog,
        store=workplace.store.name,
        least_days=challenge_days(0.0, settings.challenge_days),
        most_days=challenge_days(1.0, settings.challenge_days),
        per_node=settings.challenges_per_node,
        limit=settings.challenges_per_run,
    )
    if not due:
        return 0
    drawn = [(one, secrets.token_bytes(NONCE_BYTES), draw_ranges(one.size, _DICE.randrange)) for one in due]
    seconds = settings.challenge_answer_days * _DAY_SECONDS
    return books.issue_challenges(workplace.catalog, drawn, seconds=seconds)


def answer_challenge(
    workplace: Workplace,
    node: NodeRow,
    challenge_id: int,
    *,
    answer: str | None = None,
    missing: bool = False,
) -> ChallengeOutcome:
    """Compare an answer with that of our own bytes, or note that the node has lost them.

    Raises RefusedError `not-found` if this node has no such challenge, `not-open` if it is
    over; one that was answered already gets the outcome of the first answer.
    """
    proof = find_proof(workplace.catalog, node.id, challenge_id)
    if proof is None or proof.kind != KIND:
        raise RefusedError(f"you have no challenge {challenge_id}", reason="not-found")
    if proof.state in ("passed", "failed"):
        return _outcome(workplace, node, proof.detail if proof.detail in _MESSAGES else proof.state)
    if proof.state != "open":
        raise RefusedError(f"the challenge {challenge_id} is over", reason="not-open")
    if missing:
        return _lost(workplace, node, proof)
    try:
        expected = expected_answer(workplace.store, proof)
    except (FileNotFoundError, DamagedError):
        return _void(workplace, node, proof, "missing")
    if hmac.compare_digest(expected.encode(), (answer or "").strip().lower().encode()):
        return _passed(workplace, node, proof)
    if not _is_intact(workplace.store, proof):
        return _void(workplace, node, proof, "damaged")
    return _failed(workplace, node, proof)


def expected_answer(store: BlobStore, proof: ProofRow) -> str:
    """What a holder of the bytes answers. Raises FileNotFoundError or DamagedError if we hold them no more."""

    def parts() -> Iterator[tuple[Range, Iterator[bytes]]]:
        with ExitStack() as opened:
            for first, last in proof.ranges:
                yield (first, last), opened.enter_context(store.read_range(proof.sha256, first, last))

    if not proof.ranges and store.size_of(proof.sha256) is None:
        raise FileNotFoundError(proof.sha256)
    return challenge_answer(bytes(proof.nonce or b""), parts())


def _is_intact(store: BlobStore, proof: ProofRow) -> bool:
    """Whether our own bytes are what they were: no node is called a liar for what has rotted here."""
    digest = hashlib.sha256()
    with store.open(proof.sha256) as file:
        while piece := cast(BufferedReader, file).read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest() == proof.sha256


def _passed(workplace: Workplace, node: NodeRow, proof: ProofRow) -> ChallengeOutcome:
    files = proved_files(workplace.catalog, node.id, proof.sha256) if proof.asset_id is not None else []
    whole = StoredWhole(workplace.store, proof.sha256, proof.size)
    judged = judge_files(workplace, proof, whole, files)
    with proof_ledger(workplace.catalog, node.id, proof, files) as ledger:
        if ledger.state == "open":
            ledger.close("passed")
            ledger.prove_copy(KIND)
            settle_files(ledger, judged, trust=node.trust, settings=workplace.settings)
            ledger.deed(Deed.CHALLENGE)
    return _outcome(workplace, node, "passed")


def _failed(workplace: Workplace, node: NodeRow, proof: ProofRow) -> ChallengeOutcome:
    files = proved_files(workplace.catalog, node.id, proof.sha256)
    with proof_ledger(workplace.catalog, node.id, proof, files) as ledger:
        if ledger.state == "open":
            ledger.close("failed", "the answer is not that of the bytes")
            ledger.fail_copy("damaged")
            ledger.give_back(files)
            ledger.deed(Deed.FAILED_CHALLENGE, "the answer is not that of the bytes")
    return _outcome(workplace, node, "failed")


def _lost(workplace: Workplace, node: NodeRow, proof: ProofRow) -> ChallengeOutcome:
    files = proved_files(workplace.catalog, node.id, proof.sha256)
    with proof_ledger(workplace.catalog, node.id, proof, files) as ledger:
        if ledger.state == "open":
            ledger.close("failed", "missing")
            ledger.fail_copy("missing")
            ledger.give_back(files)
    return _outcome(workplace, node, "missing")


def _void(workplace: Workplace, node: NodeRow, proof: ProofRow, state: str) -> ChallengeOutcome:
    """It is our own copy that is not there: the question is taken back, and the file is fetched again."""
    with proof_ledger(workplace.catalog, node.id, proof, []) as ledger:
        if ledger.state == "open":
            ledger.close("expired", f"our own copy is {state}")
            ledger.doubt_our_copy(workplace.store.name, state)
    return _outcome(workplace, node, "void")


def _outcome(workplace: Workplace, node: NodeRow, outcome: str) -> ChallengeOutcome:
    return ChallengeOutcome(outcome, trust_of(workplace.catalog, node.id), _MESSAGES[outcome])
