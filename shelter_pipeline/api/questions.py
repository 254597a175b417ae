"""What callers may ask of the reads: every parameter with its bounds; one that is not known is refused, not ignored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from shelter_pipeline.api.parameters import MAX_BIGINT, SHA256_FORM, Moment, Text
from shelter_pipeline.domain.cursors import LONGEST_CURSOR
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.operations.pages import Page

MOST_ROWS = 200
Short = Annotated[Text, StringConstraints(min_length=1, max_length=500)]
# As long as a head may be: a bound of its own would say that what is longer is a 422, and the server says 431.
Address = Annotated[Text, StringConstraints(min_length=1)]
Number = Annotated[int, Field(ge=1, le=MAX_BIGINT)]
Bytes = Annotated[int, Field(ge=0, le=MAX_BIGINT)]


def _known_reason(slug: str) -> str:
    if slug not in REASONS:
        raise ValueError("there is no such reason; docs/reasons.md lists them")
    return slug


class Paging(BaseModel):
    """How much of a list, and from where on."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="How many at most.")] = 20
    after: Annotated[
        str | None,
        Field(max_length=LONGEST_CURSOR, description="`next` of the page before, as it was given."),
    ] = None

    @property
    def page(self) -> Page:
        """As the operations take it."""
        return Page(self.limit, self.after)


class _OfDatasets(Paging):
    organization: Annotated[
        Short | None, Field(description="Key of the organization, as /organizations has it.")
    ] = None
    portal: Annotated[Short | None, Field(description="Slug of the portal.")] = None
    state: Annotated[
        Literal["listed", "absent"] | None,
        Field(description="`absent`: its portal does not list it any more."),
    ] = None
    kind: Literal["dataset", "series", "service", "collection"] | None = None
    modified_since: Annotated[
        Moment | None, Field(description="By the portal's own date of change; without a zone in UTC.")
    ] = None


class DatasetsAsked(_OfDatasets):
    """Which datasets."""

    q: Annotated[Short | None, Field(description="Words to look for; the most relevant come first.")] = None
    slug: Annotated[Short | None, Field(description="The dataset's name in its portal.")] = None
    identifier: Annotated[Short | None, Field(description="The dataset's identifier in its portal.")] = None
    url: Annotated[
        Address | None, Field(description="A link or a file, dead or alive, that the dataset lists.")
    ] = None
    order: Annotated[
        Literal["id", "modified"],
        Field(description="`modified`: latest first, without those that give no date. Not with `q`."),
    ] = "id"


class SearchAsked(_OfDatasets):
    """What to look for."""

    q: Annotated[
        Short,
        Field(description='Words, `"a phrase"`, `-not`, `this or that`; the last word may be a beginning.'),
    ]


class OrganizationsAsked(Paging):
    """Which organizations."""

    portal: Annotated[Short | None, Field(description="Slug of the portal.")] = None


class ByOrganizationAsked(Paging):
    """Datasets of which organization; none: the organizations themselves."""

    organization: Annotated[Short | None, Field(description="Key of the organization.")] = None


class LargestAsked(BaseModel):
    """How many organizations, the largest first."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=2000)] = 200


class ResourcesAsked(Paging):
    """Which resources."""

    dataset: Annotated[Number | None, Field(description="Id of the dataset.")] = None
    organization: Annotated[Short | None, Field(description="Key of the organization.")] = None
    format: Annotated[Short | None, Field(description="As the catalogue writes it, in any case.")] = None
    outcome: Annotated[Short | None, Field(description="What looking at the link came to.")] = None
    role: Literal["download", "access", "landing"] | None = None
    listed: Annotated[bool | None, Field(description="Whether the record still lists it.")] = None


class AssetsAsked(Paging):
    """Which files."""

    dataset: Annotated[Number | None, Field(description="Id of the dataset.")] = None
    resource: Annotated[Number | None, Field(description="Id of the resource.")] = None
    organization: Annotated[Short | None, Field(description="Key of the organization.")] = None
    state: Literal["pending", "held", "failed", "dead"] | None = None
    reason: Annotated[
        Annotated[str, AfterValidator(_known_reason)] | None,
        Field(
            description="Of the last verdict.",
            json_schema_extra={"anyOf": [{"enum": list(REASONS)}, {"type": "null"}]},
        ),
    ] = None
    host: Annotated[Short | None, Field(description="Name of the host, with its port or without.")] = None
    kind: Annotated[Short | None, Field(description="Kind of file, as /assets/by-type has it.")] = None
    sha256: Annotated[str | None, Field(pattern=SHA256_FORM)] = None
    url: Annotated[Address | None, Field(description="The file's URL, however written.")] = None
    min_size: Annotated[Bytes | None, Field(description="Bytes of what is held.")] = None
    max_size: Annotated[Bytes | None, Field(description="Bytes of what is held.")] = None


class _OfLosses(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Annotated[
        Literal["delisted", "moved", "link-dead", "replaced", "harvest-fault"] | None,
        Field(description="How it is lost."),
    ] = None
    state: Annotated[
        Literal["withheld", "suspected", "confirmed", "recovered", "dismissed"] | None,
        Field(description="How sure that is; if it is left out, what is suspected, confirmed or back again."),
    ] = None
    organization: Annotated[Short | None, Field(description="Key of the organization.")] = None
    portal: Annotated[Short | None, Field(description="Slug of the portal.")] = None
    since: Annotated[Moment | None, Field(description="What came to its state at or after this time.")] = None


class LossesAsked(_OfLosses, Paging):
    """Which losses."""


class FeedAsked(_OfLosses):
    """Which losses, the latest change first."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
