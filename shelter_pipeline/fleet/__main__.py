"""The process of `shelter worker`, whose environment was prepared by the command."""

from __future__ import annotations

from celery import signals

from shelter_pipeline.domain.fleet import beat_seconds
from shelter_pipeline.embedded.broker import results_url
from shelter_pipeline.embedded.database import open_database
from shelter_pipeline.fleet.application import forget_results, make_application
from shelter_pipeline.fleet.worker import describe_machine, work
from shelter_pipeline.logs import set_up_logging
from shelter_pipeline.settings import load_settings


def main() -> None:
    settings = load_settings()
    set_up_logging(settings)
    signals.setup_logging.connect(_logs_already)  # or Celery would lay its own handlers over it
    with open_database(settings) as databases:
        application = make_application(settings, results_url(databases.dagster))
        forget_results(application)
        work(
            application,
            describe_machine(settings),
            databases.catalog,
            grace_seconds=settings.worker_grace_seconds,
            beat_seconds=beat_seconds(settings.worker_silent_seconds),
        )


def _logs_already(**_how: object) -> None:
    """What Celery asks of whoever has set up logging."""


if __name__ == "__main__":
    main()
