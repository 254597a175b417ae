"""What an interface answers in JSON, read without trusting its shape: nothing here raises but for what is no JSON.

Whatever stands in a field, a value of the type that belongs there comes out: empty or None
where something else stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from shelter_pipeline.discovery.labels import one_line
from shelter_pipeline.discovery.leads import Reply
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.encoding import mend
from shelter_pipeline.portals.fields import LARGEST_INTEGER, Notes, clean
from shelter_pipeline.portals.reading import parse_json
from shelter_pipeline.portals.replies import check_reply

ACCEPT_JSON: Mapping[str, str] = MappingProxyType({"Accept": "application/json"})
_DIGITS = len(str(LARGEST_INTEGER))


def record_of(reply: Reply) -> Json:
    """The JSON value of a reply. Raises ShelterError for a web page, an empty body, or what is no JSON."""
    check_reply(reply.head, reply.body)
    value, undecoded = parse_json(reply.body)
    return mend(value)[0] if undecoded else value


def object_of(reply: Reply, *, of: str) -> dict[str, Any]:
    """The JSON object of a reply. Raises as `record_of`, and for any other JSON; `of` names what was asked for."""
    value = record_of(reply)
    if not isinstance(value, dict):
        raise no_record(of)
    return value


def no_record(what: str) -> PermanentError:
    """The error of a reply that is JSON and not what was asked for."""
    return PermanentError(f"the answer is not {what}", reason="wrong-type")


def mapping(value: Json) -> dict[str, Json]:
    """The object that belongs here; empty where something else stands."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Any]:
    """The list that belongs here; empty where something else stands."""
    return value if isinstance(value, list) else []


def entries(value: Json) -> list[dict[str, Json]]:
    """The objects of a list, whatever else is in it; none where no list stands."""
    return [item for item in items(value) if isinstance(item, dict)]


def words(value: Json) -> str:
    """A text or a whole number as storable text, stripped; empty for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) <= LARGEST_INTEGER else ""
    return clean(value, "", Notes()).strip() if isinstance(value, str) else ""


def whole(value: Json) -> int | None:
    """A count of bytes or of entries, written as a number or in digits; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < _DIGITS:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_INTEGER:
        return value
    return None


def shown(value: Json) -> str:
    """A text or a whole number as people are shown it, on one short line; empty for anything else."""
    return one_line(value if isinstance(value, str) else words(value))
