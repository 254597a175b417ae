"""True files and bad replies as real bytes: what catalogues link to, and what servers send in its place."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import struct
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

TABLE = b"year,catch,station\n" + b"".join(b"%d,%d,ST-%03d\n" % (1950 + n, n * 7, n) for n in range(70))


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and what a catalogue says of it."""

    name: str
    data: bytes
    url: str
    format: str | None = None
    media_type: str | None = None
    served_as: str | None = None
    reason: str = ""  # of a bad one


def zipped(name: str = "table.csv", data: bytes = TABLE) -> bytes:
    """A ZIP of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def _workbook() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


def _tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("table.csv")
        info.size = len(TABLE)
        archive.addfile(info, io.BytesIO(TABLE))
    return out.getvalue()


def _database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.gpkg"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
        connection.commit()
        connection.close()
        return path.read_bytes()


def _tiff() -> bytes:
    return b"II*\x00" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 256, 3, 1, 64) + bytes(4096)


def parquet(rows: int = 200) -> bytes:
    """As Parquet begins and ends: the magic, pages, the footer, its length, the magic."""
    footer = bytes(range(1, 120))
    return b"PAR1" + bytes(rows) + footer + struct.pack("<I", len(footer)) + b"PAR1"


_FEATURES = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"error": "5 m"}, "geometry": None}],
}
_PAGE = (
    b"<!DOCTYPE html><html><head><title>Catch by year</title></head><body><table><tr><td>17</table></html>"
)
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
_HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(88)
_KML = b"<?xml version='1.0'?>\n<!-- made by hand -->\n<kml xmlns='http://www.opengis.net/kml/2.2'/>"
_EXCEL_PAGE = (
    b'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><body><table><tr><td>17</td></table></html>'
)

GOOD = [
    Sample("a table", TABLE, "http://h/a.csv"),
    Sample("a table by its format", TABLE, "http://h/download?id=3", "CSV", "text/csv"),
    Sample("a table of one line", b"year,catch\r\n", "http://h/a.csv"),
    Sample("a table of errors", b"error,count\n404,17\n500,2\n", "http://h/a.csv"),
    Sample("a table of what was not found", b"not found,count\n17,2\n", "http://h/a.csv"),
    Sample("a table of forbidden things", b"forbidden,since\nDDT,1972\n", "http://h/a.csv"),
    Sample("a table of years", b"404\n405\n406\n", "http://h/a.csv"),
    Sample("a table in UTF-16", TABLE.decode().encode("utf-16"), "http://h/a.csv"),
    Sample("a table in UTF-16 without a mark", TABLE.decode().encode("utf-16-le"), "http://h/a.csv"),
    Sample("a table in UTF-16 of the other order", TABLE.decode().encode("utf-16-be"), "http://h/a.txt"),
    Sample("a table in Latin-1", "año,pêche\n2025,17\n".encode("latin-1"), "http://h/a.csv"),
    Sample("a table with a mark", b"\xef\xbb\xbf" + TABLE, "http://h/a.csv"),
    Sample("a table with a stray zero", TABLE + b"\x00" + TABLE, "http://h/a.csv"),
    Sample("a zipped table called CSV", zipped(), "http://h/get?id=7", "CSV"),
    Sample("a gzipped table called CSV", gzip.compress(TABLE), "http://h/get?id=7", "CSV"),
    Sample("a zipped table", zipped(), "http://h/get", "CSV (zipped)"),
    Sample("tab separated values", b"a\tb\n1\t2\n", "http://h/a.tsv"),
    Sample("a readme that speaks of pages", b"<sic> as found; see <a> for links\n", "http://h/readme.txt"),
    Sample("a long log of errors", b"Error: file not found\n" * 60, "http://h/log.txt"),
    Sample("a grid of numbers", b"ncols 4\nnrows 6\nxllcorner 0.0\n", "http://h/a.asc"),
    Sample("a script for a database", b"-- dump\nCREATE TABLE a (b int);\n", "http://h/a.sql"),
    Sample("turtle", b"@prefix dct: <http://purl.org/dc/terms/> .\n", "http://h/a.ttl", "RDF"),
    Sample("features", json.dumps(_FEATURES).encode(), "http://h/a.geojson", "GeoJSON"),
    Sample("a list", b"[]", "http://h/a.json"),
    Sample("a bare number", b" 17\n", "http://h/a.json"),
    Sample("lines of JSON", b'{"a": 1}\n{"a": 2}\n', "http://h/a.jsonl"),
    Sample("JSON in a call", b"callback({});", "http://h/a", "JSON"),
    Sample("JSON that has no errors", b'{"error": null, "errors": [], "rows": [1]}', "http://h/a.json"),
    Sample("a measurement with its error", b'{"value": 3.2, "error": 0.1}', "http://h/a.json"),
    Sample("a table called JSON or CSV", TABLE, "http://h/a.csv", "JSON"),
    Sample("XML", b"<?xml version='1.0'?><table><title>Catch</title><p>1</p></table>", "http://h/a.xml"),
    Sample("placemarks", _KML, "http://h/a.kml", "KML"),
    Sample("zipped placemarks", zipped("doc.kml", _KML), "http://h/get", "KML"),
    Sample("a ZIP", zipped(), "http://h/a.zip", "ZIP"),
    Sample("an empty ZIP", b"PK\x05\x06" + bytes(18), "http://h/a.zip"),
    Sample("a ZIP with a comment", zipped()[:-2] + b"\x05\x00hello", "http://h/a.zip"),
    Sample("a shapefile", zipped("a.shp"), "http://h/a.zip", "SHP"),
    Sample("a workbook", _workbook(), "http://h/a.xlsx", "XLSX"),
    Sample("an old workbook", _OLE, "http://h/a.xlsx", "Excel"),
    Sample("a page that is a workbook", _EXCEL_PAGE, "http://h/a.xls", "XLS"),
    Sample("a gzipped file", gzip.compress(TABLE), "http://h/a.csv.gz", "CSV"),
    Sample("a bzip2 file", bz2.compress(TABLE), "http://h/a.bz2"),
    Sample("an xz file", lzma.compress(TABLE), "http://h/a.xz"),
    Sample("a tape archive", _tarred(), "http://h/a.tar", media_type="application/x-tar"),
    Sample("a gzipped tape archive", gzip.compress(_tarred()), "http://h/get", "application/x-tar"),
    Sample("a geopackage", _database(), "http://h/a.gpkg"),
    Sample("classic netCDF", b"CDF\x02" + bytes(200), "http://h/a.nc", "NetCDF"),
    Sample("netCDF 4", _HDF5, "http://h/a.nc4", "NetCDF"),
    Sample("Common Data Format", bytes.fromhex("cdf300010000ffff") + bytes(64), "http://h/a.cdf", "cdf"),
    Sample("HDF5 after a user block", bytes(512) + _HDF5, "http://h/a.h5"),
    Sample("a geotiff", _tiff(), "http://h/a.tif", "GeoTIFF"),
    Sample("a picture", _PNG, "http://h/a.png", "image/png"),
    Sample("Parquet", parquet(), "http://h/a.parquet"),
    Sample("a report", b"\n%PDF-1.7\n1 0 obj\n", "http://h/a.pdf", "PDF"),
    Sample("GRIB after a heading", b"TTAA00 KWBC 010000\r\r\nGRIB" + bytes(60), "http://h/a.grb2"),
    Sample("bytes of no known form", bytes(range(256)), "http://h/a.dat"),
    Sample("nothing promised", _PNG, "http://h/get?id=1", served_as="text/plain"),
    Sample("a page that is the data", _PAGE, "http://h/a.html", "HTML", "text/html"),
    Sample("a page called CSV, HTML", _PAGE, "http://h/table", "CSV, HTML"),
    Sample("a page where nothing was promised", _PAGE, "http://h/table", served_as="text/html"),
]

_LOGIN = b"<html><head><title>Sign in to your account</title></head><body></body></html>"
_SAML = (
    b'<html><body onload="document.forms[0].submit()"><form><input name="SAMLRequest"></form></body></html>'
)
_AKAMAI = (
    b"<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n"
    b"Reference&#32;&#35;18&#46;2d1e6cc1\n<P>https&#58;&#47;&#47;errors&#46;edgesuite&#46;net</P></BODY></HTML>"
)
_CLOUDFLARE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"
_HUB = b'{"message":"Download is being prepared","status":"Processing","processingTime":"9 minutes"}'
_OGC = b"<?xml version='1.0'?>\n<ServiceExceptionReport version='1.3.0'><ServiceException>no layer</ServiceException>"
_S3 = b"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>"
_ESRI = b'{"error":{"code":499,"message":"Token Required","details":[]}}'

BAD = [
    Sample("a page for a table", _PAGE, "http://h/a.csv", reason="html-instead"),
    Sample("a page for an archive", _PAGE, "http://h/get", "ZIP", reason="html-instead"),
    Sample("a page for features", _PAGE, "http://h/a.json", "GeoJSON", reason="html-instead"),
    Sample("a whole page for XML", _PAGE, "http://h/a.xml", reason="html-instead"),
    Sample("a page for unknown bytes", _PAGE, "http://h/a.dat", reason="html-instead"),
    Sample("a page for a workbook", _PAGE, "http://h/a.xls", reason="html-instead"),
    Sample("a PHP warning", b"<br />\n<b>Warning</b>: mysql", "http://h/a.csv", reason="html-instead"),
    Sample("a login", _LOGIN, "http://h/a.csv", reason="login-page"),
    Sample("a single sign-on", _SAML, "http://h/a.zip", reason="login-page"),
    Sample("a firewall", _AKAMAI, "http://h/a.csv", reason="login-page"),
    Sample("a robot check", _CLOUDFLARE, "http://h/a.nc", reason="login-page"),
    Sample("a hub that is not ready", _HUB, "http://h/data?format=csv", "CSV", reason="processing"),
    Sample("a token is missing", _ESRI, "http://h/query", "GeoJSON", reason="wrong-type"),
    Sample("an error of Socrata", b'{"code":"x","error":true}', "http://h/a.json", reason="wrong-type"),
    Sample("an exception of a service", _OGC, "http://h/a.gml", reason="wrong-type"),
    Sample("no such key", _S3, "http://h/a.xml", reason="wrong-type"),
    Sample("no such key for an archive", _S3, "http://h/a.zip", reason="wrong-type"),
    Sample("words", b"404: Not Found", "http://h/a.csv", reason="wrong-type"),
    Sample("an apology", b"Sorry, an error occurred.", "http://h/a.txt", reason="wrong-type"),
    Sample("a bare status", b"404\n", "http://h/a.csv", reason="wrong-type"),
    Sample("null", b"null", "http://h/a.json", reason="wrong-type"),
    Sample("a report for a table", b"%PDF-1.7\n", "http://h/a.csv", reason="wrong-type"),
    Sample("a picture for a table", _PNG, "http://h/a.csv", reason="wrong-type"),
    Sample("HDF5 for a table", _HDF5, "http://h/a.csv", reason="wrong-type"),
    Sample("a table for features", TABLE, "http://h/a.geojson", "GeoJSON", reason="wrong-type"),
    Sample("a table for an archive", TABLE, "http://h/a.zip", reason="wrong-type"),
    Sample("half a ZIP", zipped()[:-30], "http://h/a.zip", reason="incomplete"),
    Sample("half a ZIP of a table", zipped()[:-30], "http://h/get", "CSV (zipped)", reason="incomplete"),
    Sample("half a workbook", _workbook()[:-40], "http://h/a.xlsx", reason="incomplete"),
    Sample("half of Parquet", parquet()[:-9], "http://h/a.parquet", reason="incomplete"),
    Sample("no bytes", b"", "http://h/a.csv", reason="empty"),
    Sample("no bytes of nothing promised", b"", "http://h/get", reason="empty"),
]
