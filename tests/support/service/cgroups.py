"""Control groups for a booted system."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Self


class Cgroups:
    """A separate control group in each hierarchy that systemd uses, so that nothing outside is changed."""

    def __init__(self, name: str) -> None:
        self.name = name
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        self._folders = [
            Path(where) / name
            for _, where, kind, options, *_ in mounts
            if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(","))
        ]
        if Path("/sys/fs/cgroup/systemd") not in [folder.parent for folder in self._folders]:
            hybrid = Path("/sys/fs/cgroup/systemd")
            self._folders += [hybrid / name] if hybrid.is_dir() else []

    def __enter__(self) -> Self:
        for folder in self._folders:
            folder.mkdir()
        return self

    def join(self) -> None:
        """Move the calling process in; its children follow."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def __exit__(self, *error: object) -> None:
        for folder in self._folders:
            for inner, _, _ in os.walk(folder, topdown=False):
                _remove(Path(inner))


def _remove(cgroup: Path) -> None:
    """Remove the groups once their last process has ended."""
    for _ in range(50):
        try:
            cgroup.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
