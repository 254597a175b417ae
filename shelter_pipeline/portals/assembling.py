"""What every driver does with one raw record: read it, or refuse it by name, and never raise.

A record is refused only if it is no object, has no identifier, has no title, or cannot
be read at all; everything else about it is a note.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache

from shelter_pipeline.domain.records import (
    DatasetRecord,
    Json,
    Note,
    OrganizationRecord,
    Refusal,
    canonical_json,
    slugify,
)
from shelter_pipeline.portals.encoding import mend
from shelter_pipeline.portals.fields import Notes, clean, text

RECORD = "record"  # the field of a refusal that is about the record as a whole
LONGEST_IDENTIFIER_BYTES = 1000
UNKNOWN_PUBLISHER = OrganizationRecord("unknown", "Unknown publisher")
_RAW_SHOWN = 500
_IDENTITIES = ("slug", "id", "identifier", "@id")  # by the kinds of portal: a hit, a package, a dataset
_PLAIN_SLUG = re.compile(r"[A-Za-z0-9_.-]{1,200}\Z")


class UnusableError(Exception):
    """A record cannot be kept: which field is at fault, and why."""

    def __init__(self, field: str, problem: str, identifier: str | None = None) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem, self.identifier = field, problem, identifier


def assemble(
    build: Callable[[dict[str, Json], Notes], DatasetRecord],
    raw: Json,
    position: int,
    *,
    undecoded: bool = False,
) -> DatasetRecord | Refusal:
    """`build(raw, notes)`, or the refusal that says why it could not be."""
    noted: tuple[Note, ...] = ()
    try:
        if undecoded:
            raw, noted = mend(raw)
        if not isinstance(raw, dict):
            return refusal(position, RECORD, f"a record must be an object, and this is {_kind_of(raw)}", raw)
        return build(raw, Notes(noted))
    except UnusableError as error:
        return refusal(position, error.field, error.problem, raw, error.identifier)
    except RecursionError:
        return Refusal(position, RECORD, "nested too deeply to be read", _identity_in(raw))


def _identity_in(raw: Json) -> str | None:
    """What a record that cannot be read calls itself, if that much can be."""
    values = (raw.get(name) for name in _IDENTITIES) if isinstance(raw, dict) else ()
    return next((clean(value, RECORD, Notes()) for value in values if isinstance(value, str) and value), None)


def _kind_of(value: Json) -> str:
    return "null" if value is None else f"a {type(value).__name__}"


def refusal(position: int, field: str, problem: str, raw: Json, identifier: str | None = None) -> Refusal:
    """A refusal with the beginning of the record as evidence."""
    try:
        shown = canonical_json(raw)[:_RAW_SHOWN].decode("utf-8", "ignore")
    except RecursionError:
        shown = ""
    return Refusal(position, field, problem, identifier, shown)


def usable_identifier(value: Json, field: str, notes: Notes) -> str:
    """A dataset's identity as text. Raises UnusableError naming the field when there is none.

    DCAT-US 3.0 allows an object: its `@id`, else its `notation`. One too long to be indexed
    is replaced by its SHA-256, with a note.
    """
    if isinstance(value, dict):
        value = value.get("@id") or value.get("notation") or value.get("@value")
    found = text(value, field, notes)
    if found is None:
        raise UnusableError(field, "the record has no identifier")
    if len(found.encode()) > LONGEST_IDENTIFIER_BYTES:
        notes.add(field, "too long to be an identity: its SHA-256 is used", found)
        return "sha256:" + hashlib.sha256(found.encode()).hexdigest()
    return found


def usable_title(value: Json, notes: Notes, identifier: str) -> str:
    """The title. Raises UnusableError when there is none."""
    found = text(value, "title", notes)
    if found is None:
        raise UnusableError("title", "the record has no title", identifier)
    return found


def usable_slug(value: Json, otherwise: str, notes: Notes) -> str:
    """The portal's own short name, if it is one, else one made from `otherwise`."""
    found = text(value, "slug", notes)
    if found and _PLAIN_SLUG.match(found):
        return found
    return slugify(found or otherwise)


def organization(slug: Json, name: Json, kind: Json, field: str, notes: Notes) -> OrganizationRecord:
    """The publisher as a partition key and a name; "unknown", with a note, when neither is given."""
    name_text = text(name, field, notes)
    slug_text = text(slug, field, notes) or name_text
    if slug_text is None:
        notes.add(field, "no publisher is named")
        return UNKNOWN_PUBLISHER
    return OrganizationRecord(_partition_key(slug_text), name_text or slug_text, text(kind, field, notes))


@lru_cache(maxsize=4096)
def _partition_key(slug: str) -> str:
    return slugify(slug)
