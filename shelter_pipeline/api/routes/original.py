"""The documented requests of the original system, as they stand: allocate, release, update-ckan, status."""

from __future__ import annotations

import random
from typing import Any

from fastapi import APIRouter, Request, Response

from shelter_pipeline.api.errors import failures, not_found
from shelter_pipeline.api.idempotency import Answer, OnlyOnce
from shelter_pipeline.api.node_access import NodeVersion, node_for
from shelter_pipeline.api.remembered import remembered
from shelter_pipeline.api.security import Asking, Operator
from shelter_pipeline.api.services import Serving, unhurried
from shelter_pipeline.api.work_models import (
    AllocateBody,
    AllocatedItem,
    ReleaseBody,
    Released,
    Status,
    UpdateBody,
    Updated,
)
from shelter_pipeline.catalog.nodes import NodeRow, Said, count_open_proofs
from shelter_pipeline.operations.node_work import Wishes, allocate_work, release_work
from shelter_pipeline.operations.overrides import set_priorities
from shelter_pipeline.operations.status import count_totals, look_around, system_status
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.release import RELEASE

router = APIRouter(tags=["work"])
_SENDS_SECONDS = 5  # a node that has to send what it fetched may have more once it has
_NOTHING_NOW_SECONDS = (30, 45)  # spread, so that nodes that wait do not come back together


@router.post(
    "/allocate", response_model=list[AllocatedItem], responses=failures(401, 403, 404, 409, 422, 426, 503)
)
def allocate(
    body: AllocateBody, serving: Serving, asking: Asking, version: NodeVersion, once: OnlyOnce
) -> Response:
    """Work for a node, what is most in need first; each file is its alone until the lease ends.

    Empty when there is nothing now that fits; `Retry-After` says when to ask again.
    """
    workplace = serving.workplace
    said = Said(version, body.free_bytes, body.bandwidth_mbps, body.uptime_hours)
    node = node_for(workplace, asking, body.node_id, said, returns=True)
    return once.answer(lambda: _allocated(workplace, node, body), node=node.name)


@router.post("/release", response_model=Released, responses=failures(401, 403, 404, 409, 422, 426, 503))
def release(
    body: ReleaseBody, serving: Serving, asking: Asking, version: NodeVersion, once: OnlyOnce
) -> Response:
    """Give work back: others get it at once, and it counts as no failure. What is not the node's stays as it is."""
    workplace = serving.workplace
    node = node_for(workplace, asking, body.node_id, Said(version))
    return once.answer(lambda: _released(workplace, node, body), node=node.name)


@router.post("/update-ckan", response_model=Updated, responses=failures(401, 403, 409, 422, 503))
def update_ckan(body: UpdateBody, serving: Serving, who: Operator, once: OnlyOnce) -> Response:
    """Set the priority of files, 1 to 10, ten first; it holds until it is set anew or revoked. For operators."""
    return once.answer(lambda: _updated(serving.workplace, body, who.who))


@router.get("/status", responses=failures(503))
def status(serving: Serving, request: Request) -> Status:
    """The system at a glance: what is held, what is going on, and whether a person is needed."""
    workplace = serving.workplace
    now = look_around(workplace)  # first: where the catalog is away, nobody waits for the sums

    def count() -> dict[str, Any]:
        with unhurried(workplace) as patient:
            return count_totals(patient)

    totals = remembered(request, "totals", count)
    return Status.model_validate(system_status(workplace, now, totals) | {"version": RELEASE})


def _allocated(workplace: Workplace, node: NodeRow, body: AllocateBody) -> Answer:
    wishes = Wishes(
        free_bytes=body.free_bytes,
        limit=body.limit,
        bandwidth_mbps=body.bandwidth_mbps,
        uptime_hours=body.uptime_hours,
        purposes=tuple(sorted(set(body.purposes), reverse=True)),
    )
    found = allocate_work(workplace, node, wishes) if body.free_bytes else []
    if found:
        return Answer([AllocatedItem.of(item) for item in found])
    _, uploads = count_open_proofs(workplace.catalog, node)
    seconds = _SENDS_SECONDS if uploads else random.randint(*_NOTHING_NOW_SECONDS)
    return Answer([], headers={"Retry-After": str(seconds)}, is_done=False)


def _released(workplace: Workplace, node: NodeRow, body: ReleaseBody) -> Answer:
    named = body.named
    count = release_work(workplace, node, asset_ids=named, token=body.token)
    if named is None:
        return Answer(Released(message=f"{_files(count)} given back: all that was yours", released=count))
    if count == 0:
        which = f"file {named[0]} is not" if len(named) == 1 else "none of these files is"
        raise not_found(f"{which} allocated to {node.name!r}{' under this lease' if body.token else ''}")
    if count == len(named) == 1:
        message = f"file {named[0]} is free again"
    else:
        left = len(named) - count
        message = f"{_files(count)} given back" + (f"; {left} were not yours" if left else "")
    return Answer(Released(message=message, released=count))


def _updated(workplace: Workplace, body: UpdateBody, who: str) -> Answer:
    levels = {update.asset_id: update.new_priority for update in body.updates}
    known = set(set_priorities(workplace, list(levels.items()), who)) if levels else set()
    return Answer(Updated(updated_items=len(known), unknown=sorted(levels.keys() - known)))


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
