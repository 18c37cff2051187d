"""Within 10 s something has spoken, or the log says loudly that nothing could; a full disk is no excuse."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.plugins.api import PluginConfig, SerializedPlugin
from facesecure.config import AlertsConfig
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError
from facesecure.storage.store import Store
from support.plugins import alert
from support.stalls import Stalls
from support.store import run_python

PROMISED = 10.0


class Speaker:
    """A loudspeaker that notes when it began, or is not plugged in."""

    speaks = True

    def __init__(self, plugged: bool) -> None:
        self._plugged = plugged
        self.began = threading.Event()
        self.seconds = 0.0

    def send(self, alert: Alert) -> None:
        if not self._plugged:
            raise PluginError("there is no sound card")
        self.seconds = (datetime.now(UTC) - alert.created_at).total_seconds()
        self.began.set()


def loud(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.CRITICAL]


@pytest.mark.parametrize("plugged", [True, False], ids=["speaker", "no-speaker"])
def test_a_receiver_that_accepts_and_never_answers(
    plugged: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("pychromecast", reason="needs pychromecast")
    from support.cast.google_home import Announcer
    from support.cast.receiver import cast_device

    speaker, fallback = Speaker(plugged), AlertsConfig().fallback
    with (
        cast_device(silent=True) as device,
        Announcer(tmp_path, devices=[device.address]) as announcer,
        Store.open(tmp_path / "state") as store,
    ):
        cast = SerializedPlugin(announcer.plugin, announcer.plugin.config)
        with Dispatcher(
            {"google_home": cast, "speaker": speaker}, outbox=store.outbox, fallback=fallback
        ) as dispatcher:
            dispatcher.send(one := alert())
            while not (speaker.began.is_set() or loud(caplog)):
                time.sleep(0.05)
            took = (datetime.now(UTC) - one.created_at).total_seconds()
    assert took < PROMISED + (0 if plugged else 5), "the log says so when no time is left, and then it has to be read"
    assert speaker.began.is_set() == plugged
    assert (loud(caplog) == []) == plugged


def test_a_plugin_that_hangs_in_its_own_code(caplog: pytest.LogCaptureFixture) -> None:
    class Hangs:
        speaks = True
        config = PluginConfig(attempt_seconds=8.0, expires=60.0)  # as google_home's
        released = threading.Event()

        def send(self, alert: Alert) -> None:
            self.released.wait(60)

    speaker, hangs = Speaker(True), Hangs()
    with (
        Stalls() as stalls,
        Dispatcher({"google_home": hangs, "speaker": speaker}, fallback=AlertsConfig().fallback) as dispatcher,
    ):
        dispatcher.send(alert())
        assert speaker.began.wait(45)
        lost = stalls.seconds
        hangs.released.set()
    assert speaker.seconds - lost < PROMISED
    assert loud(caplog) == [] or lost > 1, "it is given up after 8 s, and the log says after 9.5 that nobody spoke"


_FULL_DISK = """
import logging, os, sys
from pathlib import Path
logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.storage.store import Store
from support.plugins import alert
folder = Path(sys.argv[1])
with Store.open(folder / "state") as store:
    recorder = RecordingPlugin()
    with Dispatcher({"recording": recorder}, outbox=store.outbox, close_seconds=60) as dispatcher:
        dispatcher.send(alert("before"))
        recorder.wait_for(1, 60)
        filler = os.open(folder / "filler", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(filler, bytes(4096))
        except OSError as error:
            logging.warning("%s", error)
        for number in range(40):
            dispatcher.send(alert(f"stranger {number}", identifier="x" * 50))
        recorder.wait_for(41, 60)
        os.close(filler)
        (folder / "filler").unlink()
    print(len(recorder.alerts), len(store.outbox.history(100)), len(store.outbox.pending()))
"""


def test_a_full_disk_silences_no_alarm_and_what_it_kept_from_being_written_is_written_later(tmp_path: Path) -> None:
    done = run_python(_FULL_DISK, tmp_path, mount=f"mount -t tmpfs -o size=8m none {tmp_path}")
    assert done.stdout.split() == ["41", "41", "0"], done.stderr
    assert "CRITICAL 'stranger 39' is not on the disk and would be lost" in done.stderr
    assert "the disk is full" in done.stderr
