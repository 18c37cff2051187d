from dataclasses import replace

import numpy as np

from facesecure.domain import Recognition
from facesecure.pipeline.best_faces import MAX_FACES, BestFaces
from support.builders import aligned, quality
from support.store import MODEL
from support.visitors import looks


def kept(*faces: tuple[float, float, int]) -> list[tuple[float, float]]:
    """Return (seconds, clarity) of the faces kept out of those given as (seconds, clarity, look)."""
    best = BestFaces()
    for at, clarity, look in faces:
        face = replace(aligned(), quality=quality(clarity))
        best = best.add(face, Recognition({}, looks(1, look), MODEL), at)
    return [(kept_face.at, kept_face.face.quality.clarity) for kept_face in best.faces]


def test_a_short_visit_keeps_every_face():
    assert kept((0, 0.5, 0), (1, 0.9, 1)) == [(0, 0.5), (1, 0.9)]


def test_a_long_visit_keeps_few_faces_from_all_of_it():
    times = [at for at, _ in kept(*((float(second), 0.9, second) for second in range(60)))]
    assert len(times) == MAX_FACES
    assert times[0] < 15
    assert times[-1] > 45


def test_clear_faces_drive_out_unclear_ones():
    unclear = [(float(second), 0.45, second) for second in range(MAX_FACES)]
    clear = [(10.0 + second, 0.95, 50 + second) for second in range(MAX_FACES)]
    assert {clarity for _, clarity in kept(*unclear, *clear)} == {0.95}


def test_of_faces_that_look_the_same_one_is_enough():
    same = [(3.0 * n, 0.9, 0) for n in range(4)]
    different = [(20 + 3.0 * n, 0.9, 1 + n) for n in range(4)]
    times = [at for at, _ in kept(*same, *different)]
    assert sum(at < 20 for at in times) == 1


def test_a_face_without_an_embedding_is_not_kept():
    assert BestFaces().add(aligned(), Recognition({"Tom": 0.4}), 0.0) == BestFaces()
    assert BestFaces().add(aligned(), Recognition({}, np.ones(3, np.float32)), 0.0) == BestFaces()


def test_a_face_unlike_all_others_is_not_kept_for_being_different():
    odd, before = looks(2, 0), [(float(second), 0.9, second) for second in range(4)]
    best = BestFaces()
    for at, clarity, look in before:
        face = replace(aligned(), quality=quality(clarity))
        best = best.add(face, Recognition({}, looks(1, look), MODEL), at)
    for at in (10.0, 20.0):
        best = best.add(replace(aligned(), quality=quality(1.0)), Recognition({}, odd, MODEL), at)
    usual = best.add(replace(aligned(), quality=quality(0.9)), Recognition({}, looks(1, 9), MODEL), 30.0)
    assert float(usual.faces[0].embedding @ odd) < 0.4, "the test needs an odd face"
    assert sum(bool(np.array_equal(kept_face.embedding, odd)) for kept_face in usual.faces) == 0
