"""Hours at a door, as fast as they go, through the whole daemon: ``python -m support.faults.hours FOLDER FRAMES FPS``.

``facesecure.app.assembly.run`` is what runs; only the camera is another: it shows the films of FOLDER one after the
other, read from their files by the source that reads films, as a live camera that waits for whoever reads it. Between
two films the camera is lost for a moment, now and then for so long that it is told as offline. Now and then SIGHUP
comes with another configuration, and a drill. Prints one JSON object for each second: frames so far, and what the
process holds.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from facesecure.app import assembly, watching
from facesecure.camera.sources.uri import Address
from facesecure.camera.sources.video import VideoFile
from facesecure.config import CameraConfig, FacesecureConfig
from facesecure.domain import Frame
from facesecure.domain.errors import SourceError, UsageError

PROGRAMME = ("stranger", "family", "unidentified", "family")
LOST_EVERY, DRILL_EVERY, RELOAD_EVERY = 7, 5, 12
"""Films between two losses of the camera, drills, changes of the configuration; each comes in the first half hour."""
OUTAGE = 1.5


class Door:
    """The camera of the compressed day: one for the whole process, whichever daemon looks through it."""

    live = True

    def __init__(self, folder: Path, total: int, fps: float) -> None:
        self._folder, self._total, self._fps = folder, total, fps
        self._began = datetime.now(UTC)
        self._wanted = threading.Semaphore(1)
        self._stopped = False
        self.shown = self.films = 0
        self.trouble: SourceError | None = None

    @property
    def over(self) -> bool:
        return self.shown >= self._total

    @property
    def alive_at(self) -> float:
        return time.monotonic()

    def open(self) -> Door:
        """In place of ``open_source``, for each daemon that begins."""
        self._stopped, self._wanted = False, threading.Semaphore(1)
        return self

    def stop(self) -> None:
        self._stopped = True
        self._wanted.release()

    def taken(self, *_: Any) -> None:
        """The reader is done with a frame: the next may come."""
        self._wanted.release()

    def frames(self) -> Generator[Frame]:
        while not (self._stopped or self.over):
            yield from self._film(self._folder / f"{PROGRAMME[self.films % len(PROGRAMME)]}.mp4")
            if not self._stopped:
                self.films += 1
                self._between()

    def _film(self, path: Path) -> Generator[Frame]:
        for frame in VideoFile(Address("file", str(path)), CameraConfig()).frames():
            self._wanted.acquire()
            if self._stopped or self.over:
                return
            at = self.shown / self._fps
            self.shown += 1
            yield Frame(self.shown, at, frame.pixels, self._began + timedelta(seconds=at))

    def _between(self) -> None:
        """The camera is lost now and then, and somebody edits the configuration."""
        if self.films % LOST_EVERY == 1:
            self.trouble = SourceError("the camera was unplugged")
            time.sleep(OUTAGE)
            self.trouble = None
        if self.films % RELOAD_EVERY == 1:
            os.kill(os.getpid(), signal.SIGHUP)


def held() -> dict[str, int]:
    """What this process holds: KB of memory, threads, open files, those of the database's connections apart."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    files = list(open_files())
    database = sum("facesecure.db" in file for file in files)
    kb, threads = int(status["VmRSS"].split()[0]), int(status["Threads"])
    return {"kb": kb, "files": len(files) - database, "database": database, "threads": threads}


def open_files() -> Iterator[str]:
    """What the descriptors of this process stand for, but for those that another thread closes meanwhile."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(descriptor.readlink())


class Day:
    """One run of the daemon, told of every second."""

    def __init__(self, folder: Path, total: int, fps: float) -> None:
        self._door = Door(folder, total, fps)
        self._folder = folder
        self._settings: dict[str, Any] = json.loads((folder / "settings.json").read_text())
        self._configurations, self._drills = itertools.count(1), 0
        self._daemon: assembly.Daemon | None = None
        self._began = time.monotonic()

    def pass_by(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()
        with patch.object(watching, "open_source", self._opened):
            assembly.run(
                self._edited(),
                self._folder / "state",
                exit_at_end=True,
                onlooker=self._door.taken,
                on_ready=self._begins,
                reread=self._edited,
            )
        self._report()

    def _opened(self, *_: Any, **__: Any) -> Door:
        self._daemon = None  # the one before has ended
        return self._door.open()

    def _edited(self) -> FacesecureConfig:
        quiet = [f"03:{next(self._configurations) % 60:02}-04:00"]
        return FacesecureConfig.model_validate(self._settings | {"policy": self._settings["policy"] | {"quiet": quiet}})

    def _begins(self, daemon: assembly.Daemon) -> None:
        self._daemon = daemon

    def _watch(self) -> None:
        while not self._door.over:
            time.sleep(1.0)
            self._report()
            if (self._door.films + DRILL_EVERY - 1) // DRILL_EVERY > self._drills and self._daemon is not None:
                self._drills += 1
                with suppress(UsageError):  # the one before is still being spoken
                    self._daemon.cameras[0].drill.begin()

    def _report(self) -> None:
        figures = {"seconds": round(time.monotonic() - self._began, 1), "frames": self._door.shown, **held()}
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    Day(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])).pass_by()
