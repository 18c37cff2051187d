"""A plugin in a package of somebody else's: built, installed, found, configured, and told of a stranger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "outsider"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip has put the package into: built from its pyproject.toml, without a network."""
    pytest.importorskip("hatchling", reason="building a package needs the [dev] extra")
    folder = tmp_path_factory.mktemp("site")
    install = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", folder, PACKAGE]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *install], check=True, timeout=120)
    return folder


def facesecure(installed: Path, home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """The command as a householder types it, where the package is installed; the home is the test's own."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "HOME": str(home),
        "FACESECURE_STATE_DIR": str(home / "state"),
        "FACESECURE_CONFIG": str(home / "door.toml"),
    }
    command = [sys.executable, "-m", "facesecure", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_stranger_is_shown_on_the_outsider_s_display(installed: Path, door_clip: Path, tmp_path: Path) -> None:
    (tmp_path / "door.toml").write_text("[plugins.marquee]\nwidth = 60\n")
    listed = json.loads(facesecure(installed, tmp_path, "alerts", "list", "--json").stdout)["plugins"]
    marquee = next(plugin for plugin in listed if plugin["name"] == "marquee")
    assert (marquee["status"], marquee["origin"]) == ("enabled", "door-marquee 0.3.0")
    run = facesecure(installed, tmp_path, "run", "--source", f"file:{door_clip}", "--exit-at-end")
    assert run.returncode == 0, run.stderr
    assert "at the front door" in (tmp_path / "state" / "marquee.txt").read_text()


def test_its_settings_are_checked_as_ours_are(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "door.toml").write_text("[plugins.marquee]\nwidht = 60\n")
    checked = facesecure(installed, tmp_path, "config", "check")
    assert checked.returncode == 2
    assert "did you mean 'width'?" in checked.stderr


def test_without_the_package_there_is_no_such_plugin(tmp_path: Path) -> None:
    (tmp_path / "door.toml").write_text("[plugins.marquee]\n")
    checked = facesecure(tmp_path / "nowhere", tmp_path, "config", "check")
    assert checked.returncode == 2
    assert "no plugin called" in checked.stderr
