"""Devices and networks as fast as the machine: no test fails because it paused."""

import pytest

from facesecure_plugins.google_home import connection, playback, session, speakers, tls
from support.cast.google_home import Announcer

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """Let what gives up after a second or three give up much later, except where a test is about giving up."""
    for module, name in (
        (connection, "IDENTITY_SECONDS"),
        (playback, "CONNECT_SECONDS"),
        (playback, "SEARCH_SECONDS"),
        (playback, "SLACK_SECONDS"),
        (session, "REQUEST_SECONDS"),
        (speakers, "SEARCH_SECONDS"),
        (tls, "SEND_SECONDS"),
    ):
        monkeypatch.setattr(module, name, PATIENCE)
    monkeypatch.setattr(Announcer, "defaults", {"attempt_seconds": 1.5 * PATIENCE})
