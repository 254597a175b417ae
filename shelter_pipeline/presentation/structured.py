"""A dataset as schema.org describes one, for search engines of data and for citation tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shelter_pipeline.presentation.words import brief, iso, outside

_LONGEST_DESCRIPTION = 5000  # as much as Google's guide to dataset markup takes
_MOST_KEYWORDS, _MOST_FILES = 30, 20


def dataset_as_schema_org(dataset: Mapping[str, Any], base: str) -> dict[str, Any]:
    """A schema.org Dataset (https://schema.org/Dataset), with what is not known left out; `base` is the pages' own URL.

    It is data and no markup: whoever puts it into a page has to escape it.
    """
    described: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": brief(dataset["title"]),
        "description": brief(dataset["description"] or dataset["title"], _LONGEST_DESCRIPTION),
        "url": f"{base}/browse/datasets/{dataset['id']}",
        "identifier": brief(dataset["identifier"]),
        "sameAs": outside(dataset["landing_page"]),
        "license": outside(dataset["license"]),
        "keywords": [brief(word, 100) for word in dataset["keywords"][:_MOST_KEYWORDS]],
        "dateModified": iso(dataset["modified"]),
        "datePublished": iso(dataset["issued"]),
        "isAccessibleForFree": True,
        "creator": {
            "@type": "Organization",
            "name": brief(dataset["publisher"] or dataset["organization_name"]),
        },
        "distribution": [
            _download(file, base)
            for link in dataset["links"]
            for file in link["files_found"]
            if file["download_as"]
        ][:_MOST_FILES],
    }
    return {name: value for name, value in described.items() if value not in (None, "", [])}


def _download(file: Mapping[str, Any], base: str) -> dict[str, Any]:
    described = {
        "@type": "DataDownload",
        "name": brief(file["filename"]),
        "contentUrl": base + file["download_as"],
        "contentSize": f"{file['size']} B",
        "encodingFormat": brief(file["media_type"], 100),
        "sha256": file["sha256"],
    }
    return {name: value for name, value in described.items() if value}
