"""The Celery application of a worker: the tasks of dagster-celery, and what its settings must be for whole runs."""

from __future__ import annotations

import logging

from celery import Celery
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from shelter_pipeline.embedded.broker import broker_options
from shelter_pipeline.settings import Settings

_log = logging.getLogger(__name__)
# A process is renewed now and then: what leaks in a library leaks for so many runs at most.
_RUNS_A_PROCESS = 50


def make_application(settings: Settings, results_url: str) -> Celery:
    """What `shelter worker` runs. Raises ValueError without a broker."""
    if settings.broker_url is None:
        raise ValueError("a worker needs a broker")
    application = make_app(
        {
            "broker": settings.broker_url.get_secret_value(),
            "backend": results_url,
            "config_source": broker_options(),
        }
    )
    application.conf.update(
        # A message is given back only when its run has ended, so that no worker keeps one waiting that another could
        # begin. One that is delivered twice is ignored by Dagster, whose run has begun.
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=_RUNS_A_PROCESS,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    create_execute_job_task(application)
    create_resume_job_task(application)
    return application


def forget_results(application: Celery) -> None:
    """Remove what is kept of tasks that ended more than a week ago.

    Celery leaves that to a scheduler of its own, which no fleet of ours has. Where it cannot be done now, the next
    worker that starts does it.
    """
    try:
        application.backend.cleanup()
    except Exception as error:  # noqa: BLE001 - old rows harm nobody, and the database may be away
        _log.warning("results of old tasks are not removed: %s", type(error).__name__)
