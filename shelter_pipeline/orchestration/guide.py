"""What Dagster's pages say of each definition: the sections of guide.md, by its name."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

import dagster as dg

DOCS: Final = "https://github.com/shelter-pipeline/shelter/blob/main/docs/"
# Of assets: owners of anything else are beta in Dagster.
OWNERS: Final = ["team:rescue"]
_HEADING = "\n## "
_TO_DOCS = re.compile(r"\]\(\.\./\.\./docs/([^)\s]+)\)")


def told(name: str) -> str:
    """The description of a definition in Markdown, with links that work anywhere. KeyError if nobody has written it."""
    return _TO_DOCS.sub(lambda found: f"]({DOCS}{found[1]})", _sections()[name])


def read_on(name: str) -> dict[str, dg.MetadataValue[Any]]:
    """The first guide that the description leads to, as metadata. KeyError as above, or where it leads to none."""
    found = _TO_DOCS.search(_sections()[name])
    if found is None:
        raise KeyError(f"{name} leads to no guide")
    return {"read on": dg.MetadataValue.url(DOCS + found[1])}


def about(name: str) -> dict[str, Any]:
    """Both, as arguments of a job, a check, a schedule or a sensor. KeyError as above."""
    return {"description": told(name), "metadata": read_on(name)}


@cache
def _sections() -> dict[str, str]:
    text = (files("shelter_pipeline.orchestration") / "guide.md").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split(_HEADING)[1:])
    return {name.strip(): body.strip() for name, _, body in parts}
