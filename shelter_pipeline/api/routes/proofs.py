"""How nodes say what they did and prove what they hold: completion, uploads, challenges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from shelter_pipeline.api.arriving import Arriving, with_body
from shelter_pipeline.api.errors import ApiError, failures, not_found
from shelter_pipeline.api.idempotency import Answer, OnlyOnce
from shelter_pipeline.api.node_access import NodeVersion, node_for
from shelter_pipeline.api.proof_models import (
    AnswerBody,
    Answered,
    Challenge,
    Challenges,
    CompleteBody,
    Completed,
    NodeId,
    ResultOutcome,
    Uploaded,
    WantedUpload,
    WantedUploads,
)
from shelter_pipeline.api.security import Asking, Principal
from shelter_pipeline.api.services import Serving
from shelter_pipeline.catalog.node_deeds import trust_of
from shelter_pipeline.catalog.nodes import NodeRow, Said
from shelter_pipeline.catalog.proofs import proof_owner
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.node_reports import (
    Outcome,
    Report,
    ReportError,
    identity_of,
    read_report,
    settle_reports,
)
from shelter_pipeline.operations.proofs import (
    answer_challenge,
    open_challenges,
    open_uploads,
    receive_upload,
)
from shelter_pipeline.operations.uploads import UploadOutcome
from shelter_pipeline.operations.workplace import Workplace

router = APIRouter(tags=["proofs"])
_MOST = 2**63 - 1
_RETRY_SECONDS = 30
_STATUS = {
    "not-found": 404,
    "not-open": 409,
    "wrong-length": 422,
    "wrong-upload": 422,
    "connection-lost": 400,
    "no-space": 503,
    "store-failed": 503,
}
ProofId = Annotated[int, Path(ge=1, le=_MOST)]
OfNode = Annotated[NodeId, Query(description="The node's nickname.")]


@router.post("/complete", response_model=Completed, responses=failures(401, 403, 404, 409, 422, 426, 503))
def complete(
    body: CompleteBody, serving: Serving, asking: Asking, version: NodeVersion, once: OnlyOnce
) -> Response:
    """Say how claims ended. A stored file counts when it is proved; the answer says how."""
    workplace = serving.workplace
    node = node_for(workplace, asking, body.node_id, Said(version))
    return once.answer(lambda: _completed(workplace, node, body.results), node=node.name)


@router.get("/uploads", responses=failures(401, 403, 404, 422, 503))
def list_uploads(node_id: OfNode, serving: Serving, asking: Asking) -> WantedUploads:
    """What a node is to send, the most urgent first."""
    node = node_for(serving.workplace, asking, node_id)
    return WantedUploads(
        uploads=[
            WantedUpload(
                id=proof.id,
                asset_id=proof.asset_id,
                sha256=proof.sha256,
                size=proof.size,
                upload=f"/uploads/{proof.id}",
                deadline=proof.deadline,
            )
            for proof in open_uploads(serving.workplace, node)
        ]
    )


@router.put(
    "/uploads/{proof_id}",
    status_code=201,
    responses=failures(400, 401, 403, 404, 409, 411, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload(proof_id: ProofId, request: Request, serving: Serving, asking: Asking) -> Uploaded:
    """Send the bytes of a file that was reported; `Content-Length` is required. They are hashed again and kept."""
    length = _length_of(request)

    def receive(pieces: Arriving) -> UploadOutcome:
        node = _owner(serving.workplace, asking, proof_id)
        return receive_upload(serving.workplace, node, proof_id, pieces, length)

    try:
        found = await with_body(request, receive, at_once=serving.settings.node_uploads_at_once)
    except ShelterError as error:
        raise _told(error) from error
    return Uploaded(
        sha256=found.sha256,
        size=found.size,
        outcome=found.outcome,
        trust=found.trust,
        message=found.message,
    )


@router.get("/challenges", responses=failures(401, 403, 404, 422, 503))
def list_challenges(node_id: OfNode, serving: Serving, asking: Asking) -> Challenges:
    """What a node is to answer, the most urgent first."""
    node = node_for(serving.workplace, asking, node_id)
    return Challenges(
        challenges=[
            Challenge(
                id=proof.id,
                sha256=proof.sha256,
                size=proof.size,
                nonce=bytes(proof.nonce or b"").hex(),
                ranges=[(first, last) for first, last in proof.ranges],
                deadline=proof.deadline,
            )
            for proof in open_challenges(serving.workplace, node)
        ]
    )


@router.post("/challenges/{proof_id}", responses=failures(401, 403, 404, 409, 422, 426, 503))
def answer(
    proof_id: ProofId, body: AnswerBody, serving: Serving, asking: Asking, version: NodeVersion
) -> Answered:
    """Answer a challenge, or say that the file is gone, which costs no trust."""
    node = node_for(serving.workplace, asking, body.node_id, Said(version))
    if (body.answer is None) != body.missing:
        raise ApiError(422, "bad-request", "give an answer, or say that the file is missing: one of the two")
    try:
        found = answer_challenge(serving.workplace, node, proof_id, answer=body.answer, missing=body.missing)
    except ShelterError as error:
        raise _told(error) from error
    return Answered(outcome=found.outcome, trust=found.trust, message=found.message)


def _completed(workplace: Workplace, node: NodeRow, results: Sequence[dict[str, object]]) -> Answer:
    read = [_read(raw) for raw in results]
    settled = iter(settle_reports(workplace, node, [one for one in read if isinstance(one, Report)]))
    outcomes = [next(settled) if isinstance(one, Report) else one for one in read]
    return Answer(
        Completed(
            results=[ResultOutcome.of(outcome) for outcome in outcomes],
            trust=trust_of(workplace.catalog, node.id),
        )
    )


def _read(raw: dict[str, object]) -> Report | Outcome:
    try:
        return read_report(raw)
    except ReportError as error:
        return Outcome(*identity_of(raw), "refused", str(error))


def _owner(workplace: Workplace, asking: Principal, proof_id: int) -> NodeRow:
    """The node that sends: whose token it is, or on the local default whose proof it is."""
    name = proof_owner(workplace.catalog, proof_id) if asking.is_local else asking.node
    if name is None and not asking.is_local:
        raise ApiError(403, "forbidden", "only a node uploads: this token belongs to none")
    if name is None:
        raise not_found(f"there is no upload {proof_id}")
    return node_for(workplace, asking, name)


def _length_of(request: Request) -> int:
    text = request.headers.get("content-length")
    if text is None:
        raise ApiError(411, "length-required", "say with Content-Length how many bytes you send")
    return int(text)  # the server has checked that it is a number


def _told(error: ShelterError) -> Exception:
    status = _STATUS.get(error.reason)
    if status is None:
        return error
    headers = {"Retry-After": str(_RETRY_SECONDS)} if status == 503 else None  # noqa: PLR2004
    return ApiError(status, error.reason, str(error), headers=headers)
