"""The kinds of files there are: by extension, media type, and the names catalogues use.

The table is the whole knowledge. An extension, a media type or a name belongs to one kind
only, which a test keeps true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# slug | label | extensions | media types | names in catalogues, beside slug and extensions.
# A [line] in brackets begins a family; an indented line continues the one before.
_TABLE = """
[table]
csv | CSV | csv | text/csv application/csv text/comma-separated-values | comma separated values
tsv | Tab-separated values | tsv tab | text/tab-separated-values | tab separated values
xls | Excel 97-2003 | xls xlt | application/vnd.ms-excel application/msexcel | excel, ms excel, microsoft excel
xlsx | Excel | xlsx xlsm xlsb | application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
  application/vnd.ms-excel.sheet.macroenabled.12 | excel (.xlsx), excel xlsx, openxml spreadsheet
ods | OpenDocument spreadsheet | ods | application/vnd.oasis.opendocument.spreadsheet |
parquet | Parquet | parq | application/vnd.apache.parquet application/x-parquet | apache parquet
arrow | Arrow and Feather | arrow | application/vnd.apache.arrow.file | feather
dbf | dBase table | dbf | application/dbf application/x-dbf application/dbase | dbase
access | Access database | mdb accdb | application/msaccess application/x-msaccess | ms access
sqlite | SQLite database | db | application/vnd.sqlite3 application/x-sqlite3 | sqlite3
sas | SAS | sas xpt sd2 | application/x-sas | sas7bdat, sas transport
spss | SPSS | sav por sps | application/x-spss-sav application/x-spss |
stata | Stata | dta | application/x-stata application/x-stata-dta |
r-data | R data | rda rdata rds | | r data
sql | SQL dump | sql | application/sql |

[archive]
zip | ZIP | zip zipx | application/zip application/x-zip application/x-zip-compressed multipart/x-zip
  | zip archive, zipped, compressed
tar | tar | tar tgz tbz tbz2 txz tar.gz tar.bz2 tar.xz tar.z
  | application/x-tar application/x-gtar application/x-compressed-tar | tarball, tar/gz
gzip | gzip | gz gzip z | application/gzip application/x-gzip application/x-compress |
bzip2 | bzip2 | bz2 bz | application/x-bzip2 application/x-bzip |
xz | xz | xz lzma | application/x-xz |
zstd | Zstandard | zst | application/zstd |
7z | 7-Zip | 7z | application/x-7z-compressed | 7zip, 7-zip
rar | RAR | rar | application/vnd.rar application/x-rar-compressed application/x-rar |
jar | Java archive | jar war | application/java-archive |
iso | Disk image | iso | application/x-iso9660-image |

[geo]
geojson | GeoJSON | geojson | application/geo+json application/vnd.geo+json |
topojson | TopoJSON | | application/topo+json |
kml | KML | kml | application/vnd.google-earth.kml+xml application/vnd.google-earth.kml |
kmz | KMZ | kmz | application/vnd.google-earth.kmz |
gml | GML | gml | application/gml+xml |
gpx | GPX | gpx | application/gpx+xml |
shapefile | Shapefile | shp shx sbn sbx prj cpg
  | application/x-shapefile application/x-esri-shape x-gis/x-shapefile application/vnd.shp
  | shape, esri shapefile, shape file, zipped shapefile, shapefiles
geopackage | GeoPackage | gpkg | application/geopackage+sqlite3 |
geodatabase | Esri geodatabase | gdb | | file geodatabase, esri file geodatabase, fgdb, fgdb / gdb
geotiff | GeoTIFF | gtiff | image/geotiff | geotif, cog
e00 | ArcInfo export | e00 | | arcinfo export
cad | CAD drawing | dwg dxf | image/vnd.dwg image/vnd.dxf |
lidar | LiDAR points | las laz | application/vnd.las application/vnd.laszip |
tiles | Map tiles | | application/vnd.mapbox-vector-tile | mbtiles, pmtiles
map-project | Map project | mxd mpk lpk lyr qgs qgz | | layer package, map package

[scientific]
netcdf | NetCDF | nc nc4 cdf | application/netcdf application/x-netcdf | netcdf-4, netcdf4
hdf | HDF | hdf h4 h5 hdf4 hdf5 he4 he5 | application/x-hdf application/x-hdf5 | hdf-eos, hdf-5, hdf-4
grib | GRIB | grb grb2 grib grib2 gb2 | application/x-grib application/wmo-grib | grib-2
bufr | BUFR | bufr bfr | application/bufr |
fits | FITS | fits fit fts | application/fits image/fits |
zarr | Zarr | zarr | application/vnd+zarr |
matlab | MATLAB | mat | application/x-matlab-data |
sequences | Sequences | fasta fa fastq fq gbk gff gff3 vcf bam sra | | genbank
binary | Binary data | dat bin raw img asc grd ascii | | ascii grid, binary data

[structured]
json | JSON | json | application/json text/json application/x-json |
jsonl | JSON Lines | jsonl | application/jsonl application/x-ndjson | ndjson, json lines
json-ld | JSON-LD | | application/ld+json | jsonld
xml | XML | xml xsd xsl xslt | application/xml text/xml | iso 19115, iso 19139, fgdc
rdf | RDF | rdf owl | application/rdf+xml | rdf/xml, rdf xml
turtle | Turtle and N-Triples | ttl n3 nt nq trig | text/turtle application/n-triples | rdf turtle, n-triples
yaml | YAML | yaml yml | application/yaml application/x-yaml text/yaml |
feed | News feed | rss atom | application/rss+xml application/atom+xml | georss
calendar | Calendar | ics | text/calendar | ical
px | PC-Axis | px | text/x-pcaxis | pc-axis

