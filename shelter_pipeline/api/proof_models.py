"""What completions, uploads and challenges look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shelter_pipeline.domain.node_protocol import MOST_RESULTS
from shelter_pipeline.operations.node_reports import AskedProof, Outcome

NodeId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_A_RESULT = {
    "asset_id": 4711,
    "token": 99,
    "verdict": "stored",
    "reason": "stored",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": 4,
}


class CompleteBody(BaseModel):
    """How some of a node's claims ended. Each result is looked at by itself: a bad one is answered as `refused`."""

    node_id: NodeId
    results: Annotated[
        list[dict[str, Any]], Field(min_length=1, max_length=MOST_RESULTS, examples=[[_A_RESULT]])
    ]


class ProofWanted(BaseModel):
    """What has to be proved before a file counts."""

    id: int
    kind: str
    upload: str | None = None
    deadline: datetime

    @classmethod
    def of(cls, proof: AskedProof) -> ProofWanted:
        """The proof on the wire; an upload says where to."""
        upload = f"/uploads/{proof.id}" if proof.kind == "upload" else None
        return cls(id=proof.id, kind=proof.kind, upload=upload, deadline=proof.deadline)


class ResultOutcome(BaseModel):
    """What came of one result: `settled`, `late`, `unknown` or `refused`."""

    asset_id: int | None
    token: int | None
    outcome: str
    message: str
    proof: ProofWanted | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> ResultOutcome:
        """The outcome on the wire."""
        return cls(
            asset_id=outcome.asset_id,
            token=outcome.token,
            outcome=outcome.outcome,
            message=outcome.message,
            proof=ProofWanted.of(outcome.proof) if outcome.proof else None,
        )


class Completed(BaseModel):
    """The outcomes, in the order of the results, and the node's trust."""

    results: list[ResultOutcome]
    trust: float


class WantedUpload(BaseModel):
    """A file that is to be sent."""

    id: int
    asset_id: int | None
    sha256: str
    size: int
    upload: str
    deadline: datetime


class WantedUploads(BaseModel):
    """What a node is to send, the most urgent first."""

    uploads: list[WantedUpload]


class Uploaded(BaseModel):
    """What came of an upload: `counted`, or `suspect` where the bytes are not the file that was promised."""

    sha256: str
    size: int
    outcome: str
    trust: float
    message: str


class Challenge(BaseModel):
    """A question about a file: the SHA-256 of the nonce and, for each range, its bounds and its bytes."""

    id: int
    sha256: str
    size: int
    nonce: str
    ranges: list[tuple[int, int]]
    deadline: datetime


class Challenges(BaseModel):
    """What a node is to answer, the most urgent first."""

    challenges: list[Challenge]


class AnswerBody(BaseModel):
    """An answer in 64 hexadecimal digits, or the word that the file is gone: one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["answer"],
                    "properties": {"answer": {"type": "string"}, "missing": {"const": False}},
                },
                {
                    "required": ["missing"],
                    "properties": {"answer": {"type": "null"}, "missing": {"const": True}},
                },
            ]
        }
    )
    node_id: NodeId
    answer: Annotated[str | None, Field(pattern=r"^[0-9a-fA-F]{64}$")] = None
    missing: bool = False


class Answered(BaseModel):
    """What came of an answer: `passed`, `failed`, `missing` or `void`."""

    outcome: str
    trust: float
    message: str
