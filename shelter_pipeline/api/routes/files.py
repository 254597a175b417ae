"""Held bytes by their SHA-256, with ranges: what is under a digest never changes, so it may be kept for ever.

Nothing that is handed out runs in a browser: it is saved, under a harmless name, its type
is not guessed, and a sandbox without rights holds it wherever that is ignored.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from shelter_pipeline.api.errors import RETRY_SECONDS, ApiError, failures, not_found
from shelter_pipeline.api.pieces import Pieces
from shelter_pipeline.api.public_url import base_of
from shelter_pipeline.api.services import Serving
from shelter_pipeline.domain.byte_ranges import Answer, Conditions, Part, answer_to
from shelter_pipeline.domain.errors import DamagedError, TransientError
from shelter_pipeline.domain.filenames import attachment
from shelter_pipeline.operations.held_files import (
    HeldFile,
    describe_file,
    find_file,
    open_part,
    stands_whole,
    verified,
)
from shelter_pipeline.operations.workplace import Workplace

router = APIRouter(tags=["files"])
_log = logging.getLogger(__name__)
_MOST_LINKS = 5
_BYTES: dict[str, Any] = {
    "content": {"*/*": {"schema": {}}}  # of whatever type it was found to be
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file.", **_BYTES},
    206: {"description": "The range that was asked for.", **_BYTES},
    304: {"description": "The caller has it already."},
    **failures(404, 412, 416, 503),
}
Digest = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the bytes, in lower-case hex.")
]


@router.get("/files/{sha256}", response_class=Response, responses=_ANSWERS)
def file_by_digest(sha256: Digest, request: Request, serving: Serving) -> Response:
    """The bytes of this digest, to be saved under the name they were found with."""
    return _answer(serving.workplace, sha256, None, request)


@router.get("/files/{sha256}/{filename}", response_class=Response, responses=_ANSWERS)
def file_by_digest_and_name(sha256: Digest, filename: str, request: Request, serving: Serving) -> Response:
    """The same bytes; the name is for people and programs that save by it, and must be one the file has."""
    return _answer(serving.workplace, sha256, filename, request)


@router.head("/files/{sha256}", response_class=Response, responses=_ANSWERS)
def head_by_digest(sha256: Digest, request: Request, serving: Serving) -> Response:
    """What a GET would say of the file."""
    return _answer(serving.workplace, sha256, None, request)


@router.head("/files/{sha256}/{filename}", response_class=Response, responses=_ANSWERS)
def head_by_digest_and_name(sha256: Digest, filename: str, request: Request, serving: Serving) -> Response:
    """What a GET would say of the file."""
    return _answer(serving.workplace, sha256, filename, request)


@router.get("/blobs/{sha256}", responses=failures(404, 503))
def blob(sha256: Digest, serving: Serving) -> dict[str, Any]:
    """What is known of these bytes: where they were found, in which datasets, and who holds copies."""
    described = describe_file(serving.workplace, sha256)
    if described is None:
        raise _not_held(sha256)
    return described


def _answer(workplace: Workplace, sha256: str, filename: str | None, request: Request) -> Response:
    file = find_file(workplace, sha256)
    if file is None:
        raise _not_held(sha256)
    headers = _headers(file, filename, base_of(request))
    wanted = answer_to(_asked(request), tag=_tag(file), modified=file.stored_at, size=file.size)
    if wanted is Answer.NOT_MODIFIED:
        return Response(status_code=304, headers=headers)
    if wanted is Answer.FAILED:
        raise ApiError(412, "precondition-failed", "the file is not the one that the request speaks of")
    if wanted is Answer.UNSATISFIABLE:
        raise ApiError(
            416,
            "range-not-satisfiable",
            f"the file has {file.size} bytes, and the range begins behind them",
            headers={"Content-Range": f"bytes */{file.size}"},
        )
    with _store_errors(sha256):
        return _bytes_of(workplace, file, wanted, headers, is_head=request.method == "HEAD")


def _bytes_of(
    workplace: Workplace, file: HeldFile, wanted: Answer | Part, headers: dict[str, str], *, is_head: bool
) -> Response:
    if (is_head or not file.size) and not stands_whole(workplace, file):
        raise DamagedError(f"{file.sha256} is not there whole", reason="mismatch")
    if is_head or not file.size:
        return Response(headers=headers | {"Content-Length": str(file.size)}, media_type=file.media_type)
    status, part, head = 200, Part(0, file.size - 1), headers
    if isinstance(wanted, Part):
        status, part = 206, wanted
        head = headers | {"Content-Range": f"bytes {part.first}-{part.last}/{file.size}"}
    source = open_part(workplace, file, part)
    # A range of all bytes is the whole as well.
    pieces = verified(source, file) if part.count == file.size else source
    return Pieces(source, pieces, status, head | {"Content-Length": str(part.count)}, file.media_type)


@contextmanager
def _store_errors(sha256: str) -> Iterator[None]:
    """What keeps the store from handing bytes out, in the API's words."""
    try:
        yield
    except FileNotFoundError as error:
        raise _not_held(sha256) from error
    except DamagedError as error:
        _log.error("%s", error)
        raise ApiError(404, "damaged", "what is held of it is damaged, and is not handed out") from error
    except TransientError as error:
        _log.error("%s", error)
        raise ApiError(
            503,
            "store-away",
            "the store does not answer at the moment; try again soon",
            headers={"Retry-After": str(RETRY_SECONDS)},
        ) from error


def _not_held(sha256: str) -> ApiError:
    return not_found(f"no file with the SHA-256 {sha256} is held")


def _asked(request: Request) -> Conditions:
    # Ranges are defined for GET alone (RFC 9110, section 14.2).
    asks_for_part = request.method == "GET"
    find = request.headers.get
    return Conditions(
        range=find("range") if asks_for_part else None,
        if_range=find("if-range"),
        if_match=_all(request, "if-match"),
        if_none_match=_all(request, "if-none-match"),
        if_modified_since=find("if-modified-since"),
        if_unmodified_since=find("if-unmodified-since"),
    )


def _all(request: Request, name: str) -> str | None:
    return ", ".join(request.headers.getlist(name)) or None


def _tag(file: HeldFile) -> str:
    return f'"{file.sha256}"'


def _headers(file: HeldFile, filename: str | None, base: str) -> dict[str, str]:
    links = [f'<{base}/datasets/{one}>; rel="describedby"' for one in file.dataset_ids[:_MOST_LINKS]]
    return {
        "ETag": _tag(file),
        "Last-Modified": format_datetime(file.stored_at.astimezone(UTC), usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Disposition": attachment(file.named(filename)),
        # RFC 9530: of the whole, whatever part of it this is.
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(file.sha256)).decode()}:",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        **({"Link": ", ".join(links)} if links else {}),
    }
