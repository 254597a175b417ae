"""CKAN's DataStore: one table, dumped whole as CSV, and its description.

`/datastore/dump/ID` streams the whole table page by page (CKAN's DataStore extension,
"Downloading Resources"); old CKAN (such as 2.1) stops after 100,000 rows. `datastore_search` with a
limit of 0 gives the columns and the number of rows. Other actions belong to the portal, which
is harvested as a portal.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from shelter_pipeline.discovery.families.addresses import query_of, site_of
from shelter_pipeline.discovery.families.readings import (
    AsksNothing,
    description,
    file_lead,
    led,
    only_described,
)
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import Url

_UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
_DUMP = re.compile(
    r"(?P<base>(?:/[^/]{1,200}){0,5}?)/datastore/dump/(?P<id>[0-9a-f-]{36})/?\Z", re.IGNORECASE
)
_ACTION = re.compile(
    r"(?P<base>(?:/[^/]{1,200}){0,5}?)/api/(?:[123]/)?action/(?P<action>[a-z_]{3,60})/?\Z", re.IGNORECASE
)
_OF_TABLE = frozenset({"datastore_search", "datastore_search_sql", "datastore_info"})


class CkanDatastore(AsksNothing):
    """The family of CKAN's DataStore and the other actions of its interface."""

    slug = "ckan-datastore"

    def enter(self, url: Url) -> Reading | None:
        """The dump and the description of the table that `url` asks something of; None for any other URL."""
        if (dump := _DUMP.match(url.path)) and _UUID.fullmatch(dump["id"]):
            return _table(f"{site_of(url)}{dump['base']}", dump["id"].lower())
        action = _ACTION.match(url.path)
        if action is None:
            return None
        table = _UUID.search(unquote(query_of(url)))
        if table is not None and action["action"].lower() in _OF_TABLE:
            return _table(f"{site_of(url)}{action['base']}", table[0].lower())
        return only_described((), "an action of a CKAN portal, which is harvested as a portal")


def _table(base: str, table: str) -> Reading:
    dump = file_lead(f"{base}/datastore/dump/{table}", "csv", why="datastore-dump", media_type="text/csv")
    columns = f"{base}/api/3/action/datastore_search?resource_id={table}&limit=0"
    return led(dump, description(columns, "json", label="columns and number of rows"))
