"""A drill's story, told to it step by step as the pipeline and the dispatcher do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facesecure.camera.sources.scripted import ScriptedSource
from facesecure.camera.synthetic.portraits import Portrait
from facesecure.domain import Alert, AlertKind, Box, Face, Frame, Sighting
from facesecure.domain.errors import SourceError, UsageError
from facesecure.pipeline.tracker import Track
from facesecure.services.drill.drill import Drill
from facesecure.services.drill.injector import VisitorInjector
from facesecure.services.drill.report import DrillReport, Step
from support.store import STRANGER, UNIDENTIFIED, sighting

WALL = np.full((360, 640, 3), 120, np.uint8)


class Rehearsal:
    """A drill with its camera; ``play`` shows frames until the stranger stands there."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.kept: list[DrillReport] = []
        self.injector = VisitorInjector()
        self.changes = 0
        self.drill = Drill(self.kept.append, self.injector, seconds, on_change=self._changed)
        self._frames = self.drill.inject(ScriptedSource([WALL] * 200, fps=10.0).frames())
        self.frame = next(self._frames)

    def _changed(self) -> None:
        self.changes += 1

    def play(self, frames: int = 30) -> None:
        for _ in range(frames):
            self.frame = next(self._frames)

    def track(self, box: Box | None = None, number: int = 7) -> Track:
        """A face where the painted one is, or at ``box``."""
        face = Face(box or self.painted, np.zeros((5, 2), np.float32), 0.99)
        at = self.frame.taken_at
        return Track(number, face, first_seen=at, last_seen=at, now=at, verdict=UNIDENTIFIED)

    @property
    def painted(self) -> Box:
        assert self.injector.box is not None
        return self.injector.box

    @property
    def report(self) -> DrillReport:
        report = self.drill.report()
        assert report is not None
        return report


def seen(track: int | None, verdict: object = STRANGER) -> Sighting:
    return replace(sighting("one", verdict), track=track)


def steps(report: DrillReport) -> list[str]:
    return [step.what for step in report.steps]


def through_the_judge() -> tuple[Rehearsal, Alert]:
    """A drill whose stranger was found and judged; and the alert of it."""
    stage = Rehearsal()
    stage.drill.begin()
    stage.play()
    stage.drill.on_frame(stage.frame, [stage.track()])
    sighting = stage.drill.on_sighting(seen(7))
    alert = Alert.about(sighting, "This is a drill. A stranger is at the front door", channels=("log", "google_home"))
    assert stage.drill.on_alerts(sighting, [alert]) == [alert]
    return stage, alert


def test_whoever_follows_a_drill_is_told_of_every_step() -> None:
    stage, alert = through_the_judge()
    assert stage.changes == 1 + len(steps(stage.report))  # and the beginning
    before = stage.changes
    stage.play(3)
    stage.drill.step(replace(alert, sighting=sighting("other")), "log", "delivered")
    assert stage.changes == before
    for what in ("written", "delivered"):
        stage.drill.step(alert, "google_home", what)
    assert stage.report.done
    assert stage.changes == before + 3  # two steps, and the end


def test_every_step_is_told_in_its_order_and_the_end_is_good() -> None:
    stage, alert = through_the_judge()
    for what in ("written", "attempting", "fetched", "playing", "finished", "delivered"):
        assert not stage.report.done
        stage.drill.step(alert, "google_home", what)
    before = ["shown", "detected", "judged", "policy", "written"]
    assert steps(stage.report) == [*before, "attempting", "fetched", "playing", "finished", "delivered"]
    assert stage.report.steps[3].note == "log, google_home"
    assert stage.report.good
    assert [report.good for report in stage.kept] == [True], "kept once"
    times = [step.seconds for step in stage.report.steps]
    assert times == sorted(times)


def test_a_face_that_was_there_anyhow_is_nobody_s_drill() -> None:
    stage = Rehearsal()
    stage.drill.begin()
    stage.play()
    elsewhere = stage.track(Box(0, 0, 20, 20), number=3)
    stage.drill.on_frame(stage.frame, [stage.track(), elsewhere])
    assert not stage.drill.on_sighting(seen(3)).staged
    assert stage.drill.on_sighting(seen(7)).staged


def test_somebody_who_stood_there_before_stays_real_though_the_painted_one_walks_over_them() -> None:
    stage = Rehearsal()
    before = stage.frame.taken_at
    stage.drill.begin()
    stage.play()
    stage.drill.on_frame(stage.frame, [replace(stage.track(number=3), first_seen=before)])
    assert not stage.drill.on_sighting(seen(3)).staged


def test_the_last_word_on_a_drill_s_face_is_staged_though_the_next_drill_has_begun() -> None:
    stage, alert = through_the_judge()
    stage.drill.step(alert, "log", "written")
    stage.drill.step(alert, "log", "delivered")
    stage.drill.begin()
    closing = stage.drill.on_sighting(replace(seen(7), closing=True))
    assert closing.staged
    assert steps(stage.report) == [], "and it is no step of the next one's"


