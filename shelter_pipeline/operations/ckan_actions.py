"""The reading actions of CKAN's Action API over the rescued catalog, by their names.

Each takes the parameters of a call as they came, from a query or from JSON, and gives
what stands under `result`. What CKAN would refuse is an ActionFailure in CKAN's own
words, so that its clients raise the errors they always raised. Whatever was delisted by
its portal is still here: `state` is CKAN's, and `shelter_state` says `absent`.

https://docs.ckan.org/en/2.11/api/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from shelter_pipeline.catalog.ckan_packages import (
    find_owner,
    find_package,
    names_after,
    organization_rows,
    package_rows,
    suggested_ids,
    summary_rows,
    tag_names,
)
from shelter_pipeline.catalog.ckan_search import Result, Search, search_packages
from shelter_pipeline.domain.ckan_ids import Kind, own_id
from shelter_pipeline.domain.ckan_query import QueryError, parse_query
from shelter_pipeline.domain.licenses import LICENSES
from shelter_pipeline.domain.records import Json
from shelter_pipeline.operations.ckan_call import (
    ActionFailure,
    Call,
    Parameters,
    invalid,
    not_found,
    query_error,
)
from shelter_pipeline.operations.ckan_package import (
    Package,
    organization_of,
    package_of,
    summary_of,
)
from shelter_pipeline.operations.workplace import Workplace

CKAN_VERSION = "2.11.0"
ROWS_MAX = 1000
_ROWS = 10
_NAMES_MAX = 100_000
_SUGGESTIONS_MAX = 100
_SUMMARY_FIELDS = frozenset({"id", "name", "title", "metadata_created", "metadata_modified"})
_SORT = re.compile(r"([A-Za-z_]+)(?:\s+(asc|desc))?\Z", re.IGNORECASE)
_FACET_TITLES = {
    "organization": "Organizations",
    "tags": "Tags",
    "res_format": "Formats",
    "groups": "Groups",
}
_SEARCH_PARAMETERS = frozenset(
    {
        "q",
        "fq",
        "fq_list",
        "rows",
        "start",
        "sort",
        "fl",
        "facet",
        "facet.field",
        "facet.limit",
        "facet.mincount",
    }
    | {
        "include_drafts",
        "include_private",
        "include_deleted",
        "use_default_schema",
        "df",
        "defType",
        "qf",
        "mm",
    }
    | {"callback", "extras", "bf", "boost", "tie", "q.op"}
)


Action = Callable[[Call], Json]


def package_list(call: Call) -> Iterator[list[str]]:
    """Names of all datasets, in order, in portions: half a million of them are no list to hold in memory."""
    limit = call.number("limit", -1, least=-1)
    return names_after(
        call.workplace.catalog, offset=call.number("offset", 0), limit=None if limit < 0 else limit
    )


def package_show(call: Call) -> Json:
    """One dataset, by its portal's id, its name, or our number."""
    given = call.required("id", "name_or_id")
    return _shown(call, find_package(call.workplace.catalog, given), "Not found")


def package_search(call: Call) -> Json:
    """A page of datasets by words and filters, with an exact count."""
    if unknown := sorted(set(call.parameters) - _SEARCH_PARAMETERS):
        raise query_error(f"Invalid search parameters: {unknown}")
    fields = [field for part in call.texts("fl") for field in re.split(r"[,\s]+", part) if field]
    search = _search_of(call)
    result = _searched(call, search)
    if fields and "*" not in fields:
        light = set(fields) <= _SUMMARY_FIELDS
        whole = _summaries(call, result.ids) if light else _packages(call, result.ids)
        packages = [{name: package[name] for name in fields if name in package} for package in whole]
    else:
        packages = _packages(call, result.ids)
    return {
        "count": result.count,
        "facets": {name: {one.name: one.count for one in found} for name, found in result.facets.items()},
        "results": packages,
        "search_facets": {
            name: {
                "title": _FACET_TITLES.get(name, name),
                "items": [{"name": one.name, "display_name": one.title, "count": one.count} for one in found],
            }
            for name, found in result.facets.items()
        },
        "sort": call.text("sort") or "score desc, metadata_modified desc",
    }


