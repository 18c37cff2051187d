"""What moves is looked at about once a second, and the latest looks are taken together."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from facesecure.domain import Box, Subject, Verdict, VerdictKind
from facesecure.pipeline.subject_watch import SubjectWatch, square_around
from facesecure.pipeline.tracker import Track
from facesecure.vision.detection.subjects import Detection
from support.builders import face_at, frame_at

PERSON, ANIMAL, VEHICLE, NOTHING = Subject.PERSON, Subject.ANIMAL, Subject.VEHICLE, Subject.NOTHING
REGION = (0.25, 0.25, 0.75, 0.75)
BODY = Box(100, 60, 220, 180)


@dataclass
class Movement:
    moving: bool = True
    regions: tuple = (REGION,)


@dataclass
class ScriptedDetector:
    """Finds the subjects of a list, one a look, in ``box``."""

    seen: list
    box: Box = BODY
    regions: list = field(default_factory=list)
    released: int = 0

    def release(self):
        self.released += 1

    def detect(self, image, region=None):
        self.regions.append(region)
        shown = self.seen[min(len(self.regions), len(self.seen)) - 1]
        return [Detection(kind, 0.7 if kind is shown else 0.1, self.box) for kind in (PERSON, ANIMAL, VEHICLE)]


def follow(watch, detector, seconds, *, movement=None, tracks=(), since=0.0, every=0.2):
    """Show the watch frames for so many seconds; return the time after them."""
    for step in range(round(seconds / every)):
        watch.follow(frame_at(since + step * every, step), movement or Movement(), tracks, detector)
    return since + seconds


def watched(*seen, seconds=None):
    """Return a watch that looked once at each of ``seen``, and the time."""
    watch, at = SubjectWatch(), 0.0
    for one in seen:
        watch.follow(frame_at(at), Movement(), (), ScriptedDetector([one]))
        at += 3.0
    return watch, at - 3.0


def test_two_looks_at_a_person_are_a_person_and_one_is_not():
    assert watched(PERSON)[0].subject(1.0) is NOTHING
    watch, at = watched(PERSON, NOTHING, PERSON)
    assert watch.subject(at) is PERSON


def test_two_looks_count_only_among_the_latest_five():
    watch, at = watched(PERSON, NOTHING, ANIMAL, NOTHING, VEHICLE, PERSON)
    assert watch.subject(at) is NOTHING


@pytest.mark.parametrize("kind", [ANIMAL, VEHICLE])
def test_a_person_goes_before_what_is_beside_them(kind):
    watch, at = watched(kind, PERSON, kind, PERSON, kind)
    assert watch.subject(at) is PERSON
    watch, at = watched(kind, PERSON, kind)
    assert watch.subject(at) is kind


def test_who_has_left_is_no_longer_there():
    watch, at = watched(PERSON, PERSON, NOTHING, NOTHING)
    assert watch.subject(at) is NOTHING


def test_nobody_looked_before_something_moved_and_long_after():
    watch, at = watched(PERSON, PERSON)
    assert SubjectWatch().subject(0.0) is None
    assert watch.subject(at + 60) is None


def test_it_looks_once_a_second_while_something_moves():
    detector = ScriptedDetector([PERSON, NOTHING, NOTHING, ANIMAL])
    follow(SubjectWatch(), detector, 4.0)
    assert len(detector.regions) == 4


def test_it_looks_less_often_once_it_is_known_what_moves():
    shadow, person = ScriptedDetector([NOTHING]), ScriptedDetector([PERSON])
    follow(SubjectWatch(), shadow, 25.0)
    follow(SubjectWatch(), person, 25.0)
    assert len(shadow.regions) == pytest.approx(15, abs=1)
    assert len(person.regions) == pytest.approx(9, abs=1)


def test_it_does_not_look_without_movement_or_detector():
    detector, watch = ScriptedDetector([PERSON]), SubjectWatch()
    follow(watch, detector, 4.0, movement=Movement(moving=False))
    follow(watch, None, 4.0)
    assert detector.regions == []


def test_a_usable_face_explains_the_movement_and_an_unclear_one_does_not():
    unclear = Track(1, face_at(160, 120), 0, 9, 9, Verdict(VerdictKind.UNIDENTIFIED, "too dark"))
    clear = replace(unclear, verdict=Verdict(VerdictKind.STRANGER, "nobody we know", faces_used=3))
    for track, looks in ((unclear, 4), (clear, 0), (replace(clear, last_seen=5), 4)):
        detector = ScriptedDetector([NOTHING, PERSON, NOTHING])
        follow(SubjectWatch(), detector, 4.0, tracks=[track])
        assert len(detector.regions) == looks


def test_the_memory_of_looking_is_freed_once_nothing_moves_any_more():
    watch, detector = SubjectWatch(), ScriptedDetector([PERSON])
    at = follow(watch, detector, 4.0)
    for later in (0, 5, 60, 61):
        watch.rest(at + later)
    assert detector.released == 1


def test_it_looks_at_the_two_largest_regions_in_turn():
    detector, regions = ScriptedDetector([NOTHING]), (REGION, (0.0, 0.0, 0.1, 0.1), (0.9, 0.9, 1.0, 1.0))
    follow(SubjectWatch(), detector, 4.0, movement=Movement(regions=regions))
    assert [region.left for region in detector.regions] == [56, 0, 56, 0]


def test_what_does_not_move_is_not_what_moves():
    """A cat walks past a poster with a person on it."""
    watch, detector = SubjectWatch(), ScriptedDetector([PERSON])
    follow(watch, detector, 4.0, movement=Movement(regions=((0.3, 0.6, 0.4, 0.7),)))
    assert watch.subject(4.0) is NOTHING


def test_the_surest_view_of_the_subject_is_kept_with_its_box():
    watch = SubjectWatch()
    large = np.full((1080, 1920, 3), 90, np.uint8)
    box = Box(600, 300, 900, 900)
    watch.follow(frame_at(0, image=large), Movement(), (), ScriptedDetector([PERSON], box))
    view = watch.view(PERSON, since=0.0)
    assert view.image.shape == (720, 1280, 3)
    assert (view.box.left, view.box.bottom) == (400, 600)
    assert watch.view(ANIMAL, since=0.0) is None
    assert watch.view(PERSON, since=1.0) is None


def test_an_animal_does_not_take_the_view_of_a_person():
    watch, at = watched(PERSON, ANIMAL)
    assert watch.view(PERSON, since=0.0) is not None
    watch.follow(frame_at(at + 60), Movement(), (), ScriptedDetector([ANIMAL]))
    assert watch.view(ANIMAL, since=0.0) is not None, "the person's is old"


@pytest.mark.parametrize(
    ("region", "square"),
    [
        (Box(500, 200, 600, 400), (420, 170, 680, 430)),
        (Box(0, 0, 20, 10), (0, 0, 144, 144)),
        (Box(0, 100, 600, 200), (0, 0, 780, 720)),
        (Box(1200, 700, 1280, 720), (1136, 576, 1280, 720)),
        (Box(0, 0, 1280, 720), (0, 0, 1280, 720)),
    ],
    ids=["around it", "not too small", "beyond top and bottom", "in a corner", "everything"],
)
def test_the_square_lies_around_what_moves_and_within_the_image(region, square):
    found = square_around(region, (1280, 720))
    assert (found.left, found.top, found.right, found.bottom) == pytest.approx(square)
