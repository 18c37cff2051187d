"""A model's file is cut short, as by a full disk or a pulled plug."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import facesecure
from support.faults.household import Home
from support.faults.table import fault

pytestmark = pytest.mark.slow


def own_model(home: Home) -> Path:
    """The recogniser's model, copied into the home and configured there."""
    bundled = next(Path(facesecure.__file__).parent.rglob("mobilefacenet.tflite"))
    for end in (".tflite", ".json", ".strangers.npz"):
        shutil.copy(bundled.with_suffix(end), home.folder / f"mobilefacenet{end}")
    model = home.folder / "mobilefacenet.tflite"
    home.config.write_text(home.config.read_text() + f'[recognizer]\nmodel = "{model}"\n')
    return model


def cut(model: Path) -> None:
    with model.open("r+b") as file:
        file.truncate(model.stat().st_size // 2)


@fault(
    "model cut short", how="half of the recogniser's file is gone: before a start, while the daemon runs, and at SIGHUP"
)
def test_a_model_that_is_cut_short(home: Home, saw: Callable[[str], None]) -> None:
    model = own_model(home)
    whole = model.read_bytes()
    cut(model)
    refused = home.run("run")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert home.alerts() == []
    model.write_bytes(whole)
    with home.watched() as daemon:
        home.wait_for_alerts(1)
        cut(model)
        home.wait_for_alerts(2)
        home.config.write_text(home.config.read_text() + "[detector]\ninterval = 0.2\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for("the new configuration was rejected")
        home.wait_for_alerts(3)
    error, hint = refused.stderr.strip().splitlines()[-2:]
    error = error.replace(str(model), model.name)
    saw(f"it does not start: “{error}; {hint}”; one that runs goes on telling, and refuses a new configuration with it")
