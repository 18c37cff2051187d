"""Ports that a test names before anybody listens on them."""

from __future__ import annotations

import itertools
import os
import random
import socket
from contextlib import suppress

_FIRST, _BEYOND = 20_000, 32_000
"""Below those that Linux gives to whoever asks for any port: nobody gets one of these meanwhile."""


def _share() -> range:
    """Return the ports of this process of pytest, which no other one of its run chooses."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % count
    length = (_BEYOND - _FIRST) // count
    return range(_FIRST + number * length, _FIRST + (number + 1) * length)


_numbers = itertools.count(random.SystemRandom().randrange(_BEYOND - _FIRST))
"""One after the other: a port that was given is not given again before whoever asked for it listens."""


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    share = _share()
    while True:
        port = share[next(_numbers) % len(share)]
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
