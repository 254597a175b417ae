"""What an operator sees of files that ended every worker, and how they are wanted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shelter_pipeline.catalog import dead_letters as letters
from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.node_work import queue_again
from shelter_pipeline.operations.workplace import Workplace


def dead_letters_table(workplace: Workplace, *, limit: int) -> list[dict[str, Any]]:
    """Files that were given up, the latest first: reason, failures, and who held them when they ended."""
    return letters.list_dead_letters(workplace.catalog, limit=limit)


def revive_dead_letters(
    workplace: Workplace, urls: Sequence[str], *, everything: bool, who: str, why: str
) -> dict[str, Any]:
    """Want these files again, or `everything` that was given up; returns `{revived, not_dead}`.

    SetupError without a reason, for a text that is no URL, and where neither is said or both.
    """
    if not why.strip():
        raise SetupError("say why with --why: it is kept with the decision")
    if everything == bool(urls):
        raise SetupError("name the files to be wanted again by their URLs, or say --all")
    asked = None if everything else [_normal(url) for url in urls]
    revived = letters.revive(workplace.catalog, asked, who=who, why=why)
    queue_again(workplace, revived)
    return {"revived": len(revived), "not_dead": 0 if asked is None else len(set(asked)) - len(revived)}


def _normal(url: str) -> str:
    try:
        return parse_url(url).text
    except RefusedError as error:
        raise SetupError(f"{url!r} is no URL: {error}") from error
