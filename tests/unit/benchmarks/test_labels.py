"""The ground truth: phases, samples, what hides what."""

from __future__ import annotations

from pathlib import Path

from benchmarks.labels import SETTLE_SECONDS, Labels, Phase, Sight, Visit, covered, sample, spread

BOX = (10.0, 10.0, 50.0, 60.0)
CLEAR, HIDDEN = Sight(BOX, visible=True, usable=True), Sight(BOX, visible=False, usable=False)
BLURRED = Sight(BOX, visible=True, usable=False)


def _labels(*visits: Visit, frames: int = 100) -> Labels:
    return Labels(fps=10, size=(640, 480), frames=frames, visits=visits)


def _visit(sights: dict[int, Sight]) -> Visit:
    return Visit("Ann", household=True, sights=sights)


def test_a_door_is_busy_while_a_face_shows_and_idle_once_it_has_settled() -> None:
    labels = _labels(_visit({50: HIDDEN, 51: CLEAR, 52: BLURRED, 53: HIDDEN}))
    settle = round(SETTLE_SECONDS * labels.fps)
    assert labels.indices(Phase.BUSY) == [51, 52]
    assert labels.indices(Phase.IDLE) == [*range(settle + 1, 50), *range(53 + settle + 1, 100)]


def test_a_door_nobody_ever_comes_to_is_idle_once_the_start_is_over() -> None:
    assert set(_labels().phases[31:]) == {Phase.IDLE}
    assert set(_labels().phases[:31]) == {Phase.BETWEEN}


def test_the_first_usable_face_is_neither_hidden_nor_blurred() -> None:
    assert _visit({3: HIDDEN, 4: BLURRED, 5: CLEAR}).first_usable == 5
    assert _visit({3: HIDDEN, 4: BLURRED}).first_usable is None


def test_labels_survive_being_written_and_read(tmp_path: Path) -> None:
    labels = _labels(_visit({20: HIDDEN, 21: CLEAR}))
    labels.save(tmp_path / "labels.json")
    assert Labels.load(tmp_path / "labels.json") == labels


def test_a_sample_is_even_and_begins_with_the_first() -> None:
    assert spread(list(range(10, 20)), 5) == [10, 12, 14, 16, 18]
    assert spread([1, 2], 5) == [1, 2]


def test_every_visit_has_its_first_usable_frame_in_the_sample() -> None:
    visits = [_visit(dict.fromkeys(range(start, start + 20), CLEAR)) for start in (10, 40)]
    picked = sample(_labels(*visits, frames=200), busy=6, idle=3)
    assert {10, 40} <= set(picked)
    assert len(picked) == 9


def test_a_nearer_head_or_body_covers_a_face_behind_it() -> None:
    behind = (100.0, 100.0, 140.0, 150.0)
    assert covered(behind, [(120.0, 80.0, 220.0, 200.0)])
    assert covered(behind, [(60.0, 20.0, 100.0, 70.0)])  # its body hangs below its face
    assert not covered(behind, [(400.0, 80.0, 500.0, 200.0)])
