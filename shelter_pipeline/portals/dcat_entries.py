"""Every entry of a DCAT-US document, decoded one at a time from where it stands.

One entry that is no JSON, or too large, or too deep, says so and harms no other. In a
graph, what an entry refers to is put back; that is read from its own place each time it
is needed, so that a graph of any size takes the memory of an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import msgspec

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.dcat_catalog import (
    GRAPH,
    KIND_OF_LIST,
    KIND_OF_TYPE,
    WHOLE,
    Entry,
    NoCatalogueError,
    Place,
    Walk,
    expanded,
    items,
    kind_of_document,
    places,
    type_of,
)
from shelter_pipeline.portals.document import Document
from shelter_pipeline.portals.reading import parse_json
from shelter_pipeline.portals.scanning import BrokenError, CutError, Scanner
from shelter_pipeline.portals.splitting import strings_of

TOO_DEEP = "nested too deeply to be read"
_SHOWN_BYTES = 500
_LARGEST_NODE_BYTES = 1024 * 1024
_NODES_REMEMBERED = 64
_NODES_BETWEEN_RELEASES = 256
_LENGTH_BITS = 32


class _UnreadableError(Exception):
    """An entry cannot be decoded; the message says why."""


class _Node(msgspec.Struct):
    """What the index of a graph needs of a node."""

    id: Json = msgspec.field(name="@id", default=None)
    type: Json = msgspec.field(name="@type", default=None)


_NODE = msgspec.json.Decoder(_Node)


class Entries:
    """The entries of one document, in its order, as often as they are asked for."""

    def __init__(self, document: Document, record_max_bytes: int) -> None:
        self._document = document
        self._most = record_max_bytes
        self._graph: Graph | None = None

    def __iter__(self) -> Iterator[Entry]:
        """Raises CutError, BrokenError or NoCatalogueError as `places`, ShelterError if the whole is one bad record."""
        scanner = Scanner(self._document.text)
        walk = Walk(scanner, self._document.start)
        for place in walk:
            try:
                found = self._at(place)
            except _UnreadableError as error:
                found = [self._unreadable(scanner, walk.cut_short(place), str(error))]
            yield from found

    def _at(self, place: Place) -> list[Entry]:
        if place.end - place.start > self._most:
            raise _UnreadableError(f"larger than {self._most} bytes")
        try:
            raw, undecoded = parse_json(self._document.text[place.start : place.end])
            return self._within(place.list_name, Entry(raw, _kind_of(place), undecoded=undecoded))
        except ShelterError as error:
            if place.list_name == WHOLE:
                raise
            raise _UnreadableError(str(error)) from error
        except RecursionError:
            raise _UnreadableError(TOO_DEEP) from None

    def _unreadable(self, scanner: Scanner, place: Place, problem: str) -> Entry:
        if place.list_name == WHOLE:
            raise NoCatalogueError(f"it lists nothing, and as one record it is {problem}")
        beginning = self._document.text[place.start : min(place.end, place.start + _SHOWN_BYTES)]
        shown = beginning.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        records = max(scanner.count_identifiers(place.start, place.end), 1)
        said = strings_of(self._document.text, place.start, place.end) if records == 1 else {}
        identifier = said.get("identifier") or said.get("@id")
        return Entry(
            None, _kind_of(place), problem=problem, shown=shown, records=records, identifier=identifier
        )

    def _within(self, list_name: str, entry: Entry) -> list[Entry]:
        if list_name == WHOLE:
            entry = replace(entry, kind=kind_of_document(entry.raw))
        elif list_name == GRAPH:
            self._graph = self._graph or Graph(self._document)
            return [one for node in _records_of_node(entry) for one in expanded(self._put_back(node))]
        return list(expanded(entry))

    def _put_back(self, entry: Entry) -> Entry:
        if not isinstance(entry.raw, dict) or self._graph is None:
            return entry
        resolver = _Resolver(self._graph, self._most)
        raw = resolver.resolved(entry.raw)
        if resolver.left < 0:
            return replace(entry, raw=None, problem=f"larger than {self._most} bytes with what it refers to")
        return replace(entry, raw=raw, undecoded=entry.undecoded or resolver.undecoded)


def _kind_of(place: Place) -> str:
    return KIND_OF_LIST.get(place.list_name, "dataset")


def _records_of_node(entry: Entry) -> Iterator[Entry]:
    """The node of a graph if it is a record, else the records that it spells out if it is a catalogue."""
    waiting = [entry.raw]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict):
            yield Entry(node, "dataset", undecoded=entry.undecoded)
        elif kind := KIND_OF_TYPE.get(type_of(node)):
            yield Entry(node, kind, undecoded=entry.undecoded)
        else:
            for name, kind in KIND_OF_LIST.items():
                for one in _spelled_out(node.get(name)):
                    yield Entry(one, kind, undecoded=entry.undecoded)
            waiting.extend(reversed(_spelled_out(node.get("catalog"))))


def _spelled_out(value: Json) -> list[Json]:
    """The objects of a list that are more than references to nodes of the graph."""
    return [item for item in items(value) if isinstance(item, dict) and set(item) - {"@id", "@type"}]


def _identity(node: bytes) -> _Node:
    """Who a node is. Raises ShelterError or ValidationError if it is no JSON, or no object."""
    try:
        return _NODE.decode(node)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.convert(parse_json(node)[0], _Node)


class Graph:
    """The nodes of a document's graph that are no records, by their `@id`: of two with one id, the later."""

    def __init__(self, document: Document) -> None:
        self._scanner = Scanner(document.text)
        self._places: dict[int, int] = {}
        self._reads = 0
        self.node = lru_cache(_NODES_REMEMBERED)(self._read)
        try:
            for place in places(self._scanner, document.start):
                self._note(place)
        except (CutError, BrokenError):
            pass  # whoever reads the entries comes to the same place and says so

    def _note(self, place: Place) -> None:
        length = place.end - place.start
        if place.list_name != GRAPH or length > _LARGEST_NODE_BYTES:
            return
        try:
            node = _identity(self._scanner.text[place.start : place.end])
            is_record = type_of({"@type": node.type}) in KIND_OF_TYPE
        except (ShelterError, msgspec.ValidationError, RecursionError):
            return  # what cannot be read, or is no object, cannot be referred to
        if isinstance(node.id, str) and not is_record:
            self._places[hash(node.id)] = place.start << _LENGTH_BITS | length

    def _read(self, node_id: str) -> tuple[Json, bool, int] | None:
        """The node, whether it holds undecoded bytes, and its size; None when there is no such node."""
        packed = self._places.get(hash(node_id))
        if packed is None:
            return None
        self._reads += 1
        if self._reads % _NODES_BETWEEN_RELEASES == 0:
            self._scanner.release()
        start, length = packed >> _LENGTH_BITS, packed & (1 << _LENGTH_BITS) - 1
        try:
            node, undecoded = parse_json(self._scanner.text[start : start + length])
        except ShelterError:
            return None
        return (node, undecoded, length) if node.get("@id") == node_id else None


class _Resolver:
    """Puts the nodes that one record refers to in their places, while there is room for them."""

    def __init__(self, graph: Graph, room: int) -> None:
        self._graph = graph
        self.left = room
        self.undecoded = False

    def resolved(self, record: dict[str, Json]) -> dict[str, Json]:
        """The record with its distributions and its publisher in it."""
        resolved = dict(record)
        for field in ("distribution", "publisher"):
            value = record.get(field)
            if isinstance(value, list):
                resolved[field] = [self._referred(item) for item in value]
            elif value is not None:
                resolved[field] = self._referred(value)
        return resolved

    def _referred(self, item: Json) -> Json:
        reference = item.get("@id") if isinstance(item, dict) and set(item) <= {"@id", "@type"} else item
        found = self._graph.node(reference) if isinstance(reference, str) and self.left >= 0 else None
        if found is None:
            return item
        node, undecoded, size = found
        self.left -= size
        self.undecoded = self.undecoded or undecoded
        return node
