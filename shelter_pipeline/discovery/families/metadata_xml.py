"""Metadata records of geographic data in XML: the links that they call downloads.

ISO 19115 in the forms of ISO/TS 19139 and 19115-3 (CI_OnlineResource within distribution
information), the FGDC's CSDGM (networkr, onlink), and Esri's own form of both. Read as a
stream by a parser that fetches nothing and refuses entities of the document's own; a
record that breaks off gives what stood before the break.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from shelter_pipeline.discovery.classify import Kind, classify
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.leads import Reading, Reply
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.portals.encoding import decode, mend_text

MOST_LINKS = 10_000
_BUFFER = 64 * 1024
_DEEPEST = 200
_LONGEST_TEXT = 8000
_ENOUGH_HEAD = 4000
_ISO_ROOTS = frozenset({"MD_Metadata", "MI_Metadata"})
# Records on their own, and what catalogue services wrap them in.
_ROOTS = _ISO_ROOTS | {
    "metadata",
    "GetRecordByIdResponse",
    "GetRecordsResponse",
    "OAI-PMH",
    "DS_DataSet",
    "DS_Series",
}
_ONLINE = frozenset({"CI_OnlineResource", "onLineSrc"})
_DISTRIBUTION = frozenset({"distributionInfo", "distInfo"})
_CONTACTS = frozenset({"contactInfo", "CI_Contact", "rpCntInfo"})
# The field of a link in which a text stands, by the element that opened it.
_FIELDS = {
    "linkage": "url",
    "protocol": "protocol",
    "name": "name",
    "orName": "name",
    "function": "function",
    "orFunct": "function",
}
_CITATION = ("idinfo", "citation", "citeinfo", "onlink")
_DOWNLOAD_FUNCTIONS = frozenset({"download", "001"})
_OTHER_FUNCTIONS = frozenset(
    {
        "information",
        "search",
        "order",
        "offlineaccess",
        "browsegraphic",
        "browsing",
        "002",
        "003",
        "004",
        "005",
    }
)
_DOWNLOAD_PROTOCOLS = ("download", "ftp")
_SERVICE_PROTOCOLS = ("ogc:", "esri:", "opendap", "dap", "erddap", "thredds", "ogc wms", "ogc wfs")
_DATA_KINDS = frozenset({Kind.FILE, Kind.ARCHIVE, Kind.DIRECTORY, Kind.SERVICE})


@dataclass(slots=True)
class _Link:
    """One link as the record gives it."""

    where: str  # iso | fgdc-networkr | fgdc-onlink
    url: str = ""
    protocol: str = ""
    name: str = ""
    function: str = ""


@dataclass(slots=True)
class _Record:
    """What has been read so far. Elements are told by their local names: prefixes differ, and are often undeclared."""

    path: list[str] = field(default_factory=list)
    links: list[_Link] = field(default_factory=list)
    is_record: bool = False
    problem: str = ""
    _link: _Link | None = None
    _depth: int = 0
    _text: list[str] = field(default_factory=list)
    _length: int = 0

    def start(self, element: str, attributes: dict[str, str]) -> None:
        name = element.rpartition(":")[2]
        if not self.path and name not in _ROOTS:
            raise _TooMuchError("it is another kind of document")
        self.path.append(name)
        if len(self.path) > _DEEPEST:
            raise _TooMuchError("elements nested too deeply")
        self._text.clear()
        self._length = 0
        if name in _ISO_ROOTS or (name == "idinfo" and self.path[0] == "metadata") or name in _DISTRIBUTION:
            self.is_record = True
        elif name in _ONLINE and self._is_of_the_data():
            self._link, self._depth = _Link("iso"), len(self.path)
        elif self._link is not None and name in ("CI_OnLineFunctionCode", "OnFunctCd"):
            self._link.function = attributes.get("codeListValue") or attributes.get("value") or ""

    def text(self, data: str) -> None:
        if self._length < _LONGEST_TEXT:
            self._text.append(data[: _LONGEST_TEXT - self._length])
            self._length += len(data)

    def end(self, _element: str) -> None:
        name = self.path[-1]
        text = "".join(self._text).strip()
        if text and self._link is not None:
            self._fill(self._link, text)
        elif text and name == "networkr":
            self._keep(_Link("fgdc-networkr", text))
        elif text and name == "onlink" and tuple(self.path[-4:]) == _CITATION:
            self._keep(_Link("fgdc-onlink", text))
        if self._link is not None and len(self.path) == self._depth:
            self._keep(self._link)
            self._link = None
        self.path.pop()
        self._text.clear()
        self._length = 0

    def _is_of_the_data(self) -> bool:
        """Links of people who may be asked, of the standard, or of other works are not the data's."""
        return any(name in _DISTRIBUTION for name in self.path) and not any(
            name in _CONTACTS for name in self.path
        )

    def _fill(self, link: _Link, text: str) -> None:
        for name in reversed(self.path[self._depth :]):
            if into := _FIELDS.get(name):
                setattr(link, into, getattr(link, into) or text)
                return

    def _keep(self, link: _Link) -> None:
        if len(self.links) >= MOST_LINKS:
            raise _TooMuchError(f"more than {MOST_LINKS} links")
        if link.url:
            self.links.append(link)


