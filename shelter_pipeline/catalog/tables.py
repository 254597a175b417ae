"""Shared conventions of all tables: one metadata, named constraints, the column types that recur."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NOW = sa.text("now()")
EMPTY_OBJECT = sa.text("'{}'::jsonb")
EMPTY_LIST = sa.text("'[]'::jsonb")


def key() -> sa.Column[Any]:
    """A surrogate primary key that never repeats."""
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    """A point in time with zone; `now` makes the database's clock the default."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, server_default=NOW if now else None)


def reference(name: str, target: str, *, nullable: bool = False, index: bool = False) -> sa.Column[Any]:
    """A foreign key; nothing that was saved is deleted by deleting something else."""
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def document(name: str, *, empty: sa.TextClause = EMPTY_OBJECT) -> sa.Column[Any]:
    """A JSON document that is never null."""
    return sa.Column(name, JSONB, nullable=False, server_default=empty)


def one_of(name: str, *values: str) -> sa.CheckConstraint:
    """A check that a text column holds one of the words of its state machine."""
    words = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({words})", name=f"{name}_known")
