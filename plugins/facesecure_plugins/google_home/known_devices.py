"""The devices that were announced on: which ones a name stands for, and each one's certificate.

They are recorded when a device first plays an announcement to its end, and hold from then on: a device that takes the
name, or the UUID, of a known one would otherwise be given the alarms and play none of them.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from facesecure.domain.errors import PluginError
from facesecure.util.files import read_regular, write_durably
from facesecure_plugins.google_home.device import Device
from facesecure_plugins.google_home.targets import Target, normalized

FILE_NAME = "devices.json"
ONLY_DEVICE = "(the only device)"
"""Stands for a name where none is configured."""

_Text = Annotated[str, Field(max_length=300)]

log = logging.getLogger(__name__)


class _Known(BaseModel):
    names: dict[_Text, list[_Text]] = {}
    """By name, the UUIDs of the devices that it stands for."""
    certificates: dict[_Text, _Text] = {}
    """By device, the fingerprint of its certificate; empty if it shows none."""


class KnownDevices:
    """The known devices, stored in a file (0600), or in memory without one. Thread-safe; the file is read each time.

    Example::

        known = KnownDevices(state_dir / "google_home" / "devices.json")
        if known.admits("kitchen", device):
            known.require(device, identity)
        known.remember(device, identity)
    """

    def __init__(self, file: Path | None) -> None:
        """Keep the devices in ``file``."""
        self._file, self._memory = file, _Known()
        self._lock = threading.Lock()

    def admits(self, name: str, device: Device) -> bool:
        """Return whether ``name`` stands for ``device``: it does for any until one has been announced on."""
        known = self._read().names.get(name)
        return known is None or device.key in known

    def challenges(self, device: Device) -> bool:
        """Return whether ``device`` has to show its certificate; one that showed none at first use does not.

        A group is led by whichever member is on, so it has no certificate of its own.
        """
        return device.kind != "group" and self._read().certificates.get(device.key) != ""

    def require(self, device: Device, identity: str) -> None:
        """Raise PluginError if the certificate ``identity`` that ``device`` has shown is not the known one."""
        if self._read().certificates.get(device.key, identity) != identity:
            shown = "shows another certificate than" if identity else "shows no certificate, as it did"
            raise replaced(f"{device.name} ({device.address}) {shown} when it was first announced on", device.name)

    def remember(self, device: Device, identity: str) -> None:
        """Record the certificate of ``device``, which has played an announcement, unless one is recorded."""
        if self.challenges(device):
            self._change(lambda known: known.certificates.setdefault(device.key, identity))

    def remember_name(self, name: str, devices: list[Device]) -> None:
        """Record that ``name`` stands for ``devices``, unless that is recorded."""
        self._change(lambda known: known.names.setdefault(name, sorted(device.key for device in devices)))

    def forget(self, text: str) -> bool:
        """Forget the device written as ``text``, as in the setting ``devices``. Returns whether there was one."""
        target = Target.parse(text)
        name = target.name or normalized(text)
        keys = {str(target.uuid), target.device.key if target.device else "", text.strip()}

        def change(known: _Known) -> None:
            for key in keys | set(known.names.pop(name, ())):
                known.certificates.pop(key, None)

        return self._change(change)

    def _change(self, change: Callable[[_Known], object]) -> bool:
        """Apply ``change``; return whether it changed anything. A full disk must not prevent an announcement."""
        with self._lock:
            known = self._read()
            before = known.model_copy(deep=True)
            change(known)
            if known == before:
                return False
            self._memory = known
            try:
                self._write(known.model_dump_json(indent=1))
            except OSError as error:
                log.warning("cannot record the devices in %s: %s", self._file, error.strerror)
            return True

    def _read(self) -> _Known:
        if self._file is None:
            return self._memory.model_copy(deep=True)
        try:
            return _Known.model_validate(json.loads(read_regular(self._file)))
        except FileNotFoundError:
            return _Known()
        except (OSError, ValueError, ValidationError) as error:
            raise PluginError(
                f"the devices that are known cannot be read from {self._file}",
                "delete the file to accept the devices that are there now",
            ) from error

    def _write(self, text: str) -> None:
        if self._file is not None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(self._file, text.encode())


def replaced(message: str, name: str) -> PluginError:
    """Return the error for a device that is another than before."""
    return PluginError(message, f"if you have replaced it: facesecure alerts devices --accept {json.dumps(name)}")
