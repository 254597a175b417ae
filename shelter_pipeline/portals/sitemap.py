"""The sitemaps of a site (sitemaps.org, protocol 0.9), read as a stream by a parser that trusts nobody.

A document type is refused before anything in it is read, so there are no entities to
expand and none to fetch. Only files on the site's own host are followed, each once.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit
from xml.parsers import expat

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.portals.reading import PageReader

LARGEST_FILE_BYTES = 64 * 1024**2  # the protocol allows 50 MiB
MOST_FILES = 50_000  # as the protocol allows in one index
_LONGEST_LOCATION = 8192
_PIECE = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS
_ENTRY = {"sitemapindex": "sitemap", "urlset": "url"}
_LOCATION_DEPTH = 3  # root, entry, loc: what is deeper belongs to an extension such as images
_DATASET = re.compile(r"/dataset/([^/]+)/?\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_DEEPEST = 100
_CUT = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """One file: an index of further files, or a list of pages."""

    is_index: bool
    locations: tuple[str, ...]


def dataset_lists(url: str, reader: PageReader) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """For each sitemap file that names datasets: its URL, their slugs, and the requests it took.

    A slug is what follows `/dataset/` in a page's address, percent-decoded. A site without
    a sitemap gives nothing. Raises ShelterError, naming the file, for one that cannot be read.
    """
    waiting, known, requests = [url], {url}, 0
    while waiting:
        place = waiting.pop(0)
        try:
            sitemap, asked = reader.document(
                place, parse_sitemap, accept="application/xml, text/xml", max_bytes=LARGEST_FILE_BYTES
            )
        except PermanentError as error:
            if place == url and error.reason in ("not-found", "gone"):
                return
            raise
        requests += asked
        if sitemap.is_index:
            files = [_on_the_site(place, location, url) for location in sitemap.locations]
            fresh = [file for file in dict.fromkeys(files) if file and file not in known]
            known.update(fresh)
            waiting.extend(fresh)
            if len(known) > MOST_FILES:
                raise PermanentError(
                    f"{url} could not be read: it leads to more than {MOST_FILES} files", reason="too-large"
                )
        elif slugs := tuple(dict.fromkeys(filter(None, map(slug_of, sitemap.locations)))):
            yield place, slugs, requests
            requests = 0


def _on_the_site(place: str, location: str, site: str) -> str | None:
    """The file that a sitemap at `place` names, asked of the site as the site itself is; None for any other's.

    A private portal's key goes with each request: a link in plain http must not carry it over an open line.
    """
    try:
        file = urlsplit(urljoin(place, location))
    except ValueError:
        return None
    if file.scheme not in _DEFAULT_PORTS or not same_host(file.geturl(), site):
        return None
    own = urlsplit(site)
    return file._replace(scheme=own.scheme, netloc=own.netloc).geturl()


def slug_of(location: str) -> str | None:
    """The slug in the address of a dataset's page; None for any other page.

    >>> slug_of("https://catalog.data.gov/dataset/air%2Dquality?from=map")
    'air-quality'
    """
    try:
        match = _DATASET.search(urlsplit(location).path)
    except ValueError:
        return None
    slug = unquote(match[1]) if match else ""
    return slug if slug and "\x00" not in slug else None


def same_host(one: str, other: str) -> bool:
    """Whether two URLs are asked of one host and port; with default ports, http and https are one."""
    try:
        return _host(one) == _host(other)
    except ValueError:
        return False


def _host(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    port = None if parts.port == _DEFAULT_PORTS.get(parts.scheme) else parts.port
    return parts.hostname, port


def parse_sitemap(body: bytes) -> Sitemap:
    """A sitemap file, gzipped or not, in whatever namespace.

    Raises TransientError for a file that breaks off, PermanentError for one that is no
    sitemap, declares a document type, or unfolds to more than LARGEST_FILE_BYTES.
    """
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = reading.begin
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.hear
    try:
        for piece in _pieces(body):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        if error.code in _CUT:
            raise TransientError("a sitemap that ends in the middle", reason="wrong-length") from error
        raise PermanentError(f"invalid XML: {error}", reason="wrong-type") from error
    return Sitemap(reading.root == "sitemapindex", tuple(reading.locations))


def _refuse_document_type(*_: object) -> None:
    raise PermanentError("a sitemap that declares a document type", reason="wrong-type")


def _pieces(body: bytes) -> Iterator[bytes]:
    if not body.startswith(_GZIP_MAGIC):
        yield from (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))
        return
    unfold, total, rest = zlib.decompressobj(_GZIP), 0, body
    try:
        while rest and not unfold.eof:
            piece = unfold.decompress(rest, _PIECE)
            rest = unfold.unconsumed_tail
            total += len(piece)
            if total > LARGEST_FILE_BYTES:
                raise PermanentError(f"a sitemap of more than {LARGEST_FILE_BYTES} bytes", reason="too-large")
            yield piece
    except zlib.error as error:
        raise TransientError(f"a gzipped sitemap that is damaged: {error}", reason="bad-encoding") from error
    if not unfold.eof:
        raise TransientError("a gzipped sitemap that ends in the middle", reason="wrong-length")


@dataclass(slots=True)
class _Reading:
    """What the parser has met so far."""

    root: str = ""
    locations: list[str] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)
    _heard: list[str] | None = None

    def begin(self, name: str, _: object) -> None:
        local = name.rpartition(" ")[2]
        self._path.append(local)
        if len(self._path) == 1:
            self.root = local
            if local not in _ENTRY:
                raise PermanentError(f"an XML document of {local!r}, not a sitemap", reason="wrong-type")
        if len(self._path) > _DEEPEST:
            raise PermanentError("XML nested too deeply to be a sitemap", reason="wrong-type")
        if self._is_location():
            self._heard = []

    def hear(self, text: str) -> None:
        if self._heard is not None and self._is_location():
            self._heard.append(text)

    def end(self, _: str) -> None:
        if self._heard is not None and self._is_location():
            location = "".join(self._heard).strip()
            self._heard = None
            if 0 < len(location) <= _LONGEST_LOCATION:
                self.locations.append(location)
        self._path.pop()

    def _is_location(self) -> bool:
        return len(self._path) == _LOCATION_DEPTH and self._path[1:] == [_ENTRY[self.root], "loc"]
