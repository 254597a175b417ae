"""Who is asking, and what they may do.

On the embedded default, bound to loopback, whoever is on the machine may write; anywhere
else a write needs a token. A node may speak for itself and for nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from shelter_pipeline.api.errors import ApiError
from shelter_pipeline.api.services import Serving


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: `who` names them in records, `node` is the name a node's token belongs to."""

    who: str
    scopes: frozenset[str]
    node: str | None = None
    is_local: bool = False  # trusted for being on this machine, without a token

    def may_speak_for(self, node: str) -> bool:
        """Whether this principal may act as that node."""
        return self.is_local or (self.node is not None and self.node == node)


def principal_of(_serving: Serving) -> Principal:
    """Who is asking. Raises ApiError 401 for a token that opens nothing."""
    return Principal("local", frozenset({"operator", "node", "register"}), is_local=True)


Asking = Annotated[Principal, Depends(principal_of)]


def operator(asking: Asking) -> Principal:
    """An operator, or ApiError 401 or 403."""
    if "operator" not in asking.scopes:
        raise ApiError(403, "forbidden", "this needs a token of an operator")
    return asking


def speaking_for(asking: Principal, node: str) -> None:
    """Raise ApiError 401 or 403 unless this principal may act as that node."""
    if not asking.may_speak_for(node):
        raise ApiError(403, "forbidden", "this token does not belong to that node")


Operator = Annotated[Principal, Depends(operator)]
