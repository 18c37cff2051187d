"""Say how a measurement was made: the command, the seed, the commit, the date and the machine."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CPU_INFO = Path("/proc/cpuinfo")


def about(command: list[str], seed: int, data: Path | None = None) -> dict[str, Any]:
    """Return what a result's JSON says of its making.

    ``data``, the folder of photos, is written as $DATA; of another absolute path only the name, as the rest is of one
    machine.
    """
    return {
        "command": " ".join(_shown(word, data) for word in command),
        "seed": seed,
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
    }


def commit() -> str:
    """Return the commit that is checked out, with ``+`` if code in it was changed; "unknown" outside a repository."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "daemon", "training", "benchmarks")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    code = [line for line in changed.splitlines() if line.endswith(".py")]
    return f"{head}+" if code else head


def machine() -> str:
    """Return cores, processor and system of this machine."""
    cores, system = len(os.sched_getaffinity(0)), f"{platform.system()} {platform.machine()}"
    return f"{cores} cores of {_processor()}, {system}, Python {platform.python_version()}"


def line(made: dict[str, Any]) -> str:
    """Return ``about`` as one line of Markdown."""
    return f"`{made['command']}`, seed {made['seed']}, commit {made['commit']}, {made['date']}; {made['machine']}."


def _shown(word: str, data: Path | None) -> str:
    if data is not None and Path(word).is_relative_to(data):
        return "/".join(("$DATA", *Path(word).relative_to(data).parts))
    return shlex.quote(Path(word).name if Path(word).is_absolute() else word)


def _processor() -> str:
    for text in CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else ():
        if text.startswith("model name"):
            return text.partition(":")[2].strip()
    return platform.processor() or "an unknown processor"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()
