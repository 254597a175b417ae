"""Types of what callers send, shared by all routes: what PostgreSQL could not take is refused before it gets there.

A number that no bigint holds, a text with NUL or half a character, an infinity: each is
a 422 with its place, never an error of ours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

# The largest bigint that is a double too: numbers of the document are doubles, and its bounds are to hold exactly.
MAX_BIGINT = 2**63 - 1024
_NUMBER = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?", re.ASCII)
SHA256_FORM = "^[0-9a-f]{64}$"


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("it must not contain NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("it must be Unicode text, without lone surrogates")
    return text


# Text that the catalog can keep. `Words` is bounded as well: for what is searched or shown.
Text = Annotated[str, AfterValidator(_storable)]
Words = Annotated[str, StringConstraints(max_length=500), AfterValidator(_storable)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_storable)
]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Numbers of bodies: a count, a key of a row, a measure. Strict, so that "7" and true are no 7; but JSON has
# one kind of number, in which 7.0 is 7 (RFC 8259, section 6).
# It stands last: bounds that follow it would not be in the schema.
WHOLE = BeforeValidator(_whole)
BigInt = Annotated[int, Field(ge=0, le=MAX_BIGINT, strict=True), WHOLE]
Key = Annotated[int, Field(ge=1, le=MAX_BIGINT, strict=True), WHOLE]
Measure = Annotated[float, AllowInfNan(False), Field(ge=0, le=1e15, strict=True)]


def _spelled(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        raise ValueError("it must be a date and time, such as 2026-01-31T12:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


# A moment, spelled out (RFC 3339), without a zone in UTC: pydantic alone takes a bare number for seconds since 1970.
Moment = Annotated[datetime, BeforeValidator(_spelled), AfterValidator(_in_utc)]

# Parameters of paths and queries.
Id = Annotated[int, Path(ge=1, le=MAX_BIGINT)]
Sha256 = Annotated[str, Path(pattern=SHA256_FORM, examples=["0" * 64])]
PathName = Annotated[str, Path(min_length=1, max_length=200), AfterValidator(_storable)]
OptionalWords = Annotated[Annotated[str, AfterValidator(_storable)] | None, Query(max_length=500)]
PageSize = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
After = Annotated[int, Query(ge=0, le=MAX_BIGINT, description="Go on after this id.")]


class Body(BaseModel):
    """Base of all request bodies: unknown fields are left alone, so that old clients and new ones are served."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
