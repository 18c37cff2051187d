"""The page of the installed service, asked as a browser does, inside the booted system."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from support.service.installed import Service

DOOR = "facesecure-web.socket"
UNIT = "facesecure-web.service"
CERTIFICATES = "/etc/facesecure/web"
DROP_IN = f"/run/systemd/system/{UNIT}.d/test.conf"

_GET = f"""
import http.client, json, socket, ssl, sys
path, scheme, address = sys.argv[1:]
name = socket.gethostname() + ".local"
connection = socket.create_connection((address, 8443), timeout=30)
if scheme == "https":
    connection = ssl.create_default_context(cafile="{CERTIFICATES}/authority.pem").wrap_socket(
        connection, server_hostname=name)
asked = http.client.HTTPConnection(name)
asked.sock = connection
asked.request("GET", path, headers={{"Accept": "text/html"}})
answer = asked.getresponse()
print(json.dumps({{"status": answer.status, "headers": dict(answer.headers), "text": answer.read().decode()}}))
"""


@dataclass(frozen=True)
class InstalledPage:
    """facesecure-web.socket and .service beside ``service``."""

    service: Service

    def open(self, drop_in: str = "", *, certificate: bool = True) -> None:
        """Make the certificate as the installation says, and start the socket."""
        system = self.service.system
        if certificate:
            self.service.command("web", "certificate")
        if drop_in:
            system.write(DROP_IN, drop_in)
            system.run("systemctl", "daemon-reload")
        system.run("systemctl", "start", DOOR)

    def close(self) -> None:
        """Stop both, and forget the certificate."""
        run = self.service.system.run
        run("systemctl", "stop", DOOR, UNIT, check=False)
        run("rm", "-rf", CERTIFICATES, f"/run/systemd/system/{UNIT}.d")
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", DOOR, UNIT, check=False)

    def get(self, path: str = "/", scheme: str = "https", address: str = "127.0.0.1") -> dict[str, Any]:
        """Ask for ``path`` as a browser of the household, who trusts its authority only."""
        told = self.service.system.run("/usr/bin/python3", "-c", _GET, path, scheme, address, timeout=60).stdout
        return dict(json.loads(told))

    @property
    def state(self) -> str:
        return self.service.system.property(UNIT, "ActiveState")

    @property
    def process(self) -> int:
        """The process that runs, or the last that did; 0 if none ever did."""
        return int(self.service.system.property(UNIT, "ExecMainPID"))
