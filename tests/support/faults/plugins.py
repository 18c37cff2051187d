"""Plugins that misbehave, installed as any other: a folder for PYTHONPATH, with entry points."""

from __future__ import annotations

from pathlib import Path

CODE = '''
"""Misbehaves."""
import os, threading, time


class Raises:
    def __init__(self, config): ...

    def check(self):
        raise SystemExit("no check either")

    def send(self, alert):
        raise RuntimeError("a mistake of the plugin's")


class Hangs:
    def __init__(self, config): ...

    def check(self):
        time.sleep(3600)

    def send(self, alert):
        time.sleep(3600)


class Leaks:
    """A megabyte, ten threads and ten open files for each alert, delivered well."""

    def __init__(self, config):
        self.kept = []

    def send(self, alert):
        self.kept.append(bytearray(os.urandom(1 << 20)))
        for _ in range(10):
            self.kept.append(open(os.devnull))
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
'''


def install(folder: Path) -> Path:
    """Put them into ``folder``, which is then one for PYTHONPATH."""
    info = folder / "misbehaving-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "misbehaving.py").write_text(CODE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    names = {"raises": "Raises", "hangs": "Hangs", "leaks": "Leaks"}
    lines = [f"{name} = misbehaving:{kind}" for name, kind in names.items()]
    (info / "entry_points.txt").write_text("\n".join(["[facesecure.plugins]", *lines]) + "\n")
    return folder
