"""URLs of the Data Access Protocol: what is a dataset's own name, and what is asked of it.

A DAP URL is a dataset's URL, a suffix for the kind of answer, and a constraint as query
(DAP 2.0, ESE-RFC-004, section 6; DAP4, volume 1). Servers name datasets after files.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.asset_kinds import kind_of_extension
from shelter_pipeline.discovery.families.readings import description
from shelter_pipeline.discovery.leads import Lead

_DAP4 = r"dap|dmr|dsr|dmr\.(?:xml|html|rdf|iso)|dap\.(?:nc4?|csv|nc\.cf)"
_CERTAIN = r"das|dds|dods|ddx|ascii|info|xdap"
# What a file or a page may end in as well: an answer only after the name of a file.
_UNCERTAIN = r"html|asc|rdf|iso|json|covjson|jp2|csv|nc4?|file|ver|help"
_SUFFIX = re.compile(
    rf"\.(?:(?P<four>{_DAP4})|(?P<certain>{_CERTAIN})|(?P<other>{_UNCERTAIN}))\Z", re.IGNORECASE
)
_FAMILIES_OF_FILES = frozenset({"table", "archive", "geo", "scientific", "image", "structured"})
_AGGREGATIONS = frozenset({"ncml", "ncd"})


def dataset_of(path: str, *, all_are_answers: bool = False) -> tuple[str, bool]:
    """The path of the dataset without the suffix of an answer, and whether DAP4 was spoken.

    `a.nc4` is a file and `a.h5.nc4` an answer about one; `all_are_answers` for places where no page
    stands beside the datasets, so that even `a.html` is an answer.
    """
    suffix = _SUFFIX.search(path)
    if suffix is None:
        return path, False
    named = path[: suffix.start()]
    extension = named.rpartition(".")[2].lower()
    is_answer = suffix["other"] is None or kind_of_file(named) is not None or extension in _AGGREGATIONS
    if is_answer or (all_are_answers and kind_of_file(path) is None):
        return named, suffix["four"] is not None
    return path, False


def kind_of_file(path: str) -> str | None:
    """The kind of file that a path's end names; None for an aggregation or a directory."""
    name = path.rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    kind = kind_of_extension(extension) if stem else None
    return kind.slug if kind is not None and kind.family in _FAMILIES_OF_FILES else None


def answers_about(dataset: str, *, dap4: bool = False) -> list[Lead]:
    """The documents that describe the dataset at a URL: DMR for DAP4, attributes and structure before it."""
    if dap4:
        return [description(f"{dataset}.dmr.xml", "xml", label="metadata (DMR)")]
    return [
        description(f"{dataset}.das", "text", label="attributes (DAS)"),
        description(f"{dataset}.dds", "text", label="structure (DDS)"),
    ]
