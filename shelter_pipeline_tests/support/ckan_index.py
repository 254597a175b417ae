"""A CKAN portal on a local site: packages in an index that filters, sorts and cuts as CKAN's does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, open_door

ACTIONS = "/api/3/action"
SEARCH = f"{ACTIONS}/package_search"
SHOW = f"{ACTIONS}/package_show"
NAMES = f"{ACTIONS}/package_list"
PACKAGES = f"{ACTIONS}/current_package_list_with_resources"
ORGANIZATIONS = f"{ACTIONS}/organization_list"
UNKNOWN_ACTION = Answered("Bad request - Action name not known: it", 400)
_RANGE = re.compile(r"metadata_modified:\[(\S+) TO \*\]\Z")


def package(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An unremarkable package; each number is one second later than the one before."""
    return {
        "id": f"{number:08d}-0000",
        "name": f"package-{number}",
        "title": f"Package {number}",
        "notes": "About it.",
        "organization": {"name": "water_office", "title": "Water Office", "type": "organization"},
        "metadata_modified": modified(number),
        "license_title": "Creative Commons Zero",
        "tags": [{"name": "water"}],
        "groups": [{"name": "g", "title": "Environment"}],
        "extras": [{"key": "accessLevel", "value": "public"}],
        "resources": [
            {
                "id": "r1",
                "url": "https://example.org/a.csv",
                "format": "CSV",
                "size": "42 octets",
                "name": "A",
            }
        ],
    } | changes


def modified(number: int) -> str:
    """The date of change of the package of this number, as CKAN writes it."""
    return f"2025-06-20T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.037389"


def result(value: Any) -> dict[str, Any]:
    """What a successful action answers."""
    return {"help": "", "success": True, "result": value}


def failure(kind: str, message: str = "") -> dict[str, Any]:
    """What an action that fails answers."""
    return {"help": "", "success": False, "error": {"__type": kind, "message": message}}


def envelope(packages: list[Any], count: Any) -> dict[str, Any]:
    """What `package_search` answers."""
    return result({"count": count, "results": packages})


class Index:
    """The search index of a portal. Each attribute is a habit that can be changed while it is read."""

    def __init__(self, site: LocalSite, packages: list[Any], *, cap: int = 1000, path: str = SEARCH) -> None:
        self.site = site
        self.packages = packages
        self.cap = cap
        self.heeds_filters = True
        self.takes_filters = True
        self.heeds_fields = True
        self.before_answer: Callable[[Asked], Answered | None] = lambda _: None
        site.answers(path, self._answer)

    def _answer(self, asked: Asked) -> Answered:
        if (other := self.before_answer(asked)) is not None:
            return other
        if "fq" in asked.query and not self.takes_filters:
            return Answered(failure("Search Query Error", "Invalid search parameters: ['fq']"), 400)
        rows = self._found(asked)
        start, limit = int(asked.query.get("start", 0)), min(int(asked.query["rows"]), self.cap)
        page = rows[start : start + limit]
        if self.heeds_fields and asked.query.get("fl") == "id":
            page = [{"id": one["id"]} for one in page]
        return Answered(envelope(page, len(rows)))

    def _found(self, asked: Asked) -> list[Any]:
        rows = [one for one in self.packages if isinstance(one, dict)]
        if (match := _RANGE.match(asked.query.get("fq", ""))) and self.heeds_filters and match[1] != "*":
            rows = [one for one in rows if _indexed(one["metadata_modified"]) >= _indexed(match[1])]
        if asked.query.get("sort", "").startswith("metadata_modified asc"):
            return sorted(rows, key=lambda one: (_indexed(one["metadata_modified"]), one["id"]))
        return sorted(rows, key=lambda one: str(one["id"]))

    @property
    def searches(self) -> list[dict[str, str]]:
        """The parameters of every search, in order."""
        return [dict(asked.query) for asked in self.site.asked if asked.path.endswith("package_search")]


def _indexed(date: str) -> str:
    """A date as the index keeps it, in milliseconds."""
    return date.rstrip("Z")[:23]


def open_ckan(
    url: str, *, attempts: int = 1, sleep: Callable[[float], None] = lambda _: None, **options: Any
) -> CkanPortal:
    """The driver on a portal, which does not wait between attempts unless told how."""
    reader = PageReader(open_door(), max_bytes=10**8, attempts=attempts, sleep=sleep)
    return CkanPortal(url, reader, **options)


def identifiers(portal: CkanPortal, cursor: str | None = None, **options: Any) -> list[str | None]:
    """The identity of every record of a crawl, in order."""
    return [record.identifier for page in portal.pages(cursor, **options) for record in page.records]


def ids(*numbers: int) -> list[str]:
    """The ids of the packages of these numbers."""
    return [package(number)["id"] for number in numbers]


def in_json(value: Any) -> str:
    """The value as a JSON text."""
    return json.dumps(value)