def test_before_any_drill_everything_is_real() -> None:
    stage = Rehearsal()
    stage.drill.on_frame(stage.frame, [stage.track(Box(0, 0, 20, 20))])
    assert not stage.drill.on_sighting(seen(7)).staged
    assert not stage.drill.on_sighting(seen(None, UNIDENTIFIED)).staged
    assert stage.drill.report() is None


def test_the_movement_that_it_makes_is_staged_too_and_movement_afterwards_is_not() -> None:
    stage = Rehearsal()
    stage.drill.begin()
    stage.play(30)
    assert stage.drill.on_sighting(seen(None, UNIDENTIFIED)).staged
    stage.play(100)
    assert not stage.drill.on_sighting(seen(None, UNIDENTIFIED)).staged


def test_every_channel_has_to_deliver() -> None:
    stage, alert = through_the_judge()
    stage.drill.step(alert, "log", "written")
    stage.drill.step(alert, "google_home", "written")
    stage.drill.step(alert, "log", "delivered")
    assert not stage.report.done
    stage.drill.step(alert, "google_home", "expired")
    assert (stage.report.done, stage.report.good) == (True, False)
    assert "not delivered by google_home" in stage.report.why


def test_a_fallback_that_speaks_makes_it_good_and_the_failure_stays_to_be_seen() -> None:
    stage, alert = through_the_judge()
    stage.drill.step(alert, "google_home", "written")
    stage.drill.step(alert, "google_home", "failed")
    stage.drill.step(alert, "speaker", "delivered")
    assert stage.report.good
    assert Step("failed", stage.report.steps[-2].seconds, "google_home") in stage.report.steps
    assert "though not by google_home" in stage.report.why


@pytest.mark.parametrize(
    ("until", "why"),
    [
        (0, "the camera gave no image"),
        (1, "no face was found"),
        (2, "not identified as a stranger"),
        (3, "no plugin is to be notified"),
        (4, "in use"),
    ],
)
def test_what_did_not_happen_in_time_is_said_with_what_to_look_at(until: int, why: str) -> None:
    stage = Rehearsal(seconds=-1.0)
    stage.drill.begin()
    if until > 0:
        stage.play()
        stage.drill.on_frame(stage.frame, [stage.track()] if until > 1 else [])
    if until > 2:
        sighting = stage.drill.on_sighting(seen(7))
        stage.drill.on_alerts(sighting, [Alert.about(sighting, "A stranger is at the front door")] if until > 3 else [])
    assert (stage.report.done, stage.report.good) == (True, False)
    assert why in stage.report.why


def test_two_at_once_are_refused_and_the_next_is_not() -> None:
    stage, alert = through_the_judge()
    with pytest.raises(UsageError, match="running already"):
        stage.drill.begin()
    stage.drill.step(alert, "log", "written")
    stage.drill.step(alert, "log", "delivered")
    stage.drill.begin()
    assert steps(stage.report) == []


def test_real_alerts_and_those_of_an_earlier_drill_are_passed_over() -> None:
    stage, alert = through_the_judge()
    stage.drill.step(Alert.about(seen(8), "A stranger is at the front door"), "log", "written")
    stage.drill.step(Alert(AlertKind.CAMERA, "The camera is offline"), "log", "written")
    stage.drill.step(alert, "notify", "attempting")  # of an earlier one: its "written" was then
    stage.drill.on_alerts(seen(8), [Alert.about(seen(8), "A stranger is at the front door")])
    assert steps(stage.report) == ["shown", "detected", "judged", "policy"]


def test_a_frame_of_the_drill_says_how_large_the_camera_s_pictures_are() -> None:
    stage = Rehearsal()
    stage.drill.begin()
    stage.play()
    frame: Frame = stage.frame
    stage.drill.on_frame(frame, [])
    assert stage.report.steps[0].note == "640x360"


def test_a_dead_camera_ends_the_drill_at_once_and_says_why() -> None:
    stage = Rehearsal()
    trouble: list[SourceError | None] = [SourceError("connection refused")]
    stage.drill.follow_camera(lambda: trouble[0])
    stage.drill.begin()
    assert (stage.report.done, stage.report.good) == (True, False)
    assert stage.report.why == "the camera gave no image: connection refused"
    trouble[0] = None
    assert stage.report.done, "an ended drill stays ended"
    stage.drill.begin()
    assert not stage.report.done
    assert len(stage.kept) == 1


def test_an_ended_recording_ends_the_drill_but_not_an_alert_on_its_way() -> None:
    stage, alert = through_the_judge()
    stage.drill.step(alert, "log", "written")
    stage.drill.camera_ended()
    assert not stage.report.done
    stage.drill.step(alert, "log", "delivered")
    assert stage.report.good
    stage.drill.begin()
    assert (stage.report.done, stage.report.good) == (True, False)
    assert "has ended" in stage.report.why


def test_without_a_portrait_of_a_stranger_the_drill_ends_at_once() -> None:
    def choose() -> Portrait:
        raise UsageError("everyone is enrolled")

    drill = Drill(lambda _: None, VisitorInjector(choose))
    frames = drill.inject(ScriptedSource([WALL] * 3, fps=10.0).frames())
    drill.begin()
    next(frames)
    report = drill.report()
    assert report is not None
    assert (report.done, report.good, report.why) == (True, False, "everyone is enrolled")
