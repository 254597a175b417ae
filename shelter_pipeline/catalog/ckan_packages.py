"""What CKAN packages are made of, read for many datasets at once; and what names them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.ckan_ids import Kind, number_in, own_id

Row = Mapping[str, Any]

# Files found behind pages and directories, of one dataset.
MOST_FILES = 100
_PORTION = 10_000
_NUMBERED = re.compile(r"(?:(.*)--)?(\d{1,18})\Z", re.ASCII | re.DOTALL)


@dataclass(slots=True)
class PackageRows:
    """One dataset: its record, its resources, the files they lead to, and how far its rescue is."""

    dataset: Row
    resources: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)
    holdings: Row = field(default_factory=dict)


def names_after(catalog: Catalog, *, offset: int, limit: int | None) -> Iterator[list[str]]:
    """The names of all datasets in order, in portions; each is read when it is asked for."""
    # One row more before the first tells whether that one has its slug.
    slug, identity, skipped = "", 0, min(offset, 1)
    offset -= skipped
    left = None if limit is None else limit + skipped
    while left is None or left > skipped:
        portion = _PORTION if left is None else min(left, _PORTION)
        rows = catalog.rows("ckan_names", after_slug=slug, after_id=identity, offset=offset, limit=portion)
        if not rows:
            return
        before = [slug, *(row["slug"] for row in rows)]
        names = [
            name_of({**row, "repeated": row["slug"] == earlier})
            for row, earlier in zip(rows, before, strict=False)
        ]
        yield names[skipped:]
        slug, identity, offset, skipped = rows[-1]["slug"], rows[-1]["id"], 0, 0
        left = None if left is None else left - len(rows)


def name_of(row: Row) -> str:
    """The name of a dataset: its slug, with our number behind it where an earlier dataset has that slug."""
    return f"{row['slug']}--{row['id']}" if row["repeated"] else str(row["slug"])


def id_of(row: Row) -> str:
    """The id of a dataset: that of its portal if it is a CKAN, else one of ours.

    Other portals' identifiers may be the names of other datasets, and CKAN looks for both in
    one place. Where an earlier dataset has the same id, our number stands behind it.
    """
    if row["portal_kind"] != "ckan":
        return own_id(Kind.DATASET, row["id"])
    return f"{row['identifier']}--{row['id']}" if row["id_repeated"] else str(row["identifier"])


def find_package(catalog: Catalog, given: str) -> int | None:
    """The dataset that a client means by an id, a name, a portal's own identifier, or our number; None without one."""
    numbered = _NUMBERED.match(given)
    stem, number = (numbered[1] or "", int(numbered[2])) if numbered else ("", None)
    own = number_in(Kind.DATASET, given)
    rows = catalog.rows("ckan_find", given=given, own=own, number=number, stem=stem)
    return rows[0]["id"] if rows else None


def find_owner(catalog: Catalog, given: str) -> int | None:
    """The dataset of the resource that has this id, its portal's or one of ours; None if there is none."""
    numbers = {"number": number_in(Kind.RESOURCE, given), "asset": number_in(Kind.FILE, given)}
    rows = catalog.rows("ckan_resource_owner", given=given, **numbers)
    return rows[0]["dataset_id"] if rows else None


def package_rows(catalog: Catalog, ids: Sequence[int]) -> list[PackageRows]:
    """All that packages are made of, in the order of `ids`; as one moment saw it."""
    given = {"ids": list(ids)}
    with catalog.begin() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = {
            name: [dict(row) for row in connection.execute(statement(name), given | more).mappings()]
            for name, more in (
                ("ckan_packages", {}),
                ("ckan_resources", {}),
                ("ckan_files", {"most": MOST_FILES}),
                ("ckan_holdings", {}),
            )
        }
    resources, files = _by_dataset(found["ckan_resources"]), _by_dataset(found["ckan_files"])
    holdings = {row["dataset_id"]: row for row in found["ckan_holdings"]}
    return [
        PackageRows(row, resources[row["id"]], files[row["id"]], holdings[row["id"]])
        for row in found["ckan_packages"]
    ]


def summary_rows(catalog: Catalog, ids: Sequence[int]) -> list[Row]:
    """Ids, names, titles and dates of datasets, in the order of `ids`."""
    return catalog.rows("ckan_summaries", ids=list(ids))


def organization_rows(catalog: Catalog, names: Sequence[str] | None = None) -> list[Row]:
    """Organizations with their numbers of datasets, by name: all of them, or those of these names."""
    return catalog.rows("ckan_organizations", names=None if names is None else list(names))


def tag_names(catalog: Catalog, beginning: str, *, offset: int, limit: int) -> list[str]:
    """Keywords that begin so, in order."""
    rows = catalog.rows("ckan_tags", beginning=beginning, offset=offset, limit=limit)
    return [row["name"] for row in rows]


def suggested_ids(catalog: Catalog, beginning: str, limit: int) -> list[int]:
    """Datasets with a word in their titles that begins so; `beginning` is letters and digits."""
    rows = catalog.rows("ckan_suggestions", prefix=f"{beginning}:*", limit=limit)
    return [row["id"] for row in rows]


def _by_dataset(rows: Sequence[Row]) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["dataset_id"]].append(row)
    return found
