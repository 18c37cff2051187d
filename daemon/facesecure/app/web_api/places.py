"""The places of the page's socket."""

from __future__ import annotations

import os
from pathlib import Path

from facesecure.app.control import protocol as control
from facesecure.app.web_api.protocol import SERVICE_SOCKET_DIR, SOCKET_NAME

GROUP = "facesecure-web"
"""The group of the web process; its members may connect."""


def own_place(state_dir: Path, service: Path = Path(SERVICE_SOCKET_DIR)) -> Path:
    """Return the socket on which a daemon with ``state_dir`` listens for the page.

    Run as a service, that is in the folder ``service`` if there is one; else beside the control socket.
    """
    beside = control.own_place(state_dir).with_name(SOCKET_NAME)
    as_service = "RUNTIME_DIRECTORY" in os.environ
    return service / SOCKET_NAME if as_service and service.is_dir() else beside


def likely_places(state_dir: Path | None) -> list[Path]:
    """Return the sockets on which a daemon may listen, the likeliest first; ``state_dir`` is None if not known."""
    own = [] if state_dir is None else [own_place(state_dir), state_dir / SOCKET_NAME]
    service = [Path(SERVICE_SOCKET_DIR) / SOCKET_NAME, control.SERVICE_RUNTIME / SOCKET_NAME]
    return list(dict.fromkeys([*own, *service]))