def current_package_list_with_resources(call: Call) -> Json:
    """Whole datasets, the last changed first."""
    limit = min(call.number("limit", _ROWS), ROWS_MAX)
    page = call.number("page", 0)
    start = call.number("offset", max(0, page - 1) * limit)
    return _packages(call, _searched(call, Search((), (("metadata_modified", True),), start, limit)).ids)


def package_autocomplete(call: Call) -> Json:
    """A few datasets with a word in their titles that begins so."""
    beginning = "".join(character for character in call.required("q").split()[-1] if character.isalnum())
    limit = min(call.number("limit", _ROWS), _SUGGESTIONS_MAX)
    found = suggested_ids(call.workplace.catalog, beginning, limit) if beginning else []
    return [
        {"name": one["name"], "title": one["title"], "match_field": "title", "match_displayed": one["title"]}
        for one in _summaries(call, found)
    ]


def resource_show(call: Call) -> Json:
    """One resource, by its portal's id or ours."""
    given = call.required("id")
    package = _shown(call, find_owner(call.workplace.catalog, given), "Not found: Resource was not found.")
    for found in package["resources"]:
        if found["id"] == given:
            return found
    raise not_found("Not found: Resource was not found.")


def organization_list(call: Call) -> Json:
    """Names of all organizations, or with `all_fields` the organizations."""
    wanted = call.texts("organizations") or None
    rows = organization_rows(call.workplace.catalog, wanted)
    order = _SORT.match((call.text("sort") or "name asc").strip())
    columns = {"name": "key", "title": "name", "package_count": "datasets", "packages": "datasets"}
    if order is None or order[1] not in columns:
        raise invalid("sort", f"Cannot sort by field `{call.text('sort')[:50]}`")
    rows = sorted(rows, key=lambda row: row[columns[order[1]]], reverse=(order[2] or "asc").lower() == "desc")
    limit = call.number("limit", len(rows))
    page = rows[call.number("offset", 0) :][:limit]
    return [organization_of(row) for row in page] if call.flag("all_fields") else [row["key"] for row in page]


def organization_show(call: Call) -> Json:
    """One organization, by its name or its id, and its datasets if they are asked for."""
    given = call.required("id")
    rows = organization_rows(call.workplace.catalog)
    found = next((row for row in rows if given in (row["key"], own_id(Kind.ORGANIZATION, row["id"]))), None)
    found = found or next((row for row in rows if given == row["slug"]), None)
    if found is None:
        raise not_found("Not found: Organization was not found.")
    shown = organization_of(found) | {"extras": [], "groups": [], "tags": [], "users": []}
    if call.flag("include_datasets"):
        clauses = parse_query(f"organization:{json.dumps(found['key'])}")
        shown["packages"] = _packages(call, _searched(call, Search(clauses, rows=ROWS_MAX)).ids)
    return shown


def tag_list(call: Call) -> Json:
    """Keywords of all datasets, or those that begin with `query`; a hundred thousand at once."""
    names = tag_names(
        call.workplace.catalog,
        call.text("query"),
        offset=call.number("offset", 0),
        limit=min(call.number("limit", _NAMES_MAX), _NAMES_MAX),
    )
    return [{"name": name, "display_name": name} for name in names] if call.flag("all_fields") else names


def license_list(_: Call) -> Json:
    """The licenses that packages name."""
    return [
        {
            "id": one.id,
            "title": one.title,
            "url": one.url,
            "status": "active",
            "is_okd_compliant": one.is_open,
        }
        for one in LICENSES
    ]


