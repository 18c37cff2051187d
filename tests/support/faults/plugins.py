"""Plugins that misbehave, installed as any other: a folder for PYTHONPATH, with entry points."""

from __future__ import annotations

from pathlib import Path

CODE = '''
"""Misbehaves."""
import os, sys, threading, time


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


class Interrupts:
    """Raises what ends a program, from every method."""

    def __init__(self, config): ...

    def attach(self, context): ...

    def check(self):
        raise KeyboardInterrupt

    def send(self, alert):
        raise (KeyboardInterrupt, SystemExit, GeneratorExit, BaseException)[hash(alert.text) % 4]("an end")

    def close(self):
        raise KeyboardInterrupt


class InterruptsAtOnce:
    def __init__(self, config):
        raise KeyboardInterrupt("at once")

    def send(self, alert): ...


class Stuck:
    def __init__(self, config):
        time.sleep(3600)

    def send(self, alert): ...


class Floods:
    """Its errors are 20 MB, and one cannot even be printed."""

    def __init__(self, config):
        self.sent = 0

    def check(self):
        raise RuntimeError("x" * 20_000_000)

    def send(self, alert):
        self.sent += 1
        if self.sent % 2:
            raise RuntimeError("password=" * 2_000_000)
        raise type("Hostile", (Exception,), {"__str__": lambda self: sys.exit(3)})

    def close(self):
        raise RuntimeError("y" * 20_000_000)


class Forks:
    """Leaves a child behind that sleeps, and another that returns into the daemon's own code."""

    def __init__(self, config): ...

    def send(self, alert):
        if os.fork() == 0:
            with open("/proc/self/comm", "w") as name:
                name.write("forked sleeper")
            time.sleep(3600)
        os.fork()
'''
FORKED_SLEEPER = "forked sleeper"
"""The name that a child of ``Forks`` gives itself, which psutil tells of it."""

NAMES = ("raises", "hangs", "leaks", "interrupts", "interrupts_at_once", "stuck", "floods", "forks")


def install(folder: Path) -> Path:
    """Put them into ``folder``, which is then one for PYTHONPATH."""
    info = folder / "misbehaving-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "misbehaving.py").write_text(CODE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    names = {name: "".join(map(str.title, name.split("_"))) for name in NAMES}
    lines = [f"{name} = misbehaving:{kind}" for name, kind in names.items()]
    (info / "entry_points.txt").write_text("\n".join(["[facesecure.plugins]", *lines]) + "\n")
    return folder
