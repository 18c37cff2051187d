"""A film of a visit is being taken when the daemon, the disk or the camera fails: what was filmed plays."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import av
import pytest

from facesecure.storage.clips import Clips
from facesecure.storage.store import Store
from support.camera.films import mp4_of, played
from support.camera.rtsp import RtspCamera, unavailable
from support.faults.disks import fill, small_disk
from support.faults.household import Home, wait_until
from support.faults.table import fault

pytestmark = pytest.mark.slow
FILMS = "[clips]\nenabled = true\nbefore = 1\nafter = 2\n"
CHANCE = random.Random(3)


def films(home: Home) -> list[str]:
    """The identifiers of the films, oldest first."""
    return [identifier for identifier, _ in Clips(home.state).all()]


def seconds_of(home: Home, film: str) -> float:
    """How long a film plays, as the command writes it."""
    path = home.folder / f"{film}.mp4"
    done = home.run("events", "clip", film, "--output", path)
    assert done.returncode == 0, done.stderr
    return played(path.read_bytes()).seconds


def is_whole(home: Home, film: str) -> bool:
    """Whether the film was ended, and did not break off."""
    with Store.open(home.state) as store:
        return store.clips.find(film).whole


def wait_for_film(home: Home, count: int = 1) -> str:
    """Wait until the film number ``count`` is on the disk, a second of it at least; return its identifier."""
    wait_until(lambda: len(films(home)) >= count, f"film {count}", 60)
    time.sleep(2.0)
    film = films(home)[count - 1]
    wait_until(lambda: seconds_on_disk(home, film) >= 1, "second of it on the disk", every=0.1)
    return film


def seconds_on_disk(home: Home, film: str) -> float:
    """How long a film plays that is being taken; 0 while nothing can be played of it."""
    with Store.open(home.state) as store, suppress(av.FFmpegError, IndexError):
        return played(mp4_of(store.clips.media(film))).seconds
    return 0.0


@fault("kill -9 while a visit is filmed", how="SIGKILL at 5 moments of a film, two to four seconds after it began")
def test_killed_while_filming(home: Home, saw: Callable[[str], None]) -> None:
    home.configure(FILMS)
    lengths = list[float]()
    for number in range(5):
        daemon = home.begin()
        daemon.wait_ready()
        film = wait_for_film(home, number + 1)
        time.sleep(CHANCE.uniform(0, 2))
        daemon.kill()
        lengths.append(seconds_of(home, film))
    with home.watched():
        home.wait_for_alerts(len(home.alerts()) + 1)
    assert min(lengths) > 0.5
    saw(f"5 of 5 films play, {min(lengths):.1f} to {max(lengths):.1f} s of them; the next start films again")


@fault(
    "disk full while a visit is filmed", how="a disk of 64 MB for the state folder, filled to the last byte in a film"
)
def test_the_disk_is_full_while_filming(tmp_path: Path, strangers_film: Path, saw: Callable[[str], None]) -> None:
    home = Home(tmp_path, strangers_film)
    home.configure(FILMS)
    try:
        with small_disk(home.state, "64m"), home.watched() as daemon:
            film = wait_for_film(home)
            filler = fill(home.state)
            wait_until(lambda: "ends early" in daemon.said, "word of the film's end", 30)
            before = len(home.alerts())
            home.wait_for_alerts(before + 1)
            filler.unlink()
            length = seconds_of(home, film)
            wait_until(lambda: films(home)[-1] != film, "another film", 60)
    finally:
        home.kill()
    assert length > 0.5
    saw(f"{length:.1f} s of the film play, alerts go on, and with room again visits are filmed again")


@fault("camera lost while a visit is filmed", how="an RTSP camera that is unplugged in a film, and plugged in again")
def test_the_camera_is_lost_while_filming(home: Home, strangers_film: Path, saw: Callable[[str], None]) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    with RtspCamera(film=strangers_film) as camera:
        home.configure(FILMS, source=camera.url)
        with home.watched():
            film = wait_for_film(home)
            camera.kill()
            wait_until(lambda: is_whole(home, film), "the film's end", 30)
            length = seconds_of(home, film)
            camera.switch_on()
            wait_until(lambda: films(home)[-1] != film, "another film", 90)
    assert length > 0.5
    saw(f"{length:.1f} s of the film play, and the next visit is filmed")
