"""A file that is held already, copied from the API: taken up where it broke off, and compared with its hash."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import requests

from shelter_pipeline.domain.errors import DamagedError, ShelterError
from shelter_pipeline.node.api_client import Api, ApiAway, ApiRefusal
from shelter_pipeline.node.items import Item
from shelter_pipeline.node.space import GivenSpace
from shelter_pipeline.vault.store import Blob, Partial, digest_path

_PIECE_BYTES = 128 * 1024
_NOTE_EVERY_BYTES = 16 * 1024 * 1024
_ATTEMPTS = 3
_PARTIAL_CONTENT, _NOT_SATISFIABLE = 206, 416
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)\Z")

Came = Callable[[int], None]  # told of the bytes so far; raises what ends the transfer


def copy_file(api: Api, store: GivenSpace, item: Item, came: Came) -> tuple[dict[str, Any], Blob]:
    """Copy with a few attempts; the result as `/complete` wants it, and what is kept.

    A file that is here already is not asked for again. A copy that fails says nothing of the
    file's source: there is no result of it, but the error that ended the last attempt.
    """
    assert item.sha256 is not None  # noqa: S101 - a copy without a hash was refused when it was read
    started, asked = datetime.now(UTC), 0
    blob = _held(store, item.sha256)
    while blob is None:
        asked += 1
        try:
            blob = _attempt(api, store, item, came)
        except ApiAway:
            if asked == _ATTEMPTS:
                raise
            time.sleep(0.5 * asked)
    return {
        "asset_id": item.asset_id,
        "token": item.token,
        "verdict": "stored",
        "reason": "stored",
        "sha256": blob.sha256,
        "size": blob.size,
        "detail": "copied from the API",
        "requests": asked,
        "started_at": started.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
    }, blob


def _held(store: GivenSpace, sha256: str) -> Blob | None:
    """The file, if it is here and its bytes are still right."""
    location = f"blobs/{digest_path(sha256)}"
    found = store.read_again(location)
    return Blob(sha256, found[1], location) if found is not None and found[0] == sha256 else None


def _attempt(api: Api, store: GivenSpace, item: Item, came: Came) -> Blob:
    with store.receive(f"copy-{item.sha256}") as partial:
        try:
            _bring(api, item, partial, came)
        except ShelterError:
            if partial.size:
                partial.keep({"copy": item.sha256})
            raise
        if partial.sha256 != item.sha256:
            partial.reset()
            raise DamagedError("the copy does not hash to what the API says it is", reason="mismatch")
        return store.publish(partial)


def _bring(api: Api, item: Item, partial: Partial, came: Came) -> None:
    headers = {"Range": f"bytes={partial.size}-"} if partial.size else {}
    try:
        with api.reading(item.mirror or "", headers) as response:
            _check_place(response, partial)
            noted = partial.size
            for piece in response.iter_content(_PIECE_BYTES):
                partial.write(piece)
                came(partial.size)
                if partial.size - noted >= _NOTE_EVERY_BYTES:
                    partial.keep({"copy": item.sha256})
                    noted = partial.size
    except ApiRefusal as error:
        if error.status != _NOT_SATISFIABLE:
            raise  # all of it was here already


def _check_place(response: requests.Response, partial: Partial) -> None:
    """The body goes on where we are, or it is all of the file and we begin again."""
    if response.status_code == _PARTIAL_CONTENT:
        found = _RANGE.match(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != partial.size:
            partial.reset()
            raise ApiAway("the API answered with another part of the file than was asked for")
    elif partial.size:
        partial.reset()
