"""What nodes say of themselves, and what everybody may see of them, in the words of docs/how-to/node-protocol.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from shelter_pipeline.api.moments import Moment
from shelter_pipeline.api.node_access import NodeName
from shelter_pipeline.api.parameters import Body, Key, Text
from shelter_pipeline.api.work_models import Gigabytes, StrictBody
from shelter_pipeline.domain.node_protocol import GB, MOST_TOKENS
from shelter_pipeline.domain.node_versions import LONGEST, VERSION_FORM

Version = Annotated[str, StringConstraints(max_length=LONGEST, pattern=VERSION_FORM)]
Tokens = Annotated[list[Key], Field(max_length=MOST_TOKENS)]


class RegisterBody(StrictBody):
    """A node that joins; it may leave out everything."""

    name: NodeName | None = None
    # As in the header: in words, beside 426.
    version: SkipJsonSchema[Version | None] = None
    contact: Annotated[Text, Field(max_length=200, description="For operators alone.")] | None = None
    space_gb: Gigabytes | None = None

    @property
    def space_bytes(self) -> int | None:
        """The room that the node gives, in bytes."""
        return None if self.space_gb is None else int(self.space_gb * GB)


class Joined(Body):
    """A node's name and token. The token is shown here and never again."""

    node_id: str
    token: str
    lease_seconds: float
    heartbeat_seconds: float
    minimum_version: str


class HeartbeatBody(StrictBody):
    """The leases that a node is at work on, and those of them whose download has begun."""

    node_id: NodeName
    tokens: Tokens = Field(default_factory=list)
    begun: Tokens = Field(default_factory=list)
    free_space_gb: Gigabytes | None = None

    @property
    def free_bytes(self) -> int | None:
        """The room that the node has, in bytes."""
        return None if self.free_space_gb is None else int(self.free_space_gb * GB)


class Renewed(Body):
    """Which leases live on, and what else is asked of the node."""

    renewed: list[int]
    lost: list[int]
    lease_seconds: float
    heartbeat_seconds: float
    challenges: int
    uploads: int
    message: str | None


class SignOffBody(StrictBody):
    """Nothing needs to be said."""


class SignedOff(Body):
    """What a node that leaves gave back, and how many copies it keeps."""

    status: Literal["signed-off"] = "signed-off"
    released: int
    copies: int


class SeenNode(Body):
    """A node as everybody may see it: neither its contact nor where it is."""

    node_id: str
    version: str | None
    trust: float
    blocked: bool
    blocked_why: str | None
    copies_good: int  # proved
    bytes_good: int
    copies_counted: float  # what the proved ones are worth: less when the node has been silent
    copies_claimed: int  # on its word; they count nothing
    bytes_claimed: int
    copies_lost: int  # found damaged or missing
    live_claims: int
    registered_at: Moment
    last_seen_at: Moment | None
    signed_off_at: Moment | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> SeenNode:
        """What is shown of a row."""
        return cls.model_validate({**row, "node_id": row["name"], "trust": round(row["trust"], 4)})


class NodeEvent(Body):
    """Something that raised or lowered the trust in a node, or that was decided about it."""

    kind: str
    detail: str
    asset_id: int | None
    sha256: str | None
    trust_before: float
    trust_after: float
    happened_at: Moment


class ShownNode(SeenNode):
    """A node and what is told of it, newest first."""

    events: list[NodeEvent]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> ShownNode:
        """What is shown of a row."""
        return cls.model_validate({**row, "node_id": row["name"], "trust": round(row["trust"], 4)})


class NodePage(Body):
    """Nodes by nickname; `next` is what `after` takes for the next page, null at the end."""

    items: list[SeenNode]
    next: str | None


class BlockBody(StrictBody):
    """Why a node gets nothing more: kept, and shown to the node and to everybody."""

    why: Annotated[Text, Field(min_length=1, max_length=500, pattern=r"\S")]


class UnblockBody(StrictBody):
    """Why a node may help again."""

    why: Annotated[Text, Field(max_length=500)] = ""


class Decided(Body):
    """What was decided about a node, and how much of its work was taken back."""

    node_id: str
    blocked: bool
    released: int
