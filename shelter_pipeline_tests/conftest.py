"""What every test may rely on: an environment that sways nothing, and a PostgreSQL if it asks for one."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from shelter_pipeline_tests.support.catalogs import catalog, catalog_url
from shelter_pipeline_tests.support.postgres import database_url, postgres
from shelter_pipeline_tests.support.seaweedfs import s3_credentials, s3_place, seaweedfs

__all__ = ["catalog", "catalog_url", "database_url", "postgres", "s3_credentials", "s3_place", "seaweedfs"]

# How long an example takes says how busy the machine is, and nothing about us.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Tiers of whole processes, machines and browsers: where tests run in several processes, these run one after another.
_ONE_AT_A_TIME = frozenset({"browser", "crash", "fleet", "system"})
_KEPT = frozenset({"SHELTER_FIXTURES"})  # says where the real records are, to the tests alone


def _sways(name: str) -> bool:
    upper = name.upper()
    return (
        (upper.startswith("SHELTER_") and upper not in _KEPT)
        or upper.endswith("_PROXY")
        or upper.startswith(("DAGSTER_", "PG"))
    )


# At import, so that fixtures of a whole session and the processes they start see it too.
for _name in [name for name in os.environ if _sways(name)]:
    del os.environ[_name]
# What a script starts in the background has it ignored, and so would everything that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class ByFile(LoadScopeScheduling):
    """What a file sets up is set up once, by one process; heavy tiers are left to one of them, one after another."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "processes" if not _ONE_AT_A_TIME.isdisjoint(file.split("/")) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How tests are shared out with `-n`. The groups of `--dist loadgroup` are not heard by pytest 9.2."""
    return ByFile(config, log)
