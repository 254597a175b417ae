"""What a person means by a text: the URL of a file, an id, a dataset, an organization, a host."""

from __future__ import annotations

from typing import Literal

from shelter_pipeline.catalog.overrides import Target, find_by_id, find_by_url, find_targets
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.workplace import Workplace

KINDS = ("organization", "dataset", "host")
_IDS: dict[str, Literal["asset", "dataset"]] = {"asset": "asset", "dataset": "dataset"}


def find_target(workplace: Workplace, text: str, *, kinds: tuple[str, ...] = KINDS) -> Target:
    """The one thing of the catalog that goes by this text; bare digits are the id of a file.

    `organization:`, `dataset:`, `asset:` or `host:` before it say what is meant. SetupError if
    nothing goes by it, or more than one thing; RefusedError for what looks like a URL and is none.
    """
    text = text.strip()
    if "://" in text:
        found = find_by_url(workplace.catalog, parse_url(text))
        if found is None:
            raise SetupError(f"no file of the catalog has the URL {text}")
        return found
    kind, colon, name = text.partition(":")
    if colon and kind in (*kinds, "asset"):
        return _only(_named(workplace, kind, name), text)
    if _is_id(text):
        return _only(_named(workplace, "asset", text), text)
    return _only([target for kind in kinds for target in _named(workplace, kind, text)], text)


def _named(workplace: Workplace, kind: str, name: str) -> list[Target]:
    if kind in _IDS and _is_id(name):
        found = find_by_id(workplace.catalog, _IDS[kind], int(name))
        if found is not None or kind == "asset":
            return [] if found is None else [found]
    return [] if kind == "asset" or "\x00" in name else find_targets(workplace.catalog, kind, name)


def _only(found: list[Target], text: str) -> Target:
    if not found:
        raise SetupError(
            f"nothing in the catalog goes by {text!r}: give the URL or id of a file, the slug of a dataset or"
            " organization, or a host"
        )
    if len(found) > 1:
        raise SetupError(
            f"more than one thing goes by {text!r}: write organization:, dataset: or host: before it, the whole host"
            " with its port, or dataset: and the dataset's id"
        )
    return found[0]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal()
