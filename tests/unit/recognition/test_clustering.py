import numpy as np
import pytest

from facesecure.recognition.clustering import MIN_CORE_SIMILARITY, cluster, similarity_to_core
from support import lfw


def crowd(*people: int, spread: float = 0.6) -> np.ndarray:
    """So many faces of each person: unit vectors about axes of 64, two of one person at a cosine of about 0.74."""
    noise = np.random.default_rng(0)
    faces = [
        np.eye(64)[who] + noise.normal(size=64) * spread / 8 for who, many in enumerate(people) for _ in range(many)
    ]
    return np.array([face / np.linalg.norm(face) for face in faces], np.float32)


def members(groups: list[np.ndarray]) -> list[list[int]]:
    return [group.tolist() for group in groups]


def test_faces_of_one_person_are_one_group():
    assert members(cluster(crowd(7))) == [list(range(7))]


def test_people_are_told_apart_and_the_largest_group_comes_first():
    assert members(cluster(crowd(2, 5, 1))) == [[2, 3, 4, 5, 6], [0, 1], [7]]


def test_nobody_and_one_are_groups_too():
    assert cluster(np.empty((0, 64), np.float32)) == []
    assert members(cluster(crowd(1))) == [[0]]


def test_a_face_fits_the_others_of_its_group_and_not_itself():
    faces = crowd(3, 1)
    found = similarity_to_core(faces, np.array([0, 1, 2]))
    assert (found[:3] > 0.6).all()
    assert found[:3] == pytest.approx([faces[n] @ _mean(np.delete(faces[:3], n, 0)) for n in range(3)], abs=1e-5)
    assert found[3] < MIN_CORE_SIMILARITY


def _mean(faces: np.ndarray) -> np.ndarray:
    mean = faces.mean(0)
    return mean / np.linalg.norm(mean)


def test_real_people_mixed_come_apart_again():
    names = ("Jack_Straw", "Laura_Bush", "Tiger_Woods", "Igor_Ivanov")
    faces = np.concatenate([lfw.faces(name, 4) for name in names])
    order = np.random.default_rng(1).permutation(len(faces))
    groups = cluster(faces[order])
    people = [{int(order[number]) // 4 for number in group} for group in groups]
    assert all(len(who) == 1 for who in people), "no group holds two people"
    assert [len(group) for group in groups[:4]] >= [3, 3, 3, 3]
