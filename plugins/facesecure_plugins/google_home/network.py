"""What is on the network, for a person who asks: ``facesecure alerts devices``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from facesecure.errors import PluginError
from facesecure_plugins.google_home.browser import Browser
from facesecure_plugins.google_home.conversation import talk_to
from facesecure_plugins.google_home.devices import Device
from facesecure_plugins.google_home.loudness import Loudness

ASK_SECONDS = 3.0


def nearby(seconds: float, interfaces: Sequence[str] = ()) -> list[Device]:
    """The devices that answer within ``seconds``, by name. Raises PluginError where nobody can be asked."""
    with contextlib.closing(Browser(interfaces)) as browser:
        browser.start()
        return browser.wait_for(lambda found: False, seconds)  # noqa: ARG005


def volumes(devices: Sequence[Device]) -> list[Loudness | None]:
    """How loud each is, asked side by side; None of one that does not say."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(_volume, devices))


def _volume(device: Device) -> Loudness | None:
    try:
        with talk_to(device, ASK_SECONDS) as cast:
            return cast.loudness
    except PluginError:
        return None
