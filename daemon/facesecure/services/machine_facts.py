"""Facts of this machine for people who look after it: disk, memory, and versions."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from facesecure import __version__
from facesecure.services.diagnostics.machine import existing

_PACKAGES = ("ai-edge-litert", "av", "numpy", "opencv-python-headless", "sqlalchemy")


def disk(state_dir: Path) -> dict[str, Any]:
    """Return the bytes of the disk of ``state_dir``, those that are free, and those that facesecure uses."""
    usage = shutil.disk_usage(existing(state_dir))
    return {"folder": str(state_dir), "total": usage.total, "free": usage.free, "used": _size(state_dir)}


def memory() -> dict[str, int | None]:
    """Return the bytes that the daemon takes, those of the machine, and those that are available; None if unknown."""
    machine, own = _fields(Path("/proc/meminfo")), _fields(Path("/proc/self/status"))
    return {"daemon": own.get("VmRSS"), "total": machine.get("MemTotal"), "available": machine.get("MemAvailable")}


def versions() -> dict[str, str]:
    """Return the versions of facesecure, of Python, of the system, and of the larger packages."""
    found = {"facesecure": __version__, "Python": platform.python_version(), platform.system(): platform.release()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += 0 if path.is_symlink() or not path.is_file() else path.stat().st_size
        except OSError:  # the daemon removes files
            continue
    return total


def _fields(path: Path) -> dict[str, int]:
    """Return the fields in kB of a file of /proc, in bytes; empty where there is none."""
    found = {}
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    for line in lines:
        name, _, value = line.partition(":")
        parts = value.split()
        if len(parts) == 2 and parts[1] == "kB":
            found[name] = int(parts[0]) * 1024
    return found
