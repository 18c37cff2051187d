"""The installed service, as users and administrators use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from support.service.booted import BootedSystem

UNIT = "facesecure.service"
SOURCE = "/usr/src/facesecure"
DIST_PACKAGES = "/usr/local/lib/python3.11/dist-packages"
WHEEL = "/srv/{}"
CONFIG = "/etc/facesecure/facesecure.toml"
STATE = "/var/lib/facesecure"
DROP_IN = "/run/systemd/system/facesecure.service.d/test.conf"
PYTHON = "/opt/facesecure/bin/python"

CLIP = '[camera]\nsource = "file:/srv/door.mp4"\nfile_speed = "real"\n'
"""A camera that three people walk past, once, in 25 seconds."""

IMPATIENT = "[Service]\nWatchdogSec=3s\nRestartSec=200ms\n"
"""A tenth of the unit's own value, to keep the test short."""

_STOPPING, _STOPPED = "de5b426a63be47a7b6ac3eaac82e2f6f", "9d1aaa27d60140bd96365438aad20286"
"""The kinds of systemd's messages that a unit is being stopped, and has ended (systemd/sd-messages.h)."""

_SILENT = """
import socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
time.sleep(600)
"""


@dataclass(frozen=True)
class Service:
    """facesecure.service in ``system``, installed from the wheel at ``package``."""

    system: BootedSystem
    package: str

    def install(self, *words: str) -> str:
        """Run `make install` without a network, and return its output."""
        command = ("make", "--silent", "-C", SOURCE, "install", f"PACKAGE={self.package}", *words)
        return self.system.run(*command, timeout=300, PIP_NO_INDEX="1").stdout

    def uninstall(self, keep_state: str) -> str:
        command = ("make", "--silent", "-C", SOURCE, "uninstall", f"KEEP_STATE={keep_state}")
        return self.system.run(*command, timeout=60).stdout

    def configure(self, text: str, drop_in: str = "") -> None:
        """Write the configuration file with the owner and mode of ``make install``, and settings of the unit."""
        self.system.write(CONFIG, text)
        self.system.run("systemd-tmpfiles", "--create", "facesecure.conf")
        if drop_in:
            self.system.write(DROP_IN, drop_in)
            self.system.run("systemctl", "daemon-reload")

    def start(self, text: str = CLIP, drop_in: str = "") -> None:
        """Run `systemctl start`, which returns when the service is READY."""
        self.configure(text, drop_in)
        self.system.run("systemctl", "start", UNIT, timeout=120)

    def stop(self) -> float:
        """Run `systemctl stop`, and return how many seconds it took by the journal: this process may be paused."""
        self.system.run("systemctl", "stop", UNIT)
        told = (self.system.journal(f"UNIT={UNIT}", f"MESSAGE_ID={one}")[-1] for one in (_STOPPING, _STOPPED))
        began, ended = (int(one["__MONOTONIC_TIMESTAMP"]) for one in told)
        return (ended - began) / 1e6

    def reset(self) -> None:
        """Stop the service, as after the installation, and clear the journal."""
        run = self.system.run
        run("systemctl", "stop", UNIT, check=False)
        run("rm", "-rf", "/run/systemd/system/facesecure.service.d")
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", UNIT, check=False)
        run("sh", "-c", f"rm -rf {STATE}/* {STATE}/.[!.]* {STATE}/..?*")
        run("journalctl", "--quiet", "--rotate", "--vacuum-time=1ms")

    def command(self, *words: object, check: bool = True, timeout: float = 60.0) -> str:
        """Run `sudo facesecure ...`, and return its stdout."""
        return self.system.run("facesecure", *words, check=check, timeout=timeout).stdout

    def as_user(self, script: str) -> None:
        """Run ``script`` (sh) as the service's user, who may prepare the state folder as they like."""
        self.system.run("setpriv", "--reuid=facesecure", "--regid=facesecure", "--init-groups", "sh", "-ec", script)

    def events(self) -> list[dict[str, Any]]:
        """Return the events of `sudo facesecure events list --json`."""
        return list(json.loads(self.command("events", "list", "--json"))["events"])

    @property
    def status(self) -> str:
        """Return the last STATUS= of the service."""
        return self.system.property(UNIT, "StatusText")

    @property
    def state(self) -> str:
        return self.system.property(UNIT, "ActiveState")

    @property
    def process(self) -> int:
        return int(self.system.property(UNIT, "MainPID"))

    @property
    def restarts(self) -> int:
        return int(self.system.property(UNIT, "NRestarts"))

    def said(self, words: str) -> bool:
        """Return whether the journal of the service, or systemd about it, contains ``words``."""
        return words in self.system.journal_text()

    def wait_for_alarm(self, kind: str, timeout: float = 90.0) -> dict[str, Any]:
        """Wait for the log plugin's entry in the journal, found by its field, and return its fields."""
        entries: list[dict[str, Any]] = []

        def come() -> bool:
            entries[:] = self.system.journal(f"FACESECURE_KIND={kind}")
            return bool(entries)

        self.system.wait_for(come, f"an alarm about a {kind}", timeout)
        return entries[0]

    def wait_for_restart(self, timeout: float = 30.0) -> None:
        """Wait until systemd has restarted the service since ``start``, from which it counts, and it is READY."""
        self.system.wait_for(lambda: self.restarts > 0, "systemd to restart the service", timeout)
        self.system.wait_for(lambda: self.state == "active", "the restarted service to be ready", timeout)

    @contextmanager
    def silent_camera(self, port: int = 8554) -> Iterator[str]:
        """A network camera that accepts every connection and never answers. Yields its address."""
        camera = self.system.start("/usr/bin/python3", "-c", _SILENT, port)
        assert camera.line() == "ready"
        try:
            yield f"rtsp://127.0.0.1:{port}/door"
        finally:
            camera.kill()
