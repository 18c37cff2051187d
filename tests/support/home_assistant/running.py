"""Home Assistant on the loopback without a screen: set up, asked and told by its own REST API."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.ports import free_port

_START = 120.0
_PATIENCE = 60.0
"""Seconds that a busy machine may take longer for anything."""
_OF_THIS_MACHINE = ("Skipping pip installation", "Error loading libturbojpeg")
_CONFIGURATION = """
homeassistant: {{name: Home, time_zone: UTC, unit_system: metric, country: DE}}
http: {{server_host: 127.0.0.1, server_port: {port}}}
api:
auth:
config:
onboarding:
mobile_app:
automation: !include automations.yaml
"""


@dataclass
class HomeAssistant:
    """One Home Assistant, whose files are in ``folder``; ``program`` is its ``hass``."""

    program: Path
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    token: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All that it has logged since it was started the first time."""
        return (self.folder / "said.txt").read_text()

    def complaints(self) -> list[str]:
        """Return its warnings and errors, without those of how it is installed here."""
        lines = [line for line in self.log.splitlines() if " WARNING " in line or " ERROR " in line]
        return [line for line in lines if not any(known in line for known in _OF_THIS_MACHINE)]

    def start(self) -> None:
        """Start it, for the first time with an account for us, and return once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "configuration.yaml").write_text(_CONFIGURATION.format(port=self.port))
        (self.folder / "automations.yaml").touch()
        with (self.folder / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                [str(self.program), "--config", str(self.folder), "--skip-pip"], stdout=said, stderr=said
            )
        self.wait(self._answers, "Home Assistant", _START)
        if not self.token:
            self._sign_up()
        self.wait(lambda: self.get("/api/config")["state"] == "RUNNING", "running Home Assistant", _START)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"Home Assistant ended: {self.log[-3000:]}"
        try:
            return isinstance(self.ask("GET", "/api/onboarding"), list)
        except urllib.error.HTTPError:
            return bool(self.token)  # it is not offered any more
        except OSError:
            return False

    def _sign_up(self) -> None:
        client = f"{self.url}/"
        user = {"name": "Home", "username": "home", "password": "of-the-tests", "client_id": client, "language": "en"}
        code = self.post("/api/onboarding/users", user)["auth_code"]
        grant = urllib.parse.urlencode({"client_id": client, "grant_type": "authorization_code", "code": code})
        self.token = self.ask("POST", "/auth/token", grant.encode())["access_token"]

    def add_broker(self, port: int, user: str, password: str) -> None:
        """Connect it to a broker, as a user would in its settings."""
        flow = self.post("/api/config/config_entries/flow", {"handler": "mqtt"})
        answers = {"broker": "127.0.0.1", "port": port, "username": user, "password": password}
        done = self.post(f"/api/config/config_entries/flow/{flow['flow_id']}", answers)
        assert done["type"] == "create_entry", done

    def add_automation(self, name: str, automation: Mapping[str, Any]) -> None:
        """Add an automation, as its editor does, and return once it is there."""
        self.post(f"/api/config/automation/config/{name}", {"alias": name, **automation})
        self.wait(lambda: f"automation.{name}" in self.states(), f"automation {name}")

    def call(self, service: str, **data: object) -> None:
        """Call a service such as ``light.turn_on``."""
        domain, name = service.split(".")
        self.post(f"/api/services/{domain}/{name}", data)

    def render(self, template: str) -> str:
        """Return what a template says."""
        return str(self.ask("POST", "/api/template", json.dumps({"template": template}).encode(), raw=True), "utf-8")

    def states(self) -> dict[str, dict[str, Any]]:
        """Return the states of all entities by their identifiers."""
        return {one["entity_id"]: one for one in self.get("/api/states")}

    def state(self, entity: str) -> str | None:
        """Return the state of an entity; None if there is none."""
        found = self.states().get(entity)
        return str(found["state"]) if found else None

    def wait_for(self, entity: str, state: str, seconds: float = 90.0) -> None:
        """Wait until ``entity`` has that state."""
        self.wait(lambda: self.state(entity) == state, f"{entity} = {state}", seconds)

    def wait(self, come: Callable[[], object], what: str, seconds: float = 90.0) -> None:
        """Wait until ``come()``; AssertionError with ``what`` and the end of the log if it does not."""
        patience = seconds + _PATIENCE
        deadline = time.monotonic() + patience
        while not come():
            assert time.monotonic() < deadline, f"no {what} within {patience:g} s; the log ends: {self.log[-3000:]}"
            time.sleep(0.25)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self.ask("POST", path, json.dumps(body).encode())

    def ask(self, method: str, path: str, body: bytes | None = None, *, raw: bool = False) -> Any:
        """Return the answer, parsed from JSON unless ``raw``. Raises OSError."""
        kind = "application/x-www-form-urlencoded" if path == "/auth/token" else "application/json"
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return content if raw else json.loads(content or b"null")
