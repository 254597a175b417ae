"""The kinds of files that a catalogue promises, as data: their names, extensions and first bytes.

One row a kind. `magic` empty means text, of which nothing is known but that it is not a
web page. A container's row carries the kinds that travel in it: a shapefile is a ZIP.
"""

from __future__ import annotations

from dataclasses import dataclass

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HDF5 = (b"\x89HDF\r\n\x1a\n",)
_OLE = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_GZIP = (b"\x1f\x8b",)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. `names` are what catalogues and URLs call it: formats, extensions, media subtypes."""

    name: str
    names: frozenset[str]
    magic: tuple[bytes, ...] = ()
    offsets: tuple[int, ...] = (0,)

    def matches(self, head: bytes) -> bool:
        """Whether the first bytes are of this kind; always true of text."""
        return not self.magic or any(
            head.startswith(magic, offset) for magic in self.magic for offset in self.offsets
        )


def _kind(name: str, names: str, magic: tuple[bytes, ...] = (), offsets: tuple[int, ...] = (0,)) -> Kind:
    return Kind(name, frozenset(names.split()) | {name}, magic, offsets)


HTML = _kind("html", "htm xhtml xhtml+xml webpage")
XML = _kind(
    "xml", "kml gml rdf rss rdf+xml atom+xml vnd.google-earth.kml+xml gml+xml xsd ttl turtle n3 nt owl"
)

KINDS: tuple[Kind, ...] = (
    HTML,
    _kind("zip", "x-zip x-zip-compressed zipped kmz fgdb gdb sav.zip", _ZIP),
    _kind("shapefile", "shp shapefiles x-shapefile", (*_ZIP, b"\x00\x00\x27\x0a")),
    _kind("xlsx", "xlsm vnd.openxmlformats-officedocument.spreadsheetml.sheet docx pptx ods odt", _ZIP),
    # Offices write both under one name, and portals say "Excel" of either.
    _kind("xls", "excel vnd.ms-excel doc ppt msword vnd.ms-powerpoint", (*_OLE, *_ZIP)),
    _kind("pdf", "x-pdf", (b"%PDF-",), offsets=tuple(range(1024))),
    _kind("gzip", "gz x-gzip tgz", _GZIP),
    _kind("bzip2", "bz2 x-bzip2 tbz2", (b"BZh",)),
    _kind("xz", "x-xz txz", (b"\xfd7zXZ\x00",)),
    _kind("zstd", "zst", (b"\x28\xb5\x2f\xfd",)),
    _kind("7z", "x-7z-compressed", (b"7z\xbc\xaf\x27\x1c",)),
    _kind("rar", "x-rar-compressed vnd.rar", (b"Rar!\x1a\x07",)),
    _kind("tar", "x-tar", (b"ustar",), offsets=(257,)),
    _kind("netcdf", "nc nc4 cdf x-netcdf netcdf4", (b"CDF\x01", b"CDF\x02", b"CDF\x05", *_HDF5)),
    # A user block of a power of two may stand before the signature.
    _kind("hdf5", "h5 hdf x-hdf5 x-hdf hdf4", (*_HDF5, b"\x0e\x03\x13\x01"), offsets=(0, 512, 1024, 2048)),
    _kind("parquet", "pq geoparquet vnd.apache.parquet", (b"PAR1",)),
    _kind("tiff", "tif geotiff cog", _TIFF),
    _kind("png", "", (b"\x89PNG\r\n\x1a\n",)),
    _kind("jpeg", "jpg", (b"\xff\xd8\xff",)),
    _kind("gif", "", (b"GIF87a", b"GIF89a")),
    _kind("sqlite", "gpkg geopackage geopackage+sqlite3 sqlite3 vnd.sqlite3 db3", (b"SQLite format 3\x00",)),
    _kind("grib", "grb grib2 grb2", (b"GRIB",)),
    _kind("fits", "fit", (b"SIMPLE  =",)),
    _kind("las", "laz", (b"LASF",)),
    _kind("access", "mdb accdb msaccess", (b"\x00\x01\x00\x00Stan",)),
    _kind("text", "txt csv tsv tab ascii asc dat psv comma-separated-values tab-separated-values"),
    _kind("json", "geojson json5 jsonl ndjson ld+json geo+json vnd.geo+json topojson jsonld"),
    _kind(
        "xml", "kml gml rdf rss rdf+xml atom+xml vnd.google-earth.kml+xml gml+xml xsd ttl turtle n3 nt owl"
    ),
)

_BY_NAME = {name: kind for kind in KINDS for name in kind.names}
# What a script of a statistics package or a spreadsheet never begins with.
DOCUMENTS = tuple(_BY_NAME[name] for name in ("pdf", "png", "jpeg", "gif"))


def kind_named(name: str) -> Kind | None:
    """The kind that a format, extension or media subtype names; None for one we know nothing of.

    >>> kind_named("GeoTIFF").name
    'tiff'
    """
    return _BY_NAME.get(name.strip().lower().removeprefix("."))
