"""What people may ask of pages: as of the reads, but an empty field is none, and foreign parameters do no harm.

Strangers add to a link whatever they count by (`?utm_source=`, `?fbclid=`): it is passed over.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shelter_pipeline.api.parameters import Text
from shelter_pipeline.api.questions import Number
from shelter_pipeline.domain.cursors import LONGEST_CURSOR

_ROWS = 20
_LONGEST = 500


def _none_if_empty(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


def _short_enough(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters, and {_LONGEST} characters are the most")
    return text


Words = Annotated[
    Annotated[Text, AfterValidator(_short_enough)] | None,
    BeforeValidator(_none_if_empty),
]
Cursor = Annotated[Annotated[str, Field(max_length=LONGEST_CURSOR)] | None, BeforeValidator(_none_if_empty)]


class _Browsed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    after: Cursor = None


class DatasetsBrowsed(_Browsed):
    """Which datasets; `part` is asked for by the script that searches while one types."""

    q: Words = None
    organization: Words = None
    portal: Words = None
    state: Annotated[Literal["listed", "absent"] | None, BeforeValidator(_none_if_empty)] = None
    kind: Annotated[
        Literal["dataset", "series", "service", "collection"] | None, BeforeValidator(_none_if_empty)
    ] = None
    part: Literal["results"] | None = None

    @property
    def limit(self) -> int:
        """How many on a page."""
        return _ROWS

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows the question."""
        return not any((self.q, self.organization, self.portal, self.state, self.kind))

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """The query of a link to this question with some of it changed; it begins at the first page again."""
        asked = self.model_dump(exclude={"part", "after"}) | changes
        return {name: value for name, value in asked.items() if value}


class FilesBrowsed(_Browsed):
    """Which files or captures: of one link only, and from where on."""

    resource: Annotated[Number | None, BeforeValidator(_none_if_empty)] = None
