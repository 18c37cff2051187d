"""Runs the checks in their order; one that breaks does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping

from facesecure.domain.errors import FacesecureError
from facesecure.services.diagnostics import (
    accelerator,
    audit,
    cameras,
    clips,
    components,
    liveness,
    machine,
    mqtt,
    page,
    settings,
    speech,
    state,
    updates,
    writing,
)
from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail

_log = logging.getLogger(__name__)

Check = Callable[[CheckContext], Iterable[CheckResult]]

CHECKS: Mapping[str, Check] = {
    "runtime": components.runtime,
    "settings": settings.settings,
    "accelerator": accelerator.accelerator,
    "models": components.models,
    "detector": components.detector,
    "subjects": components.subjects,
    "liveness": liveness.liveness,
    "camera": cameras.cameras,
    "store": state.store,
    "writing": writing.writing,
    "key": state.key,
    "backups": state.backups,
    "people": state.people,
    "calibration": state.calibration,
    "signatures": state.signatures,
    "audit": audit.audit,
    "permissions": state.permissions,
    "disk": machine.disk,
    "clips": clips.clips,
    "clock": machine.clock,
    "plugins": components.plugins,
    "voices": speech.voices,
    "sentences": speech.sentences,
    "drill": machine.drill,
    "page": page.page,
    "mqtt": mqtt.mqtt,
    "updates": updates.updates,
}


def run_checks(context: CheckContext, checks: Mapping[str, Check] = CHECKS) -> Iterator[CheckResult]:
    """Run ``checks`` and yield each result at once. Never raises: a check that breaks is a failed one.

    Example::

        for result in run_checks(CheckContext(config, config_file, state_dir)):
            print(result.check, result.health, result.message, result.remedy)
    """
    for name, check in checks.items():
        try:
            yield from check(context)
        except FacesecureError as error:
            yield fail(name, error.message, error.hint or "")
        except PermissionError as error:
            yield fail(name, f"could not be checked: {error.filename}: {error.strerror}", "use sudo")
        except Exception as error:  # noqa: BLE001 - one check must not keep the others from running
            _log.debug("the check of %s broke", name, exc_info=True)
            yield fail(
                name, f"could not be checked: {type(error).__name__}: {error}", "this is a bug; please report it"
            )
