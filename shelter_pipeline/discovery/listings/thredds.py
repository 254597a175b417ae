"""Catalogues of THREDDS servers (InvCatalog 1.0): the files among their datasets, and the catalogues below.

A dataset is a file if one of its services is of the type HTTPServer; what is served by
OPeNDAP, WMS or NetCDF Subset alone is a service, and is counted. Hyrax writes the same form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from shelter_pipeline.discovery.leads import Reading, What
from shelter_pipeline.discovery.listings.entries import Entry, survey_of
from shelter_pipeline.discovery.listings.measures import moment_in, within_reason
from shelter_pipeline.discovery.listings.place import PLAIN_PATH, Place, climbs, has_empty_part
from shelter_pipeline.discovery.listings.xml_stream import Document, Event, Step, events_in, readable
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url, join_url, parse_url

READER = "thredds"  # of leads to a catalogue
ROOT = "catalog"
NAMESPACE = b"InvCatalog"
_FILE_SERVICES = frozenset({"httpserver", "http", "https"})
# They lead to another dataset of the same catalogue, and hold nothing of their own.
_POINTERS = frozenset({"resolver", "catalog"})
# Sizes of this form are decimal, unlike those of most listings.
_UNITS = {"bytes": 1, "kbytes": 10**3, "mbytes": 10**6, "gbytes": 10**9, "tbytes": 10**12, "pbytes": 10**15}
_MOST_SERVICES = 1000
_IN_A_PATH = "/:@!$&'()*+,;=-._~%"


@dataclass(frozen=True, slots=True)
class _Service:
    """A way of access, its base in full; `of` holds the names of those that a compound one is made of."""

    kind: str
    base: str
    suffix: str
    of: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Dataset:
    """One dataset while it is read. `inherited` is the service that those below it have too."""

    path: str = ""
    service: str = ""
    inherited: str = ""
    size: int | None = None
    modified: str = ""
    accesses: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """The elements that are open, outermost first; a dataset stands for the catalogue itself."""

    datasets: list[_Dataset] = field(default_factory=lambda: [_Dataset()])
    services: list[str] = field(default_factory=list)
    metadata: list[bool] = field(default_factory=list)  # whether each is inherited


@dataclass(slots=True)
class _Catalog:
    """A catalogue in a place. `missed` are the services that a dataset named before they were declared."""

    place: Place
    document: Document
    services: dict[str, _Service] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def server(self) -> str:
        """What the URLs of all entries begin with."""
        return self.place.base.removesuffix(self.place.path) + "/"

    def entries(self) -> Iterator[Entry]:
        """A file for each dataset that can be downloaded, a directory for each catalogue below."""
        open_now = _Open()
        for event in events_in(self.document):
            if event.step is Step.BREAK:
                self.passed_over[f"the catalogue breaks off: {event.text}"] = 1
                return
            entry = self._begin(event, open_now) if event.step is Step.BEGIN else self._end(event, open_now)
            if entry is not None:
                yield entry

    def _begin(self, event: Event, open_now: _Open) -> Entry | None:
        attributes = event.attributes
        if event.name == "dataset":
            above = open_now.datasets[-1].inherited
            named = attributes.get("serviceName", "") or above
            open_now.datasets.append(_Dataset(attributes.get("urlPath", ""), named, above))
        elif event.name == "metadata":
            open_now.metadata.append(attributes.get("inherited", "").lower() == "true")
        elif event.name == "service":
            self._learn(attributes, open_now.services)
            open_now.services.append(attributes.get("name", ""))
        elif event.name == "catalogRef":
            return self._directory(attributes.get("href", ""))
        return None

    def _end(self, event: Event, open_now: _Open) -> Entry | None:
        if event.name == "dataset":
            return self._file(open_now.datasets.pop())
        if event.name == "metadata":
            open_now.metadata.pop()
        elif event.name == "service":
            open_now.services.pop()
        else:
            _note(open_now.datasets[-1], event, inherited=any(open_now.metadata))
        return None

    def _learn(self, attributes: Mapping[str, str], above: list[str]) -> None:
        named = attributes.get("name", "")
        if named in self.services or len(self.services) >= _MOST_SERVICES:
            return
        try:
            base = join_url(self.place.page.text, _written(attributes.get("base", ""))).text
        except RefusedError:
            base = ""
        kind, suffix = attributes.get("serviceType", "").lower(), attributes.get("suffix", "")
        self.services[named] = _Service(kind, base.removesuffix("/") + "/", suffix)
        for outer in above:
            if outer in self.services:
                self.services[outer].of.append(named)

    def _file(self, dataset: _Dataset) -> Entry | None:
        ways = dataset.accesses + ([(dataset.service, dataset.path)] if dataset.path else [])
        if not ways:
            return None  # a heading for those below it
        kinds = set()
        for service, path in ways:
            for way in self._made_of(service):
                kinds.add(way.kind)
                if way.kind in _FILE_SERVICES:
                    return self._served(way, path, dataset)
        if not kinds or not kinds <= _POINTERS:
            self.passed_over["served by OPeNDAP or another service alone, not as a file"] += 1
        return None

    def _made_of(self, name: str) -> list[_Service]:
        service = self.services.get(name)
        if service is None:
            self.missed.add(name)
            return []
        return [service, *(self.services[part] for part in service.of if part in self.services)]

    def _served(self, way: _Service, path: str, dataset: _Dataset) -> Entry | None:
        if not way.base.startswith(self.server):
            self.passed_over["on another server"] += 1
            return None
        url = way.base + path if PLAIN_PATH.match(path) and not way.suffix else _joined(way, path)
        if not url or len(url) > MAX_URL_LENGTH:
            self.passed_over["no name of a file"] += 1
            return None
        modified = self.place.dated(moment_in(dataset.modified))
        return Entry(url, _name(url), is_directory=False, size=dataset.size, modified=modified)

    def _directory(self, reference: str) -> Entry | None:
        """The catalogue that a reference leads to, if it is below this one (see `_is_below`)."""
        try:
            target = join_url(self.place.page.text, _written(reference.strip()))
        except RefusedError:
            target = None
        if target is None or climbs(target.path) or not self._is_ours(target) or not self._is_below(target):
            self.passed_over["a catalogue elsewhere"] += 1
            return None
        parts = urlsplit(target.text)
        if parts.path.endswith(".html"):  # the same for people
            parts = parts._replace(path=parts.path.removesuffix("html") + "xml")
        return Entry(parts.geturl(), _name(parts.geturl()), is_directory=True, reader=READER)

    def _is_ours(self, target: Url) -> bool:
        return target.host == self.place.page.host and target.scheme == self.place.page.scheme

    def _is_below(self, target: Url) -> bool:
        """Below in the path; or, as servers are built, in the tree `catalog/` from a catalogue outside of it."""
        here = self.place.path
        if target.path.startswith(here):
            itself = target.path in (here, self.place.page.path)
            return not itself and not has_empty_part(target.path[len(here) :])
        context, tree, _ = target.path.partition("/catalog/")
        return bool(tree) and here.startswith(context + "/") and not here.startswith(context + tree)


def read_thredds(body: bytes, place: Place) -> Reading:
    """What a catalogue lists. `body` is a document whose root is `ROOT` in a namespace with `NAMESPACE`."""
    catalog = _Catalog(place, readable(body))
    survey = survey_of(catalog.entries, catalog.passed_over)
    if catalog.missed & catalog.services.keys():
        catalog.passed_over.clear()
        survey = survey_of(catalog.entries, catalog.passed_over)
    return Reading(What.LISTING, survey.leads(), digest=survey.digest, notes=survey.notes)


def _note(dataset: _Dataset, event: Event, *, inherited: bool) -> None:
    """Keep what an element says of the dataset it stands in."""
    attributes = event.attributes
    if event.name == "serviceName":
        dataset.service = event.text.strip()
        if inherited:
            dataset.inherited = dataset.service
    elif event.name == "access" and "urlPath" in attributes:
        dataset.accesses.append((attributes.get("serviceName", "") or dataset.service, attributes["urlPath"]))
    elif event.name == "dataSize" and dataset.size is None:
        dataset.size = _size(event.text, _UNITS.get(attributes.get("units", "bytes").strip().lower(), 0))
    elif event.name == "date" and attributes.get("type") == "modified":
        dataset.modified = dataset.modified or event.text


def _size(text: str, unit: int) -> int | None:
    try:
        return within_reason(float(text) * unit) if unit else None
    except (ValueError, OverflowError):
        return None


def _joined(way: _Service, path: str) -> str:
    """The URL of a file, in normal form; empty for one that cannot be asked for."""
    if climbs(path):
        return ""
    try:
        below = quote(path.removeprefix("/") + way.suffix, safe=_IN_A_PATH, errors="surrogateescape")
        return parse_url(way.base + below).text
    except RefusedError:
        return ""


def _name(url: str) -> str:
    """A URL without its server, which all entries of a catalogue share."""
    return url.split("/", 3)[3]


def _written(reference: str) -> str:
    return quote(reference, safe=_IN_A_PATH + "?#[]|", errors="surrogateescape")
