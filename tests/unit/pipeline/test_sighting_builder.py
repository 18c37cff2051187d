from dataclasses import replace

import numpy as np
import pytest

from facesecure.domain import Box, Recognition, Subject, Verdict, VerdictKind
from facesecure.pipeline.best_faces import BestFaces
from facesecure.pipeline.presence import PresenceDetector
from facesecure.pipeline.sighting_builder import SightingBuilder
from facesecure.pipeline.subject_watch import SubjectView, SubjectWatch
from facesecure.pipeline.tracker import Track
from support.builders import NOON, aligned, face_at, frame_at
from support.store import MODEL
from support.visitors import looks

UNSURE = Verdict(VerdictKind.UNIDENTIFIED, "no usable face yet")
STRANGER = Verdict(VerdictKind.STRANGER, "nobody we know", faces_used=3)
TOM = Verdict(VerdictKind.KNOWN, "looks like Tom", name="Tom", faces_used=5)


def track(verdict: Verdict, at: float, *, hits: int = 5, ended: bool = False, size: float = 60) -> Track:
    return Track(7, face_at(160, 120, size), 0.0, at, at, verdict, hits=hits, ended=ended)


@pytest.fixture
def builder() -> SightingBuilder:
    return SightingBuilder("front door", PresenceDetector(3.0))


def test_a_verdict_is_said_when_it_is_reached_and_not_again(builder):
    assert builder.update(track(UNSURE, 0), frame_at(0)) == []
    (sighting,) = builder.update(track(TOM, 1), frame_at(1))
    assert sighting.verdict is TOM
    assert builder.update(track(TOM, 2), frame_at(2)) == []


def test_a_wrong_early_verdict_is_corrected_openly(builder):
    (first,) = builder.update(track(STRANGER, 1), frame_at(1))
    (second,) = builder.update(track(TOM, 2), frame_at(2))
    assert second.supersedes == first.identifier
    assert second.identifier != first.identifier


def test_becoming_unsure_again_takes_nothing_back(builder):
    builder.update(track(TOM, 1), frame_at(1))
    assert builder.update(track(UNSURE, 2), frame_at(2)) == []
    assert builder.update(track(TOM, 3), frame_at(3)) == []


def test_a_track_that_ends_without_a_verdict_is_unidentified(builder):
    builder.update(track(UNSURE, 1), frame_at(1))
    (sighting,) = builder.update(track(UNSURE, 1, ended=True), frame_at(2.5))
    assert sighting.verdict.kind is VerdictKind.UNIDENTIFIED


def test_a_flicker_of_the_detector_is_nobody(builder):
    assert builder.update(track(UNSURE, 1, hits=1, ended=True), frame_at(2.5)) == []


def test_the_end_of_a_told_track_moves_its_last_seen_on(builder):
    (first,) = builder.update(track(TOM, 1), frame_at(1))
    (last,) = builder.update(track(TOM, 9, ended=True), frame_at(10.5))
    assert last.identifier == first.identifier
    assert last.closing
    assert not first.closing
    assert (last.last_seen - NOON).total_seconds() == pytest.approx(9)


def test_the_end_of_a_told_track_brings_the_whole_visits_figures_and_its_best_view(builder):
    builder.update(track(TOM, 1, size=30), frame_at(1))
    builder.update(track(TOM, 2, size=60), frame_at(2))
    surer = replace(TOM, faces_used=40)
    (last,) = builder.update(track(surer, 3, ended=True), frame_at(4.5))
    assert last.verdict.faces_used == 40
    assert last.box.width == 60


def test_a_track_that_became_unsure_closes_with_what_was_told(builder):
    builder.update(track(TOM, 1), frame_at(1))
    (last,) = builder.update(track(UNSURE, 3, ended=True), frame_at(4.5))
    assert last.verdict is TOM


