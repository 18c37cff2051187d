"""The command line, run in the test's process or in a new one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from facesecure.cli.main import main
from facesecure.config import paths
from facesecure.domain import Image

SETTINGS = ("FACESECURE_CONFIG", "FACESECURE_STATE_DIR", "STATE_DIRECTORY", "FACESECURE_DEBUG", "JOURNAL_STREAM")


@dataclass(frozen=True)
class Outcome:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return stdout, parsed as one JSON document."""
        return json.loads(self.out)


class CommandLine:
    """``run("people", "list")`` runs that command in this process, on the test's state directory.

    Fails the test if the command shows a traceback.
    """

    def __init__(self, state: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.state = state
        self._capfd = capfd

    def __call__(self, *words: object) -> Outcome:
        self._capfd.readouterr()
        code = main([str(word) for word in words])
        captured = self._capfd.readouterr()
        assert "Traceback" not in captured.err + captured.out, "a Traceback was shown"
        return Outcome(code, captured.out, captured.err)

    def people(self) -> dict[str, int]:
        """Return the enrolled people with the number of their faces."""
        return {person["name"]: person["faces"] for person in self("people", "list", "--json").json["people"]}


def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ignore the configuration of this machine; return a state directory that does not exist yet."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(paths, "MACHINE_CONFIG", tmp_path / "etc" / "facesecure.toml")
    monkeypatch.setenv("FACESECURE_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


_STARTED = """
import sys
from facesecure.cli.files import end_on_interrupt
end_on_interrupt()
print("started", flush=True)
from facesecure.cli.main import main
sys.exit(main())
"""


def started(*words: object, state: Path) -> subprocess.Popen[str]:
    """Start a command in a new process, and return once Python has started."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment |= {"FACESECURE_STATE_DIR": str(state), "XDG_CONFIG_HOME": str(state / "xdg")}
    process = subprocess.Popen(
        [sys.executable, "-c", _STARTED, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def write_picture(path: Path, image: Image, *options: int) -> Path:
    """Write uint8 RGB to ``path``, in the format of its ending."""
    assert cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return path
