"""Nodes join, are listened to, are shown, are blocked, and leave. What they are worth is decided by proofs alone."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import islice
from typing import Any

from shelter_pipeline.catalog import nodes as books
from shelter_pipeline.catalog.connection import storable
from shelter_pipeline.catalog.nodes import NOTHING_HELD, NewNode, NodeRow
from shelter_pipeline.catalog.tokens import issue_token
from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.domain.node_names import alternatives, first_free, nicknames
from shelter_pipeline.domain.node_versions import is_older, is_version
from shelter_pipeline.operations.api_tokens import api_pepper
from shelter_pipeline.operations.node_work import release_work
from shelter_pipeline.operations.workplace import Workplace

_TRIES = 100


class NameTakenError(RefusedError):
    """Somebody has this nickname; the message offers another."""

    default_reason = "name-taken"


class TooManyNodesError(RefusedError):
    """More nodes have joined from one network than is believable."""

    default_reason = "too-many-nodes"


def register(workplace: Workplace, new: NewNode, *, is_invited: bool) -> tuple[NodeRow, str]:
    """A node joins, without trust; returns it with its token, which is shown here and never again.

    Without a name it gets a friendly one. Raises NameTakenError, with one that is free, if somebody has
    it, and TooManyNodesError if it comes uninvited from a network from which too many came today.
    """
    most = workplace.settings.nodes_per_network_a_day
    if not is_invited and new.network and books.count_joined(workplace.catalog, new.network) >= most:
        raise TooManyNodesError(
            f"{most} nodes have joined from your network within a day; ask the operators for a token"
        )
    node = _named(workplace, new) if new.name else _christened(workplace, new)
    token = issue_token(
        workplace.catalog,
        scopes=("node",),
        node_id=node.id,
        label=node.name,
        pepper=api_pepper(workplace.settings),
    )
    return node, token


def nodes_page(workplace: Workplace, *, after: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """A page of nodes by nickname and where the next one begins, None at the end; without what they hold."""
    rows = books.list_nodes(workplace.catalog, after=after, limit=limit + 1)
    return rows[:limit], rows[limit - 1]["name"] if len(rows) > limit else None


def node_table(workplace: Workplace, *, limit: int) -> list[dict[str, Any]]:
    """Nodes by nickname, with what they hold."""
    held = books.node_holdings(workplace.catalog)
    return [
        {**row, **held.get(row["id"], NOTHING_HELD)}
        for row in books.list_nodes(workplace.catalog, after="", limit=limit)
    ]


def show_node(workplace: Workplace, name: str) -> dict[str, Any]:
    """All that is known of a node: its contact, what it holds, its events. SetupError if it is not known."""
    found = books.show_node(workplace.catalog, name)
    if found is None:
        raise _unknown(name)
    held = books.node_holdings(workplace.catalog, found["id"]).get(found["id"], NOTHING_HELD)
    return {**found, **held, "events": books.node_events(workplace.catalog, found["id"])}


def block(workplace: Workplace, name: str, *, why: str, who: str) -> int:
    """Give a node nothing more and take back its work; returns how many files. SetupError without node or reason."""
    if not why.strip():
        raise SetupError("say why: the reason is kept, and shown to the node and to everybody")
    node = books.block_node(
        workplace.catalog, name, blocked=True, why=storable(why.strip()), who=storable(who)
    )
    if node is None:
        raise _unknown(name)
    return release_work(workplace, node)


def unblock(workplace: Workplace, name: str, *, why: str, who: str) -> None:
    """Let a node help again, with the trust that it has. SetupError if it is not known."""
    decided = books.block_node(
        workplace.catalog, name, blocked=False, why=storable(why.strip()), who=storable(who)
    )
    if decided is None:
        raise _unknown(name)


def cap(workplace: Workplace, name: str, max_claims: int | None) -> None:
    """Say how many files a node may have in work at once; None: as the settings say. SetupError if it is not known."""
    if books.cap_node(workplace.catalog, name, max_claims) is None:
        raise _unknown(name)


def sign_off(workplace: Workplace, node: NodeRow) -> tuple[int, int]:
    """A node leaves: its work goes back at once. Returns how many files that were, and how many copies it keeps."""
    books.sign_off_node(
        workplace.catalog, node
    )  # first: what is given to it from now on is given to who came back
    released = release_work(workplace, node)
    held = books.node_holdings(workplace.catalog, node.id).get(node.id, NOTHING_HELD)
    return released, held["copies_good"] + held["copies_claimed"]


def advice(node: NodeRow, newest: str) -> str | None:
    """What a node should be told with its heartbeat, if anything. `newest` is our own version."""
    if node.signed_off_at is not None:
        return "you have signed off; ask for work, and you are back"
    if node.version and is_version(node.version) and is_older(node.version, newest):
        return f"version {newest} is out, yours is {node.version}: update when it suits you"
    return None


def _named(workplace: Workplace, new: NewNode) -> NodeRow:
    node = books.register_node(workplace.catalog, new)
    if node is not None:
        return node
    others = alternatives(new.name, random.Random())
    free = first_free(others, books.taken_names(workplace.catalog, others))
    raise NameTakenError(
        f"the name {new.name!r} is taken; " + (f"{free!r} is free" if free else "choose another")
    )


def _christened(workplace: Workplace, new: NewNode) -> NodeRow:
    for name in islice(nicknames(random.Random()), _TRIES):
        node = books.register_node(workplace.catalog, replace(new, name=name))
        if node is not None:
            return node
    raise NameTakenError("every name that was tried is taken; choose one yourself")


def _unknown(name: str) -> SetupError:
    return SetupError(f"there is no node {name!r}; `shelter node list` shows those that are known")
