"""Run the page: its sockets, its certificate, and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from facesecure.app.web_api.places import likely_places
from facesecure.domain.errors import UsageError
from facesecure.web.activity import Activity
from facesecure.web.app import build_app
from facesecure.web.connections import Connection, only_this_machine
from facesecure.web.daemon import Daemon
from facesecure.web.listening import inherited_sockets, own_socket
from facesecure.web.page import Page
from facesecure.web.screens.authority import household_authority
from facesecure.web.settings import CurrentSettings

MOST_CONNECTIONS = 200
_HEADERS = 16 * 1024
"""Bytes of a request's line and headers."""
_MESSAGE = 64 * 1024
"""Bytes of a message on a WebSocket."""
_KEEP_ALIVE_SECONDS = 15
_END_SECONDS = 1
_TICKS_A_SECOND = 10
_REFRESH_SECONDS = 60
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_LIMITS: dict[str, Any] = {
    "ws": "wsproto",
    "loop": "asyncio",
    "lifespan": "off",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "limit_concurrency": MOST_CONNECTIONS,
    "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
    "timeout_graceful_shutdown": _END_SECONDS,
    "h11_max_incomplete_event_size": _HEADERS,
    "ws_max_size": _MESSAGE,
    "ws_ping_interval": None,
    "ws_per_message_deflate": False,  # JPEGs get no smaller by it
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServeOptions:
    """Where the page listens, with which certificate, and which daemon it asks.

    ``socket`` None: where a daemon usually listens. ``idle_minutes`` None: ends when idle only if systemd started it
    by its socket, as long as the settings say.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    key: Path | None = None
    socket: Path | None = None
    idle_minutes: float | None = None


def serve(options: ServeOptions) -> None:
    """Answer browsers until SIGINT or SIGTERM, or until nobody has asked for long enough.

    Raises UsageError if the port or the certificate cannot be used. Example: ``serve(ServeOptions(port=8081))``.
    """
    server, sockets = prepare(options)
    _log.info("the page is at %s", _address(sockets[0], secure=server.config.is_ssl))
    asyncio.run(server.serve(sockets))


def prepare(options: ServeOptions) -> tuple[PageServer, list[socket.socket]]:
    """Return the server, and the sockets that it shall serve. Raises UsageError as ``serve`` does."""
    certificate, key = _certificate(options)
    given = inherited_sockets()
    sockets = given or [own_socket(options.host, options.port)]
    settings = CurrentSettings()
    daemon = Daemon([options.socket] if options.socket else likely_places(_state_dir()))
    app = build_app(daemon, settings, household_authority(certificate))
    # The port of a service is open to the house: without TLS only a proxy on this machine may use it.
    admits = only_this_machine if given and certificate is None else Connection.admits
    connection = type("PageConnection", (Connection,), {"admits": staticmethod(admits), "trusts": settings.trusts})
    activity = Activity(app)
    config = uvicorn.Config(activity, http=connection, ssl_certfile=certificate, ssl_keyfile=key, **_LIMITS)
    ends_when_idle = bool(given) or options.idle_minutes is not None
    return PageServer(config, app.state.page, settings, activity, options.idle_minutes, ends_when_idle), sockets


class PageServer(uvicorn.Server):
    """Serves the page, asks for its settings now and then, and ends streams before it waits for them."""

    def __init__(
        self,
        config: uvicorn.Config,
        page: Page,
        settings: CurrentSettings,
        activity: Activity,
        idle_minutes: float | None = None,
        ends_when_idle: bool = False,
    ) -> None:
        """``idle_minutes`` overrides the settings', if it ``ends_when_idle``."""
        super().__init__(config)
        self.page, self.settings, self._activity = page, settings, activity
        self._idle_minutes, self._ends_when_idle = idle_minutes, ends_when_idle
        self._refreshing: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and ask for the settings before the first browser is answered."""
        await self.settings.refresh(self.page.daemon)
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; called ten times a second."""
        if counter and counter % (_REFRESH_SECONDS * _TICKS_A_SECOND) == 0:
            self._refreshing = asyncio.create_task(self.settings.refresh(self.page.daemon))
        return await super().on_tick(counter) or (counter % _TICKS_A_SECOND == 0 and self._is_idle())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, which browsers would keep open for ever, and then all else."""
        self.page.ending.set()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """End at SIGINT and SIGTERM without being killed by them; at once at the second."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    def _is_idle(self) -> bool:
        minutes = self.settings.idle_minutes if self._idle_minutes is None else self._idle_minutes
        return self._ends_when_idle and self._activity.idle_seconds > 60 * minutes


def _certificate(options: ServeOptions) -> tuple[Path | None, Path | None]:
    """Return the files of the certificate, given or systemd's credentials. Raises UsageError if they are no good."""
    certificate, key = options.certificate, options.key
    if certificate is None and key is None and (folder := os.environ.get(_CREDENTIALS)):
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        if not _holds_certificate(certificate):
            return None, None
    if (certificate is None) != (key is None):
        raise UsageError("a certificate needs its key, and a key its certificate", "give both --certificate and --key")
    if certificate is not None and key is not None:
        _try_certificate(certificate, key)
    return certificate, key


def _holds_certificate(file: Path) -> bool:
    """Return whether there is a certificate in ``file``: where the machine has none, the credential says so."""
    try:
        return b"-----BEGIN CERTIFICATE-----" in file.read_bytes()
    except OSError:
        return False


def _try_certificate(certificate: Path, key: Path) -> None:
    for file in (certificate, key):
        try:
            file.open("rb").close()
        except OSError as error:
            raise UsageError(
                f"{file} cannot be read: {error.strerror}", "facesecure web certificate makes it"
            ) from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, ValueError):
        raise UsageError(
            f"{certificate} and {key} are no certificate and its key",
            "both are PEM, the key without a passphrase; facesecure web certificate makes them",
        ) from None


def _address(listener: socket.socket, *, secure: bool) -> str:
    host, port, *_ = listener.getsockname()
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{name}:{port}"


def _state_dir() -> Path | None:
    named = os.environ.get("FACESECURE_STATE_DIR")
    return Path(named) if named else None
