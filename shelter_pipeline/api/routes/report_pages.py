"""Pages of reports: those that the store keeps, to be read here or saved.

A report's page holds what strangers wrote, so it is shown in a sandbox without rights, and everything else is saved.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response

from shelter_pipeline.api.answers import has_it
from shelter_pipeline.api.errors import RETRY_SECONDS, ApiError, not_found
from shelter_pipeline.api.methods import IS_HEAD
from shelter_pipeline.api.pages import page
from shelter_pipeline.api.pieces import Pieces
from shelter_pipeline.api.remembered import remembered
from shelter_pipeline.api.services import Serving
from shelter_pipeline.domain.errors import DamagedError, TransientError
from shelter_pipeline.domain.filenames import attachment
from shelter_pipeline.operations.kept_reports import find_report, list_reports, open_file
from shelter_pipeline.operations.report_words import media_type_of, says
from shelter_pipeline.vault.reports import KeptFile, whole_pieces

router = APIRouter(include_in_schema=False)
_log = logging.getLogger(__name__)
_SANDBOX = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; sandbox allow-top-navigation-by-user-activation"
)
_SHOWN = "report.html"
_FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/browse/reports")
def reports(request: Request, serving: Serving) -> Response:
    """The reports that the store keeps, newest first."""
    with _store_at_hand():
        found = remembered(request, "reports", lambda: list_reports(serving.workplace))
    return page(
        request, "reports.html", title="Reports", here="/browse/reports", reports=found, says=says, seconds=60
    )


@router.get("/browse/reports/{name}/{file_name}")
def report_file(request: Request, name: str, file_name: str, serving: Serving) -> Response:
    """A file of a report: its page in a sandbox, all others to be saved; what has rotted never comes whole."""
    with _store_at_hand():
        report = find_report(serving.workplace, name)
        file = report.file(file_name) if report else None
        if report is None or file is None:
            raise not_found("there is no such report, or no such file of it; /browse/reports lists them")
        if has_it(request, _tag(file)):
            return Response(status_code=304, headers={"ETag": _tag(file), "Cache-Control": _FOR_EVER})
        try:
            body = open_file(serving.workplace, report, file)
        except FileNotFoundError:
            raise _damaged(file) from None
    shown = file.name == _SHOWN
    headers = {
        "Content-Security-Policy": _SANDBOX,
        "Cache-Control": _FOR_EVER,
        "ETag": _tag(file),
        "Content-Disposition": "inline" if shown else attachment(f"shelter-{report.name[:10]}-{file.name}"),
    }
    media_type = f"{media_type_of(file.name)}; charset=utf-8" if shown else media_type_of(file.name)
    headers["Content-Length"] = str(file.bytes)
    if request.scope.get(IS_HEAD):  # nobody waits for the bytes
        body.close()
        return Response(headers=headers, media_type=media_type)
    return Pieces(body, _served(whole_pieces(body, file)), 200, headers, media_type)


def _served(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces; what has rotted ends too early, which every client notices by the length that was announced."""
    try:
        yield from pieces
    except (DamagedError, TransientError) as error:
        _log.error("a report could not be handed out: %s", error)
        raise


def _tag(file: KeptFile) -> str:
    return f'"{file.sha256}"'


def _damaged(file: KeptFile) -> ApiError:
    return ApiError(
        404, "damaged", f"the store has lost {file.name}; other reports may hold what you look for"
    )


@contextmanager
def _store_at_hand() -> Iterator[None]:
    try:
        yield
    except TransientError as error:
        raise ApiError(
            503,
            error.reason,
            "the store does not answer; ask again soon",
            headers={"Retry-After": str(RETRY_SECONDS)},
        ) from error
