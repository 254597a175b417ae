"""Tokens of the API: made, found by their public prefix, used, revoked. No secret is ever kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.tokens import (
    PREFIX_BYTES,
    SECRET_BYTES,
    opens,
    prefix_of,
    spell_token,
    token_hash,
)

_NOBODYS_HASH = bytes(SECRET_BYTES)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is kept: everything but what opens."""

    id: int
    prefix: str
    scopes: tuple[str, ...]
    node: str | None  # the nickname of the node it belongs to
    label: str
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def issue_token(
    catalog: Catalog,
    *,
    scopes: Sequence[str],
    node_id: int | None = None,
    label: str,
    expires: timedelta | None = None,
    pepper: bytes,
) -> str:
    """Make a token of these scopes (`operator`, `register`, or `node` with its `node_id`) and return it.

    It is shown here and never again. `expires` counts from now on the database's clock;
    without it the token holds until it is revoked.
    """
    made = spell_token(scopes, secrets.token_bytes(PREFIX_BYTES), secrets.token_bytes(SECRET_BYTES))
    catalog.rows(
        "issue_token",
        prefix=made.prefix,
        token_hash=token_hash(made.secret, pepper),
        scopes=list(scopes),
        node_id=node_id,
        label=label,
        expires_seconds=None if expires is None else expires.total_seconds(),
    )
    return made.secret


def find_token(catalog: Catalog, presented: str, pepper: bytes) -> TokenRow | None:
    """The token that was presented, if it opens anything now, and note that it was used.

    None for one that is malformed, unknown, wrong, expired or revoked: nobody learns which.
    A prefix that is not known costs the same comparison as one that is.
    """
    prefix = prefix_of(presented)
    if prefix is None:
        return None
    rows = catalog.rows("find_token", prefix=prefix)
    if not rows:
        opens(presented, pepper, _NOBODYS_HASH)
        return None
    row = dict(rows[0])
    kept, holds, is_noted = bytes(row.pop("token_hash")), row.pop("holds"), row.pop("is_noted")
    if not opens(presented, pepper, kept) or not holds:
        return None
    if not is_noted:
        catalog.count("note_token_use", id=row["id"])
    return _row(row)


def list_tokens(catalog: Catalog) -> list[TokenRow]:
    """Every token there ever was, newest first."""
    return [_row(dict(row)) for row in catalog.rows("list_tokens")]


def revoke_token(catalog: Catalog, prefix: str) -> TokenRow | None:
    """End the token of this prefix, for good; None if there is none. One that is revoked already stays so."""
    rows = catalog.rows("revoke_token", prefix=prefix)
    return _row(dict(rows[0])) if rows else None


def revoke_tokens_of_node(catalog: Catalog, node_id: int) -> int:
    """End every token of a node; returns how many were still good."""
    return catalog.count("revoke_tokens_of_node", node_id=node_id)


def _row(row: Mapping[str, Any]) -> TokenRow:
    return TokenRow(**{**row, "scopes": tuple(row["scopes"])})
