"""The documents of the sample that machines read: how stores, services and repositories list what they hold.

Each keeps the form of the real thing as far as a reader needs it: a bucket's listing in two
parts, a THREDDS catalogue with two services, a Dataverse's list of files with their
checksums, an ISO 19139 record with an address to download from, a map service's capabilities.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote

from shelter_pipeline.sample.content import Content, content_of, kind_of
from shelter_pipeline.sample.faults import Spot
from shelter_pipeline.sample.site import Site

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NO_FILE = Content(())


def _content(site: Site, path: str) -> Content:
    spot = site.at(path)
    return content_of(spot.path, spot.size) if spot else _NO_FILE


def capabilities() -> str:
    """A web map service's description of itself (OGC WMS 1.3.0), with one layer."""
    return (
        f'{_XML}<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms">'
        "<Service><Name>WMS</Name><Title>Nautical charts</Title></Service>"
        "<Capability><Layer><Title>Harbor depths</Title></Layer></Capability></WMS_Capabilities>\n"
    )


def bucket_listing(site: Site, spot: Spot, token: str) -> str:
    """One half of a bucket's keys, as S3's ListObjectsV2 gives them; the first names the `token` of the second."""
    half = len(spot.links) // 2
    paths = spot.links[half:] if token else spot.links[:half]
    name = PurePosixPath(spot.path).name
    rest = "" if token else f"<NextContinuationToken>{name}-2</NextContinuationToken>"
    return (
        f'{_XML}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{name}</Name><Prefix/>'
        f"<KeyCount>{len(paths)}</KeyCount><MaxKeys>{half}</MaxKeys>"
        f"<IsTruncated>{'false' if token else 'true'}</IsTruncated>{rest}"
        f"{''.join(_object(site, spot, path) for path in paths)}</ListBucketResult>\n"
    )


def _object(site: Site, spot: Spot, path: str) -> str:
    content = _content(site, path)
    return (
        f"<Contents><Key>{path.removeprefix(spot.path)}</Key><LastModified>2024-03-11T09:42:00.000Z</LastModified>"
        f'<ETag>"{content.md5()}"</ETag><Size>{content.size}</Size>'
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def thredds_catalog(site: Site, spot: Spot, file_server: str) -> str:
    """A catalogue of a THREDDS server (InvCatalog 1.0) whose files stand below the path `file_server`."""
    datasets = "".join(
        f'<dataset name="{PurePosixPath(path).name}" ID="{path}" urlPath="{path.removeprefix(file_server)}">'
        f'<dataSize units="Kbytes">{_content(site, path).size / 1000:.2f}</dataSize></dataset>'
        for path in spot.links
    )
    return (
        f'{_XML}<catalog xmlns="http://www.unidata.ucar.edu/namespaces/thredds/InvCatalog/v1.0" version="1.0.1">'
        '<service name="all" serviceType="Compound" base="">'
        '<service name="odap" serviceType="OPENDAP" base="/thredds/dodsC/"/>'
        f'<service name="http" serviceType="HTTPServer" base="{file_server}"/></service>'
        f'<dataset name="{spot.title}"><metadata inherited="true"><serviceName>all</serviceName></metadata>'
        f"{datasets}</dataset></catalog>\n"
    )


def deposit(site: Site, spot: Spot) -> str:
    """The files of a dataset, as the native API of a Dataverse lists them."""
    return json.dumps({"status": "OK", "totalCount": len(spot.links), "data": list(_files(site, spot.links))})


def _files(site: Site, paths: Iterable[str]) -> Iterable[dict[str, object]]:
    for path in paths:
        content, number = _content(site, path), PurePosixPath(path).name
        name = f"table-{number}.csv"
        checksum = {"type": "MD5", "value": content.md5()}
        file = {
            "id": int(number),
            "filename": name,
            "contentType": kind_of(path).media_type,
            "filesize": content.size,
            "tabularData": False,
            "checksum": checksum,
        }
        yield {"label": name, "restricted": False, "dataFile": file}


def metadata_record(site: Site, spot: Spot) -> str:
    """A record of ISO/TS 19139 with one address to download from for each link."""
    online = "".join(
        "<gmd:onLine><gmd:CI_OnlineResource>"
        f"<gmd:linkage><gmd:URL>{site.url(path)}</gmd:URL></gmd:linkage>"
        f"<gmd:name><gco:CharacterString>{unquote(PurePosixPath(path).name)}</gco:CharacterString></gmd:name>"
        '<gmd:function><gmd:CI_OnLineFunctionCode codeListValue="download"/></gmd:function>'
        "</gmd:CI_OnlineResource></gmd:onLine>"
        for path in spot.links
    )
    return (
        f'{_XML}<gmd:MD_Metadata xmlns:gmd="http://www.isotc211.org/2005/gmd" '
        'xmlns:gco="http://www.isotc211.org/2005/gco"><gmd:fileIdentifier>'
        f"<gco:CharacterString>{spot.title}</gco:CharacterString></gmd:fileIdentifier><gmd:distributionInfo>"
        "<gmd:MD_Distribution><gmd:transferOptions><gmd:MD_DigitalTransferOptions>"
        f"{online}</gmd:MD_DigitalTransferOptions></gmd:transferOptions></gmd:MD_Distribution>"
        "</gmd:distributionInfo></gmd:MD_Metadata>\n"
    )
