"""A face that hangs there, on real video: it is reported once, and hides no one who passes."""

from __future__ import annotations

import logging
import shutil
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import run
from facesecure.camera.synthetic.clip import figure_of
from facesecure.camera.synthetic.figure import Pose
from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.camera.synthetic.scene import Sensor
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.domain import AlertKind, Image, Sighting, VerdictKind
from facesecure.storage.store import Store
from support.faces import empty_scene, portrait, scaled
from support.service.journey import config_for

SIZE, FPS = (480, 270), 5.0
SECONDS = 60
POSTER_MASK = (0.05, 0.2, 0.3, 0.75)
PASSERS = ((6.0, 12.0), (45.0, 51.0))
"""Seconds in which a person without a face passes: before the poster can be known to be one, and after."""
VISIT = (30.0, 40.0)
"""Seconds in which a visitor with a face stands at the door."""


def poster(frame: Image, at: float) -> None:
    """Hang a portrait on the wall; its face is 55 pixels wide."""
    picture = scaled(portrait("eileen_collins"), 120 / portrait("eileen_collins").shape[0])
    frame[60 : 60 + picture.shape[0], 40 : 40 + picture.shape[1]] = picture


def passer(frame: Image, at: float) -> None:
    """Paint a dark figure that walks from right to left, without a face, and not in front of the poster."""
    for start, end in PASSERS:
        if start <= at < end:
            x = round(460 - (at - start) / (end - start) * 260)
            cv2.rectangle(frame, (x, 100), (x + 30, 230), (25, 30, 60), -1)


def visitor(frame: Image, at: float) -> None:
    """Paint Grace Hopper, who stands and sways as people do."""
    if VISIT[0] <= at < VISIT[1]:
        sway = 4 * np.sin(1.3 * at), 2 * np.sin(2.1 * at)
        figure_of(GRACE_HOPPER).paint(frame, Pose((340 + sway[0], 110 + sway[1]), 70, yaw=0.2 * np.sin(at)))


def film(path: Path, *painters: Callable[[Image, float], None], seconds: float = SECONDS) -> Path:
    """Write a film of a wall with noise and what ``painters`` paint; each takes the frame and the time."""
    sensor, wall = Sensor(SIZE, seed=3, noise=3.0), empty_scene(*SIZE)
    with VideoWriter(path, SIZE, FPS, crf=28) as video:
        for index in range(round(seconds * FPS)):
            frame = wall.copy()
            for painter in painters:
                painter(frame, index / FPS)
            video.write(sensor.expose(frame, gain=1.0 + 0.05 * np.sin(index / 40)))
    return path


def watched(clip: Path, state_dir: Path, **sections: object) -> tuple[list[Sighting], list[AlertKind]]:
    """The sightings that the store keeps of ``clip``, in order of time, and the kinds of the alerts sent."""
    recorder = RecordingPlugin()
    run(config_for(clip, **sections), state_dir, exit_at_end=True, extra_plugins={"recording": recorder})
    with Store.open(state_dir) as store:
        kept = sorted(store.sightings(limit=100), key=lambda sighting: sighting.first_seen)
    return kept, [alert.kind for alert in recorder.alerts]


def kinds(sightings: Sequence[Sighting]) -> list[VerdictKind]:
    return [sighting.kind for sighting in sightings]


def lengths(sightings: Sequence[Sighting]) -> list[float]:
    """The seconds that each movement without a face lasted."""
    return [
        (sighting.last_seen - sighting.first_seen).total_seconds()
        for sighting in sightings
        if sighting.kind is VerdictKind.UNIDENTIFIED
    ]


@pytest.fixture(scope="module")
def with_poster(tmp_path_factory):
    """What is seen of two passers and a poster, with the log of it."""
    folder = tmp_path_factory.mktemp("poster")
    return watched(film(folder / "poster.mp4", poster, passer), folder / "state")


def test_as_many_people_are_noticed_beside_a_poster_as_without_it(with_poster, tmp_path):
    alone, _ = watched(film(tmp_path / "alone.mp4", passer), tmp_path / "state")
    assert kinds(alone) == [VerdictKind.UNIDENTIFIED] * 2
    assert lengths(with_poster[0]) == pytest.approx(lengths(alone), abs=0.5)


def test_a_poster_is_announced_once_and_its_visit_ends_when_it_is_known_to_be_one(with_poster):
    sightings, alerts = with_poster
    (stranger,) = [sighting for sighting in sightings if sighting.kind is VerdictKind.STRANGER]
    assert alerts.count(AlertKind.STRANGER) == 1
    assert 15 < (stranger.last_seen - stranger.first_seen).total_seconds() < 20
    assert AlertKind.UNIDENTIFIED in alerts


def test_a_visitor_beside_a_known_poster_is_seen_as_a_visitor(household, tmp_path):
    shutil.copytree(household, tmp_path / "state")
    with Store.open(tmp_path / "state") as store:
        before = {sighting.identifier for sighting in store.sightings(limit=100)}
    sightings, _ = watched(film(tmp_path / "visit.mp4", poster, visitor), tmp_path / "state")
    new = [sighting for sighting in sightings if sighting.identifier not in before]
    assert kinds(new) == [VerdictKind.STRANGER, VerdictKind.KNOWN]
    assert new[1].name == "Grace Hopper"


def test_a_masked_poster_is_never_announced_and_hides_no_one(with_poster, tmp_path):
    clip = film(tmp_path / "masked.mp4", poster, passer)
    sightings, alerts = watched(clip, tmp_path / "state", motion={"mask": [POSTER_MASK]})
    assert kinds(sightings) == [VerdictKind.UNIDENTIFIED] * 2
    assert AlertKind.STRANGER not in alerts


def test_the_log_says_which_face_is_ignored_and_the_mask_that_would_hide_it(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    watched(film(tmp_path / "poster.mp4", poster, seconds=20), tmp_path / "state")
    (line,) = [record.getMessage() for record in caplog.records if "does not move" in record.getMessage()]
    ((left, top, right, bottom),) = tomllib.loads(line[line.index("mask = ") :])["mask"]
    assert 40 / 480 < left < right < 160 / 480
    assert 60 / 270 < top < bottom < 180 / 270


@pytest.mark.slow
def test_the_three_who_pass_are_noticed_with_and_without_the_poster(shared_data, tmp_path):
    inputs = shared_data / "inputs"
    if not (inputs / "poster-and-walkers.mp4").exists():
        pytest.skip("the films with and without a poster are not there")
    alone, _ = watched(inputs / "walkers.mp4", tmp_path / "alone")
    beside, _ = watched(inputs / "poster-and-walkers.mp4", tmp_path / "beside")
    assert len(lengths(alone)) == len(lengths(beside)) == 2
    assert kinds(beside).count(VerdictKind.STRANGER) == 1
