"""A portal's own record as it was kept, read again without asking the portal.

What a driver stores of a dataset beside its fields is the raw record in canonical form;
reading it again gives the same record, with the same hash, as the next harvest will find.
"""

from __future__ import annotations

from functools import partial

from shelter_pipeline.domain.errors import DamagedError, ShelterError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.assembling import assemble
from shelter_pipeline.portals.ckan_record import ckan_record
from shelter_pipeline.portals.datagov_record import record_of
from shelter_pipeline.portals.dcat_us import dcat_us_record
from shelter_pipeline.portals.reading import parse_json


def read_kept_record(
    portal_kind: str, raw: bytes, *, kind: str = "dataset", collection: str | None = None
) -> DatasetRecord:
    """The record in `raw`. `kind` and `collection` are what a DCAT-US document says by where the record stands.

    Raises DamagedError if it cannot be read as one of this kind of portal.
    """
    try:
        value, undecoded = parse_json(raw)
    except ShelterError as error:
        raise DamagedError(f"the kept record cannot be read: {error}", reason="mismatch") from error
    if portal_kind == "datagov":
        found = record_of(value, 0, undecoded=undecoded)
    elif portal_kind == "ckan":
        found = assemble(ckan_record, value, 0, undecoded=undecoded)
    elif portal_kind == "dcat_us":
        build = partial(dcat_us_record, kind=kind, collection=collection)
        found = assemble(build, value, 0, undecoded=undecoded)
    else:
        raise DamagedError(f"{portal_kind!r} is not a kind of portal", reason="mismatch")
    if isinstance(found, Refusal):
        raise DamagedError(
            f"the kept record cannot be used: {found.field}: {found.problem}", reason="mismatch"
        )
    return found