[document]
pdf | PDF | pdf | application/pdf application/x-pdf | adobe pdf, acrobat
doc | Word 97-2003 | doc dot | application/msword | word, ms word, microsoft word
docx | Word | docx docm | application/vnd.openxmlformats-officedocument.wordprocessingml.document |
ppt | PowerPoint | ppt pptx pps ppsx | application/vnd.ms-powerpoint
  application/vnd.openxmlformats-officedocument.presentationml.presentation | powerpoint
odt | OpenDocument text | odt odp odg | application/vnd.oasis.opendocument.text |
rtf | Rich text | rtf | application/rtf text/rtf |
text | Plain text | txt text md log | text/plain text/markdown | plain text, ascii text
epub | E-book | epub mobi | application/epub+zip |
postscript | PostScript | ps eps | application/postscript |

[image]
tiff | TIFF | tif tiff | image/tiff |
jpeg | JPEG | jpg jpeg jpe jp2 j2k | image/jpeg image/jpg image/jp2 |
png | PNG | png | image/png |
gif | GIF | gif | image/gif |
svg | SVG | svg svgz | image/svg+xml |
bitmap | Bitmap | bmp webp ico sid ecw | image/bmp image/webp | mrsid

[media]
audio | Sound | mp3 wav ogg flac m4a aac | audio/mpeg audio/wav audio/x-wav audio/ogg audio/flac |
video | Film | mp4 avi mov wmv mpg mpeg mkv webm flv m4v
  | video/mp4 video/mpeg video/quicktime video/webm |

[program]
program | Program | exe msi dmg deb rpm apk dll
  | application/x-msdownload application/vnd.microsoft.portable-executable |
source | Source code | py ipynb c cpp f f90 java m sh bat | text/x-python application/x-ipynb+json | python
model-3d | 3-D model | stl obj ply glb gltf | model/stl model/gltf+json |

[web]
web-part | Part of a web page | css js mjs map woff woff2 ttf eot
  | text/css text/javascript application/javascript |
"""


@dataclass(frozen=True, slots=True)
class AssetKind:
    """One row: slug and label for people, family for reports, and everything it is recognised by."""

    slug: str
    label: str
    family: str  # table | archive | geo | scientific | structured | document | image | media | program | web
    extensions: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()  # lower case, beyond slug and extensions


def _rows(table: str) -> tuple[AssetKind, ...]:
    kinds: list[AssetKind] = []
    family = ""
    for line in table.replace("\n  ", " ").splitlines():
        if line.startswith("["):
            family = line.strip("[]")
        elif line:
            slug, label, extensions, media_types, names = (cell.strip() for cell in line.split("|"))
            formats = tuple(name.strip() for name in names.split(",") if name.strip())
            kinds.append(
                AssetKind(slug, label, family, tuple(extensions.split()), tuple(media_types.split()), formats)
            )
    return tuple(kinds)


ASSET_KINDS = _rows(_TABLE)

_BY_SLUG = {kind.slug: kind for kind in ASSET_KINDS}
_BY_EXTENSION = {extension: kind for kind in ASSET_KINDS for extension in kind.extensions}
_BY_MEDIA_TYPE = {media_type: kind for kind in ASSET_KINDS for media_type in kind.media_types}
_BY_NAME = _BY_EXTENSION | _BY_SLUG | {name: kind for kind in ASSET_KINDS for name in kind.formats}
_SEVERAL = re.compile(r"[\s,;+|&()]+")
# Short extensions are also words ("map", "m"): alone in a field they are meant, among others they are not.
_CERTAIN_FAMILIES = frozenset({"table", "archive", "geo", "scientific", "structured", "document"})
_SHORTEST_CERTAIN_NAME = 3
_LONGEST_NAME = 200


def kind_named(slug: str | None) -> AssetKind | None:
    """The row of a slug."""
    return _BY_SLUG.get(slug) if slug else None


def kind_of_extension(extension: str) -> AssetKind | None:
    """The kind an extension stands for, without its dot, in any case."""
    return _BY_EXTENSION.get(extension.lower())


def kind_of_media_type(media_type: str | None) -> AssetKind | None:
    """The kind a media type stands for, parameters ignored (RFC 9110 section 8.3)."""
    if not media_type:
        return None
    return _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())


def kind_of_format(name: str | None) -> AssetKind | None:
    """The kind a catalogue means by a format: a name, an extension, a media type, or a URL that ends in one.

    Of several in one field the first that is known counts.
    """
    if not name:
        return None
    written = name.strip().lower().lstrip(".")[-_LONGEST_NAME:]
    found = _BY_NAME.get(written) or kind_of_media_type(written)
    if found:
        return found
    if "://" in written:
        return _of_tail(written)
    return next((kind for part in _SEVERAL.split(written) if (kind := _certain(part))), None)


def _certain(part: str) -> AssetKind | None:
    kind = _BY_NAME.get(part.lstrip(".")) or kind_of_media_type(part)
    if kind is None or len(part) < _SHORTEST_CERTAIN_NAME or kind.family not in _CERTAIN_FAMILIES:
        return None
    return kind


def _of_tail(url: str) -> AssetKind | None:
    parts = url.rstrip("/").split("/")
    return _BY_MEDIA_TYPE.get("/".join(parts[-2:])) or _BY_NAME.get(parts[-1])
