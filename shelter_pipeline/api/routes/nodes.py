"""What nodes say of themselves: registration, heartbeats, sign-off; and what everybody may see of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.errors import ApiError, failures, not_found
from shelter_pipeline.api.node_access import NodeInPath, NodeName, NodeVersion, node_for, refuse_older
from shelter_pipeline.api.node_models import (
    BlockBody,
    Decided,
    HeartbeatBody,
    Joined,
    NodePage,
    RegisterBody,
    Renewed,
    SeenNode,
    ShownNode,
    SignedOff,
    SignOffBody,
    UnblockBody,
)
from shelter_pipeline.api.remembered import remembered
from shelter_pipeline.api.security import Asking, Operator, Registrar
from shelter_pipeline.api.services import Serving, unhurried
from shelter_pipeline.catalog.nodes import NOTHING_HELD, NewNode, Said, count_open_proofs, node_holdings
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.networks import network_hash
from shelter_pipeline.operations import nodes
from shelter_pipeline.operations.api_tokens import api_pepper
from shelter_pipeline.operations.node_work import beat
from shelter_pipeline.release import RELEASE
from shelter_pipeline.settings import Settings

router = APIRouter(tags=["nodes"])
_BEATS_A_LEASE = 3
_LATER_SECONDS = 3600


@router.post("/nodes", status_code=201, responses=failures(401, 403, 409, 422, 426, 429, 503))
def register(
    serving: Serving,
    who: Registrar,
    version: NodeVersion,
    request: Request,
    response: Response,
    body: RegisterBody | None = None,
) -> Joined:
    """Join as a node, without trust. The token is shown in this answer and never again."""
    settings = serving.settings
    body = body or RegisterBody()
    said = body.version or version
    if said is not None:
        refuse_older(said, settings.min_node_version)
    address = request.client.host if request.client else ""
    new = NewNode(
        body.name or "", said, body.contact, network_hash(address, api_pepper(settings)), body.space_bytes
    )
    try:
        node, token = nodes.register(serving.workplace, new, is_invited="register" in who.scopes)
    except nodes.NameTakenError as error:
        raise ApiError(409, error.reason, str(error)) from error
    except nodes.TooManyNodesError as error:
        raise ApiError(429, error.reason, str(error), headers={"Retry-After": str(_LATER_SECONDS)}) from error
    response.headers["Location"] = f"/nodes/{node.name}"
    response.headers["Cache-Control"] = "no-store"
    return Joined(
        node_id=node.name,
        token=token,
        lease_seconds=settings.lease_seconds,
        heartbeat_seconds=_heartbeat_seconds(settings),
        minimum_version=settings.min_node_version,
    )


@router.post("/heartbeat", responses=failures(401, 403, 404, 422, 426, 503))
def heartbeat(body: HeartbeatBody, serving: Serving, asking: Asking, version: NodeVersion) -> Renewed:
    """Keep leases alive. A lease that is lost is somebody else's work now: stop."""
    workplace = serving.workplace
    node = node_for(workplace, asking, body.node_id, Said(version, body.free_bytes))
    found = beat(workplace, node, sorted({*body.tokens, *body.begun}), body.begun)
    challenges, uploads = count_open_proofs(workplace.catalog, node)
    return Renewed(
        renewed=sorted(found.renewed),
        lost=sorted(found.lost),
        lease_seconds=serving.settings.lease_seconds,
        heartbeat_seconds=_heartbeat_seconds(serving.settings),
        challenges=challenges,
        uploads=uploads,
        message=nodes.advice(node, RELEASE),
    )


@router.post("/nodes/{node_id}/sign-off", responses=failures(401, 403, 404, 422, 426, 503))
def sign_off(
    node_id: NodeInPath,
    serving: Serving,
    asking: Asking,
    version: NodeVersion,
    _body: SignOffBody | None = None,
) -> SignedOff:
    """Leave: work goes back at once, copies count less and less. Asking for work again is coming back."""
    node = node_for(serving.workplace, asking, node_id, Said(version))
    released, copies = nodes.sign_off(serving.workplace, node)
    return SignedOff(released=released, copies=copies)


@router.get("/nodes", responses=failures(422, 503))
def list_nodes(
    serving: Serving,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 100,
    after: Annotated[NodeName | None, Query(description="`next` of the page before.")] = None,
) -> NodePage:
    """Who helps, by nickname. What they hold may be some minutes old where there is much of it."""
    workplace = serving.workplace
    rows, following = nodes.nodes_page(workplace, after=after or "", limit=limit)

    def weigh() -> dict[int, dict[str, Any]]:
        with unhurried(workplace) as patient:
            return node_holdings(patient.catalog)

    held = remembered(request, "holdings", weigh)
    return NodePage(
        items=[SeenNode.of({**row, **held.get(row["id"], NOTHING_HELD)}) for row in rows], next=following
    )


@router.get("/nodes/{node_id}", responses=failures(404, 422, 503))
def show_node(node_id: NodeInPath, serving: Serving) -> ShownNode:
    """One node: what it holds, how far it is trusted, and every proof and lie that made it so."""
    with _known():
        return ShownNode.of(nodes.show_node(serving.workplace, node_id))


@router.post("/nodes/{node_id}/block", responses=failures(401, 403, 404, 422, 503))
def block(node_id: NodeInPath, body: BlockBody, serving: Serving, who: Operator) -> Decided:
    """Give a node nothing more and take back its work. For operators."""
    with _known():
        released = nodes.block(serving.workplace, node_id, why=body.why, who=who.who)
    return Decided(node_id=node_id, blocked=True, released=released)


@router.post("/nodes/{node_id}/unblock", responses=failures(401, 403, 404, 422, 503))
def unblock(node_id: NodeInPath, serving: Serving, who: Operator, body: UnblockBody | None = None) -> Decided:
    """Let a node help again, with the trust that it has. For operators."""
    with _known():
        nodes.unblock(serving.workplace, node_id, why=body.why if body else "", who=who.who)
    return Decided(node_id=node_id, blocked=False, released=0)


def _heartbeat_seconds(settings: Settings) -> float:
    return settings.lease_seconds / _BEATS_A_LEASE


@contextmanager
def _known() -> Iterator[None]:
    """A node that is not known is a 404."""
    try:
        yield
    except SetupError as error:
        raise not_found("there is no node of this name; GET /nodes lists them") from error
