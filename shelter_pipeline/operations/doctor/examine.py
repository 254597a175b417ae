"""All checks at once, each given so long to end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.findings import Finding, failed, is_sound
from shelter_pipeline.operations.doctor.alerts import check_alerts
from shelter_pipeline.operations.doctor.broker import check_broker
from shelter_pipeline.operations.doctor.databases import check_catalog, check_dagster_database
from shelter_pipeline.operations.doctor.engine import check_dagster
from shelter_pipeline.operations.doctor.fleet import check_workers
from shelter_pipeline.operations.doctor.machine import check_disks, check_machine
from shelter_pipeline.operations.doctor.settings import check_settings
from shelter_pipeline.operations.doctor.store import check_store
from shelter_pipeline.settings import Settings

LONGEST_SECONDS = 20.0
Check = Callable[[Settings], Iterable[Finding]]
CHECKS: Mapping[str, Check] = {
    "settings": check_settings,
    "catalog": check_catalog,
    "dagster database": check_dagster_database,
    "dagster": check_dagster,
    "broker": check_broker,
    "workers": check_workers,
    "store": check_store,
    "disks": check_disks,
    "machine": check_machine,
    "alerts": check_alerts,
}
_log = logging.getLogger(__name__)


def examine(
    settings: Settings, *, checks: Mapping[str, Check] = CHECKS, longest_seconds: float = LONGEST_SECONDS
) -> dict[str, Any]:
    """`{sound, findings: [{check, verdict, message, advice}]}`, the checks in their order.

    Takes `longest_seconds` at most, and a little.
    """
    running = [_Running(name, check, settings) for name, check in checks.items()]
    until = time.monotonic() + longest_seconds
    findings = [finding for each in running for finding in each.findings(until, longest_seconds)]
    return {
        "sound": is_sound(findings),
        "findings": [
            {
                "check": finding.check,
                "verdict": finding.verdict.value,
                "message": finding.message,
                "advice": finding.advice,
            }
            for finding in findings
        ],
    }


class _Running:
    """A check in a thread of its own, which ends with the process if it does not end before."""

    def __init__(self, name: str, check: Check, settings: Settings) -> None:
        self._name, self._check, self._settings = name, check, settings
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._run, name=f"doctor {name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for finding in self._check(self._settings):
                self._found.append(finding)
        except ShelterError as error:
            self._found.append(failed(self._name, str(error), ""))
        except Exception as error:  # noqa: BLE001 - a check that breaks must not hide what the others find
            _log.debug("the check %s broke", self._name, exc_info=True)
            self._found.append(
                # Its words may repeat a setting.
                failed(
                    self._name,
                    f"the check itself broke ({type(error).__name__})",
                    "Report this as a fault of Shelter.",
                )
            )

    def findings(self, until: float, longest_seconds: float) -> Iterator[Finding]:
        """What was found until then; a check that has not ended is a finding as well."""
        self._thread.join(max(0.0, until - time.monotonic()))
        late = self._thread.is_alive()
        yield from list(self._found)
        if late:
            yield failed(
                self._name,
                f"no answer within {longest_seconds:g} s",
                "Look at what is named in the settings of this part: a host that swallows what it is sent, a disk"
                " that hangs.",
            )
