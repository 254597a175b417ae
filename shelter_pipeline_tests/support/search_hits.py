"""Search hits as data.gov's API gives them, with every part that the driver looks at."""

from __future__ import annotations

from typing import Any


def hit(slug: str | None = "water-levels", **changes: Any) -> dict[str, Any]:
    """A hit of this slug; `changes` replace its fields, and `dcat` those of the record inside it."""
    dcat = {
        "@type": "dcat:Dataset",
        "accessLevel": "public",
        "description": "Levels of all rivers.",
        "identifier": "NOAA-1",
        "issued": "2018-06-25",
        "keyword": ["rivers", "water"],
        "landingPage": "https://example.gov/water",
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "modified": "2025-07-17",
        "publisher": {"@type": "org:Organization", "name": "River Office"},
        "temporal": "2000-01-01/2020-01-01",
        "title": "Water Levels",
        "distribution": [
            {"downloadURL": "https://example.gov/water.csv", "mediaType": "text/csv", "title": "CSV"},
            {"accessURL": "https://example.gov/water", "mediaType": "text/html"},
        ],
    }
    return (
        {
            "_score": 1.0,
            "_sort": [1.0, 3, "id"],
            "dcat": dcat | changes.pop("dcat", {}),
            "description": "Levels of all rivers.",
            "harvest_record": "https://catalog.data.gov/harvest_record/1",
            "identifier": "NOAA-1",
            "keyword": ["rivers"],
            "last_harvested_date": "2025-08-03T15:49:47",
            "organization": {
                "slug": "noaa",
                "name": "NOAA",
                "organization_type": "Federal Government",
                "logo": "l",
            },
            "popularity": 3,
            "publisher": "River Office",
            "title": "Water Levels",
            "type": "dataset",
        }
        | ({"slug": slug} if slug else {})
        | changes
    )
