"""Several devices at once: each tried on a thread of its own, and what becomes of the whole."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from facesecure.errors import PluginError
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.devices import Device

log = logging.getLogger(__name__)


class Attempt:
    """``work`` for one device, begun at once."""

    def __init__(self, device: Device, work: Callable[[], None]) -> None:
        self._device, self._work = device, work
        self._error: PluginError | None = None
        self._thread = threading.Thread(target=self._run, name=f"google_home-{device.name}", daemon=True)
        self._thread.start()

    def error(self, until: Deadline) -> PluginError | None:
        """Why it failed, or None if it did not. One that has not ended ``until`` then is left behind."""
        self._thread.join(until.left())
        if self._thread.is_alive():
            return PluginError(f"{self._device.name} hangs", "switch it off and on again")
        return self._error

    def _run(self) -> None:
        try:
            self._work()
        except PluginError as error:
            self._error = error
        except Exception as error:
            log.exception("a bug while speaking through %s", self._device.name)
            self._error = PluginError(f"{self._device.name}: {type(error).__name__}: {error}")


def judge(errors: Sequence[PluginError | None], *, everybody: bool) -> None:
    """Raises PluginError unless one device, or with ``everybody`` each, delivered; failures that may be are logged."""
    failures = [error for error in errors if error is not None]
    if not failures:
        return
    if len(failures) == len(errors) or everybody:
        hint = next((error.hint for error in failures if error.hint), None)
        raise PluginError("; ".join(error.message for error in failures), hint)
    for error in failures:
        log.warning("spoken elsewhere, but %s", error.message)
