"""What every route works with: one workplace and the tokens, opened when the server starts and closed when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from shelter_pipeline.api.metrics import Metrics
from shelter_pipeline.api.pulse import Pulse
from shelter_pipeline.api.token_desk import TokenDesk
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.api_tokens import api_pepper
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings


class Services:
    """The rooms behind the API."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.workplace.settings

    @cached_property
    def tokens(self) -> TokenDesk:
        """Who finds out whom a token belongs to."""
        return TokenDesk(self.workplace.catalog, api_pepper(self.settings))

    @cached_property
    def metrics(self) -> Metrics:
        """What this process counts."""
        return Metrics(self.workplace.catalog)

    @cached_property
    def pulse(self) -> Pulse:
        """Whether the catalog answers."""
        return Pulse(self.workplace.catalog)


@contextmanager
def unhurried(workplace: Workplace) -> Iterator[Workplace]:
    """The workplace with a catalog connection of its own, which may take longer than a request's."""
    url = workplace.catalog.url.render_as_string(hide_password=False)
    with closing(Catalog(url, pool_size=1)) as catalog:
        yield replace(workplace, catalog=catalog)


def services_of(request: Request) -> Services:
    """The services of the application that answers this request."""
    found: Services = request.app.state.services
    return found


Serving = Annotated[Services, Depends(services_of)]
