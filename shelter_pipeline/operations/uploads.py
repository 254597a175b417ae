"""Receive what a node says it fetched: hashed again as it comes, and counted only if it is what was reported.

Bytes go into a private partial of the store; nothing of them is seen before they are
whole, equal to the report, and looked at like those of our own fetches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shelter_pipeline.catalog.claims import know_store
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
from shelter_pipeline.domain.errors import RefusedError, TransientError
from shelter_pipeline.domain.trust import Deed
from shelter_pipeline.operations.brought_files import judge_files, settle_files
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.store import Partial

KIND = "upload"
_COUNTED, _SUSPECT = "counted", "suspect"
_MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """What came of an upload: `counted`, or `suspect` if the bytes are as reported and not the file."""

    sha256: str
    size: int
    outcome: str
    trust: float
    message: str


def open_uploads(workplace: Workplace, node: NodeRow) -> list[OpenProof]:
    """What this node is to send, the most urgent first."""
    return open_proofs(workplace.catalog, node.id, KIND, limit=_MOST_LISTED)


def receive_upload(
    workplace: Workplace, node: NodeRow, proof_id: int, pieces: Iterable[bytes], length: int
) -> UploadOutcome:
    """Take the bytes of an upload, `length` of them as its head says, and settle what hangs on them.

    Raises RefusedError `not-found` if this node owes no such upload, `not-open` if it is too
    late, `wrong-length` and `wrong-upload` for other bytes than were reported, which costs
    trust; TransientError `connection-lost` for a transfer that broke off, which costs
    nothing and may be tried again until the deadline.
    """
    proof = find_proof(workplace.catalog, node.id, proof_id)
    if proof is None or proof.kind != KIND:
        raise RefusedError(f"you are asked for no upload {proof_id}", reason="not-found")
    if proof.state == "passed":  # the answer got lost
        return _counted(workplace, node, proof, proof.detail or _COUNTED)
    if proof.state != "open":
        raise RefusedError(f"the upload {proof_id} has {proof.state}: ask for new work", reason="not-open")
    if length != proof.size:
        _lied(workplace, node, proof, f"an upload of {length} bytes, and {proof.size} were reported")
        raise RefusedError(
            f"you reported {proof.size} bytes and would send {length}: this does not count",
            reason="wrong-length",
        )
    know_store(workplace.catalog, workplace.store.name)
    with workplace.store.receive() as partial:
        for piece in pieces:
            if not workplace.has_room():  # it was there when the bytes were asked for
                raise TransientError("our disk is as full as it may be; send it later", reason="no-space")
            if partial.size + len(piece) > length:
                raise TransientError("more bytes came than Content-Length said", reason="connection-lost")
            partial.write(piece)
        if partial.size < length:
            raise TransientError(
                f"the upload broke off after {partial.size} of {length} bytes; send it again",
                reason="connection-lost",
            )
        if partial.sha256 != proof.sha256:
            _lied(workplace, node, proof, f"the bytes sent have the SHA-256 {partial.sha256}")
            raise RefusedError(
                f"the bytes have the SHA-256 {partial.sha256}, and you reported {proof.sha256}: this does not count",
                reason="wrong-upload",
            )
        return _settle(workplace, node, proof, partial)


def _settle(workplace: Workplace, node: NodeRow, proof: ProofRow, partial: Partial) -> UploadOutcome:
    """Bytes into the store, then rows: a crash between leaves a blob too many, and the node sends it again."""
    files = proved_files(workplace.catalog, node.id, proof.sha256)
    judged = judge_files(workplace, proof, partial, files)
    is_suspect = bool(judged) and not any(one.is_the_file for one in judged)
    outcome = _SUSPECT if is_suspect else _COUNTED
    if is_suspect:
        workplace.store.keep_suspect(partial)
    else:
        workplace.store.publish(partial, expected_size=proof.size)
    with proof_ledger(workplace.catalog, node.id, proof, files) as ledger:
        if ledger.state != "passed":  # else another connection sent the same and was first
            # Bytes that came after the deadline prove themselves as well.
            ledger.close("passed", outcome)
            if not is_suspect:
                ledger.store_blob(workplace.store.name, proof.size)
                ledger.prove_copy(KIND)
            settle_files(ledger, judged, trust=node.trust, settings=workplace.settings)
            if not is_suspect:
                ledger.deed(Deed.UPLOAD)
    return _counted(workplace, node, proof, outcome)


def _counted(workplace: Workplace, node: NodeRow, proof: ProofRow, outcome: str) -> UploadOutcome:
    messages = {
        _COUNTED: "the bytes are as reported, and the copy counts",
        _SUSPECT: "the bytes are as reported, and they are not the file that was promised",
    }
    trust = trust_of(workplace.catalog, node.id)
    return UploadOutcome(proof.sha256, proof.size, outcome, trust, messages[outcome])


def _lied(workplace: Workplace, node: NodeRow, proof: ProofRow, detail: str) -> None:
    files = proved_files(workplace.catalog, node.id, proof.sha256)
    with proof_ledger(workplace.catalog, node.id, proof, files) as ledger:
        if ledger.state == "open":
            ledger.close("failed", detail)
            ledger.give_back(files)
            ledger.deed(Deed.WRONG_UPLOAD, detail)
