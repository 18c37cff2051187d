"""Makers of what a store holds, and folders that misbehave for real: full, read-only, in a private mount namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from facesecure.domain import Box, Image, Sighting, Verdict, VerdictKind
from facesecure.domain.records import EnrolledFace
from support.builders import NOON, quality

MODEL = "a" * 64
OTHER_MODEL = "b" * 64


def enrolled_face(seed: int = 0, model: str = MODEL, source: str = "photo.jpg") -> EnrolledFace:
    """A face of noise with a unit embedding; the seed makes it somebody's."""
    random = np.random.default_rng(seed)
    embedding = random.normal(size=192).astype(np.float32)
    image = random.integers(0, 256, (112, 112, 3), np.uint8)
    return EnrolledFace(image, embedding / np.linalg.norm(embedding), model, quality(0.8), source)


def picture(width: int = 64, height: int = 48) -> Image:
    """Noise, which JPEG cannot make small."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def known(name: str) -> Verdict:
    return Verdict(VerdictKind.KNOWN, f"looks like {name}", name, 0.71, "somebody else", 0.2, 9.5, 4)


STRANGER = Verdict(VerdictKind.STRANGER, "looks like nobody we know", faces_used=3)
UNIDENTIFIED = Verdict(VerdictKind.UNIDENTIFIED, "no usable face")


def sighting(
    identifier: str,
    verdict: Verdict = STRANGER,
    when: datetime = NOON,
    snapshot: Image | None = None,
    supersedes: str | None = None,
) -> Sighting:
    """A sighting of two seconds from ``when``."""
    box = None if snapshot is None else Box(1, 2, 30, 40)
    end = when + timedelta(seconds=2)
    return Sighting(identifier, verdict, "front door", when, end, 7, supersedes, snapshot, box)


def run_python(code: str, *arguments: str | Path, mount: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter, after the shell command ``mount`` in a mount namespace of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if mount is not None:
        if not namespaces_work():
            pytest.skip("this machine allows no private mounts (unshare -rm)")
        command = ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh", *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment(), check=False)


def environment() -> dict[str, str]:
    """For a child process that imports ``support`` too."""
    tests = str(Path(__file__).parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH")]))}


@cache
def namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    trial = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0
