"""Shared by the journey tests: a configuration for a clip, and waiting for a daemon's output."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from facesecure.config import FacesecureConfig


def config_for(clip: Path, **sections: Any) -> FacesecureConfig:
    """Return a configuration that watches ``clip``: defaults, and only the plugins given in ``sections``."""
    camera = {"source": f"file:{clip}", **sections.pop("camera", {})}
    return FacesecureConfig.model_validate({"camera": camera, "plugins": {"log": {"enabled": False}}, **sections})


def lines_of(log: Path) -> list[dict[str, Any]]:
    """Return the log plugin's JSON lines so far."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def wait_for_lines(log: Path, kind: str, count: int, timeout: float) -> list[dict[str, Any]]:
    """Wait until the log plugin has written ``count`` lines of that verdict; AssertionError with the lines if not."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = [line for line in lines_of(log) if line["kind"] == kind]
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{count} x {kind} did not come within {timeout:g} s; there was: {lines_of(log)}")


def wait_for_words(file: Path, words: str, timeout: float) -> None:
    """Wait until ``file`` contains ``words``; AssertionError with its content if not."""
    deadline = time.monotonic() + timeout
    while words not in file.read_text():
        assert time.monotonic() < deadline, f"{words!r} did not come within {timeout:g} s: {file.read_text()}"
        time.sleep(0.1)
