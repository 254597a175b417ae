"""Why a catalog that answers cannot be read: it is being migrated, or waits for that, or is of a newer release."""

from __future__ import annotations

import logging
from typing import NamedTuple

from fastapi import Request

from shelter_pipeline.api.remembered import remembered
from shelter_pipeline.api.services import services_of
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import is_migrating, schema_standing, waited_in_vain
from shelter_pipeline.domain.errors import CatalogAwayError, CatalogOutdatedError

_log = logging.getLogger(__name__)


class Trouble(NamedTuple):
    """A slug for programs and a sentence for people."""

    reason: str
    message: str


AWAY = Trouble("catalog-away", "the catalog does not answer at the moment; try again soon")
MIGRATING = Trouble(
    "catalog-migrating",
    "the catalog is being brought up to date at this moment, which takes seconds or a few minutes; try again soon",
)
_OLD = Trouble(
    "catalog-outdated",
    "the catalog was made by an older release than this program: an operator has to run `shelter migrate`",
)
_NEW = Trouble(
    "catalog-newer",
    "the catalog was brought up to date by a newer release than this program: an operator has to upgrade it",
)
# It has just become so, or a statement of ours is wrong: only the log can tell.
_ODD = Trouble(
    "catalog-mismatch",
    "the catalog lacks something that this program asks for, although both are of one release; try again soon, and if"
    " that does not help an operator has to look into the log",
)


def trouble_with(request: Request, error: CatalogAwayError) -> Trouble:
    """What to say of this error; the catalog is asked where it can be expected to answer, and not by every request."""
    catalog = services_of(request).workplace.catalog
    try:
        if isinstance(error, CatalogOutdatedError):
            found: Trouble = remembered(request, "schema", lambda: _of_schema(catalog))
            if found is _ODD:
                _log.error("the catalog is of this release, and yet: %s", error, exc_info=error)
            return found
        if waited_in_vain(error) and remembered(request, "migrating", lambda: is_migrating(catalog)):
            return MIGRATING
    except CatalogAwayError:
        pass
    return AWAY


def _of_schema(catalog: Catalog) -> Trouble:
    if is_migrating(catalog):
        return MIGRATING
    standing = schema_standing(catalog)
    if standing.is_current:
        return _ODD
    return _OLD if standing.known else _NEW
