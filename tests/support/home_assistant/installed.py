"""A real Home Assistant in a venv outside of the tree, installed once: half a gigabyte, and some minutes.

It comes from the package index, and some of its packages are built here, so it is for tests only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

VERSION = "2025.4.4"
"""The newest for Python 3.13.0; later ones of 3.13 run it as well."""
FOLDER = Path(
    os.environ.get("FACESECURE_HOME_ASSISTANT", Path.home() / ".cache" / "facesecure" / f"home-assistant-{VERSION}")
)
_PATIENCE = 300.0
_UV = Path(sys.executable).with_name("uv")
# What is set up in any case, and what a house of ours uses.
_INTEGRATIONS = (
    *("analytics", "application_credentials", "automation", "backup", "config", "frontend", "hardware", "isal"),
    *("mobile_app", "mqtt", "network", "onboarding", "person", "schedule", "system_health", "tag", "zone"),
    *("alarm_control_panel", "binary_sensor", "button", "camera", "event", "image", "sensor", "update"),
)


def needs_home_assistant() -> Path:
    """Return the program ``hass``, installed now if it was not. Skip the test where it cannot be."""
    program = FOLDER / "bin" / "hass"
    if not (FOLDER / "complete").is_file():
        if not _UV.exists():
            pytest.skip("uv, which installs Home Assistant, is not in this venv")
        try:
            _install()
        except subprocess.TimeoutExpired:
            pytest.skip(f"Home Assistant {VERSION} was not installed within {_PATIENCE:g} s")
        except subprocess.CalledProcessError as error:
            pytest.skip(
                f"Home Assistant {VERSION}, which needs Python 3.13, was not installed: {_beginning(error.stderr)}"
            )
    return program


def _beginning(text: str) -> str:
    return " ".join(text.split())[:300]


def _install() -> None:
    """Install Home Assistant, then what those of its integrations need that are used here."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + _PATIENCE
    _uv(end, "venv", "--clear", "--python", _python(), str(FOLDER))
    pip = ("pip", "install", "--python", str(FOLDER / "bin" / "python"))
    _uv(end, *pip, f"homeassistant=={VERSION}")
    (package,) = FOLDER.glob("lib/python*/site-packages/homeassistant")
    _uv(end, *pip, "--constraints", str(package / "package_constraints.txt"), *sorted(_requirements(package)))
    (FOLDER / "complete").touch()


def _requirements(package: Path) -> set[str]:
    """Return the packages that the integrations and those they depend on ask for in their manifests."""
    waiting, seen, found = list(_INTEGRATIONS), set[str](), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            manifest = json.loads((package / "components" / name / "manifest.json").read_text())
            found.update(manifest.get("requirements", ()))
            waiting += manifest.get("dependencies", ())
    return found


def _python() -> str:
    """Return a Python 3.13 of this machine, or the number, which makes uv look for one on the net."""
    return next(filter(_runs, _candidates()), "3.13")


def _candidates() -> Iterator[str]:
    yield from filter(None, (shutil.which("python3.13"), "/usr/bin/python3.13"))
    yield from map(str, sorted(Path.home().glob(".pyenv/versions/3.13.*/bin/python3.13"), reverse=True))


def _runs(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", "import venv"], capture_output=True, timeout=30).returncode == 0
    except OSError:
        return False


def _uv(end: float, *words: str) -> None:
    """Run uv, until ``end`` at most."""
    left = max(1.0, end - time.monotonic())
    subprocess.run([str(_UV), *words], check=True, capture_output=True, text=True, timeout=left)
