"""Where the records stand in a DCAT-US document: flat, nested, in series, behind services, in a graph.

The walk is by hand and not by recursion, so that no document is too deep for it, and it
leaves nothing out: what stands where a record belongs comes out as an entry, odd or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.fields import Notes, in_preferred_language, listed, text

_LISTS = ("dataset", "datasetSeries", "service", "catalog")
_KIND_OF_LIST = {"dataset": "dataset", "datasetSeries": "series", "service": "service"}
_KIND_OF_TYPE = {
    "Dataset": "dataset",
    "DatasetSeries": "series",
    "DataService": "service",
    "Collection": "collection",
}
# What an entry of a kind carries inside it that is a record of its own.
_MEMBERS = {"series": "seriesMember", "service": "servesDataset"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it stands in the document, and the series it was found in."""

    raw: Json
    kind: str
    collection: str | None = None


class NoCatalogueError(Exception):
    """The document is JSON, and no catalogue in any of the known forms."""


def entries(document: Json) -> Iterator[Entry]:
    """Every record of the document in its order. Raises NoCatalogueError at the first step if it is none."""
    if isinstance(document, list):  # version 1.0: a bare list
        return _expanded(document, "dataset")
    if not isinstance(document, dict):
        raise NoCatalogueError("neither an object nor a list")
    if isinstance(document.get("@graph"), list):
        return _of_graph(document["@graph"])
    if any(name in document for name in _LISTS):
        return _of_catalog(document)
    kind = _KIND_OF_TYPE.get(type_of(document))
    if kind or ("title" in document and ("identifier" in document or "distribution" in document)):
        return _expanded([document], kind or "dataset")
    raise NoCatalogueError("it lists no dataset, series, service or catalog")


def type_of(node: dict[str, Json]) -> str:
    """The node's `@type` without prefix or namespace; of several, the first that is a record's."""
    types = node.get("@type")
    names = [
        str(name).replace("#", ":").replace("/", ":").rsplit(":", 1)[-1]
        for name in listed(types, "", Notes())
    ]
    return next((name for name in names if name in _KIND_OF_TYPE), names[0] if names else "")


def _of_catalog(catalog: dict[str, Json]) -> Iterator[Entry]:
    waiting: list[Json] = [catalog]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, dict):
            yield Entry(current, "dataset")
            continue
        for name, kind in _KIND_OF_LIST.items():
            yield from _expanded(_items(current.get(name)), kind)
        waiting.extend(reversed(_items(current.get("catalog"))))


def _items(value: Json) -> list[Json]:
    """A list as it is; anything else that is there stands for itself, so that it is refused by name."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _expanded(items: list[Json], kind: str, collection: str | None = None) -> Iterator[Entry]:
    for item in items:
        yield Entry(item, kind, collection)
        member_field = _MEMBERS.get(kind)
        if member_field is None or not isinstance(item, dict):
            continue
        members = [member for member in _items(item.get(member_field)) if isinstance(member, dict)]
        # A member by reference is listed elsewhere; only one spelled out is a record here.
        own = [member for member in members if set(member) - {"@id", "@type"}]
        yield from _expanded(own, "dataset", series_identifier(item) if kind == "series" else None)


def series_identifier(series: dict[str, Json]) -> str | None:
    """What the members of a series know it by."""
    return text(series.get("identifier") or series.get("@id"), "identifier", Notes())


def _of_graph(nodes: list[Json]) -> Iterator[Entry]:
    """JSON-LD with all nodes side by side: references are put back where they are used."""
    by_id = {
        node["@id"]: node for node in nodes if isinstance(node, dict) and isinstance(node.get("@id"), str)
    }
    for node in nodes:
        if not isinstance(node, dict):
            yield Entry(node, "dataset")
        elif kind := _KIND_OF_TYPE.get(type_of(node)):
            yield from _expanded([_with_references(node, by_id)], kind)


def _with_references(node: dict[str, Json], by_id: dict[str, dict[str, Json]]) -> dict[str, Json]:
    resolved = dict(node)
    for field in ("distribution", "publisher"):
        if field in node:
            items = [_referred(item, by_id) for item in _items(node[field])]
            resolved[field] = items if isinstance(node[field], list) else items[0]
    return resolved


def _referred(item: Json, by_id: dict[str, dict[str, Json]]) -> Json:
    reference = item.get("@id") if isinstance(item, dict) and set(item) <= {"@id", "@type"} else item
    return by_id.get(reference, item) if isinstance(reference, str) else item


def publisher_name(publisher: Json) -> Json:
    """The name of a publisher, of a list the first, in any of the languages it comes in."""
    first = publisher[0] if isinstance(publisher, list) and publisher else publisher
    if isinstance(first, dict):
        name = first.get("name") or first.get("prefLabel") or first.get("@id")
        return in_preferred_language(name) if isinstance(name, dict) else name
    return first
