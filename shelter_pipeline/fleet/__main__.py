"""The process of `shelter worker`, whose environment was prepared by the command."""

from __future__ import annotations

import logging
import sys

from shelter_pipeline.embedded.broker import results_url
from shelter_pipeline.embedded.database import open_database
from shelter_pipeline.fleet.application import make_application
from shelter_pipeline.fleet.worker import describe_machine, work
from shelter_pipeline.settings import load_settings


def main() -> None:
    settings = load_settings()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with open_database(settings) as databases:
        application = make_application(settings, results_url(databases.dagster))
        work(
            application,
            describe_machine(settings),
            databases.catalog,
            grace_seconds=settings.worker_grace_seconds,
        )


if __name__ == "__main__":
    main()
