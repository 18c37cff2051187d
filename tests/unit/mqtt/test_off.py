"""A house without a broker pays nothing for MQTT: no module of it is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.camera.synthetic.clip import make_clip
from support.store import run_python

DAEMON = """
import sys
from pathlib import Path
from facesecure.app.assembly import assembled
from facesecure.cli.run import _mqtt_front
from facesecure.config import FacesecureConfig
from facesecure.services.diagnostics.mqtt import mqtt
from facesecure.services.diagnostics.result import CheckContext

config = FacesecureConfig.model_validate(
    {"camera": {"source": "file:" + sys.argv[1]}, "mqtt": {"enabled": sys.argv[3] == "on", "port": 9}}
)
with assembled(config, Path(sys.argv[2]), fronts=[_mqtt_front]):
    if sys.argv[3] == "off":
        assert list(mqtt(CheckContext(config, None, Path(sys.argv[2])))) == []
    print(sorted(name for name in sys.modules if name.startswith(("facesecure.mqtt", "paho"))))
"""


@pytest.mark.parametrize("enabled", ["off", pytest.param("on", marks=pytest.mark.slow)])
def test_nothing_of_mqtt_is_imported_unless_it_is_enabled(tmp_path: Path, enabled: str) -> None:
    clip = tmp_path / "door.mp4"
    make_clip(clip)
    done = run_python(DAEMON, clip, tmp_path / "state", enabled)
    assert done.returncode == 0, done.stderr
    assert ("'facesecure.mqtt.front'" in done.stdout) == (enabled == "on"), "the check itself can fail"
    if enabled == "off":
        assert done.stdout.strip() == "[]"
