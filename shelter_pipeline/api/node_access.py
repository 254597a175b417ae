"""Which node is asking, and whether it may: its token, its version, and whether it is blocked."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path
from pydantic import StringConstraints

from shelter_pipeline.api.errors import ApiError, not_found
from shelter_pipeline.api.security import Principal, speaking_for
from shelter_pipeline.api.services import Serving
from shelter_pipeline.catalog.nodes import NodeRow, Said, find_node, know_node, see_node
from shelter_pipeline.domain.node_protocol import VERSION_HEADER
from shelter_pipeline.domain.node_versions import LONGEST, VERSION_FORM, is_older
from shelter_pipeline.operations.workplace import Workplace

# `node_protocol.NODE_NAME`, in the words of JSON Schema.
_NAME_FORM = "^[A-Za-z0-9][A-Za-z0-9._-]*$"
NodeName = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=64, pattern=_NAME_FORM),
]
NodeInPath = Annotated[NodeName, Path(description="The node's nickname.")]


def version_of(
    serving: Serving,
    said: Annotated[
        str,
        Header(
            alias=VERSION_HEADER,
            max_length=LONGEST,
            pattern=VERSION_FORM,
            # A schema cannot say which versions are too old: the document says it in words, beside 426.
            include_in_schema=False,
        ),
    ] = "",
) -> str | None:
    """The version that the node's program says; None: it is not one of ours, and is let in.

    Raises ApiError 426 for one that is older than SHELTER_MIN_NODE_VERSION, whatever else it says: an old
    program may have other fields.
    """
    if said:
        refuse_older(said, serving.settings.min_node_version)
    return said or None


def refuse_older(version: str, minimum: str) -> None:
    """Raise ApiError 426, with a sentence how to update, if a node's program is older than what is needed."""
    if is_older(version, minimum):
        raise ApiError(
            426,
            "too-old",
            f"this node runs version {version}, and {minimum} or newer is needed: get the newest Shelter"
            " (git pull, then make setup) and start the node again; it keeps what it holds",
            # RFC 9110, 15.5.22: the answer names what to upgrade to.
            headers={"Upgrade": f"shelter-node/{minimum}", "Connection": "Upgrade"},
        )


NodeVersion = Annotated[str | None, Depends(version_of)]


def node_for(
    workplace: Workplace,
    asking: Principal,
    name: str,
    said: Said | None = None,
    *,
    returns: bool = False,
) -> NodeRow:
    """The node of this nickname, for whom this principal speaks; what it `said` of itself is noted.

    On the local default one that is not known is made known, without trust. With `returns` one that
    had signed off is back. Raises ApiError 401 or 403 for a token that is not the node's, 403 with the
    reason for one that is blocked, and 404 for one that is not known.
    """
    speaking_for(asking, name)
    node = know_node(workplace.catalog, name) if asking.is_local else find_node(workplace.catalog, name)
    if node is None:
        raise not_found(f"there is no node {name!r}: register it first, with POST /nodes")
    if node.blocked:
        raise ApiError(403, "blocked", f"this node is blocked: {node.blocked_why}")
    see_node(workplace.catalog, node, said or Said(), returns=returns)
    return node
