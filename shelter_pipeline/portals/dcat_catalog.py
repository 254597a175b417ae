"""Where the records stand in a DCAT-US document: flat, nested, in series, behind services, in a graph.

The walk over the document's own structure is by hand and not by recursion, so that no
document is too deep for it, and it leaves nothing out: what stands where a record belongs
is a place, odd or not. What a record holds inside it is looked at once it is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.encoding import mend
from shelter_pipeline.portals.fields import Notes, in_preferred_language, listed, text
from shelter_pipeline.portals.scanning import BrokenError, CutError, Scanner

GRAPH = "@graph"
WHOLE = ""  # the list of the one record that is the whole document
_CATALOG = "catalog"
KIND_OF_LIST = {"dataset": "dataset", "datasetSeries": "series", "service": "service"}
KIND_OF_TYPE = {
    "Dataset": "dataset",
    "DatasetSeries": "series",
    "DataService": "service",
    "Collection": "collection",
}
# What an entry of a kind carries inside it that is a record of its own.
_MEMBERS = {"series": "seriesMember", "service": "servesDataset"}
# The structures that the walk goes down into; the stack of them is one byte a level.
_LISTS = (*KIND_OF_LIST, GRAPH, _CATALOG)
_INSIDE_CATALOG = len(_LISTS)
_MOST_REPAIRS = 30
_OBJECT, _END_OF_OBJECT, _LIST, _END_OF_LIST, _QUOTE = b'{}[]"'


class Place(NamedTuple):
    """Where an entry stands in the document, from byte to byte, and the list that it stands in."""

    list_name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it stands in the document, and the series it was found in."""

    raw: Json
    kind: str
    collection: str | None = None
    undecoded: bool = False
    problem: str = ""  # why it could not be decoded; `shown` is how it begins
    shown: str = ""
    records: int = 1  # how many there may be in what could not be decoded
    identifier: str | None = None  # what it calls itself, where that much can be told


class NoCatalogueError(Exception):
    """The document is JSON, and no catalogue in any of the known forms."""


def places(scanner: Scanner, start: int = 0) -> Iterator[Place]:
    """Every place of a record in the document, in its order.

    Raises CutError or BrokenError where the document cannot be read any further, after
    what stands before it; NoCatalogueError if it is none.
    """
    return iter(Walk(scanner, start))


