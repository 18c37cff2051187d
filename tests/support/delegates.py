"""Build the delegate for tests (``fake_delegate.c``): a library that the runtimes load as an accelerator's."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

SOURCE = Path(__file__).with_name("fake_delegate.c")


@cache
def fake_delegate(mode: str = "WORKS") -> Path:
    """Return the library with the behaviour ``mode`` (see the source), built once; skip the test without gcc.

    Flags behind ``mode`` give a copy of its own, where the state of the library matters.
    """
    name, *flags = mode.split()
    return built(SOURCE, name.lower(), f"-DMODE={name}", *flags)


def built(source: Path, name: str, *flags: str) -> Path:
    """Return the library compiled from ``source``; skip the test without gcc."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc (make setup installs it)")
    library = Path(mkdtemp(prefix="delegate-")) / f"{name}.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", *flags, "-o", library, source], check=True)
    library.chmod(0o755)
    return library