class _TooMuchError(Exception):
    """The record is read no further."""


def read_metadata_xml(reply: Reply, url: Url) -> Reading | None:
    """What a metadata record links to as data; None if the reply is no such record. Never raises.

    A reading without leads is one of a record that names no download; it settles nothing,
    because the record itself is a file.
    """
    if not reply.body[:_ENOUGH_HEAD].lstrip(b"\xef\xbb\xbf\xfe\xff\x00 \t\r\n").startswith(b"<"):
        return None
    record = _parse(reply.body)
    if not record.is_record:
        return None
    found = Findings("")
    for link in record.links:
        _take(found, link, url)
    if record.problem:
        found.remark(f"the record was read in part: {record.problem}")
    return found.reading(of="the metadata record", whole=False)


def _parse(body: bytes) -> _Record:
    record = _Record()
    problem = _feed(record, body, None)
    if problem is None:
        # An encoding that the parser does not know, or bytes that contradict the declaration.
        record = _Record()
        problem = _feed(record, mend_text(decode(body)[0]).encode("utf-8", "replace"), "utf-8")
    record.problem = problem or ""
    return record


_OTHER_ENCODING = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_UNKNOWN_ENCODING,
        expat.errors.XML_ERROR_INCORRECT_ENCODING,
        expat.errors.XML_ERROR_INVALID_TOKEN,
    )
)


def _feed(record: _Record, body: bytes, encoding: str | None) -> str | None:
    """Read a document; returns what stopped it in words, and None where another encoding may help."""
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.buffer_size = _BUFFER
    parser.StartElementHandler = record.start
    parser.EndElementHandler = record.end
    parser.CharacterDataHandler = record.text
    parser.EntityDeclHandler = _refuse_entities
    try:
        # At once: in pieces, a token as long as the document would be looked through again for each.
        parser.Parse(body, True)
    except expat.ExpatError as error:
        if encoding is None and error.code in _OTHER_ENCODING:
            return None
        return str(error)
    except LookupError as error:  # Python does not know it either
        return None if encoding is None else str(error)
    except (_TooMuchError, ValueError) as error:
        return str(error)
    return ""


def _refuse_entities(*_declaration: object) -> None:
    raise _TooMuchError("it declares entities of its own")


def _take(found: Findings, link: _Link, url: Url) -> None:
    address = link.url.strip()
    if address.count("://") == 1:
        address = address.replace(" ", "%20")
    elif address.startswith("www."):
        address = f"https://{address}"
    if address.rstrip("/") == url.text.rstrip("/") or not _is_data(link, address):
        return
    found.elsewhere(address, why=_why(link), label=link.name or link.function)


def _is_data(link: _Link, address: str) -> bool:
    """Whether the record, or else the URL, says that data lie there."""
    if link.where.startswith("fgdc"):
        return True
    function = link.function.replace(" ", "").lower()
    protocol = link.protocol.lower()
    if function in _DOWNLOAD_FUNCTIONS or any(word in protocol for word in _DOWNLOAD_PROTOCOLS):
        return True
    if protocol.startswith(_SERVICE_PROTOCOLS):
        return True
    return function not in _OTHER_FUNCTIONS and classify(address).kind in _DATA_KINDS


def _why(link: _Link) -> str:
    return "iso-download" if link.where == "iso" else link.where
