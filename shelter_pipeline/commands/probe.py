"""`shelter probe`: what one URL weighs, or what is due of a portal or an organization."""

from __future__ import annotations

from typing import Annotated

import typer

from shelter_pipeline.commands.printing import AsJson, bars, counted, print_result
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import load_settings


def probe(
    url: Annotated[str | None, typer.Argument(help="One URL; no catalog is needed.")] = None,
    portal: Annotated[str | None, typer.Option(help="The slug of a portal: what is due of it.")] = None,
    organization: Annotated[
        str | None, typer.Option(help="The slug of an organization: what is due of it.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many files. Default: SHELTER_PROBES_PER_RUN.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask servers for the size, type and version of files, without fetching them."""
    from shelter_pipeline.operations.probe_assets import probe_assets, probe_organization, probe_url
    from shelter_pipeline.operations.workplace import open_workplace

    if sum(given is not None for given in (url, portal, organization)) != 1:
        raise SetupError("give one of these: a URL, --portal or --organization", reason="bad-setting")
    settings = load_settings()
    if url is not None:
        print_result(probe_url(url, settings=settings), as_json)
        return
    with open_workplace(settings) as workplace, bars() as shown:
        show = counted(shown, "probing")

        def tell(done: int) -> None:
            show(done, None)

        if organization is not None:
            result = probe_organization(workplace, organization, limit=limit, progress=tell)
        else:
            result = probe_assets(workplace, portal, limit=limit, progress=tell)
    print_result(result, as_json)
