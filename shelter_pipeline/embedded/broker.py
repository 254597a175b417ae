"""How the two sides of the broker, Dagster's launcher and the workers, are told to use it."""

from __future__ import annotations

from typing import Any

# Longer than any run may take: of Redis, what is not given back within it is handed out again.
_LONGEST_RUN_SECONDS = 3 * 24 * 3600
RESULTS_VARIABLE = "CELERY_RESULT_BACKEND"


def broker_options() -> dict[str, Any]:
    """Settings of Celery that both sides share."""
    return {
        "worker_prefetch_multiplier": 1,
        "broker_transport_options": {
            "visibility_timeout": _LONGEST_RUN_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 30,
            # About half a minute, within which a broker that was started again answers.
            "max_retries": 10,
            "interval_start": 0,
            "interval_step": 0.5,
            "interval_max": 5,
        },
        "result_extended": False,
        "result_expires": 7 * 24 * 3600,
        "database_engine_options": {"pool_pre_ping": True},
        "database_short_lived_sessions": True,
    }


def results_url(dagster_url: str) -> str:
    """Where Celery keeps how tasks ended: Dagster's own database.

    A broker that loses its memory loses only what nobody had begun: what is known of runs
    under way is where the runs are.
    """
    return f"db+{dagster_url}"
