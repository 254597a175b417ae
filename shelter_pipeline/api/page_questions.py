"""What people may ask of pages: an empty field is none, and foreign parameters do no harm.

Strangers add to a link whatever they count by (`?utm_source=`, `?fbclid=`): it is passed over.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shelter_pipeline.api.parameters import MAX_BIGINT, Text
from shelter_pipeline.catalog.browsing import Holding
from shelter_pipeline.domain.cursors import LONGEST_CURSOR
from shelter_pipeline.domain.losses import ANNOUNCED

_LONGEST = 500
_MOST_WORDS = 8
_DATASETS = 20


def _none_for_blank(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


def _short_enough(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters, and {_LONGEST} characters are the most")
    return text


# A form sends its empty fields as well.
Blank = BeforeValidator(_none_for_blank)
Typed = Annotated[Annotated[Text, AfterValidator(_short_enough)] | None, Blank]
Number = Annotated[int, Field(ge=1, le=10_000)]
Identity = Annotated[Annotated[int, Field(ge=1, le=MAX_BIGINT)] | None, Blank]
Cursor = Annotated[Annotated[str, Field(max_length=LONGEST_CURSOR)] | None, Blank]
SortedBy = Annotated[
    str, StringConstraints(pattern="^-?(?:name|verdict|datasets|absent|files|share|bytes|failed)$")
]


class Asked(BaseModel):
    """Base of all: `part` is what scripts ask for, to put it in the place of what is shown."""

    model_config = ConfigDict(extra="ignore")

    part: Annotated[Literal["results"] | None, Blank] = None

    @property
    def told(self) -> dict[str, Any]:
        """The parameters that were given, but for `part`: what links of the page repeat."""
        return self.model_dump(exclude={"part"}, exclude_defaults=True)


class DatasetsPageAsked(Asked):
    """Which datasets."""

    q: Typed = None
    organization: Typed = None
    portal: Typed = None
    state: Annotated[Literal["listed", "absent"] | None, Blank] = None
    kind: Annotated[Literal["dataset", "series", "service", "collection"] | None, Blank] = None
    after: Cursor = None

    @property
    def limit(self) -> int:
        """How many on a page."""
        return _DATASETS

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows the question."""
        return not self.narrowed

    @property
    def narrowed(self) -> dict[str, Any]:
        """What was asked for, from the first page on."""
        return {name: value for name, value in self.told.items() if name != "after"}


class FilesPageAsked(Asked):
    """Which files or captures: of one link only, and from where on."""

    resource: Identity = None
    after: Cursor = None


class OrganizationsPageAsked(Asked):
    """Which organizations, in which order, which page of them."""

    q: Typed = None
    verdict: Typed = None
    portal: Typed = None
    sort: Annotated[SortedBy | None, Blank] = None
    page: Annotated[Number, BeforeValidator(lambda value: value or 1)] = 1

    @property
    def words(self) -> tuple[str, ...]:
        """The first words of what is looked for."""
        return tuple((self.q or "").split()[:_MOST_WORDS])


class LossesPageAsked(Asked):
    """Which losses."""

    state: Annotated[
        Literal["withheld", "suspected", "confirmed", "recovered", "dismissed"] | None, Blank
    ] = None
    kind: Annotated[Literal["delisted", "moved", "link-dead", "replaced", "harvest-fault"] | None, Blank] = (
        None
    )
    held: Annotated[Holding | None, Blank] = None
    organization: Typed = None
    portal: Typed = None
    before: Identity = None

    @property
    def states(self) -> tuple[str, ...]:
        """The state that was named, or those that are announced."""
        return ANNOUNCED if self.state is None else (self.state,)


class NodesPageAsked(Asked):
    """Which page of volunteers."""

    page: Annotated[Number, BeforeValidator(lambda value: value or 1)] = 1


class ActivityPageAsked(Asked):
    """What was fetched before this capture."""

    before: Identity = None
