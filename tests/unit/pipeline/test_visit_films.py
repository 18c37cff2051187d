"""When visits are filmed: faces and long movement, no posters, no glimpses, no drills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from facesecure.domain import Alert, AlertKind, Frame, Sighting, Verdict, VerdictKind
from facesecure.pipeline.observer import NullObserver
from facesecure.pipeline.tracker import Track
from facesecure.pipeline.visit_films import VisitFilms
from facesecure.vision.images.frames import RgbImage
from support.builders import NOON, face_at
from support.store import sighting

UNDECIDED = Verdict(VerdictKind.UNIDENTIFIED, "no usable face yet")


class Recorder:
    """A recorder that notes what it was told."""

    def __init__(self) -> None:
        self.active_at = list[tuple[float, float]]()
        self.kept = 0
        self.identifier: str | None = None

    def active(self, at: float, since: float, wall_time: datetime) -> None:
        assert wall_time == NOON + timedelta(seconds=at)
        self.active_at.append((at, since))

    def keep(self) -> None:
        self.kept += 1


class Drill(NullObserver):
    """An observer that has made every sighting."""

    def on_sighting(self, sighting: Sighting) -> Sighting:
        return replace(sighting, staged=True)


def frame(at: float) -> Frame:
    return Frame(round(at * 10), at, RgbImage(np.zeros((48, 64, 3), np.uint8)), NOON + timedelta(seconds=at))


def track(at: float, first: float = 0.0, hits: int = 5) -> Track:
    return Track(1, face_at(100, 100), first_seen=first, last_seen=at, now=at, verdict=UNDECIDED, hits=hits)


def played(
    moving: Sequence[float] = (), tracks: Sequence[Track] = (), min_movement: float = 3.0, until: float = 20.0
) -> list[tuple[float, float]]:
    """What the recorder is told of ten frames a second that move at ``moving``, with ``tracks`` at their times."""
    now, recorder = [0.0], Recorder()
    films = VisitFilms(
        NullObserver(), recorder, lambda: any(abs(now[0] - at) < 0.05 for at in moving), min_movement=min_movement
    )
    for number in range(round(until * 10)):
        now[0] = number / 10
        films.on_frame(frame(now[0]), [one for one in tracks if abs(one.now - now[0]) < 0.05])
    return recorder.active_at


def seconds(first: float, last: float) -> list[float]:
    return [number / 10 for number in range(round(first * 10), round(last * 10) + 1)]


def test_a_face_is_filmed_from_when_it_was_first_seen() -> None:
    told = played(tracks=[track(at, first=4.8) for at in seconds(5, 6)])
    assert told[0] == pytest.approx((5.0, 4.8))
    assert told[-1][0] == pytest.approx(6.0)


def test_a_face_on_one_frame_an_ended_and_a_fixed_one_are_not_filmed() -> None:
    ended, fixed = replace(track(5.0), ended=True), replace(track(6.0), fixed=True)
    assert played(tracks=[track(4.0, hits=1), ended, fixed]) == []


def test_movement_is_filmed_once_it_makes_a_sighting_and_from_its_beginning() -> None:
    told = played(moving=seconds(2, 8))
    assert told[0] == pytest.approx((5.0, 2.0))
    assert told[-1][0] == pytest.approx(8.0)


def test_short_movements_with_quiet_between_them_are_not_filmed() -> None:
    assert played(moving=[*seconds(2, 4), *seconds(7, 9), *seconds(12, 14)]) == []


def test_where_movement_makes_no_sighting_it_is_not_filmed() -> None:
    assert played(moving=seconds(2, 18), min_movement=0.0) == []


def test_a_sighting_keeps_its_film_and_its_alerts_name_it() -> None:
    recorder = Recorder()
    films = VisitFilms(NullObserver(), recorder, lambda: False, min_movement=3.0)
    seen, alert = sighting("hers"), Alert(AlertKind.STRANGER, "A stranger is at the front door")
    assert films.on_alerts(seen, [alert]) == [alert]
    recorder.identifier = "20310530T181502Z-1f3a9c04"
    assert films.on_sighting(seen) == seen
    assert recorder.kept == 1
    assert [one.clip for one in films.on_alerts(seen, [alert])] == ["20310530T181502Z-1f3a9c04"]


def test_a_drill_keeps_no_film() -> None:
    recorder = Recorder()
    recorder.identifier = "20310530T181502Z-1f3a9c04"
    films = VisitFilms(Drill(), recorder, lambda: False, min_movement=3.0)
    staged = films.on_sighting(sighting("staged"))
    alert = Alert(AlertKind.STRANGER, "A stranger is at the front door")
    assert recorder.kept == 0
    assert films.on_alerts(staged, [alert]) == [alert]
