"""What people may ask of the pages of lists. What no page knows is left alone: links collect such things."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shelter_pipeline.api.parameters import MAX_BIGINT, Text
from shelter_pipeline.catalog.browsing import Holding
from shelter_pipeline.domain.losses import ANNOUNCED


def _none_for_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


# A form sends its empty fields as well.
Blank = BeforeValidator(_none_for_blank)
Typed = Annotated[Annotated[Text, StringConstraints(max_length=500)] | None, Blank]
Number = Annotated[int, Field(ge=1, le=10_000)]
Before = Annotated[Annotated[int, Field(ge=1, le=MAX_BIGINT)] | None, Blank]
SortedBy = Annotated[
    str, StringConstraints(pattern="^-?(?:name|verdict|datasets|absent|files|share|bytes|failed)$")
]
_MOST_WORDS = 8


class Asked(BaseModel):
    """Base of all: `part` is what scripts ask for, to put it in the place of what is shown."""

    model_config = ConfigDict(extra="ignore")

    part: Annotated[Literal["results"] | None, Blank] = None

    @property
    def told(self) -> dict[str, Any]:
        """The parameters that were given, but for `part`: what links of the page repeat."""
        return self.model_dump(exclude={"part"}, exclude_defaults=True)


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
    before: Before = None

    @property
    def states(self) -> tuple[str, ...]:
        """The state that was named, or those that are announced."""
        return ANNOUNCED if self.state is None else (self.state,)


class NodesPageAsked(Asked):
    """Which page of volunteers."""

    page: Annotated[Number, BeforeValidator(lambda value: value or 1)] = 1


class ActivityPageAsked(Asked):
    """What was fetched before this capture."""

    before: Before = None