def test_the_snapshot_is_the_best_view_with_the_face_where_the_box_says(builder):
    image = np.zeros((240, 320, 3), np.uint8)
    image[90:150, 130:190] = 255
    builder.update(track(UNSURE, 0), frame_at(0, image=image))
    (sighting,) = builder.update(track(TOM, 1, size=30), frame_at(1))  # smaller now: the first view stays
    box = sighting.box
    inside = sighting.snapshot[int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    assert inside.shape == (60, 60, 3)
    assert (inside == 255).all()


def test_movement_without_a_face_is_an_unidentified_sighting_with_a_picture_of_the_movement(builder):
    bright = np.full((240, 320, 3), 200, np.uint8)
    said = []
    for step in range(40):
        moving = 4 <= step < 20
        frame = frame_at(step * 0.5, step, bright if moving else None)
        said += builder.update_presence(frame, moving=moving, tracks=())
    (sighting,) = said
    assert sighting.verdict.kind is VerdictKind.UNIDENTIFIED
    assert sighting.track is None
    assert sighting.snapshot.mean() == 200
    assert (sighting.first_seen - NOON).total_seconds() == 2.0


def test_at_the_end_of_the_source_nothing_is_left_unsaid(builder):
    builder.update(track(UNSURE, 1), frame_at(1))
    (sighting,) = builder.finish([replace(track(UNSURE, 1), ended=True)])
    assert sighting.verdict.kind is VerdictKind.UNIDENTIFIED


def with_faces(track: Track, *seconds: float) -> Track:
    best = BestFaces()
    for second in seconds:
        recognition = Recognition({}, looks(1, int(second)), MODEL)
        best = best.add(aligned(), recognition, second)
    return replace(track, best_faces=best)


def test_a_sighting_brings_its_faces_at_once_and_at_its_end_those_of_the_whole_visit(builder):
    (first,) = builder.update(with_faces(track(TOM, 1), 1), frame_at(1))
    assert [(face.taken_at - NOON).total_seconds() for face in first.faces] == [1]
    (last,) = builder.update(with_faces(track(TOM, 9, ended=True), 1, 5, 9), frame_at(10.5))
    assert [(face.taken_at - NOON).total_seconds() for face in last.faces] == [1, 5, 9]
    assert {face.model_sha256 for face in last.faces} == {MODEL}


def test_a_track_that_ends_unidentified_brings_the_faces_it_had(builder):
    builder.update(track(UNSURE, 1), frame_at(1))
    (sighting,) = builder.update(with_faces(track(UNSURE, 1, ended=True), 1), frame_at(2.5))
    assert len(sighting.faces) == 1


POSTER = replace(track(STRANGER, 0), number=1)
VISITOR = replace(track(STRANGER, 0), number=2)


def seen(builder: SightingBuilder, moving: set[int], tracks: dict[int, list[Track]], steps: int = 60) -> list:
    """What is said of the scene as a whole, with the step of half a second at which it is said."""
    said = []
    for step in range(steps):
        frame, present = frame_at(step * 0.5, step), tracks.get(step, [])
        said += [(step, one) for one in builder.update_presence(frame, moving=step in moving, tracks=present)]
    return said


def there(present: Track, last: int, **end: bool) -> dict[int, list[Track]]:
    return {**{step: [present] for step in range(last)}, last: [replace(present, ended=True, **end)]}


def test_movement_beside_a_poster_is_said_once_it_is_known_to_be_one_with_its_own_times(builder):
    ((step, sighting),) = seen(builder, set(range(4, 16)), there(POSTER, 48, fixed=True))
    assert step == 48
    assert sighting.verdict.kind is VerdictKind.UNIDENTIFIED
    assert [(at - NOON).total_seconds() for at in (sighting.first_seen, sighting.last_seen)] == [2.0, 7.5]


def test_each_movement_beside_a_poster_is_a_sighting_of_its_own(builder):
    moving = set(range(4, 16)) | set(range(24, 36)) | set(range(52, 64))
    said = seen(builder, moving, there(POSTER, 48, fixed=True), 80)
    assert [step for step, _ in said] == [48, 48, 68]


def test_movement_beside_a_visitor_is_the_visitors_and_never_said(builder):
    assert seen(builder, set(range(4, 16)), there(VISITOR, 40)) == []


def test_movement_of_a_visitor_beside_a_poster_is_the_visitors(builder):
    tracks = there(POSTER, 48, fixed=True)
    tracks |= {step: [POSTER, VISITOR] for step in range(8, 14)}
    tracks[14] = [POSTER, replace(VISITOR, ended=True)]
    assert seen(builder, set(range(4, 24)), tracks) == []


def test_only_a_few_movements_beside_a_face_are_kept(builder):
    moving = {step for step in range(200) if step % 14 < 8}
    said = seen(builder, moving, there(POSTER, 190, fixed=True), 191)
    assert len(said) == 4


def test_a_poster_is_closed_like_a_visit_when_it_is_known_to_be_one(builder):
    (first,) = builder.update(replace(track(STRANGER, 1), number=1), frame_at(1))
    (last,) = builder.update(replace(track(STRANGER, 25, ended=True), number=1, fixed=True), frame_at(25))
    assert last.closing
    assert last.identifier == first.identifier


class Watch(SubjectWatch):
    """A watch that sees ``kind`` whenever it is asked, in a view of ones."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def subject(self, at):
        return self.kind

    def view(self, subject, since):
        return SubjectView(since, self.kind, 0.7, np.ones((72, 128, 3), np.uint8), Box(1, 2, 30, 60))


@pytest.mark.parametrize(
    ("kind", "why"), [(Subject.PERSON, "a person moved"), (Subject.VEHICLE, "a vehicle moved")], ids=str
)
def test_movement_says_what_moved_and_shows_where(kind, why):
    builder = SightingBuilder("front door", PresenceDetector(3.0), Watch(kind))
    said = [one for step in range(40) for one in builder.update_presence(frame_at(step), moving=step < 9, tracks=())]
    (sighting,) = said
    assert (sighting.subject, sighting.track, sighting.box) == (kind, None, Box(1, 2, 30, 60))
    assert sighting.verdict.why.startswith(why)
    assert sighting.snapshot.shape == (72, 128, 3)


def test_movement_at_which_nobody_looked_has_no_subject_and_no_box(builder):
    said = [one for step in range(40) for one in builder.update_presence(frame_at(step), moving=step < 9, tracks=())]
    assert [(one.subject, one.box) for one in said] == [(None, None)]


@pytest.mark.parametrize(
    ("seen", "verdict", "subject"),
    [
        (None, UNSURE, Subject.PERSON),
        (Subject.VEHICLE, UNSURE, Subject.PERSON),
        (Subject.ANIMAL, UNSURE, Subject.ANIMAL),
        (Subject.ANIMAL, replace(UNSURE, faces_used=1), Subject.PERSON),
        (Subject.PERSON, TOM, None),
    ],
    ids=["a face", "in a car", "an animal's", "a human face beside an animal", "a known person"],
)
def test_an_unclear_face_is_a_persons_unless_an_animal_was_seen(seen, verdict, subject):
    builder = SightingBuilder("front door", PresenceDetector(3.0), Watch(seen))
    builder.update(track(UNSURE, 1), frame_at(1))
    (sighting,) = builder.update(track(verdict, 2, ended=verdict is not TOM), frame_at(3.5))
    assert sighting.subject is subject