class Walk:
    """One walk down and up the document's structure, as `places` describes it."""

    def __init__(self, scanner: Scanner, start: int = 0) -> None:
        self._scanner = scanner
        self._inside = bytearray()
        self._position = start
        self._is_catalogue = False
        self._repairs_left = _MOST_REPAIRS

    def cut_short(self, place: Place) -> Place:
        """What remains of a place that holds no JSON if each string in it ends with its line.

        The walk goes on behind it, so that one quote too many does not take the records that follow with it.
        """
        end = self._scanner.end_by_lines(place.start, place.end)
        if end is None or place.list_name == WHOLE:
            return place
        self._position = end
        return place._replace(end=end)

    def __iter__(self) -> Iterator[Place]:
        start = self._position = self._scanner.after_space(self._position)
        first = self._scanner.byte(start)
        if first not in (_OBJECT, _LIST):
            self._scanner.expect_end(self._scanner.value_end(start))
            raise NoCatalogueError("neither an object nor a list")
        # Version 1.0 is a bare list.
        self._is_catalogue = first == _LIST
        self._go_down(_LISTS.index("dataset") if self._is_catalogue else _INSIDE_CATALOG)
        while self._inside:
            self._position = self._scanner.after_separators(self._position)
            place = self._member_of_object() if self._inside[-1] == _INSIDE_CATALOG else self._item()
            if place:
                yield place
        if not self._is_catalogue:
            yield Place(WHOLE, start, self._position)
        self._scanner.expect_end(self._position)

    def _go_down(self, into: int) -> None:
        self._inside.append(into)
        self._position += 1

    def _go_up(self) -> None:
        del self._inside[-1]
        self._position += 1

    def _member_of_object(self) -> Place | None:
        first = self._scanner.byte(self._position)
        if first == _END_OF_OBJECT:
            self._go_up()
            return None
        if first != _QUOTE:
            raise BrokenError(self._position, "neither a key nor the end of an object")
        name, self._position = self._scanner.key(self._position)
        if name in _LISTS:
            return self._value_of(name)
        self._position = self._scanner.value_end(self._position)
        return None

    def _value_of(self, name: str) -> Place | None:
        first = self._scanner.byte(self._position)
        self._is_catalogue = self._is_catalogue or name != GRAPH or first == _LIST
        if first == _LIST:
            self._go_down(_LISTS.index(name))
            return None
        if name == _CATALOG and first == _OBJECT:
            self._go_down(_INSIDE_CATALOG)
            return None
        place = self._place(name)
        is_null = self._scanner.text[place.start : min(place.end, place.start + 5)] == b"null"
        return None if is_null or name == GRAPH else place

    def _item(self) -> Place | None:
        first = self._scanner.byte(self._position)
        name = _LISTS[self._inside[-1]]
        if first == _END_OF_LIST:
            self._go_up()
            return None
        if name == _CATALOG and first == _OBJECT:
            self._go_down(_INSIDE_CATALOG)
            return None
        return self._place(name)

    def _place(self, name: str) -> Place:
        """The value that stands here; whatever a list of catalogues holds that is none is refused as a dataset."""
        start, self._position = self._position, self._end_of_record(self._position)
        return Place("dataset" if name == _CATALOG else name, start, self._position)

    def _end_of_record(self, start: int) -> int:
        try:
            return self._scanner.value_end(start)
        except (CutError, BrokenError):
            # Each repair may have looked through all the rest of the document before.
            self._repairs_left -= 1
            end = self._scanner.end_by_lines(start) if self._repairs_left >= 0 else None
            if end is None:
                raise
            return end


def kind_of_document(document: Json) -> str:
    """The kind of the one record that a whole document is. Raises NoCatalogueError if it is none."""
    if isinstance(document, dict):
        kind = KIND_OF_TYPE.get(type_of(document))
        if kind or ("title" in document and ("identifier" in document or "distribution" in document)):
            return kind or "dataset"
    raise NoCatalogueError("it lists no dataset, series, service or catalog")


def type_of(node: dict[str, Json]) -> str:
    """The node's `@type` without prefix or namespace; of several, the first that is a record's."""
    types = node.get("@type")
    names = [
        str(name).replace("#", ":").replace("/", ":").rsplit(":", 1)[-1]
        for name in listed(types, "", Notes())
    ]
    return next((name for name in names if name in KIND_OF_TYPE), names[0] if names else "")


def expanded(entry: Entry) -> Iterator[Entry]:
    """The entry, and after it the records that it holds inside it."""
    yield entry
    member_field = _MEMBERS.get(entry.kind)
    if member_field is None or not isinstance(entry.raw, dict):
        return
    members = [member for member in items(entry.raw.get(member_field)) if isinstance(member, dict)]
    collection = _series_identifier(entry) if entry.kind == "series" else None
    for member in members:
        # A member by reference is listed elsewhere; only one spelled out is a record here.
        if set(member) - {"@id", "@type"}:
            yield Entry(member, "dataset", collection, entry.undecoded)


def items(value: Json) -> list[Json]:
    """A list as it is; anything else that is there stands for itself, so that it is refused by name."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _series_identifier(series: Entry) -> str | None:
    """What the members of a series know it by."""
    value = series.raw.get("identifier") or series.raw.get("@id")
    return text(mend([value])[0] if series.undecoded else value, "identifier", Notes())


def publisher_name(publisher: Json) -> Json:
    """The name of a publisher, of a list the first, in any of the languages it comes in."""
    first = publisher[0] if isinstance(publisher, list) and publisher else publisher
    if isinstance(first, dict):
        name = first.get("name") or first.get("prefLabel") or first.get("@id")
        return in_preferred_language(name) if isinstance(name, dict) else name
    return first
