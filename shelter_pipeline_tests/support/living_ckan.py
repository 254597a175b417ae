"""A CKAN portal on loopback whose packages a test adds, changes, hides and takes away while it is read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site

_ACTIONS = "/api/3/action"
_WINDOW = re.compile(r"metadata_modified:\[(?P<first>[^ ]+?)Z? TO \*\]")


class CkanSite:
    """Packages by id; `rows_max` cuts pages as CKAN does, `pause_seconds` makes each search slow."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.packages: dict[str, dict[str, Any]] = {}
        self.rows_max = 10
        self.pause_seconds = 0.0
        self.hidden: set[str] = set()  # in no page of packages, yet there
        self.instead: Callable[[Asked], Answered | None] = lambda _: None
        self.refuses_windows = False
        for name, answer in {
            "package_search": self._search,
            "package_show": self._show,
            "organization_list": self._organizations,
        }.items():
            site.answers(f"{_ACTIONS}/{name}", self._or_instead(answer))

    @property
    def url(self) -> str:
        return self.site.url

    def adds(self, *identifiers: str, organization: str = "epa", **fields: Any) -> None:
        """Packages of one file each."""
        for identifier in identifiers:
            file = {"id": f"r-{identifier}", "url": f"{self.url}/files/{identifier}.csv", "format": "CSV"}
            self.packages[identifier] = {
                "id": identifier,
                "name": f"name-of-{identifier}",
                "title": f"Title of {identifier}",
                "organization": {"name": organization, "title": organization.upper()},
                "metadata_modified": "2026-01-01T00:00:00.000000",
                "resources": [file],
            } | fields

    def starts(self) -> list[int]:
        """The `start` of every page of whole packages that was asked for."""
        return [
            int(asked.query.get("start", 0))
            for asked in self.site.asked
            if asked.path.endswith("package_search")
            and "fl" not in asked.query
            and asked.query.get("rows") != "0"
        ]

    def _or_instead(self, answer: Callable[[Asked], Answered]) -> Callable[[Asked], Answered]:
        return lambda asked: self.instead(asked) or answer(asked)

    def _search(self, asked: Asked) -> Answered:
        time.sleep(self.pause_seconds)
        query = asked.query
        found = [self.packages[key] for key in sorted(self.packages)]
        if match := _WINDOW.search(query.get("fq", "")):
            if self.refuses_windows:
                return Answered({"success": False, "error": {"__type": "Search Query Error"}}, 400)
            found = [package for package in found if package["metadata_modified"] >= match["first"]]
        count = len(found)
        if "fl" not in query:
            found = [package for package in found if package["id"] not in self.hidden]
        start, rows = int(query.get("start", 0)), min(int(query.get("rows", 10)), self.rows_max)
        page = found[start : start + rows]
        if "fl" in query:
            page = [{"id": package["id"]} for package in page]
        return _succeeds({"count": count, "results": page})

    def _show(self, asked: Asked) -> Answered:
        package = self.packages.get(asked.query.get("id", ""))
        if package is None:
            error = {"__type": "Not Found Error", "message": "Not found"}
            return Answered({"success": False, "error": error}, 404)
        return _succeeds(package)

    def _organizations(self, _: Asked) -> Answered:
        names = sorted({package["organization"]["name"] for package in self.packages.values()})
        return _succeeds([{"name": name, "title": name.upper()} for name in names])


def _succeeds(result: Any) -> Answered:
    return Answered({"success": True, "result": result})


@contextmanager
def living_ckan() -> Iterator[CkanSite]:
    """A CKAN site for the length of the block."""
    with local_site() as site:
        yield CkanSite(site)
