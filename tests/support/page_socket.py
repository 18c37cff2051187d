"""The page's socket: a daemon's answering part on a real store, browsers that are signed in, and raw requests."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.policy.arming import Arming
from facesecure.alerts.policy.policy import Policy
from facesecure.app.control.camera_report import CameraReport
from facesecure.app.control.commands import Commands
from facesecure.app.settings_access import SettingsAccess
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.spare_models import SpareModels
from facesecure.config import FacesecureConfig
from facesecure.config.loader import load_config
from facesecure.domain.accounts import Role, Session
from facesecure.domain.errors import SourceError
from facesecure.domain.messages import Phrases
from facesecure.services.model_stack import ModelStack
from facesecure.services.settings_file import Place
from facesecure.services.sign_in import SignIn
from facesecure.storage.store import Store

SECONDS = 60.0
"""How long a reply may take on a busy machine: some load the models first."""


class _Camera:
    trouble: SourceError | None = None


@contextmanager
def page_parts(state_dir: Path, config_file: Path | None = None, **settings: Any) -> Iterator[WebParts]:
    """The parts of a daemon with the store in ``state_dir``, without a camera.

    Its configuration is that of ``config_file``, which the page may change, else ``settings``.
    """
    config = load_config(config_file) if config_file else FacesecureConfig.model_validate(settings)
    place = Place(config_file, state_dir)
    access = SettingsAccess(place, lambda _: True, lambda: False) if config_file else None
    with Store.open(state_dir) as store:
        arming = Arming(state_dir)
        policy = Policy(Phrases(), armed=lambda: arming.armed)
        dispatcher = Dispatcher(outbox=store.outbox)
        commands = Commands([CameraReport("front door", _Camera())], arming, policy, store, dispatcher)
        spare = SpareModels(lambda: ModelStack.load(config, state_dir))
        try:
            sign_in = SignIn(store, config.web.signed_in_days)
            yield WebParts(
                config, state_dir, store, policy, dispatcher, (), commands, spare.lend,
                any_account=sign_in.any_account, sign_in=sign_in, settings=access,
            )  # fmt: skip
        finally:
            spare.close()


def token_of(role: Role, confirmed: bool = True) -> str:
    """The token of ``SignedIn`` for a browser with that role."""
    return f"token-of-the-{role.value}-{'confirmed' if confirmed else 'unconfirmed'}"


class SignedIn:
    """A browser for each role, whose password was given just now, and another where it was given an hour ago."""

    def find(self, token: str) -> Session | None:
        now = datetime.now(UTC)
        for role in Role:
            for confirmed in (True, False):
                if token == token_of(role, confirmed):
                    at = now if confirmed else now - timedelta(hours=1)
                    return Session(f"{role}-{confirmed}", role.value, role, at, at)
        return None


def request_line(verb: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> bytes:
    """A request as the web process writes it; ``more``: token, body, or what replaces the rest."""
    document = {"version": 1, "verb": verb, "token": None, "client": {}, "arguments": arguments or {}, "body": 0}
    return json.dumps(document | more).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a line, and the bytes after it."""

    document: dict[str, Any]
    body: bytes

    @property
    def kind(self) -> str | None:
        """Why it was refused; None if it was not."""
        return None if self.document["ok"] else str(self.document["kind"])

    @property
    def result(self) -> dict[str, Any]:
        assert self.document["ok"], self.document
        return dict(self.document["result"])


def exchange(path: Path, *parts: bytes, end: bool = False) -> Reply:
    """The reply to the bytes ``parts``; ``end``: nothing more follows them, and the daemon is told so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        with suppress(BrokenPipeError, ConnectionResetError):  # refused already; the reason is still to be read
            for part in parts:
                connection.sendall(part)
            if end:
                connection.shutdown(socket.SHUT_WR)
        return _reply(connection)


def _reply(connection: socket.socket) -> Reply:
    received = bytearray()
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass  # it was refused before all was read; what came until then is the reply
    line, _, body = bytes(received).partition(b"\n")
    return Reply(json.loads(line), body)


def call(path: Path, verb: str, arguments: Mapping[str, Any] | None = None, body: bytes = b"", **more: Any) -> Reply:
    """The reply to a well-formed request; ``more``: its token."""
    return exchange(path, request_line(verb, arguments, body=len(body), **more), body)
