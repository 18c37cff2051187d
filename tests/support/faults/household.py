"""A home whose facesecure is a real process, begun, watched from outside, and broken in every way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from facesecure.app.signals import HANDLED
from support.service.commandline import SETTINGS
from support.service.journey import lines_of

READY = "people enrolled"
"""The last that the daemon says before it watches."""
PATIENCE = 60.0
"""Seconds that a test waits longer on a slow machine. What has to be quick is measured, and asserted by itself."""
BUSY = 7.0
"""Seconds that a busy machine may take longer for what a quiet one does in three; what hangs would take a minute."""
CONFIG = """
[camera]
source = "{source}"
file_speed = "{speed}"
timeout = 5.0
[speech]
voices = {voices}
[policy]
stranger_cooldown = 0
known_cooldown = 0
[plugins.log]
file = "{log}"
{more}
"""


def wait_until(come: Callable[[], object], what: str, timeout: float = 30.0, every: float = 0.02) -> float:
    """Seconds until ``come()``.

    AssertionError with ``what`` after ``timeout`` seconds, which a quiet machine does not take, and PATIENCE more.
    """
    began = time.monotonic()
    while not come():
        assert time.monotonic() - began < timeout + PATIENCE, f"within {timeout + PATIENCE:g} s there was no {what}"
        time.sleep(every)
    return time.monotonic() - began


@dataclass
class Home:
    """A household's files in ``folder``, and its daemons; the door shows ``film`` at its real speed."""

    folder: Path
    film: Path
    environment: dict[str, str] = field(default_factory=dict)
    _daemons: list[Daemon] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.configure()

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def config(self) -> Path:
        return self.folder / "door.toml"

    @property
    def log(self) -> Path:
        """Where the log plugin writes."""
        return self.folder / "alerts.jsonl"

    def configure(
        self, more: str = "", *, source: str = "", speed: str = "real", voices: Sequence[str] = ("fake",)
    ) -> None:
        """``more``: tables of the configuration beside the log plugin's."""
        source = source or f"file:{self.film}"
        self.config.write_text(
            CONFIG.format(source=source, speed=speed, voices=json.dumps(list(voices)), log=self.log, more=more)
        )

    def command(self, *words: object) -> list[str]:
        own = ("--config", self.config, "--state-dir", self.state)
        return [sys.executable, "-m", "facesecure", *map(str, (*own, *words))]

    def run(self, *words: object, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """A command typed in this home, to its end."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=timeout, env=self.variables, check=False
        )

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        return kept | {"XDG_CONFIG_HOME": str(self.folder)} | self.environment

    def begin(self, *before: object, words: Sequence[object] = ("run",)) -> Daemon:
        """Start the daemon, by the command ``before`` if one is given, which has to become it in the end."""
        said = self.folder / f"said-{len(self._daemons)}.txt"
        command = [*map(str, before), *self.command(*words)]
        with said.open("w") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env=self.variables, start_new_session=True, cwd=self.folder
            )
        daemon = Daemon(process, said)
        self._daemons.append(daemon)
        return daemon

    @contextmanager
    def watched(self, *before: object) -> Iterator[Daemon]:
        """A daemon that watches, ended by SIGTERM, at which it must end well."""
        daemon = self.begin(*before)
        daemon.wait_ready()
        try:
            yield daemon
        except BaseException:
            daemon.kill()  # or the next test could not begin one
            raise
        daemon.stop()

    def kill(self) -> None:
        """Whatever was begun and still runs."""
        for daemon in self._daemons:
            daemon.kill()

    def alerts(self) -> list[dict[str, Any]]:
        """What the log plugin has told, without a last line that a kill cut in two."""
        if self.log.exists() and not self.log.read_text().endswith("\n"):
            whole, _, _ = self.log.read_text().rpartition("\n")
            return [json.loads(line) for line in whole.splitlines() if line]
        return lines_of(self.log)

    def wait_for_alerts(self, count: int, timeout: float = 30.0) -> list[dict[str, Any]]:
        """Wait for the log plugin's alert number ``count``; AssertionError with what the latest daemon said."""
        try:
            wait_until(lambda: len(self.alerts()) >= count, f"alert {count}", timeout)
        except AssertionError as error:
            said = self._daemons[-1].said[-3000:] if self._daemons else "nothing"
            raise AssertionError(f"{error}; the daemon said: {said}") from None
        return self.alerts()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says to ``query``, after it was found whole."""
        with closing(sqlite3.connect(self.state / "facesecure.db", timeout=10)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return connection.execute(query).fetchall()


@dataclass
class Daemon:
    """A process begun by ``Home.begin``; what it says goes to ``log``."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def line_with(self, words: str) -> str:
        """The first line that holds ``words``, without its time; empty where there is none."""
        return next((line.split(" ", 1)[-1] for line in self.said.splitlines() if words in line), "")

    def wait_ready(self, timeout: float = 30.0) -> float:
        """Seconds until it watches, and listens to signals."""
        return self.wait_for(READY, timeout) + wait_until(self._listens, "ear for its signals", timeout)

    def _listens(self) -> bool:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        assert self.process.poll() is None, self.said[-2000:]
        return all(int(caught, 16) >> (number - 1) & 1 for number in HANDLED)

    def wait_for(self, words: str, timeout: float = 30.0, *, beyond: int = 0) -> float:
        """Seconds until it has said ``words``, more than ``beyond`` times."""

        def come() -> bool:
            ended = self.process.poll()
            said = self.said.count(words) > beyond
            assert said or ended is None, f"it ended with {ended}: {self.said[-2000:]}"
            return said

        try:
            return wait_until(come, repr(words), timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said: {self.said[-3000:]}") from None

    def kill(self) -> None:
        """SIGKILL to it and to whatever it began."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, within: float = 3.0) -> float:
        """SIGTERM, after which it must end well ``within`` seconds, and BUSY more. Returns how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        took = time.monotonic() - began
        assert (code, took < within + BUSY) == (0, True), f"{code} after {took:.1f} s: {self.said[-2000:]}"
        return took

    @property
    def figures(self) -> psutil.Process:
        """For memory, threads, descriptors and CPU time."""
        return psutil.Process(self.process.pid)


def heard(home: Home) -> datetime | None:
    """When the loudspeaker last played something."""
    evening = home.folder / "evening.raw"
    loud = evening.exists() and any(evening.read_bytes())
    return datetime.fromtimestamp(evening.stat().st_mtime, UTC) if loud else None


def spoken_after(home: Home) -> float:
    """Seconds from the first sighting until the loudspeaker has spoken."""
    wait_until(lambda: heard(home), "word from the loudspeaker")
    (first, *_) = home.wait_for_alerts(1)
    end = heard(home)
    assert end is not None
    return (end - datetime.fromisoformat(first["first_seen"])).total_seconds()