def status_show(call: Call) -> Json:
    """What this is."""
    return {
        "ckan_version": CKAN_VERSION,
        "error_emails_to": None,
        "extensions": ["shelter"],
        "locale_default": "en",
        "site_description": "Public data, rescued: what portals listed, with the files that are held of it.",
        "site_title": "Shelter",
        "site_url": call.base,
    }


def help_show(call: Call) -> Json:
    """What an action does."""
    name = call.required("name")
    action = ACTIONS.get(name)
    if action is None:
        raise not_found("Not found: Action name not known")
    return action.__doc__


def site_read(_: Call) -> Json:
    """Whether the site may be read: yes."""
    return True


def nothing(_: Call) -> Json:
    """An empty list: there are none of these here."""
    return []


def nobody(_: Call) -> Json:
    """There is nothing of that kind here to show."""
    raise not_found("Not found")


ACTIONS: dict[str, Action] = {
    "current_package_list_with_resources": current_package_list_with_resources,
    "group_list": nothing,
    "group_show": nobody,
    "help_show": help_show,
    "license_list": license_list,
    "organization_list": organization_list,
    "organization_show": organization_show,
    "package_autocomplete": package_autocomplete,
    "package_list": package_list,
    "package_search": package_search,
    "package_show": package_show,
    "resource_show": resource_show,
    "resource_view_list": nothing,
    "site_read": site_read,
    "status_show": status_show,
    "tag_list": tag_list,
    "user_list": nothing,
    "vocabulary_list": nothing,
}
_WRITES = re.compile(
    r"(\w+_)?(create|update|patch|delete|purge|revise|upsert|insert|reorder|invite|clear|set|run|submit|transfer)"
    r"(_\w+)?\Z|(un)?follow_\w+\Z|\w+_(generate|revoke|add|remove)\Z"
)


def perform(workplace: Workplace, name: str, parameters: Parameters, base: str) -> Json | Iterator[list[str]]:
    """The result of an action; of `package_list` the portions of it.

    Raises ActionFailure, KeyError for an action that nobody knows, CatalogAwayError.
    """
    action = ACTIONS.get(name)
    if action is None:
        if _WRITES.match(name):
            raise ActionFailure(
                403,
                "Authorization Error",
                message="Access denied: this is a rescued catalog, and it can only be read",
            )
        raise KeyError(name)
    try:
        return action(Call(workplace, base, parameters))
    except QueryError as error:
        raise query_error(str(error)) from error


def _search_of(call: Call) -> Search:
    clauses = [
        clause
        for text in [call.text("q"), *call.texts("fq"), *call.texts("fq_list")]
        for clause in parse_query(text)
    ]
    facets = tuple(dict.fromkeys(call.texts("facet.field"))) if call.flag("facet", default=True) else ()
    limit = call.number("facet.limit", 50, least=-1)
    return Search(
        tuple(clauses),
        _order_of(call.text("sort")),
        call.number("start", 0),
        min(call.number("rows", _ROWS), ROWS_MAX),
        facets,
        limit,
    )


def _order_of(text: str) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _SORT.match(part)
        if match is None:
            raise QueryError(f"Invalid sort {part[:50]!r}; write FIELD asc, or FIELD desc")
        order.append((match[1], (match[2] or "asc").lower() == "desc"))
    return tuple(order)


def _searched(call: Call, search: Search) -> Result:
    catalog = call.workplace.catalog
    return search_packages(catalog, search, lambda given: find_package(catalog, given))


def _packages(call: Call, ids: list[int]) -> list[Package]:
    return [package_of(rows, call.base) for rows in package_rows(call.workplace.catalog, ids)] if ids else []


def _summaries(call: Call, ids: list[int]) -> list[Package]:
    return [summary_of(row) for row in summary_rows(call.workplace.catalog, ids)] if ids else []


def _shown(call: Call, identity: int | None, message: str) -> Package:
    if identity is None:
        raise not_found(message)
    return _packages(call, [identity])[0]
