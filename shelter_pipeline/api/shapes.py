"""What the reads answer with, field by field, for /docs and for whoever writes a client.

Sizes are bytes, times ISO 8601 in UTC. Lists end with `next`: the cursor of the page after,
or null on the last one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field

Item = TypeVar("Item")
Span = Annotated[list[int], Field(min_length=2, max_length=2)]


class Listed(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next: Annotated[str | None, Field(description="`after` of the next page; null: this is the last.")]


class Dataset(BaseModel):
    """A dataset and how much of it is held."""

    id: int
    slug: str
    identifier: str
    title: str
    description: Annotated[str | None, Field(description="Its first 400 characters, in lists.")]
    organization: str
    organization_name: str
    portal: str
    kind: str
    state: Annotated[str, Field(description="`listed`, or `absent`: its portal does not list it any more.")]
    keywords: list[str]
    modified: datetime | None
    first_seen_at: datetime
    changed_at: Annotated[datetime, Field(description="When its record was last another one.")]
    resources: int
    files: int
    files_are_more: Annotated[bool, Field(description="Files were not counted to the end.")]
    held_files: int
    unconfirmed_files: Annotated[
        int, Field(description="Held files that one node says the source sent, and nobody else yet.")
    ]
    held_bytes: int
    verdict: Annotated[
        str,
        Field(
            description="`complete`, `partial`, `unreachable`, `in-progress`, `waiting`, `empty`,"
            " `landing-page-only` or `service`, as of organizations."
        ),
    ]
    failed: Annotated[list[str], Field(description="Reasons for which files are not held.")]
    not_files: Annotated[list[str], Field(description="What links came to that lead to no file.")]
    rank: float | None = None


class Hit(Dataset):
    """A dataset that was found, and where the words stand in it."""

    title_marks: Annotated[
        list[Span], Field(description="Stretches of the title: first character, one after.")
    ]
    snippet: Annotated[str, Field(description="Plain text: escape it before it becomes HTML.")]
    snippet_marks: list[Span]


class Found(Listed[Hit]):
    """What a search found, the most relevant first."""

    ranked: Annotated[int, Field(description="How many were compared.")]
    more: Annotated[bool, Field(description="More match than were compared: add a word.")]
    exact: Annotated[list[Dataset], Field(description="Datasets with this slug, identifier or link.")]


class File(BaseModel):
    """A file that is wanted or held."""

    id: int
    url: str
    host: str
    kind: str | None
    format: str | None
    media_type: str | None
    state: str
    reason: str | None
    explanation: str
    sha256: str | None
    size: int | None
    expected_size: int | None
    checksum: str | None
    copies: Annotated[float, Field(description="Proved copies; those of nodes that fell silent count less.")]
    copies_claimed: Annotated[int, Field(description="Copies that nodes say they have, and have not proved.")]
    proved_at: Annotated[datetime | None, Field(description="When a copy of it was last proved.")]
    unconfirmed: Annotated[
        bool,
        Field(description="One node's word says that the source sent these bytes, and nobody else's yet."),
    ]
    priority: Annotated[int | None, Field(description="1 to 10, ten first.")]
    attempts: int
    next_attempt_at: datetime | None
    found_at: datetime
    capture_id: int | None
    captured_at: datetime | None
    capture_reason: str | None
    download: Annotated[
        str | None, Field(description="Path of this API with the bytes, where they are held.")
    ]


class Owner(BaseModel):
    """A dataset that lists a file, and the link that leads to it."""

    dataset_id: int
    dataset: str
    title: str
    organization: str
    portal: str
    state: str
    resource_id: int
    resource: str | None
    via: str


class OwnedFile(File):
    """A file with the datasets that list it."""

    datasets: list[Owner]


class Resource(BaseModel):
    """A link of a dataset, and what it led to."""

    id: int
    dataset_id: int
    dataset: str
    dataset_title: str
    organization: str
    key: str
    position: int
    role: str
    url: str | None
    name: str | None
    description: str | None
    format: str | None
    media_type: str | None
    size: int | None
    checksum: str | None
    listed: bool
    kind: str | None
    outcome: str | None
    explanation: str | None
    detail: str | None
    repair: str | None
    discovered_at: datetime | None
    files: int
    held_files: int


class Link(Resource):
    """A link with the first of its files."""

    files_found: list[File]


class DatasetLoss(BaseModel):
    """A loss of a dataset or of one of its links."""

    id: int
    kind: str
    state: str
    asset_id: Annotated[int | None, Field(description="The file of a lost link; null: it is the dataset.")]
    url: str | None
    suspected_at: datetime
    last_missed_at: datetime
    misses: int
    decided_at: datetime | None
    evidence: dict[str, Any]
    moved_to_id: int | None
    moved_to: str | None


class Replaced(BaseModel):
    """A version of a record that was replaced, and what changed after it."""

    id: int
    valid_from: datetime
    replaced_at: datetime
    record_hash: str
    substantive: bool
    changes: list[Any]


class WholeDataset(Dataset):
    """A dataset with its links, files, losses and older versions; `/datasets/{id}/record` is the portal's own."""

    publisher: str | None
    themes: list[str]
    issued: datetime | None
    license: str | None
    access_level: str | None
    spatial: str | None
    temporal: str | None
    landing_page: str | None
    collection: str | None
    notes: list[Any]
    portal_url: str
    record_hash: str
    popularity: int | None
    versions: int
    priority: Annotated[int | None, Field(description="The highest of its files: 1 to 10, ten first.")]
    losses: list[DatasetLoss]
    replaced: list[Replaced]
    links: Annotated[
        list[Link], Field(description="The first 200; /resources?dataset= and /assets?dataset= have all.")
    ]


class Capture(BaseModel):
    """One attempt at a file."""

    id: int
    asset_id: int
    verdict: str
    reason: str
    explanation: str
    detail: str
    final_url: str | None
    status: int | None
    flags: list[str]
    requests: int
    wire_bytes: int
    sha256: str | None
    size: int | None
    late: Annotated[bool, Field(description="It came after its lease: kept as evidence.")]
    by_node: bool
    started_at: datetime
    finished_at: datetime


class WholeCapture(BaseModel):
    """One attempt at a file with the heads of its requests and replies: where the bytes come from."""

    id: int
    asset_id: int
    url: str
    verdict: str
    reason: str
    explanation: str
    detail: str
    final_url: str | None
    status: int | None
    flags: list[str]
    requests: int
    wire_bytes: int
    sha256: str | None
    size: int | None
    late: bool
    node: str | None
    started_at: datetime
    finished_at: datetime
    heads: Any


class Loss(BaseModel):
    """Something that is gone, and what of it is held here."""

    id: int
    state: str
    kind: str
    portal: str | None
    organization: str | None
    dataset: str | None
    identifier: str | None
    title: str | None
    landing_page: str | None
    url: str | None
    suspected_at: datetime
    last_missed_at: datetime
    misses: int
    decided_at: datetime | None
    moved_to: str | None
    evidence: dict[str, Any]
    files: int
    held_files: int
    held_bytes: int
