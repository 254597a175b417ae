"""What every route works with: one workplace, opened when the server starts and closed when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The rooms behind the API."""

    workplace: Workplace

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.workplace.settings


def services_of(request: Request) -> Services:
    """The services of the application that answers this request."""
    found: Services = request.app.state.services
    return found


Serving = Annotated[Services, Depends(services_of)]
