"""Times as the API writes them: ISO 8601 in UTC, whatever zone the catalog's session has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
