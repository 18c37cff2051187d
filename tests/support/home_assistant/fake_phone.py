"""A fake phone: Home Assistant takes it for one with its app, but its push server only records what it is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.home_assistant.running import HomeAssistant

_LIMITS = {"resetsAt": "2030-01-01T00:00:00Z", "successful": 1, "errors": 0, "total": 1, "maximum": 500}


class FakePhone:
    """The phone of somebody in the house; ``notified`` is what it was sent."""

    def __init__(self, home_assistant: HomeAssistant, push_url: str) -> None:
        self.notified: list[dict[str, Any]] = []
        self._home_assistant = home_assistant
        app = {"app_id": "fake.phone", "app_name": "Fake phone", "app_version": "1", "supports_encryption": False}
        device = {"device_id": "fake-phone", "device_name": "Fake phone", "manufacturer": "nobody", "model": "none",
                  "os_name": "none", "os_version": "1"}  # fmt: skip
        push = {"app_data": {"push_token": "a-token", "push_url": push_url}}
        answer = home_assistant.post("/api/mobile_app/registrations", {**app, **device, **push})
        self._webhook = f"/api/webhook/{answer['webhook_id']}"
        home_assistant.wait(lambda: self.device, "fake phone")

    @property
    def device(self) -> str:
        """The identifier of its device in Home Assistant; empty if there is none yet."""
        found = self._home_assistant.render(
            "{% for one in states | map(attribute='entity_id') | map('device_id') | reject('none') | unique"
            " if device_attr(one, 'name') == 'Fake phone' %}{{ one }}{% endfor %}"
        )
        return found.strip()

    def press(self, action: str, typed: str | None = None) -> None:
        """Press the button of a notification, and type something if it asks for that."""
        pressed = {"action": action, **({"reply_text": typed} if typed is not None else {})}
        event = {"event_type": "mobile_app_notification_action", "event_data": pressed}
        self._home_assistant.post(self._webhook, {"type": "fire_event", "data": event})


@contextmanager
def fake_phone(home_assistant: HomeAssistant) -> Iterator[FakePhone]:
    """Yield a phone that is registered with ``home_assistant``."""

    class Push(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            phone.notified.append(json.loads(self.rfile.read(length)))
            answer = json.dumps({"rateLimits": {**_LIMITS, "remaining": 499}}).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Push) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        phone = FakePhone(home_assistant, f"http://127.0.0.1:{server.server_port}/push")
        yield phone
        server.shutdown()
