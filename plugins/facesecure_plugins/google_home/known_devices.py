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

from facesecure.domain.errors import PluginError, StoreError
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.plain_text import one_line
from facesecure_plugins.google_home.device import Device
from facesecure_plugins.google_home.targets import Target, normalized

FILE_NAME = "google_home/devices.json"
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
    """The known devices, in a signed file of the state directory, or in memory without one.

    Thread-safe; the file is read each time. One that others wrote or changed counts as none, as if they had deleted it:
    an alarm on whichever device has the name is better than none. Example::

        known = KnownDevices(state_dir)
        if known.admits("kitchen", device):
            known.require(device, identity)
        known.remember(device, identity)
    """

    def __init__(self, state_dir: Path | None) -> None:
        """Keep the devices in ``state_dir``."""
        self._documents = None if state_dir is None else SignedDocuments(state_dir)
        self._memory, self._refused = _Known(), False
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
            self._write(known)
            return True

    def _read(self) -> _Known:
        if self._documents is None:
            return self._memory.model_copy(deep=True)
        try:
            return _Known.model_validate(self._documents.read(FILE_NAME))
        except FileNotFoundError:
            return _Known()
        except (StoreError, ValidationError) as error:
            if not self._refused:
                log.error("any device of the right name is accepted again: %s", one_line(str(error)))
            self._refused = True
            return _Known()

    def _write(self, known: _Known) -> None:
        if self._documents is None:
            return
        try:
            (self._documents.folder / FILE_NAME).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._documents.write(FILE_NAME, known.model_dump())
            self._refused = False
        except (OSError, StoreError) as error:
            log.warning("cannot record which devices were announced on: %s", one_line(str(error)))


def replaced(message: str, name: str) -> PluginError:
    """Return the error for a device that is another than before."""
    return PluginError(message, f"if you have replaced it: facesecure alerts devices --accept {json.dumps(name)}")
