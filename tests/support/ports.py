"""Ports that a test names before anybody listens on them."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

_FIRST, _BEYOND = 20_000, 32_000
"""Below those that Linux gives to whoever asks for any port: nobody gets one of these meanwhile."""


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    while True:
        port = random.SystemRandom().randrange(_FIRST, _BEYOND)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
