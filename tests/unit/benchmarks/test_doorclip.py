"""The benchmark's clip, small: the visits and their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import doorclip
from benchmarks.cast import Person, find_cast
from benchmarks.labels import Phase
from facesecure.camera.synthetic.scene import draw_scene

SIZE = (640, 360)


@pytest.fixture(scope="module")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> list[Person]:
    return find_cast(Path("no/such/folder"), tmp_path_factory.mktemp("cast"), np.random.default_rng(0))


@pytest.fixture(scope="module")
def guests(portraits: list[Person]) -> list[doorclip.Guest]:
    return doorclip.plan(portraits, np.random.default_rng(0), groups=(2, 1))


def test_without_research_photos_the_bundled_portraits_come(portraits: list[Person]) -> None:
    assert [person.household for person in portraits] == [True, False]
    assert len(portraits[0].enrolment) >= 5
    assert all(path.exists() for path in portraits[0].enrolment)


def test_with_research_photos_four_live_there_and_twelve_do_not(shared_data: Path, tmp_path: Path) -> None:
    cast = find_cast(shared_data / "lfw-dev" / "images", tmp_path, np.random.default_rng(0))
    household = [person for person in cast if person.household]
    assert (len(household), len(cast)) == (4, 16)
    assert all(len(person.enrolment) == 5 and not {*person.enrolment} & {*person.photos} for person in household)


def test_the_same_seed_invites_the_same_people_at_the_same_times(portraits: list[Person]) -> None:
    plans = [doorclip.plan(portraits, np.random.default_rng(5), groups=(2, 1)) for _ in range(2)]
    first, again = ([(guest.person.name, guest.walk) for guest in plan] for plan in plans)
    assert first == again


def test_nobody_comes_twice_at_once(portraits: list[Person]) -> None:
    for seed in range(5):
        plan = doorclip.plan(portraits, np.random.default_rng(seed), groups=(2, 1))
        assert plan[0].person is not plan[1].person


def test_a_minute_is_long_enough_for_everybody() -> None:
    people = [Person(str(number), number < 4, ()) for number in range(16)]
    for seed in range(20):
        guests = doorclip.plan(people, np.random.default_rng(seed))
        assert len(guests) == 20
        assert guests[-1].walk.end < doorclip.SECONDS
        assert {guest.person.name for guest in guests} == {person.name for person in people}


def test_a_face_that_is_said_to_be_visible_is_painted_there(guests: list[doorclip.Guest]) -> None:
    scene = draw_scene(SIZE)
    time = guests[0].walk.start + 2.0
    picture = scene.image.copy()
    seen = doorclip.draw(picture, scene, guests, time)
    visible = [sight for sight in seen.values() if sight.visible]
    assert visible
    for sight in visible:
        left, top, right, bottom = map(round, sight.box)
        changed = np.abs(picture[top:bottom, left:right].astype(int) - scene.image[top:bottom, left:right]).max(2)
        assert (changed > 10).mean() > 0.75


def test_the_written_clip_has_idle_and_busy_frames_and_a_label_for_each_guest(
    guests: list[doorclip.Guest], tmp_path: Path
) -> None:
    labels = doorclip.make(tmp_path / "door.mp4", guests[:2], 7.0, seed=0, size=SIZE)
    assert labels.frames == len(labels.phases) == 105
    assert labels.indices(Phase.IDLE)
    assert labels.indices(Phase.BUSY)
    assert [visit.who for visit in labels.visits] == [guest.person.name for guest in guests[:2]]


def test_the_light_never_changes_suddenly_while_the_door_is_idle() -> None:
    people = [Person(str(number), number < 4, ()) for number in range(16)]
    times = np.arange(0, doorclip.SECONDS, 1 / doorclip.FPS)
    sudden = times[1:][np.abs(np.diff([doorclip.exposure(time) for time in times])) > 0.005]
    assert sudden.size
    for seed in range(10):
        walks = [guest.walk for guest in doorclip.plan(people, np.random.default_rng(seed))]
        assert all(any(walk.start <= time <= walk.end + 2 for walk in walks) for time in sudden)
