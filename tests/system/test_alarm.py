"""The whole of it: `systemctl start`, a stranger before the camera, and a Cast device that has said so aloud."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.service.installed import CLIP, PYTHON, SOURCE, Service

SPOKEN = '[speech]\nvoices = ["fake"]\n[plugins.log]\n'


class Device:
    """A Cast receiver over TLS, in a process of its own inside the booted system; ``steps`` are what it did."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.steps: list[dict[str, Any]] = []

    def did(self) -> list[str]:
        return [step["step"] for step in self.steps]


@contextmanager
def cast_device(service: Service, *words: str) -> Iterator[Device]:
    process = service.system.start(PYTHON, "-m", "support.cast.standalone", *words, PYTHONPATH=f"{SOURCE}/tests")
    assert process.stdout is not None
    device = Device(json.loads(process.stdout.readline())["address"])

    def follow() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            device.steps.append(json.loads(line))

    reader = threading.Thread(target=follow)
    reader.start()
    try:
        yield device
    finally:
        process.terminate()
        process.wait(10)
        reader.join()


def config(device: Device) -> str:
    return f'{CLIP}{SPOKEN}[plugins.google_home]\ndevices = ["{device.address}"]\nvolume = 0.6\n'


def test_a_stranger_is_announced_by_a_google_home_that_fetched_played_and_finished_it(service: Service) -> None:
    with cast_device(service) as device:
        service.start(config(device))
        service.wait_for_alarm("stranger")
        service.system.wait_for(lambda: "FINISHED" in device.did(), f"the announcement; so far {device.steps}", 30)
        service.system.wait_for(lambda: _delivered(service), "the daemon to count it as delivered", 15)
        service.stop()
    order = [device.did().index(step) for step in ("fetched", "PLAYING", "FINISHED")]
    assert order == sorted(order)
    assert device.steps[-1]["volume"] == 0.35, "as it was before"


def test_the_service_passes_its_drill(service: Service) -> None:
    with cast_device(service) as device:
        service.start(config(device))
        report = json.loads(service.command("drill", "--json", timeout=90))
        service.stop()
    assert report["good"], report
    heard = [step["what"] for step in report["steps"] if step["channel"] == "google_home"]
    assert heard[-4:] == ["fetched", "playing", "finished", "delivered"]
    assert "drill" in service.command("doctor", check=False)


def _delivered(service: Service) -> bool:
    told = json.loads(service.command("alerts", "history", "--json"))["alerts"]
    strangers = [alert for alert in told if alert["kind"] == "stranger"]
    return any(
        delivery["state"] == "delivered" and delivery["by"] == "google_home"
        for alert in strangers
        for delivery in alert["deliveries"]
    )
